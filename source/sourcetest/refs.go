package sourcetest

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// A refKey names what one object says by one attribute.
type refKey struct {
	id        source.ID
	attribute string
}

type idSet map[source.ID]bool

func forget(refs map[refKey]idSet, id source.ID) {
	maps.DeleteFunc(refs, func(k refKey, _ idSet) bool { return k.id == id })
}

// A book is what a reader knows of references.
type book struct {
	known map[refKey]idSet
	open  map[refKey]idSet // told whole, their last hasn't come
	told  map[refKey]bool  // to their last
}

// newBook is that of who had known.
func newBook(known map[refKey]idSet) *book {
	b := &book{map[refKey]idSet{}, map[refKey]idSet{}, map[refKey]bool{}}
	for k, set := range known {
		b.known[k] = maps.Clone(set)
	}
	return b
}

// take brings the book up to date.
func (b *book) take(r reading) *book {
	for _, e := range r.events {
		switch e.Op {
		case source.Left, source.Deleted:
			forget(b.known, e.Object.ID)
			for _, set := range b.known {
				if e.Op == source.Deleted {
					delete(set, e.Object.ID)
				}
			}
		case source.Refers:
			b.hear(refKey{e.Object.ID, e.References.Attribute}, e.References)
		}
	}
	return b
}

func (b *book) hear(k refKey, r *source.References) {
	if b.known[k] == nil {
		b.known[k] = idSet{}
	}
	if r.First {
		b.open[k] = idSet{}
	}
	for _, id := range r.Add {
		b.known[k][id] = true
		if b.open[k] != nil {
			b.open[k][id] = true
		}
	}
	for _, id := range r.Remove {
		delete(b.known[k], id)
	}
	if r.Last {
		b.known[k], b.told[k] = b.open[k], true
		delete(b.open, k)
	}
}

// judgeReferences holds the form of one Refers against the contract.
func (w *world) judgeReferences(e source.Event) {
	w.Helper()
	w.judgeID(e.Object.ID)
	r := e.References
	switch {
	case e.Object.Kind == "":
		w.Errorf("Refers of %s has no Kind", e.Object.ID)
	case r == nil:
		w.Fatalf("Refers of %s has no References", e.Object.ID)
	case r.Attribute == "":
		w.Errorf("Refers of %s has no Attribute", e.Object.ID)
	case (r.First || r.Last) && len(r.Remove) > 0:
		w.Errorf("%s of %s is told whole and removes %d: whole sets only add", r.Attribute, e.Object.ID, len(r.Remove))
	}
	seen := idSet{}
	for _, id := range slices.Concat(r.Add, r.Remove) {
		if w.judgeID(id); seen[id] {
			w.Errorf("%s of %s names %s twice in one event", r.Attribute, e.Object.ID, id)
		}
		seen[id] = true
	}
}

// group makes the directory hold group n.
func (w *world) group(n int) source.ID {
	w.Helper()
	w.need("Group", w.Group != nil)
	a := source.Attributes{}
	a.Set("displayName", fmt.Sprintf("Example Group %d", n))
	a.Set("sAMAccountName", fmt.Sprintf("sg%06d", n))
	return w.putGroup(source.Object{Kind: source.Group, Attributes: a})
}

func (w *world) putGroup(o source.Object) source.ID {
	w.Helper()
	id, err := w.Group(o)
	w.must("Group", err)
	o.ID = id
	w.people[id] = o
	return id
}

// refer makes id refer to add, and to remove no more.
func (w *world) refer(id source.ID, attribute string, add, remove []source.ID) {
	w.Helper()
	w.need("Refer", w.Refer != nil)
	w.must("Refer", w.Refer(id, attribute, add, remove))
	k := refKey{id, attribute}
	if w.refs[k] == nil {
		w.refs[k] = idSet{}
	}
	for _, to := range add {
		w.refs[k][to] = true
	}
	for _, to := range remove {
		delete(w.refs[k], to)
	}
}

// knows fails the test unless b holds what those in scope refer to by attribute.
func (w *world) knows(b *book, attribute, why string) {
	w.Helper()
	for _, id := range slices.Sorted(maps.Keys(w.people)) {
		if attribute == "member" && w.people[id].Kind != source.Group || attribute == "manager" && w.people[id].Kind != source.User {
			continue
		}
		k := refKey{id, attribute}
		got, want := slices.Sorted(maps.Keys(b.known[k])), slices.Sorted(maps.Keys(w.refs[k]))
		if !slices.Equal(got, want) {
			w.Errorf("the %s of %s (%s) are known as %v, and are %v: %s", attribute, id, w.people[id].Attributes.First("displayName"), got, want, why)
		}
	}
}

// knowsAll is knows of a complete read, which leaves nothing open.
func (w *world) knowsAll(r reading, attribute string) {
	w.Helper()
	b := newBook(nil).take(r)
	w.knows(b, attribute, "a complete read tells all of it")
	for id, o := range w.people {
		if k := (refKey{id, attribute}); (attribute == "member") == (o.Kind == source.Group) && !b.told[k] {
			w.Errorf("the %s of %s were not told to their last: a complete read tells the set of every object whole, the empty one too", attribute, id)
		}
	}
	if len(b.open) > 0 {
		w.Errorf("the read was complete and left %d sets open", len(b.open))
	}
}
