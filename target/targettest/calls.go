package targettest

import (
	"context"
	"sync"

	"github.com/dirbridge/dirbridge/target"
)

// batch applies cs in one call.
func (w *world) batch(b target.Batcher, cs []target.Change) []target.Result {
	w.Helper()
	rs := b.ApplyBatch(w.ctx(), cs)
	if len(rs) != len(cs) {
		w.Fatalf("a batch of %d changes has %d results", len(cs), len(rs))
	}
	return rs
}

// batcher returns the Target as a Batcher, or skips the test.
func (w *world) batcher() target.Batcher {
	w.Helper()
	b, ok := w.Target.(target.Batcher)
	if !ok {
		w.Skip("skipped: this Target has no batches")
	}
	if b.MaxBatch() < 1 {
		w.Fatalf("MaxBatch is %d, at least 1", b.MaxBatch())
	}
	return b
}

func testBatch(w *world) {
	b := w.batcher()
	size := b.MaxBatch()
	if size < 4 {
		w.Skipf("skipped: this Target's batches are of at most %d", size)
	}
	size = min(size, 50)
	first, made := w.person(100)
	gone, lost := w.person(101)
	w.apply(on(gone, lost, target.Delete, nil))

	cs := []target.Change{
		on(first, made, target.Update, set("jobTitle", "Director")),
		on(gone, lost, target.Update, set("jobTitle", "Director")), // fails, and stops nothing
	}
	for n := len(cs); n < size; n++ {
		cs = append(cs, w.create(n))
	}
	for i, r := range w.batch(b, cs) {
		if i == 1 {
			w.refused(r.Err, target.ErrNotFound, "")
			continue
		}
		if r.Err != nil {
			w.Errorf("change %d of %d, %s: %v", i, len(cs), cs[i].Op, r.Err)
			continue
		}
		w.judge(cs[i], r.Object)
		if i > 1 && w.only(cs[i].Anchor) != r.Object.ID {
			w.Errorf("result %d is of %s, which isn't what change %d made: results are in the order of the changes", i, r.Object.ID, i)
		}
	}
	w.holds(first.ID, cs[0].Set)

	// All kinds of change in one batch.
	second := w.only(cs[2].Anchor)
	third := w.only(cs[3].Anchor)
	mixed := []target.Change{
		on(target.Object{ID: second, Kind: target.User}, cs[2], target.Disable, set("accountEnabled", "false")),
		on(target.Object{ID: third, Kind: target.User}, cs[3], target.Delete, nil),
		w.create(102),
	}
	if target.CanRestore(w.Target) {
		mixed = append(mixed, on(gone, lost, target.Restore, set("jobTitle", "President")))
	}
	for i, r := range w.batch(b, mixed) {
		if r.Err != nil {
			w.Errorf("change %d, %s: %v", i, mixed[i].Op, r.Err)
		}
	}
	w.holds(second, mixed[0].Set)
	w.lacks(third)
	w.only(mixed[2].Anchor)
	if len(mixed) > 3 {
		w.holds(gone.ID, mixed[3].Set)
	}
}

func testSmallBatch(w *world) {
	b := w.batcher()
	w.batch(b, nil)
	c := w.create(1)
	if r := w.batch(b, []target.Change{c})[0]; r.Err != nil || r.Object.ID != w.only(c.Anchor) {
		w.Errorf("a batch of one create returned %s and %v", r.Object.ID, r.Err)
	}
}

func testCancelled(w *world) {
	o, c := w.person(1)
	ctx, cancel := context.WithCancel(w.ctx())
	cancel()
	changes := []target.Change{
		w.create(2),
		on(o, c, target.Update, set("jobTitle", "Director")),
		on(o, c, target.Delete, nil),
	}
	for _, change := range changes {
		_, err := w.Target.Apply(ctx, change)
		w.ended(change, err)
		if b, ok := w.Target.(target.Batcher); ok {
			for _, r := range b.ApplyBatch(ctx, []target.Change{change}) {
				w.ended(change, r.Err)
			}
		}
	}
	var err error
	for _, err = range w.Target.Current(ctx) {
		if err != nil {
			break
		}
	}
	if err == nil {
		w.Error("Current under a cancelled context ended without an error: it passes for complete")
	}
	if _, err := target.Find(ctx, w.Target, target.User, []target.Key{{ID: o.ID}}); err == nil {
		w.Error("Find under a cancelled context gave no error")
	}
	if _, ok, err := target.Domains(ctx, w.Target); ok && err == nil {
		w.Error("Domains under a cancelled context gave no error")
	}
	if _, err := target.FindDeleted(ctx, w.Target, target.User, o.ID); err == nil {
		w.Error("FindDeleted under a cancelled context gave no error")
	}
	if _, ok := w.Target.(target.BinLister); ok {
		err := error(nil)
		for _, err = range target.Deleted(ctx, w.Target, target.User) {
			if err != nil {
				break
			}
		}
		if err == nil {
			w.Error("Deleted under a cancelled context ended without an error: it passes for complete")
		}
	}
}

// ended: a change under a cancelled context gives an error, and one that says
// that it was not made wasn't.
func (w *world) ended(c target.Change, err error) {
	w.Helper()
	if err == nil {
		w.Errorf("%s under a cancelled context gave no error", c.Op)
		return
	}
	if target.OutcomeUnknown(err) {
		return
	}
	live := w.live()
	switch c.Op {
	case target.Create:
		if found := w.find(target.Key{Anchor: c.Anchor})[0]; len(found) > 0 {
			w.Errorf("create gave %v, which says that it was not made, and made %s", err, found[0].ID)
		}
	case target.Update:
		if live[c.ID].Attributes.First("jobTitle") == c.Set.First("jobTitle") {
			w.Errorf("update gave %v, which says that it was not made, and wrote", err)
		}
	case target.Delete:
		if _, there := live[c.ID]; !there {
			w.Errorf("delete gave %v, which says that it was not made, and deleted", err)
		}
	}
}

func testConcurrent(w *world) {
	const workers, each = 4, 5
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for n := range each {
				c := w.create(1 + worker*each + n)
				o, err := w.Target.Apply(w.ctx(), c)
				if err == nil {
					_, err = w.Target.Apply(w.ctx(), on(o, c, target.Update, set("jobTitle", "Director")))
				}
				if err == nil && n == 0 {
					_, err = w.Target.Apply(w.ctx(), on(o, c, target.Delete, nil))
				}
				if err != nil {
					w.Errorf("worker %d, object %d: %v", worker, n, err)
				}
			}
		})
	}
	wg.Go(func() { // reading meanwhile is allowed
		for _, err := range w.Target.Current(w.ctx()) {
			if err != nil {
				w.Errorf("read meanwhile: %v", err)
			}
		}
		if _, _, err := target.Domains(w.ctx(), w.Target); err != nil {
			w.Errorf("domains meanwhile: %v", err)
		}
	})
	wg.Wait()
	for worker := range workers {
		for n := range each {
			anchor := w.create(1 + worker*each + n).Anchor
			if n == 0 {
				if found := w.find(target.Key{Anchor: anchor})[0]; len(found) > 0 {
					w.Errorf("worker %d deleted %s, which is live", worker, found[0].ID)
				}
				continue
			}
			w.holds(w.only(anchor), set("jobTitle", "Director"))
		}
	}
}
