package graphsim

import (
	"slices"
	"time"
)

// The references of the directory: attributes by which objects point at others.
const (
	refMembers = "members"
	refOwners  = "owners"
	refManager = "manager"
)

const maxOwners = 100

// A refKey is one object's references of one attribute.
type refKey struct {
	from      *slot
	attribute string
}

// references are who points at whom. What is deleted keeps its references and
// those to it; a reader meets those between live objects.
type references struct {
	out map[refKey]*refList
	in  map[*slot]map[refKey]bool
	seq uint64

	note func(k refKey, to *slot) // that a reference is added or removed
}

// A refList is in the order of adding, so that pages are stable.
type refList struct {
	list  ordered
	at    map[*slot]uint64
	since map[*slot]time.Time // where they become visible late
}

func newReferences() references {
	return references{note: func(refKey, *slot) {}, out: map[refKey]*refList{}, in: map[*slot]map[refKey]bool{}}
}

func (r *references) has(k refKey, to *slot) bool { return r.out[k] != nil && r.out[k].at[to] != 0 }

func (r *references) add(k refKey, to *slot, visible time.Time) {
	l := r.out[k]
	if l == nil {
		l = &refList{at: map[*slot]uint64{}, since: map[*slot]time.Time{}}
		r.out[k] = l
	}
	if l.at[to] != 0 {
		return
	}
	r.seq++
	r.note(k, to)
	l.list.add(r.seq, to)
	l.at[to] = r.seq
	if !visible.IsZero() {
		l.since[to] = visible
	}
	if r.in[to] == nil {
		r.in[to] = map[refKey]bool{}
	}
	r.in[to][k] = true
}

func (r *references) remove(k refKey, to *slot) {
	if l := r.out[k]; l != nil && l.at[to] != 0 {
		r.note(k, to)
		l.list.remove(l.at[to])
		delete(l.at, to)
		delete(l.since, to)
		delete(r.in[to], k)
	}
}

// forget drops all that s points at and all that points at s.
func (r *references) forget(s *slot) {
	for k := range r.in[s] {
		r.remove(k, s)
	}
	delete(r.in, s)
	for _, attribute := range []string{refMembers, refOwners, refManager} {
		k := refKey{s, attribute}
		for _, to := range r.of(k) {
			r.remove(k, to)
		}
		delete(r.out, k)
	}
}

// of are all targets of k, deleted ones included, in the order of adding.
func (r *references) of(k refKey) (to []*slot) {
	if r.out[k] == nil {
		return nil
	}
	for _, e := range r.out[k].list.entries {
		if e.s != nil {
			to = append(to, e.s)
		}
	}
	return to
}

// living are the targets that aren't deleted. The caller holds mu.
func (t *Tenant) living(k refKey) []*slot {
	return slices.DeleteFunc(t.refs.of(k), func(s *slot) bool { return !s.deleted.IsZero() })
}

// refVisible is when a reference that is added now can be read.
func (t *Tenant) refVisible(now time.Time) time.Time {
	if !t.opts.Switches.LagUpdates || t.opts.Lag == 0 {
		return time.Time{}
	}
	return now.Add(t.opts.Lag)
}

// seeRef is see for the target of a reference: a member that is too new to be
// read itself isn't shown either.
func (t *Tenant) seeRef(k refKey) func(*slot, time.Time) (view, bool) {
	return func(s *slot, now time.Time) (view, bool) {
		l := t.refs.out[k]
		if l == nil || !s.deleted.IsZero() || now.Before(s.visible) || now.Before(l.since[s]) {
			return view{}, false
		}
		return view{s: s, r: s.cur}, true
	}
}
