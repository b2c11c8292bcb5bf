package sourcetest

import (
	"context"
	"errors"
	"iter"
	"regexp"

	"github.com/dirbridge/dirbridge/source"
)

func testPoll(w *world) {
	p, ok := w.Source.(source.Poller)
	if !ok {
		w.Skip("skipped: this Source can't poll")
	}
	a, b, _ := w.three()
	m := w.all().watermark("")
	changed := func(why string) {
		w.Helper()
		maybe, err := p.Poll(w.ctx(), m)
		if err != nil {
			w.Fatalf("poll: %v", err)
		}
		if !maybe {
			w.Errorf("Poll says that certainly nothing changed after %s", why)
		}
	}
	// A directory may change of its own accord: a few tries.
	quiet := false
	for range 5 {
		m = w.all().watermark("")
		maybe, err := p.Poll(w.ctx(), m)
		if err != nil {
			w.Fatalf("poll: %v", err)
		}
		if quiet = !maybe; quiet {
			break
		}
	}
	if !quiet {
		w.Error("Poll says that something may have changed, right after a full read, five times")
	}
	w.put(with(w.people[a], "title", "Director"))
	changed("an object was changed")
	m = w.all().watermark("")
	w.put(person(4))
	changed("an object was created")
	if w.Remove != nil {
		m = w.all().watermark("")
		w.remove(b)
		changed("an object was deleted")
	}
}

// finder returns the Source as a Finder, or skips the test.
func (w *world) finder() source.Finder {
	w.Helper()
	f, ok := w.Source.(source.Finder)
	if !ok {
		w.Skip("skipped: this Source can't find")
	}
	return f
}

// find reads what Find says about ids.
func (w *world) find(ids ...source.ID) reading {
	w.Helper()
	r := w.read(w.finder().Find(w.ctx(), ids))
	if r.err != nil {
		w.Fatalf("find: %v", r.err)
	}
	asked := map[source.ID]bool{}
	for _, id := range ids {
		asked[id] = true
	}
	for _, e := range r.events {
		if e.Op == source.Checkpoint {
			w.Error("Find gave a checkpoint: it never does")
		} else if !asked[e.Object.ID] {
			w.Errorf("Find gave %v of %s, for which nobody asked", e.Op, e.Object.ID)
		}
	}
	return r
}

func testFind(w *world) {
	w.finder()
	a, b, c := w.three()
	r := w.find(c, a)
	for _, id := range []source.ID{a, c} {
		w.holds(w.says(r, id, source.Upsert, "it exists in scope").Object, w.people[id])
	}
	if e, ok := r.last(b); ok {
		w.Errorf("Find gave %v of %s, for which nobody asked", e.Op, b)
	}
	w.cancelled(func(ctx context.Context) iter.Seq2[source.Event, error] {
		return w.finder().Find(ctx, []source.ID{a, b})
	})
	if w.MoveOut != nil {
		w.moveOut(a)
		w.says(w.find(a, c), a, source.Left, "it exists out of scope")
	}
	w.remove(c)
	w.says(w.find(b, c), c, source.Deleted, "its tombstone can be seen")
	w.says(w.find(b, c), b, source.Upsert, "it exists in scope")
}

func testFindUnknown(w *world) {
	w.finder()
	a, _, _ := w.three()
	unknown := source.ID("00000000-0000-4000-8000-000000000000")
	r := w.find(unknown, a)
	if e, ok := r.last(unknown); ok {
		w.Errorf("Find gave %v of an object that never was: that nothing is found proves nothing", e.Op)
	}
	w.says(r, a, source.Upsert, "it exists in scope")
	if r := w.find(); len(r.events) > 0 {
		w.Errorf("Find gave %d events for no IDs", len(r.events))
	}
}

func testCheck(w *world) {
	c, ok := w.Source.(source.Checker)
	if !ok {
		w.Skip("skipped: this Source has no check")
	}
	findings, err := c.Check(w.ctx())
	if errors.Is(err, errors.ErrUnsupported) {
		w.Fatal("Check says that it is unsupported: a Source that has no check doesn't have the method")
	}
	if err != nil {
		w.Fatalf("check: %v", err)
	}
	grave := map[source.Severity]int{source.Info: 1, source.Warning: 2, source.Blocker: 3}
	code := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	for i, f := range findings {
		if grave[f.Severity] == 0 || !code.MatchString(f.Code) || f.Message == "" {
			w.Errorf("the finding %+v: it has a known severity, a code in kebab-case and a message", f)
		}
		if i > 0 && grave[f.Severity] > grave[findings[i-1].Severity] {
			w.Errorf("the finding %s comes after a less grave one, %s", f.Code, findings[i-1].Code)
		}
	}
}
