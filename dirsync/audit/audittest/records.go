package audittest

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
)

// Chain returns n sealed records that follow after, with everything in them that
// a record can have, hostile text included. The same arguments give the same
// records; another story gives others with the same numbers.
func Chain(after audit.Head, n int, story string) []audit.Record {
	out := make([]audit.Record, n)
	for i := range out {
		r := &out[i]
		*r = audit.Record{
			Time: time.Date(2026, 1, 2, 3, 4, 5, i, time.UTC), Run: 7, Event: audit.EventWrite, Op: "update", Kind: "user",
			Source: fmt.Sprintf("00000000-0000-0000-0000-%012d", i), Name: "CN=Zoë\u202e\r\n\x1b[2J,DC=corp,DC=example",
			Target: fmt.Sprintf("account-%d", i), Anchor: "AAAA", UPN: fmt.Sprintf("u%d@corp.example", i),
			Before:  map[string][]string{"title": {"\"}\n{\"seq\":1}"}, "mail": {}},
			After:   map[string][]string{"title": {story}, "otherMails": {"a@corp.example", ""}},
			Outcome: audit.OutcomeApplied, Repeat: i%2 == 1, Reason: "changed: " + strings.Repeat("x", i%50),
			Rules: []audit.Rule{{Attribute: "title", Rule: "copy"}}, Plan: "p", RequestID: "q", Detail: "d",
		}
		switch i % 3 {
		case 1:
			*r = audit.Record{Event: audit.EventHalted, Error: story}
		case 2:
			r.Evidence = &audit.Evidence{Kind: "deleted", Seen: r.Time}
			r.Approver = "carol"
		}
		r.Seal(after)
		after = r.Head()
	}
	return out
}

func add(t *testing.T, s audit.Sink, records []audit.Record) {
	t.Helper()
	if err := s.Append(context.Background(), records); err != nil {
		t.Fatalf("Append %d records: %v", len(records), err)
	}
}

// wantAt checks the position after records, and the records if the sink can be
// read.
func wantAt(t *testing.T, s audit.Sink, read func() []audit.Record, records []audit.Record) {
	t.Helper()
	head, ok, err := s.Position(context.Background())
	switch {
	case err != nil:
		t.Fatalf("Position: %v", err)
	case ok != (len(records) > 0):
		t.Fatalf("Position says %v for a sink with %d records", ok, len(records))
	case ok && head != records[len(records)-1].Head():
		t.Fatalf("Position is %+v, the last record is %+v", head, records[len(records)-1].Head())
	}
	if read == nil {
		return
	}
	got := read()
	if len(got) != len(records) {
		t.Fatalf("%d records are held, want %d", len(got), len(records))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], records[i]) {
			t.Fatalf("record %d came back as %+v, want %+v", i, got[i], records[i])
		}
	}
}
