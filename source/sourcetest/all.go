package sourcetest

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

func testName(w *world) {
	name := w.Source.Name()
	if name == "" || !legal(name) {
		w.Errorf("the name %q: it is text without '/' and control characters", name)
	}
	w.three()
	w.all()
	if again := w.Source.Name(); again != name {
		w.Errorf("the name was %q and is %q: links and watermarks are kept under it", name, again)
	}
}

func testAll(w *world) {
	w.all() // a directory without people of ours ends in a checkpoint too
	w.three()
	w.holdsAll(w.all().objects(nil))
}

func testWhole(w *world) {
	a, b, _ := w.three()
	w.put(with(w.people[a], "title", "Head of R&D, \"Labs\" <x> (y) *"))
	w.put(with(with(w.people[b], "otherMailbox"), "title"))
	got := w.all().objects(nil)
	w.holdsAll(got)
	for _, name := range []string{"otherMailbox", "title"} {
		if v, there := got[b].Attributes[name]; there {
			w.Errorf("object %s has %s = %q, which was cleared", b, name, v)
		}
	}
}

func testNow(w *world) {
	a, b, c := w.three()
	w.all()
	w.put(with(w.people[a], "title", "Director"))
	d := w.put(person(4))
	w.holdsAll(w.all().objects(nil))
	w.remove(b)
	w.holdsAll(w.all().objects(nil), a, b, c, d)
	if w.MoveOut != nil {
		w.moveOut(c)
		w.holdsAll(w.all().objects(nil), a, b, c, d)
	}
}

func testEqualTwice(w *world) {
	a, b, c := w.three()
	first, second := w.all().objects(nil), w.all().objects(nil)
	for _, id := range []source.ID{a, b, c} {
		if !reflect.DeepEqual(first[id], second[id]) {
			w.Errorf("object %s was not changed and reads differently:\n%+v\n%+v", id, first[id], second[id])
		}
	}
}

func testMemory(w *world) {
	a, b, c := w.three()
	want := w.all().objects(nil)
	var copies []source.Object
	for _, id := range []source.ID{a, b, c} {
		o := want[id]
		o.Attributes = o.Attributes.Clone()
		o.Faults = slices.Clone(o.Faults)
		copies = append(copies, o)
	}
	spoiled := w.all().objects(nil)
	for _, id := range []source.ID{a, b, c} {
		for name, values := range spoiled[id].Attributes {
			for i := range values {
				values[i] = "written by the caller"
			}
			_ = append(values, "appended by the caller")
			spoiled[id].Attributes[name+"2"] = values
		}
	}
	again := w.all().objects(nil)
	for i, id := range []source.ID{a, b, c} {
		if !reflect.DeepEqual(again[id], copies[i]) {
			w.Errorf("object %s reads differently after the caller wrote into an event that it got before", id)
		}
		if !reflect.DeepEqual(want[id], copies[i]) {
			w.Errorf("the event about %s changed in the caller's hands when the source was read again", id)
		}
	}
}

func testBreak(w *world) {
	a, b, c := w.three()
	for n := range 4 {
		i := 0
		for _, err := range w.Source.All(w.ctx()) {
			if err != nil {
				w.Fatalf("read after a break: %v", err)
			}
			if i++; i > n {
				break
			}
		}
	}
	w.holdsAll(w.all().objects(nil), a, b, c)
}

func testCancelled(w *world) {
	all := func(ctx context.Context) iter.Seq2[source.Event, error] { return w.Source.All(ctx) }
	w.cancelled(all) // also where there may be nothing to read
	w.three()
	w.cancelled(all)
	w.cancelledOnTheWay(all)
	w.holdsAll(w.all().objects(nil)) // nothing of it stays
}

// cancelled reads under a context that is over.
func (w *world) cancelled(read func(context.Context) iter.Seq2[source.Event, error]) {
	w.Helper()
	ctx, cancel := context.WithCancel(w.ctx())
	cancel()
	if r := w.read(read(ctx)); !errors.Is(r.err, context.Canceled) {
		w.Errorf("a read under a cancelled context ended in %v, want an error that wraps context.Canceled", r.err)
	}
	ctx, cancel = context.WithDeadline(w.ctx(), time.Now().Add(-time.Second))
	defer cancel()
	if r := w.read(read(ctx)); !errors.Is(r.err, context.DeadlineExceeded) {
		w.Errorf("a read after its deadline ended in %v, want an error that wraps context.DeadlineExceeded", r.err)
	}
}

// cancelledOnTheWay reads under contexts that end with the first event and with
// the last one before the checkpoint at the end.
func (w *world) cancelledOnTheWay(read func(context.Context) iter.Seq2[source.Event, error]) {
	w.Helper()
	whole := len(w.whole(read(w.ctx())).events)
	for _, n := range []int{1, whole - 1} {
		ctx, cancel := context.WithCancel(w.ctx())
		r := w.read(func(yield func(source.Event, error) bool) {
			i := 0
			for e, err := range read(ctx) {
				if i++; i == n {
					cancel()
				}
				if !yield(e, err) {
					return
				}
			}
		})
		cancel()
		if !errors.Is(r.err, context.Canceled) {
			w.Errorf("a read whose context was cancelled at event %d of %d ended in %v, want an error that wraps context.Canceled: it must not pass for complete",
				n, whole, r.err)
		}
	}
}

func testCut(w *world) {
	w.need("Cut", w.Cut != nil)
	w.three()
	for n := range 3 {
		w.must("Cut", w.Cut(n))
		r := w.read(w.Source.All(w.ctx()))
		w.wasCut(r, n)
		if d, ok := w.Source.(source.DeltaSource); ok && r.watermark("") != "" {
			rest := w.whole(d.Since(w.ctx(), r.watermark("")))
			w.holdsAll(rest.objects(r.objects(nil)))
		}
		w.holdsAll(w.all().objects(nil)) // the next read is whole again
	}
}

// wasCut fails the test unless r ended in an error that says that it is cut.
func (w *world) wasCut(r reading, n int) {
	w.Helper()
	if r.err == nil {
		w.Fatalf("a read that was cut after %d entries ended without an error: it passes for complete", n)
	}
	if !errors.Is(r.err, source.ErrIncomplete) && !errors.Is(r.err, source.ErrUnavailable) {
		w.Errorf("a read that was cut after %d entries ended in %q, which wraps neither ErrIncomplete nor ErrUnavailable", n, r.err)
	}
}
