package memsource

import (
	"crypto/sha256"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/source"
)

// Put makes the directory hold o, instead of what it held under o.ID, and
// returns the ID. Putting what is already there changes nothing, as in Active
// Directory. An object that was moved out or hidden stays so; a deleted one
// comes back into scope.
//
// What o leaves empty is filled in: ID by the next of a fixed series of made-up
// GUIDs, Kind by [source.User], DN by the old one or one made of the name or ID.
// An object with a Parent whose DN ends its own, or is made up, lies there: its
// DN follows when the parent is renamed or moved, without any event of its own. If
// Parent changes and DN doesn't, the object is moved there.
// Values are put in order and attributes without values left out; a value that
// isn't UTF-8 becomes one of o's Faults. Put panics if o.ID isn't a good
// [source.ID].
func (s *Source) Put(o source.Object) source.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.put(o)
}

// put is [Source.Put]. s.mu is held.
func (s *Source) put(o source.Object) source.ID {
	if o.ID == "" {
		o.ID = s.makeID()
	}
	if strings.ContainsFunc(string(o.ID), func(r rune) bool { return r == '/' || unicode.IsControl(r) }) || !utf8.ValidString(string(o.ID)) {
		panic(fmt.Sprintf("memsource: put: ID %q has characters that an ID must not have", o.ID))
	}
	old := s.entries[o.ID]
	e := entry{id: o.ID, kind: o.Kind, parent: o.Parent}
	if e.kind == "" {
		e.kind = source.User
	}
	attrs := make(source.Attributes, len(o.Attributes))
	e.faults = slices.Clone(o.Faults)
	for name, values := range o.Attributes {
		good := slices.DeleteFunc(slices.Clone(values), func(v string) bool { return !utf8.ValidString(v) })
		if len(good) < len(values) {
			e.faults = append(e.faults, source.Fault{Attribute: name, Reason: "not valid UTF-8"})
		}
		attrs.Set(name, good...)
	}
	slices.SortFunc(e.faults, func(a, b source.Fault) int { return strings.Compare(a.Attribute, b.Attribute) })
	e.attrs = s.names.pack(attrs)
	if old != nil {
		e.bad = old.bad
		if old.state != deleted {
			e.state = old.state
		}
	}
	s.lay(&e, o.DN, attrs, old)
	if old != nil && old.state == e.state && old.kind == e.kind && old.dn == e.dn && old.rdn == e.rdn && old.parent == e.parent &&
		old.attrs == e.attrs && slices.Equal(old.faults, e.faults) {
		return o.ID
	}
	s.replace(old, e)
	return o.ID
}

// Edit changes the object id by what change does to it, under the rules of
// [Source.Put]. It reports whether there is such an object; a tombstone isn't
// one. Change must not use s.
func (s *Source) Edit(id source.ID, change func(o *source.Object)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.state == deleted {
		return false
	}
	o := s.object(e)
	change(&o)
	o.ID = id
	s.put(o)
	return true
}

// Rename gives the object another DN: a rename or a move within the scope.
func (s *Source) Rename(id source.ID, dn string) bool {
	return s.Edit(id, func(o *source.Object) { o.DN = dn })
}

// Remove deletes the object, which leaves a tombstone. Like the hands below, it
// reports whether there was an object of which that can be said.
func (s *Source) Remove(id source.ID) bool {
	return s.edit(id, func(e *entry) bool {
		ok := e.state != deleted
		e.state = deleted
		return ok
	})
}

// Undelete brings a deleted object back into scope as it was, but for references:
// as from a tombstone of Active Directory, it refers to nobody, and nobody to it.
// Those that did say nothing of that; [Source.Confirm] does.
func (s *Source) Undelete(id source.ID) bool { return s.turn(id, deleted, live) }

// MoveOut moves the object out of scope: it is seen there by its ID.
func (s *Source) MoveOut(id source.ID) bool { return s.turn(id, live, outside) }

// MoveIn moves the object back into scope.
func (s *Source) MoveIn(id source.ID) bool { return s.turn(id, outside, live) }

// Hide takes from the reader the right to see the object. Nothing says so: it
// is absent from all that is read from now on, which proves nothing.
func (s *Source) Hide(id source.ID) bool { return s.turn(id, live, hidden) }

// Show lets the reader see a hidden object again.
func (s *Source) Show(id source.ID) bool { return s.turn(id, hidden, live) }

// Spoil makes the object unreadable because of err, until it is called with nil.
func (s *Source) Spoil(id source.ID, err error) bool {
	return s.edit(id, func(e *entry) bool {
		ok := e.state != deleted && !reflect.DeepEqual(e.bad, err)
		e.bad = err
		return ok
	})
}

// turn changes the state of an object that is in the state from.
func (s *Source) turn(id source.ID, from, to state) bool {
	return s.edit(id, func(e *entry) bool {
		ok := e.state == from
		e.state = to
		return ok
	})
}

// edit makes the next state of an object, unless change says no.
func (s *Source) edit(id source.ID, change func(*entry) bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.entries[id]
	if old == nil {
		return false
	}
	e := *old
	if !change(&e) {
		return false
	}
	s.replace(old, e)
	return true
}

// PurgeTombstones forgets all tombstones, as a directory does when they are old
// enough. Watermarks from before the newest of them expire.
func (s *Source) PurgeTombstones() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := s.first; e != nil; {
		next := e.next
		if e.state == deleted {
			s.forget(e)
		}
		e = next
	}
	s.queue = nil
}

// Expire makes all watermarks of before expire, as another or a restored
// domain controller does.
func (s *Source) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instance = newInstance()
}

// Get returns the object id, in scope or not. A tombstone isn't one.
func (s *Source) Get(id source.ID) (source.Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.state == deleted {
		return source.Object{}, false
	}
	return s.object(e), true
}

// Len is how many objects are in scope and can be seen.
func (s *Source) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// makeID makes the next GUID up: the same series for each directory of one name.
func (s *Source) makeID() source.ID {
	s.made++
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d", s.name, s.made))
	return source.ID(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
