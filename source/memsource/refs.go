package memsource

import (
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// Refer makes the object id refer to ids by attribute (member, manager), beside
// those that it refers to already. A tombstone isn't referred to. From then on
// all objects of its kind have that attribute, even if ids is empty. Like the
// hands below, it reports whether there is such an object.
//
// The object itself isn't changed by it: a delta tells the difference, alone.
func (s *Source) Refer(id source.ID, attribute string, ids ...source.ID) bool {
	return s.refer(id, attribute, func(*refSet) ([]source.ID, []source.ID) { return ids, nil })
}

// Unrefer makes the object refer to ids no more.
func (s *Source) Unrefer(id source.ID, attribute string, ids ...source.ID) bool {
	return s.refer(id, attribute, func(*refSet) ([]source.ID, []source.ID) { return nil, ids })
}

// SetRefs makes the object refer to ids and to nobody else.
func (s *Source) SetRefs(id source.ID, attribute string, ids ...source.ID) bool {
	return s.refer(id, attribute, func(set *refSet) (add, remove []source.ID) {
		keep := make(map[source.ID]bool, len(ids))
		for _, to := range ids {
			keep[to] = true
		}
		for _, to := range set.list() {
			if !keep[to] {
				remove = append(remove, to)
			}
		}
		return ids, remove
	})
}

// Refs returns whom the object refers to, in ascending order.
func (s *Source) Refs(id source.ID, attribute string) []source.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.sets[setKey{id, attribute}]; set != nil {
		return set.list()
	}
	return nil
}

// A setKey names what one object says by one attribute.
type setKey struct {
	from      source.ID
	attribute string
}

// A refSet is whom one object refers to by one attribute, and whom it did.
type refSet struct {
	setKey
	marks map[source.ID]mark
	live  int
}

// A mark is the last change of one reference.
type mark struct {
	seq  uint64
	gone bool // taken out, which deltas tell
	lost bool // gone because its object was deleted, which nobody tells
}

// A refChange is a line of the log: void if the mark has another number.
type refChange struct {
	seq uint64
	set *refSet
	to  source.ID
}

func (s *refSet) list() []source.ID {
	if s.live == 0 {
		return nil
	}
	ids := make([]source.ID, 0, s.live)
	for id, m := range s.marks {
		if !m.gone && !m.lost {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (s *Source) refer(id source.ID, attribute string, change func(*refSet) (add, remove []source.ID)) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[id]
	if e == nil || e.state == deleted {
		return false
	}
	set := s.set(e, attribute)
	add, remove := change(set)
	s.seq++
	n := len(s.log)
	for _, to := range add {
		if t := s.entries[to]; t != nil && t.state == deleted {
			continue
		}
		if m, ok := set.marks[to]; !ok || m.gone || m.lost {
			if !ok {
				s.back[to] = append(s.back[to], set)
			}
			set.live++
			s.mark(set, to, mark{})
		}
	}
	for _, to := range remove {
		if m, ok := set.marks[to]; ok && !m.gone && !m.lost {
			set.live--
			s.mark(set, to, mark{gone: true})
		}
	}
	if len(s.log) == n {
		s.seq-- // nothing changed
	}
	s.compact()
	return true
}

// set returns what e says by attribute, made if need be. From then on objects
// of its kind have that attribute. s.mu is held.
func (s *Source) set(e *entry, attribute string) *refSet {
	k := setKey{e.id, attribute}
	set := s.sets[k]
	if set == nil {
		if s.sets == nil {
			s.sets, s.back, s.attrs = map[setKey]*refSet{}, map[source.ID][]*refSet{}, map[source.Kind][]string{}
		}
		set = &refSet{setKey: k, marks: map[source.ID]mark{}}
		s.sets[k] = set
	}
	if !slices.Contains(s.attrs[e.kind], attribute) {
		s.attrs[e.kind] = append(slices.Clone(s.attrs[e.kind]), attribute)
	}
	if !slices.Contains(s.attributes, attribute) {
		s.attributes = append(s.attributes, attribute)
	}
	return set
}

// mark writes the newest change of a reference down, under the number s.seq.
// s.mu is held.
func (s *Source) mark(set *refSet, to source.ID, m mark) {
	m.seq = s.seq
	if _, ok := set.marks[to]; !ok {
		s.marks++
	}
	set.marks[to] = m
	s.log = append(s.log, refChange{s.seq, set, to})
}

// void reports whether nobody is told of c. s.mu is held.
func (c refChange) void() bool {
	m, ok := c.set.marks[c.to]
	return !ok || m.lost || m.seq != c.seq
}

// compact drops void lines when they are the most of the log. s.mu is held.
func (s *Source) compact() {
	if len(s.log) > 2*s.marks+64 {
		s.log = slices.DeleteFunc(s.log, refChange.void)
	}
}

// turned keeps the references in step with an object that changed from old (nil
// for a new one) to e. s.mu is held.
func (s *Source) turned(old, e *entry) {
	if old == nil || len(s.sets) == 0 {
		return
	}
	if e.state == deleted && old.state != deleted {
		for _, set := range s.back[e.id] {
			if m := set.marks[e.id]; !m.gone && !m.lost {
				m.lost = true
				set.marks[e.id] = m
				set.live--
			}
		}
		for _, set := range s.setsOf(e.id) {
			s.seq++
			for _, to := range set.list() {
				s.mark(set, to, mark{gone: true})
			}
			set.live = 0
		}
	}
	if e.tells() && !old.tells() {
		s.retell(e.id)
	}
	s.compact()
}

// retell makes what the object refers to, and what it did, the newest change: whom
// it lost while nobody could ask it, too. s.mu is held.
func (s *Source) retell(id source.ID) {
	for _, set := range s.setsOf(id) {
		s.seq++
		for _, to := range sortedKeys(set.marks) {
			m := set.marks[to]
			s.mark(set, to, mark{gone: m.gone || m.lost})
		}
	}
}

// setsOf returns what the object says, in the order of attributes. s.mu is held.
func (s *Source) setsOf(id source.ID) []*refSet {
	var sets []*refSet
	for _, attribute := range s.attributes {
		if set := s.sets[setKey{id, attribute}]; set != nil {
			sets = append(sets, set)
		}
	}
	return sets
}

// forgetRefs drops what a forgotten tombstone said, and what was said of it.
// s.mu is held.
func (s *Source) forgetRefs(id source.ID) {
	for _, set := range s.back[id] {
		if _, ok := set.marks[id]; ok {
			delete(set.marks, id)
			s.marks--
		}
	}
	delete(s.back, id)
	for _, set := range s.setsOf(id) {
		s.marks -= len(set.marks)
		for to := range set.marks {
			s.back[to] = slices.DeleteFunc(s.back[to], func(b *refSet) bool { return b == set })
		}
		clear(set.marks)
		delete(s.sets, set.setKey)
	}
}

func sortedKeys(m map[source.ID]mark) []source.ID {
	ids := make([]source.ID, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
