package statetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// putIf and removeIf are writes that depend on a revision.
func putIf(key, value string, revision uint64) state.Write {
	return state.Write{Key: key, Value: []byte(value), Check: true, Revision: revision}
}

func removeIf(key string, revision uint64) state.Write {
	return state.Write{Key: key, Delete: true, Check: true, Revision: revision}
}

func put(key, value string) state.Write { return state.Put(key, []byte(value)) }

func commit(t testing.TB, s state.Store, writes ...state.Write) {
	t.Helper()
	if err := s.Commit(context.Background(), writes...); err != nil {
		t.Fatalf("Commit: %v", err)
	}
}

// refuse wants an ErrConflict.
func refuse(t *testing.T, s state.Store, writes ...state.Write) {
	t.Helper()
	if err := s.Commit(context.Background(), writes...); !errors.Is(err, state.ErrConflict) {
		t.Fatalf("Commit gave %v, want an error that wraps ErrConflict", err)
	}
}

func get(t testing.TB, s state.Store, key string) state.Record {
	t.Helper()
	r, err := s.Get(context.Background(), key)
	if err != nil {
		t.Fatalf("Get %q: %v", short(key), err)
	}
	if r.Key != key {
		t.Fatalf("Get %q gave the key %q", short(key), short(r.Key))
	}
	return r
}

func wantAbsent(t *testing.T, s state.Store, key string) {
	t.Helper()
	if r, err := s.Get(context.Background(), key); !errors.Is(err, state.ErrNotFound) {
		t.Fatalf("Get %q gave revision %d and error %v, want an error that wraps ErrNotFound", short(key), r.Revision, err)
	}
}

func scan(t testing.TB, s state.Store, prefix string) []state.Record {
	t.Helper()
	var out []state.Record
	for r, err := range s.Scan(context.Background(), prefix) {
		if err != nil {
			t.Fatalf("Scan %q: %v", prefix, err)
		}
		out = append(out, r)
	}
	return out
}

// want compares the records under prefix with "key=value" texts, and each with
// what Get says.
func want(t *testing.T, s state.Store, prefix string, pairs ...string) {
	t.Helper()
	got := []string{}
	for _, r := range scan(t, s, prefix) {
		got = append(got, r.Key+"="+string(r.Value))
		if g := get(t, s, r.Key); !reflect.DeepEqual(g, r) {
			t.Errorf("Scan and Get disagree on %q: revision %d with %q, and %d with %q", r.Key, r.Revision, r.Value, g.Revision, g.Value)
		}
	}
	if pairs == nil {
		pairs = []string{}
	}
	if !reflect.DeepEqual(got, pairs) {
		t.Fatalf("Scan %q gave\n\t%q, want\n\t%q", prefix, got, pairs)
	}
}

// fill commits n records under prefix, in an order that isn't theirs.
func fill(t testing.TB, s state.Store, prefix string, n int) {
	t.Helper()
	writes := make([]state.Write, 0, n)
	for i := range n {
		writes = append(writes, put(numbered(prefix, (i*7919+n/2)%n), "value"))
	}
	for len(writes) > 0 {
		part := writes[:min(1000, len(writes))]
		commit(t, s, part...)
		writes = writes[len(part):]
	}
}

func numbered(prefix string, i int) string { return fmt.Sprintf("%s%07d", prefix, i) }

// drain ranges over seq to its end and checks that an error is yielded once,
// last, with the zero Record.
func drain(t *testing.T, seq iter.Seq2[state.Record, error]) (records int, failure error) {
	t.Helper()
	for r, err := range seq {
		if failure != nil {
			t.Fatalf("after its error the scan yielded %q, %v", r.Key, err)
		}
		if err != nil {
			if failure = err; !reflect.DeepEqual(r, state.Record{}) {
				t.Fatalf("the error %v came with the record %q, want the zero Record", err, r.Key)
			}
			continue
		}
		records++
	}
	return records, failure
}

func short(key string) string {
	if len(key) > 40 {
		return key[:40] + "..."
	}
	return key
}
