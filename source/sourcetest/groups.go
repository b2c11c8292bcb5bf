package sourcetest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

func testGroups(w *world) {
	g, h := w.group(1), w.group(2)
	w.three()
	r := w.all()
	w.holdsAll(r.objects(nil))
	w.delta()
	m := r.watermark("")
	w.putGroup(with(w.people[g], "displayName", "Another Group"))
	i := w.group(3)
	r = w.since(m)
	for _, id := range []source.ID{g, i} {
		w.holds(w.says(r, id, source.Upsert, "it was created or changed, and a delta gives it whole").Object, w.people[id])
	}
	m = r.watermark(m)
	w.remove(h)
	r = w.since(m)
	if e := w.says(r, h, source.Deleted, "it was deleted"); e.Object.Kind != source.Group {
		w.Errorf("the deleted group %s is called a %s", h, e.Object.Kind)
	}
	m = r.watermark(m)
	w.moveOut(i)
	r = w.since(m)
	if e := w.says(r, i, source.Left, "it exists out of scope"); e.Object.Kind != source.Group {
		w.Errorf("the group %s, which left, is called a %s", i, e.Object.Kind)
	}
	w.holdsAll(w.all().objects(nil), g, h, i)
}

// members puts a group of n people beyond the first nine, and returns both.
func (w *world) members(g source.ID, n int) []source.ID {
	var ids []source.ID
	for i := range n {
		ids = append(ids, w.put(person(10+i)))
	}
	w.refer(g, "member", ids, nil)
	return ids
}

func testRefsWhole(w *world) {
	g, h, empty := w.group(1), w.group(2), w.group(3)
	a, b, c := w.three()
	w.refer(g, "member", []source.ID{a, b, h}, nil) // nested
	w.refer(h, "member", []source.ID{g}, nil)       // in a circle, which is legal
	large := w.group(4)
	ids := w.members(large, 25)
	w.refer(empty, "member", []source.ID{c}, nil)
	w.refer(empty, "member", nil, []source.ID{c})
	w.knowsAll(w.all(), "member")
	w.refer(large, "member", []source.ID{a}, ids[3:5])
	w.refer(g, "member", nil, []source.ID{a, b, h})
	w.knowsAll(w.all(), "member")
}

func testRefsDelta(w *world) {
	g, empty := w.group(1), w.group(2)
	a, b, c := w.three()
	ids := w.members(g, 25)
	w.delta()
	r := w.all()
	known, m := newBook(nil).take(r), r.watermark("")
	step := func(why string) reading {
		w.Helper()
		r := w.since(m)
		m = r.watermark(m)
		w.knows(known.take(r), "member", why)
		return r
	}
	w.refer(g, "member", []source.ID{a}, nil)
	step("one was added")
	w.refer(g, "member", nil, ids[:1])
	step("one was removed")
	w.refer(g, "member", []source.ID{b, c}, ids[1:20])
	w.refer(empty, "member", []source.ID{a, g}, nil)
	step("some came and some went")
	w.refer(empty, "member", nil, []source.ID{a, g})
	step("the last ones went")
	w.refer(empty, "member", []source.ID{a}, nil)
	w.refer(empty, "member", nil, []source.ID{a})
	step("one came and went between two reads")
	w.putGroup(with(w.people[g], "displayName", "Another Group"))
	w.refer(g, "member", ids[:1], nil)
	step("the group was changed, too")
	h := w.group(3)
	w.refer(h, "member", ids, nil)
	step("the group is new")
	w.remove(a)
	step("a member was deleted")
	w.put(with(w.people[b], "title", "Director"))
	step("a member was changed")
}

