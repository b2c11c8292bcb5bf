package memsource

import (
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

type state uint8

const (
	live    state = iota // in scope
	outside              // exists out of scope
	deleted              // a tombstone
	hidden               // exists, and the reader may not see it
)

// An entry is one state of one object. All but the links is fixed once it is
// made: a change makes a new one, so that a read may keep what it got.
type entry struct {
	id     source.ID
	kind   source.Kind
	dn     string // only the first part of it where rdn
	rdn    bool   // it lies in parent, whose DN follows
	parent source.ID
	attrs  packed
	faults []source.Fault
	bad    error // why the object can't be read, nil if it can
	state  state
	back   bool // it was deleted once
	seq    uint64

	prev, next *entry // in the order of seq; guarded by Source.mu
}

// tells reports whether a reader is given the object, and so what it refers to.
func (e *entry) tells() bool { return e != nil && e.state == live && e.bad == nil }

// event says what a reader learns of e. s.mu is held.
func (s *Source) event(e *entry, now time.Time) source.Event {
	known := source.Object{ID: e.id, Kind: e.kind, DN: s.place(e), Parent: e.parent}
	switch {
	case e.state == deleted:
		return source.Event{Op: source.Deleted, Object: known,
			Evidence: source.Evidence{Kind: "tombstone", Detail: known.DN, Seen: now}}
	case e.state == outside:
		return source.Event{Op: source.Left, Object: known, Revived: e.back,
			Evidence: source.Evidence{Kind: "moved out of scope", Detail: known.DN, Seen: now}}
	case e.bad != nil:
		return source.Event{Op: source.Unreadable, Object: known, Err: e.bad}
	}
	return source.Event{Op: source.Upsert, Object: s.object(e), Revived: e.back}
}

// object unpacks e. s.mu is held.
func (s *Source) object(e *entry) source.Object {
	return source.Object{ID: e.id, Kind: e.kind, DN: s.place(e), Parent: e.parent, Attributes: e.attrs.unpack(s.names.list),
		Faults: append([]source.Fault(nil), e.faults...)}
}

// place is e's DN, which follows those of the containers in which it lies. s.mu
// is held.
func (s *Source) place(e *entry) string {
	dn := e.dn
	for range maxDepth {
		if !e.rdn {
			return dn
		}
		if e = s.entries[e.parent]; e == nil {
			return dn + ",CN=LostAndFound"
		}
		dn += "," + e.dn
	}
	return dn
}

const maxDepth = 100 // of containers in one another

// unlink takes e out of the order. s.mu is held.
func (s *Source) unlink(e *entry) {
	if e.prev != nil {
		e.prev.next = e.next
	} else {
		s.first = e.next
	}
	if e.next != nil {
		e.next.prev = e.prev
	} else {
		s.last = e.prev
	}
	e.prev, e.next = nil, nil
}

// replace puts e in the place of old (nil for a new object) as the newest
// change. s.mu is held.
func (s *Source) replace(old *entry, e entry) {
	if old != nil {
		s.unlink(old)
		s.count(old, -1)
	}
	s.seq++
	n := &e
	n.back = old != nil && (old.back || old.state == deleted && e.state != deleted)
	n.seq, n.prev, n.next = s.seq, s.last, nil
	if s.last != nil {
		s.last.next = n
	} else {
		s.first = n
	}
	s.last = n
	s.entries[n.id] = n
	s.count(n, 1)
	s.turned(old, n)
	if n.state == deleted && s.max > 0 {
		s.queue = append(s.queue, n)
		s.bury()
	}
}

// count keeps the numbers of live objects and tombstones. s.mu is held.
func (s *Source) count(e *entry, d int) {
	switch e.state {
	case live:
		s.live += d
	case deleted:
		s.graves += d
	}
}

// bury forgets the oldest tombstones that are too many. s.mu is held.
func (s *Source) bury() {
	void := func(e *entry) bool { return s.entries[e.id] != e } // undeleted since
	for s.graves > s.max {
		if e := s.queue[0]; !void(e) {
			s.forget(e)
		}
		s.queue = s.queue[1:]
	}
	if len(s.queue) > 2*s.graves+64 {
		s.queue = slices.DeleteFunc(s.queue, void)
	}
}

// forget drops a tombstone for good. Nobody who didn't see it may resume from
// before it. s.mu is held.
func (s *Source) forget(e *entry) {
	s.unlink(e)
	s.count(e, -1)
	delete(s.entries, e.id)
	s.forgetRefs(e.id)
	s.floor = max(s.floor, e.seq)
}
