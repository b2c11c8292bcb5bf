package ldapsource_test

import (
	"iter"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/stretchr/testify/require"
)

// A reading is what a sequence gave, the last word on each object.
type reading struct {
	upserts map[source.ID]source.Object
	left    map[source.ID]source.Event
	deleted map[source.ID]source.Event
	marks   []source.Watermark
	events  int
	err     error
}

func read(events iter.Seq2[source.Event, error]) reading {
	r := reading{upserts: map[source.ID]source.Object{}, left: map[source.ID]source.Event{}, deleted: map[source.ID]source.Event{}}
	for e, err := range events {
		if err != nil {
			r.err = err
			return r
		}
		r.events++
		switch e.Op {
		case source.Upsert:
			delete(r.deleted, e.Object.ID)
			delete(r.left, e.Object.ID)
			r.upserts[e.Object.ID] = e.Object
		case source.Left:
			delete(r.upserts, e.Object.ID)
			r.left[e.Object.ID] = e
		case source.Deleted:
			delete(r.upserts, e.Object.ID)
			r.deleted[e.Object.ID] = e
		case source.Checkpoint:
			r.marks = append(r.marks, e.Watermark)
		}
	}
	return r
}

// mark is the last watermark.
func (r reading) mark() source.Watermark { return r.marks[len(r.marks)-1] }

// apply brings a copy of what was known up to date.
func (r reading) apply(known map[source.ID]source.Object) {
	for id, o := range r.upserts {
		known[id] = o
	}
	for id := range r.left {
		delete(known, id)
	}
	for id := range r.deleted {
		delete(known, id)
	}
}

func TestAFullReadGivesEverybodyThatLdapsearchFinds(t *testing.T) {
	bed := dc(t)
	for _, who := range []string{"SYNC", "READER"} {
		src := bed.source(t, who)
		all := read(src.All(t.Context()))
		require.NoError(t, all.err)
		require.Len(t, all.marks, 1)
		var want []string
		for _, l := range bed.search(t, who, bed.env["BASE_DN"], "(&(objectCategory=person)(objectClass=user))", "sAMAccountName") {
			if _, v, ok := strings.Cut(l, "sAMAccountName: "); ok {
				want = append(want, v)
			}
		}
		var got []string
		for _, o := range all.upserts {
			got = append(got, o.Attributes.First("sAMAccountName"))
		}
		require.Greater(t, len(got), 900)
		require.ElementsMatch(t, want, got)
	}
}