func testRefsLeft(w *world) {
	g := w.group(1)
	a, b, c := w.three()
	w.refer(g, "member", []source.ID{a, b}, nil)
	w.delta()
	r := w.all()
	known, m := newBook(nil).take(r), r.watermark("")
	group := w.people[g]
	w.moveOut(g)
	r = w.since(m)
	known, m = known.take(r), r.watermark(m)
	w.says(r, g, source.Left, "it exists out of scope")
	w.refer(g, "member", []source.ID{c}, []source.ID{a})
	r = w.since(m)
	if known.take(r); len(known.known[refKey{g, "member"}]) > 0 {
		w.Errorf("members of %s were told while it is out of scope", g)
	}
	m = r.watermark(m)
	w.need("MoveIn", w.MoveIn != nil)
	w.must("MoveIn", w.MoveIn(g))
	w.people[g] = group
	r = w.since(m)
	w.knows(known.take(r), "member", "the group came back into scope: the reader knows nothing of its members")
	m = r.watermark(m)
	// A member out of scope is a member.
	w.moveOut(b)
	r = w.since(m)
	w.knows(known.take(r), "member", "a member left the scope")
	w.knowsAll(w.all(), "member")
}

func testRefsDeleted(w *world) {
	g, h := w.group(1), w.group(2)
	a, b, _ := w.three()
	w.refer(g, "member", []source.ID{a, b, h}, nil)
	w.refer(h, "member", []source.ID{a}, nil)
	r := w.all()
	w.remove(a)
	w.remove(h)
	w.knowsAll(w.all(), "member")
	if _, ok := w.Source.(source.DeltaSource); ok {
		d := w.since(r.watermark(""))
		w.says(d, a, source.Deleted, "its tombstone can be seen")
		w.knows(newBook(nil).take(r).take(d), "member", "a tombstone tells that its object is nobody's member")
	}
}

func testManager(w *world) {
	a, b, c := w.three()
	w.refer(a, "manager", []source.ID{b}, nil)
	w.refer(b, "manager", []source.ID{b}, nil) // of oneself, which is legal
	r := w.all()
	w.knowsAll(r, "manager")
	w.delta()
	known, m := newBook(nil).take(r), r.watermark("")
	w.refer(a, "manager", []source.ID{c}, []source.ID{b})
	w.refer(b, "manager", nil, []source.ID{b})
	w.refer(c, "manager", []source.ID{a}, nil)
	r = w.since(m)
	w.knows(known.take(r), "manager", "it was set, changed and cleared")
	w.put(with(w.people[c], "title", "Director"))
	w.refer(c, "manager", []source.ID{b}, []source.ID{a})
	r = w.since(r.watermark(m))
	w.knows(known.take(r), "manager", "it was changed with another attribute")
	w.knowsAll(w.all(), "manager")
}

func testRefsCut(w *world) {
	w.need("Cut", w.Cut != nil)
	g := w.group(1)
	w.members(g, 25)
	whole := w.all()
	k := refKey{g, "member"}
	for n := range 12 {
		w.must("Cut", w.Cut(n))
		r := w.read(w.Source.All(w.ctx()))
		if r.err == nil {
			w.Fatalf("a read that was cut after %d entries ended without an error: it passes for complete", n)
		}
		b := newBook(nil).take(r)
		if got := len(b.known[k]); b.told[k] && got != 25 {
			w.Errorf("a read that was cut after %d entries told %d of 25 members as if it were all", n, got)
		}
		if d, ok := w.Source.(source.DeltaSource); ok && r.watermark("") != "" {
			rest := w.whole(d.Since(w.ctx(), r.watermark("")))
			w.knows(b.take(rest), "member", "the rest of a complete read was read")
		}
	}
	w.knowsAll(w.all(), "member")
	w.knows(newBook(nil).take(whole), "member", "nothing changed")
}

func testRefsFind(w *world) {
	w.finder()
	g, h := w.group(1), w.group(2)
	a, _, _ := w.three()
	w.members(g, 25)
	r := w.find(g, h, a)
	b := newBook(nil).take(r)
	for _, id := range []source.ID{g, h} {
		w.says(r, id, source.Upsert, "it exists in scope")
		k := refKey{id, "member"}
		if !b.told[k] || len(b.known[k]) != len(w.refs[k]) {
			w.Errorf("Find told %d of %d members of %s, to the last: %t", len(b.known[k]), len(w.refs[k]), id, b.told[k])
		}
	}
}

