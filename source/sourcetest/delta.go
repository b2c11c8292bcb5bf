package sourcetest

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// start reads everything and returns the watermark.
func (w *world) start() source.Watermark {
	w.Helper()
	w.delta()
	return w.all().watermark("")
}

func testSinceChanged(w *world) {
	a, b, c := w.three()
	m := w.start()
	d := w.put(person(4))
	w.put(with(w.people[a], "title", "Director"))
	w.put(with(w.people[b], "title"))
	w.put(with(w.people[c], "otherMailbox", "z@example.org", "A@example.org"))
	r := w.since(m)
	for _, id := range []source.ID{a, b, c, d} {
		e := w.says(r, id, source.Upsert, "it was created or changed, and a delta gives it whole")
		w.holds(e.Object, w.people[id])
	}
	if _, there := r.objects(nil)[b].Attributes["title"]; there {
		w.Errorf("object %s still has a title in the delta, which was cleared", b)
	}
}

func testSinceRenamed(w *world) {
	w.need("Rename", w.Rename != nil)
	a, _, _ := w.three()
	w.delta()
	first := w.all()
	w.must("Rename", w.Rename(a, "Renamed Example"))
	r := w.since(first.watermark(""))
	e := w.says(r, a, source.Upsert, "a rename is a change of the same object, under the same ID")
	if before, _ := first.last(a); e.Object.DN == before.Object.DN {
		w.Errorf("object %s was renamed and its DN still is %q", a, e.Object.DN)
	}
	w.holdsAll(w.all().objects(nil))
}

func testSinceDeleted(w *world) {
	a, b, c := w.three()
	m := w.start()
	w.remove(b)
	r := w.since(m)
	w.says(r, b, source.Deleted, "it was deleted since, and judge has looked at the evidence")
	for _, id := range []source.ID{a, c} {
		if e, ok := r.last(id); ok && e.Op != source.Upsert {
			w.Errorf("%v was said about object %s, to which nothing happened", e.Op, id)
		}
	}
	w.holdsAll(w.all().objects(nil), a, b, c)

	d := w.put(person(4))
	m = w.since(r.watermark(m)).watermark(m)
	w.put(with(w.people[d], "title", "Director"))
	w.remove(d)
	w.says(w.since(m), d, source.Deleted, "it was changed and then deleted")
}

func testSinceLeft(w *world) {
	a, b, c := w.three()
	m := w.start()
	back := w.people[b]
	w.moveOut(b)
	r := w.since(m)
	w.says(r, b, source.Left, "it exists out of scope: it is neither deleted nor silently gone")
	w.holdsAll(w.all().objects(nil), a, b, c)
	m = r.watermark(m)

	w.need("MoveIn", w.MoveIn != nil)
	w.must("MoveIn", w.MoveIn(b))
	w.people[b] = back
	r = w.since(m)
	w.holds(w.says(r, b, source.Upsert, "it came back into scope").Object, back)
	m = r.watermark(m)

	w.moveOut(b)
	w.remove(b)
	w.says(w.since(m), b, source.Deleted, "it left and was then deleted")
}

func testSinceUndeleted(w *world) {
	w.need("Undelete", w.Undelete != nil)
	a, b, c := w.three()
	m := w.start()
	was := w.people[b]
	w.remove(b)
	r := w.since(m)
	w.says(r, b, source.Deleted, "it was deleted")
	w.must("Undelete", w.Undelete(b))
	r = w.since(r.watermark(m))
	w.says(r, b, source.Upsert, "it was undeleted, under its old ID")
	w.put(was) // an undeleted object may have lost attributes
	w.holdsAll(w.since(r.watermark(m)).objects(r.objects(map[source.ID]source.Object{a: w.people[a], c: w.people[c]})), a, b, c)

	// Deleted and undeleted between two reads, it never went.
	m = w.all().watermark("")
	w.remove(b)
	w.must("Undelete", w.Undelete(b))
	if e, ok := w.since(m).last(b); ok && e.Op != source.Upsert {
		w.Errorf("%v was said about object %s, which is there: it was deleted and undeleted", e.Op, b)
	}
}

func testSinceTwice(w *world) {
	a, _, c := w.three()
	m := w.start()
	w.put(with(w.people[a], "title", "Director"))
	if w.Remove != nil {
		w.remove(c)
	}
	first, second := w.since(m), w.since(m)
	for _, id := range []source.ID{a, c} {
		e, _ := first.last(id)
		f, ok := second.last(id)
		if ok && e.Op == f.Op && reflect.DeepEqual(e.Object, f.Object) {
			continue
		}
		if w.Remove != nil || id == a {
			w.Errorf("read twice from one watermark, object %s came as %v and then as %v (given: %t), want the same twice", id, e.Op, f.Op, ok)
		}
	}
}

