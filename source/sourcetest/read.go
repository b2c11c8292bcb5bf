package sourcetest

import (
	"iter"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/source"
)

// A reading is what one sequence gave.
type reading struct {
	events []source.Event
	err    error
}

// read ranges over seq to its end and judges the form of all that comes.
func (w *world) read(seq iter.Seq2[source.Event, error]) reading {
	w.Helper()
	var r reading
	for e, err := range seq {
		switch {
		case r.err != nil:
			w.Fatalf("%v and %v came after the error %v: an error is yielded once, last", e.Op, err, r.err)
		case err != nil:
			r.err = err
			if !reflect.DeepEqual(e, source.Event{}) {
				w.Errorf("the error %v came with an event (%v): an error comes with the zero Event", err, e.Op)
			}
		default:
			w.judge(e)
			r.events = append(r.events, e)
		}
	}
	return r
}

// whole reads seq, which must be complete and end in a checkpoint.
func (w *world) whole(seq iter.Seq2[source.Event, error]) reading {
	w.Helper()
	r := w.read(seq)
	if r.err != nil {
		w.Fatalf("read: %v", r.err)
	}
	if n := len(r.events); n == 0 || r.events[n-1].Op != source.Checkpoint {
		w.Fatal("the read ended without a checkpoint: one comes at the end at the latest, even if nothing else does")
	}
	return r
}

func (w *world) all() reading {
	w.Helper()
	return w.whole(w.Source.All(w.ctx()))
}

// since reads what changed since m.
func (w *world) since(m source.Watermark) reading {
	w.Helper()
	return w.whole(w.delta().Since(w.ctx(), m))
}

// watermark is that of the last checkpoint, or of before if there is none.
func (r reading) watermark(before source.Watermark) source.Watermark {
	for _, e := range slices.Backward(r.events) {
		if e.Op == source.Checkpoint {
			return e.Watermark
		}
	}
	return before
}

// objects are those that the reading leaves in the hands of who had known.
func (r reading) objects(known map[source.ID]source.Object) map[source.ID]source.Object {
	now := map[source.ID]source.Object{}
	for id, o := range known {
		now[id] = o
	}
	for _, e := range r.events {
		switch e.Op {
		case source.Upsert:
			now[e.Object.ID] = e.Object
		case source.Left, source.Deleted:
			delete(now, e.Object.ID)
		}
	}
	return now
}

// last is the last event about id, references left out.
func (r reading) last(id source.ID) (source.Event, bool) {
	for _, e := range slices.Backward(r.events) {
		if e.Op != source.Checkpoint && e.Op != source.Refers && e.Object.ID == id {
			return e, true
		}
	}
	return source.Event{}, false
}

// says fails the test unless the last event about id has this Op.
func (w *world) says(r reading, id source.ID, op source.Op, why string) source.Event {
	w.Helper()
	e, ok := r.last(id)
	switch {
	case !ok:
		w.Errorf("nothing was said about object %s, want %v: %s", id, op, why)
	case e.Op != op:
		w.Errorf("%v was said about object %s, want %v: %s", e.Op, id, op, why)
	}
	return e
}

// judge holds the form of one event against the contract.
func (w *world) judge(e source.Event) {
	w.Helper()
	o := e.Object
	if e.Op != source.Unreadable && e.Err != nil {
		w.Errorf("%v of %s has an Err: only Unreadable has", e.Op, o.ID)
	}
	if e.Op != source.Refers && e.References != nil {
		w.Errorf("%v of %s has References: only Refers has", e.Op, o.ID)
	}
	if e.Op != source.Checkpoint && e.Watermark != "" {
		w.Errorf("%v of %s has a Watermark: only a Checkpoint has", e.Op, o.ID)
	}
	switch e.Op {
	case source.Upsert:
		w.judgeObject(o)
	case source.Left, source.Deleted:
		w.judgeID(o.ID)
		if o.Kind == "" {
			w.Errorf("%v of %s has no Kind", e.Op, o.ID)
		}
		if e.Evidence.Kind == "" || e.Evidence.Seen.IsZero() {
			w.Errorf("%v of %s has no evidence of how and when it is known: %+v", e.Op, o.ID, e.Evidence)
		}
	case source.Unreadable:
		if e.Err == nil {
			w.Errorf("Unreadable %s (%s) doesn't say why", o.ID, o.DN)
		}
	case source.Refers:
		w.judgeReferences(e)
	case source.Checkpoint:
		if e.Watermark == "" || len(e.Watermark) > 64<<10 || !utf8.ValidString(string(e.Watermark)) {
			w.Errorf("a watermark of %d bytes (valid UTF-8: %t): it is valid text of 1 byte to 64 KiB",
				len(e.Watermark), utf8.ValidString(string(e.Watermark)))
		}
		if !reflect.DeepEqual(o, source.Object{}) {
			w.Errorf("a checkpoint has an object, %s", o.ID)
		}
	default:
		w.Errorf("an event with the Op %d, which doesn't exist", e.Op)
	}
}

func (w *world) judgeObject(o source.Object) {
	w.Helper()
	w.judgeID(o.ID)
	if o.Kind == "" {
		w.Errorf("object %s has no Kind", o.ID)
	}
	for name, values := range o.Attributes {
		if name == "" || len(values) == 0 {
			w.Errorf("object %s has the attribute %q without values: it isn't in the map then", o.ID, name)
		}
		if !slices.IsSorted(values) {
			w.Errorf("object %s has the values of %s out of order: %q", o.ID, name, values)
		}
		for _, v := range values {
			if !utf8.ValidString(v) {
				w.Errorf("object %s has a value of %s that isn't UTF-8: base64 if it is binary, else a Fault", o.ID, name)
			}
		}
	}
	for _, f := range o.Faults {
		if f.Attribute == "" || f.Reason == "" {
			w.Errorf("object %s has a Fault without attribute or reason: %+v", o.ID, f)
		}
	}
}

func (w *world) judgeID(id source.ID) {
	w.Helper()
	if id == "" || !legal(string(id)) {
		w.Errorf("the ID %q: it is text without '/' and control characters", id)
	}
}

// legal reports whether s may be an ID or a name.
func legal(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return r == '/' || unicode.IsControl(r) })
}