// testRefsFollow is testFollow for references.
func testRefsFollow(w *world) {
	w.delta()
	groups := []source.ID{w.group(1), w.group(2), w.group(3)}
	for n := range 12 {
		w.put(person(10 + n))
	}
	w.refer(groups[0], "member", []source.ID{groups[1]}, nil)
	r := w.all()
	m, known := r.watermark(""), newBook(nil).take(r)
	random := rand.New(rand.NewPCG(2026, 3))
	for round := range 8 {
		for range 6 {
			in := slices.Sorted(maps.Keys(w.people))
			pick := in[random.IntN(len(in))]
			g := groups[random.IntN(len(groups))]
			set := slices.Sorted(maps.Keys(w.refs[refKey{g, "member"}]))
			switch kind := random.IntN(8); {
			case kind == 0 && w.Remove != nil && w.people[pick].Kind == source.User && len(in) > 8:
				w.remove(pick)
			case kind <= 2 && len(set) > 0:
				w.refer(g, "member", nil, set[:1+random.IntN(len(set))])
			case kind == 3:
				w.putGroup(with(w.people[g], "displayName", fmt.Sprintf("Group %d", random.IntN(100))))
			case pick != g && !slices.Contains(set, pick):
				w.refer(g, "member", []source.ID{pick}, nil)
			}
		}
		r := w.since(m)
		m = r.watermark(m)
		w.knows(known.take(r), "member", fmt.Sprintf("round %d", round))
		if w.Failed() {
			w.FailNow()
		}
	}
	w.knowsAll(w.all(), "member")
}

func testContainers(w *world) {
	w.need("Container", w.Container != nil)
	make := func(name string, parent source.ID) source.ID {
		w.Helper()
		id, err := w.Container(name, parent)
		w.must("Container", err)
		return id
	}
	outer := make("Outer", "")
	inner := make("Inner", outer)
	a, b, _ := w.three()
	w.need("Place", w.Place != nil)
	w.must("Place", w.Place(a, inner))
	lies := func(r reading, id, parent source.ID) source.Object {
		w.Helper()
		e := w.says(r, id, source.Upsert, "it exists in scope")
		if e.Object.Parent != parent {
			w.Errorf("the %s %s lies in %q, want %q", e.Object.Kind, id, e.Object.Parent, parent)
		}
		return e.Object
	}
	r := w.all()
	lies(r, a, inner)
	if o := lies(r, inner, outer); o.Kind != source.Container {
		w.Errorf("the container %s is called a %s", inner, o.Kind)
	}
	w.delta()
	m := r.watermark("")
	w.must("Place", w.Place(b, outer))
	r = w.since(m)
	lies(r, b, outer)
	m = r.watermark(m)
	w.need("Rename", w.Rename != nil)
	w.must("Rename", w.Rename(inner, "Renamed"))
	before := lies(w.all(), a, inner)
	r = w.since(m)
	lies(r, inner, outer)
	if e, ok := r.last(a); ok && e.Op != source.Upsert {
		w.Errorf("%v was said of %s, whose container was renamed", e.Op, before.ID)
	}
	m = r.watermark(m)
	w.must("Place", w.Place(inner, make("Third", "")))
	r = w.since(m)
	if e := w.says(r, inner, source.Upsert, "it was moved"); e.Object.Parent == outer || e.Object.Parent == "" {
		w.Errorf("the container %s was moved and lies in %q", inner, e.Object.Parent)
	}
	m = r.watermark(m)
	w.must("Place", w.Place(a, outer))
	w.need("Remove", w.Remove != nil)
	w.must("Remove", w.Remove(inner))
	r = w.since(m)
	lies(r, a, outer)
	if e := w.says(r, inner, source.Deleted, "it was deleted"); e.Object.Kind != source.Container {
		w.Errorf("the deleted container %s is called a %s", inner, e.Object.Kind)
	}
	lies(w.all(), a, outer)
}
