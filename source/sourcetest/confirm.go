package sourcetest

import (
	"errors"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// confirmer returns the Source as a Confirmer, or skips the test.
func (w *world) confirmer() source.Confirmer {
	w.Helper()
	c, ok := w.Source.(source.Confirmer)
	if !ok {
		w.Skip("skipped: this Source can't deny references")
	}
	return c
}

// denied is what Confirm says of who refers to an object.
func (w *world) denied(m source.Watermark, to source.ID, attribute string, holders ...source.ID) reading {
	w.Helper()
	r := w.read(w.confirmer().Confirm(w.ctx(), m, to, attribute, holders))
	if r.err != nil {
		w.Fatalf("confirm: %v", r.err)
	}
	for _, e := range r.events {
		x := e.References
		if e.Op != source.Refers || x.First || x.Last || x.Attribute != attribute || len(x.Add) > 0 || !slices.Equal(x.Remove, []source.ID{to}) {
			w.Errorf("Confirm of references to %s yielded %v %+v: want differences that remove it", to, e.Op, x)
		}
		if !slices.Contains(holders, e.Object.ID) {
			w.Errorf("Confirm spoke of %s, which it wasn't asked about", e.Object.ID)
		}
	}
	return r
}

// follow is take for a reader that asks about whom came back.
func (w *world) follow(b *book, r reading, m source.Watermark) {
	w.Helper()
	b.take(r)
	for _, e := range r.events {
		if e.Op != source.Upsert || !e.Revived {
			continue
		}
		holders := map[string][]source.ID{}
		for k, set := range b.known {
			if set[e.Object.ID] {
				holders[k.attribute] = append(holders[k.attribute], k.id)
			}
		}
		for attribute, ids := range holders {
			b.take(w.denied(m, e.Object.ID, attribute, ids...))
		}
	}
}

// heard is what a reader knows who doesn't forget the members that were deleted:
// whether they come back as members, their groups will say.
func heard(r reading) reading {
	r.events = slices.DeleteFunc(slices.Clone(r.events), func(e source.Event) bool { return e.Op == source.Deleted })
	return r
}

func testRevived(w *world) {
	w.need("Undelete", w.Undelete != nil)
	w.confirmer()
	g, h := w.group(1), w.group(2)
	a, b, c := w.three()
	w.refer(g, "member", []source.ID{a, b, c}, nil)
	w.refer(h, "member", []source.ID{a, g}, nil)
	w.delta()
	r := w.all()
	known, m := newBook(nil).take(r), r.watermark("")
	same := func(why string) {
		w.Helper()
		r := w.since(m)
		m = r.watermark(m)
		w.follow(known, heard(r), m)
		there := newBook(nil).take(w.all())
		for _, k := range []refKey{{g, "member"}, {h, "member"}} {
			if got, want := known.known[k], there.known[k]; !maps.Equal(got, want) {
				w.Errorf("%s: a reader knows the members of %s as %v, and they are %v", why, k.id, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
		}
	}
	back := func(id source.ID) {
		w.Helper()
		was := w.people[id]
		w.remove(id)
		w.must("Undelete", w.Undelete(id))
		w.people[id] = was
	}
	back(a)
	same("deleted and undeleted between two reads")
	w.remove(b)
	r = w.since(m)
	m = r.watermark(m)
	known.take(heard(r))
	w.must("Undelete", w.Undelete(b))
	same("deleted in one read and undeleted in the next")
	back(c)
	if b := newBook(nil).take(w.all()); !b.known[refKey{g, "member"}][c] { // what has a bin has put it back already
		w.refer(g, "member", []source.ID{c}, nil)
	}
	same("undeleted and made a member again")
}

func testConfirm(w *world) {
	w.confirmer()
	g, h := w.group(1), w.group(2)
	a, b, c := w.three()
	w.refer(g, "member", []source.ID{a}, nil)
	w.refer(h, "member", []source.ID{b}, nil)
	m := w.all().watermark("")
	denied := func(to source.ID, attribute string, holders ...source.ID) (ids []source.ID) {
		w.Helper()
		for _, e := range w.denied(m, to, attribute, holders...).events {
			ids = append(ids, e.Object.ID)
		}
		slices.Sort(ids)
		return slices.Compact(ids)
	}
	if got := denied(a, "member", g, h); !slices.Equal(got, []source.ID{h}) {
		w.Errorf("asked of %s and %s, %v say that they don't refer to %s: only the second doesn't", g, h, got, a)
	}
	if got := denied(c, "member", g); !slices.Equal(got, []source.ID{g}) {
		w.Errorf("%s doesn't refer to %s and was asked: %v say so", g, c, got)
	}
	if got := denied(a, "member"); len(got) > 0 {
		w.Errorf("nobody was asked, and %v answered", got)
	}
	nobody := source.ID("00000000-1111-2222-3333-444444444444")
	silent := func(to source.ID, why string) {
		w.Helper()
		r := w.read(w.confirmer().Confirm(w.ctx(), m, to, "member", []source.ID{g}))
		if !errors.Is(r.err, source.ErrIncomplete) || len(r.events) > 0 {
			w.Errorf("asked who doesn't refer to an object that %s, it answered %d times and ended in %v", why, len(r.events), r.err)
		}
	}
	silent(nobody, "isn't there")
	if got := denied(a, "member", nobody); len(got) > 0 {
		w.Errorf("%v answered for an object that isn't there", got)
	}
	if w.MoveOut != nil {
		w.moveOut(h)
		if got := denied(a, "member", h); len(got) > 0 {
			w.Errorf("%v answered for a group that is out of scope", got)
		}
	}
	if w.Remove != nil {
		w.remove(b)
		silent(b, "is deleted")
	}
	if w.Foreign != nil {
		foreign, err := w.Foreign()
		w.must("Foreign", err)
		r := w.read(w.confirmer().Confirm(w.ctx(), foreign, c, "member", []source.ID{g}))
		if !errors.Is(r.err, source.ErrWatermarkExpired) || len(r.events) > 0 {
			w.Errorf("asked for what is as new as another directory's watermark, it answered %d times and ended in %v", len(r.events), r.err)
		}
	}
}