func testSinceQuiet(w *world) {
	a, b, c := w.three()
	m := w.start()
	m = w.since(m).watermark(m) // may repeat what the full read gave
	for range 2 {
		r := w.since(m)
		for _, id := range []source.ID{a, b, c} {
			if e, ok := r.last(id); ok {
				w.Errorf("%v was said about object %s, though nothing changed: a delta costs what changed", e.Op, id)
			}
		}
		m = r.watermark(m)
	}
}

// testResume resumes from each checkpoint of a full read and of a delta.
func testResume(w *world) {
	a, b, c := w.three()
	d, e := w.put(person(4)), w.put(person(5))
	w.delta()
	full := w.all()
	w.resumes(full, nil)

	m := full.watermark("")
	before := full.objects(nil)
	w.put(with(w.people[b], "title", "Director"))
	w.put(with(w.people[d], "title", "Director"))
	f := w.put(person(6))
	if w.Remove != nil {
		w.remove(a)
		w.remove(e)
	}
	w.resumes(full, nil, a, b, c, d, e, f)
	w.resumes(w.since(m), before, a, b, c, d, e, f)
}

// resumes takes each checkpoint of r: what came before it, with a delta from it,
// must be all that is there.
func (w *world) resumes(r reading, before map[source.ID]source.Object, mine ...source.ID) {
	w.Helper()
	for i, e := range r.events {
		if e.Op == source.Checkpoint {
			got := reading{events: r.events[:i]}.objects(before)
			w.holdsAll(w.since(e.Watermark).objects(got), mine...)
		}
	}
}

func testSinceEmpty(w *world) {
	a, b, c := w.three()
	w.holdsAll(w.since("").objects(nil), a, b, c)
}

// testBefore changes the directory while it is read: a delta from the watermark
// repeats rather than loses.
func testBefore(w *world) {
	a, b, _ := w.three()
	delta := w.delta()
	ids := []source.ID{a, b}
	during := func(read func(yield func(source.Event, error) bool), change func()) reading {
		changed := false
		return w.whole(func(yield func(source.Event, error) bool) {
			for e, err := range read {
				if !changed {
					changed = true
					change()
				}
				if !yield(e, err) {
					return
				}
			}
		})
	}
	full := during(w.Source.All(w.ctx()), func() {
		w.put(with(w.people[a], "title", "Director"))
		if w.Remove != nil {
			w.remove(b)
		}
		ids = append(ids, w.put(person(4)))
	})
	m := full.watermark("")
	known := full.objects(nil)
	r := w.since(m)
	known = r.objects(known)
	w.holdsAll(known, ids...)

	w.put(with(w.people[a], "title", "Clerk"))
	next := during(delta.Since(w.ctx(), r.watermark(m)), func() {
		w.put(with(w.people[a], "title", "President"))
		ids = append(ids, w.put(person(5)))
	})
	known = next.objects(known)
	w.holdsAll(w.since(next.watermark(m)).objects(known), ids...)
}

func testExpired(w *world) {
	w.three()
	m := string(w.start())
	reversed := []byte(m)
	slices.Reverse(reversed)
	damaged := map[string]source.Watermark{
		"garbage":              "no watermark",
		"cut in half":          source.Watermark(m[:len(m)/2]),
		"reversed":             source.Watermark(reversed),
		"with more at its end": source.Watermark(m + m),
	}
	if w.Foreign != nil {
		foreign, err := w.Foreign()
		w.must("Foreign", err)
		damaged["foreign"] = foreign
	}
	for what, bad := range damaged {
		r := w.read(w.delta().Since(w.ctx(), bad))
		if !errors.Is(r.err, source.ErrWatermarkExpired) {
			w.Errorf("a delta from a watermark that is %s ended in %v after %d events, want an error that wraps ErrWatermarkExpired", what, r.err, len(r.events))
		}
		if maybe, err := source.Poll(w.ctx(), w.Source, bad); err == nil && !maybe {
			w.Errorf("Poll says that certainly nothing changed since a watermark that is %s", what)
		}
	}
	w.since(source.Watermark(m)) // the good one still is
}

func testSinceCancelled(w *world) {
	a, b, c := w.three()
	m := w.start()
	for _, id := range []source.ID{a, b, c} {
		w.put(with(w.people[id], "title", "Director"))
	}
	since := func(ctx context.Context) iter.Seq2[source.Event, error] { return w.delta().Since(ctx, m) }
	w.cancelled(since)
	w.cancelledOnTheWay(since)
	w.holdsAll(w.since(m).objects(nil), a, b, c)
}

func testSinceCut(w *world) {
	w.need("Cut", w.Cut != nil)
	a, b, c := w.three()
	m := w.start()
	known := w.all().objects(nil)
	w.put(with(w.people[a], "title", "Director"))
	w.put(with(w.people[b], "title", "Director"))
	if w.Remove != nil {
		w.remove(c)
	}
	d := w.put(person(4))
	for n := range 3 {
		w.must("Cut", w.Cut(n))
		r := w.read(w.delta().Since(w.ctx(), m))
		w.wasCut(r, n)
		w.holdsAll(w.since(r.watermark(m)).objects(r.objects(known)), a, b, c, d)
	}
}
