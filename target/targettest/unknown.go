package targettest

import (
	"errors"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// lose applies c, whose reply gets lost.
func (w *world) lose(c target.Change) {
	w.Helper()
	w.must("LoseReplies", w.LoseReplies(1))
	o, err := w.Target.Apply(w.ctx(), c)
	switch {
	case err == nil: // the target found out itself: just as good
		w.judge(c, o)
	case !target.OutcomeUnknown(err):
		w.Errorf("%s, carried out and its reply lost, gave %v, which says that it was not made", c.Op, err)
	}
	w.must("LoseReplies", w.LoseReplies(0))
}

func testLost(w *world) {
	w.need("hand LoseReplies", w.LoseReplies != nil)
	c := w.create(1)
	w.lose(c)
	c.Repeat = true
	o := w.apply(c)
	if id := w.only(c.Anchor); id != o.ID {
		w.Errorf("the repeated create returned %s, the object is %s", o.ID, id)
	}
	w.holds(o.ID, c.Set)

	for _, tt := range []struct {
		op  target.Op
		set target.Attributes
	}{
		{target.Update, set("jobTitle", "Director")},
		{target.Disable, set("accountEnabled", "false")},
		{target.Enable, set("accountEnabled", "true")},
		{target.Delete, nil},
		{target.Restore, set("jobTitle", "President")},
	} {
		if tt.op == target.Restore && !target.CanRestore(w.Target) {
			continue
		}
		change := on(o, c, tt.op, tt.set)
		w.lose(change)
		change.Repeat = true
		w.apply(change)
		if tt.op == target.Delete {
			w.lacks(o.ID)
		} else {
			w.holds(o.ID, tt.set)
		}
	}
}

func testLostBatch(w *world) {
	w.need("hand LoseReplies", w.LoseReplies != nil)
	b, ok := w.Target.(target.Batcher)
	if !ok {
		w.Skip("skipped: this Target has no batches")
	}
	var cs []target.Change
	for n := range min(3, b.MaxBatch()) {
		cs = append(cs, w.create(1+n))
	}
	w.must("LoseReplies", w.LoseReplies(1))
	results := w.batch(b, cs)
	w.must("LoseReplies", w.LoseReplies(0))
	for i, r := range results {
		if r.Err != nil && !target.OutcomeUnknown(r.Err) {
			if found := w.find(target.Key{Anchor: cs[i].Anchor})[0]; len(found) > 0 {
				w.Errorf("change %d made %s and gave %v, which says that it was not made", i, found[0].ID, r.Err)
			}
		}
		cs[i].Repeat = true
	}
	for i, r := range w.batch(b, cs) {
		if r.Err != nil {
			w.Errorf("change %d, repeated after an unknown outcome: %v", i, r.Err)
		} else if id := w.only(cs[i].Anchor); id != r.Object.ID {
			w.Errorf("change %d, repeated, returned %s, the object is %s", i, r.Object.ID, id)
		}
	}
}

func testHidden(w *world) {
	w.need("hand HideNew", w.HideNew != nil)
	w.must("HideNew", w.HideNew(true))
	o, c := w.person(1)
	u := on(o, c, target.Update, set("jobTitle", "Director"))
	u.Linked = time.Now()
	_, early := w.Target.Apply(w.ctx(), u)
	if early != nil && !errors.Is(early, target.ErrNotYet) {
		w.Errorf("an update of what was created just now gave %v, want ErrNotYet", early)
	}
	c.Repeat = true
	if again, err := w.Target.Apply(w.ctx(), c); err == nil && again.ID != o.ID {
		w.Errorf("a repeated create returned %s, want %s, which isn't shown yet", again.ID, o.ID)
	}
	w.must("HideNew", w.HideNew(false))
	if id := w.only(c.Anchor); id != o.ID {
		w.Errorf("the object is %s, want %s", id, o.ID)
	}
	w.apply(u)
	w.holds(o.ID, u.Set)
}
