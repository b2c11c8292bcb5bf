package memtarget

import (
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// Add puts a live object into the tenant behind the engine's back, as an
// administrator or another program does, and returns its ID. Only uniqueness is
// checked: Add panics if another object holds the ID, anchor, name or address.
//
// What o leaves empty is filled in: ID by the next made-up GUID, Kind by
// [target.User], Created by now.
func (t *Target) Add(o target.Object) target.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	if o.ID == "" {
		o.ID = t.newID()
	}
	if t.live[o.ID] != nil || t.bin[o.ID] != nil {
		panic(fmt.Sprintf("memtarget: add: %s exists", o.ID))
	}
	n := made(o)
	t.mustBeUnique("add", n)
	t.store(nil, n)
	return n.id
}

// Edit changes a live object behind the engine's back. It reports whether there
// is one. The ID and Deleted stay, whatever change does to them, and change must
// not use t. Edit panics as Add does.
func (t *Target) Edit(id target.ID, change func(o *target.Object)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.live[id]
	if old == nil {
		return false
	}
	o := old.export()
	change(&o)
	o.ID = id
	n := made(o)
	n.place = old.place
	t.mustBeUnique("edit", n)
	t.store(old, n)
	return true
}

// Remove moves a live object into the bin behind the engine's back. It reports
// whether there was one.
func (t *Target) Remove(id target.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.live[id]
	if o != nil {
		t.discard(o)
	}
	return o != nil
}

// Purge takes an object out of the bin, for good. It reports whether there was
// one.
func (t *Target) Purge(id target.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.bin[id]
	delete(t.bin, id)
	if o != nil {
		t.refs.forget(id)
		t.forgotten(o)
	}
	return o != nil
}

// Protect makes an object a protected one, as an administrator does who gives it
// a role; with an empty reason it ends that. It reports whether there is one.
func (t *Target) Protect(id target.ID, why target.Protection) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[id] == nil && t.bin[id] == nil {
		return false
	}
	if t.guarded[id] = why; why == "" {
		delete(t.guarded, id)
	}
	return true
}

// SetRefs makes the objects to, and no others, those to which a live object
// refers, behind the engine's back. It checks nothing but that it is there.
func (t *Target) SetRefs(id target.ID, attribute string, to ...target.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live[id] == nil {
		return false
	}
	l := link{id, attribute}
	for old := range maps.Clone(t.refs.out[l]) {
		t.refs.remove(l, old)
	}
	for _, other := range to {
		t.refs.add(l, other)
	}
	return true
}

// RefsOf returns the live objects to which the object id refers, in ascending
// order; of an object in the bin those that it will refer to once it is
// restored. It isn't counted as a call.
func (t *Target) RefsOf(id target.ID, attribute string) []target.ID {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.referred(id, attribute)
}

// Unbin takes an object out of the bin behind the engine's back, live as it was.
// It reports whether there was one, and panics as Add does.
func (t *Target) Unbin(id target.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.bin[id]
	if old == nil {
		return false
	}
	n := *old
	n.deleted = false
	t.mustBeUnique("unbin", &n)
	t.store(old, &n)
	return true
}

// Get returns the object id, live or in the bin. It isn't counted as a call.
func (t *Target) Get(id target.ID) (target.Object, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	o := t.live[id]
	if o == nil {
		o = t.bin[id]
	}
	if o == nil {
		return target.Object{}, false
	}
	return o.export(), true
}

// Objects returns the live objects in the order of creation. It isn't counted
// as a call.
func (t *Target) Objects() []target.Object {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]target.Object, 0, len(t.live))
	for _, p := range t.order {
		if o := t.at(p); o != nil {
			out = append(out, o.export())
		}
	}
	return out
}

// Len is how many live objects there are.
func (t *Target) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.live)
}

// AddDomain adds d to the tenant, or replaces the domain of that name.
func (t *Target) AddDomain(d target.Domain) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.domains.put(d)
}

// VerifyDomain makes name a verified domain of the tenant, new or known.
func (t *Target) VerifyDomain(name string) { t.setVerified(name, true) }

// UnverifyDomain makes name a domain of the tenant that isn't verified. Who has
// a name in it keeps it.
func (t *Target) UnverifyDomain(name string) { t.setVerified(name, false) }

func (t *Target) setVerified(name string, verified bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.domains[strings.ToLower(name)]
	d.Name, d.Verified = name, verified
	t.domains.put(d)
}

// RemoveDomain takes the domain away. Who has a name in it keeps it.
func (t *Target) RemoveDomain(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.domains, strings.ToLower(name))
}

// made turns o into an object of the tenant's own.
func made(o target.Object) *object {
	n := &object{id: o.ID, kind: o.Kind, anchor: o.Anchor, foreign: o.Foreign, why: o.ForeignWhy, created: o.Created}
	if n.kind == "" {
		n.kind = target.User
	}
	if n.created.IsZero() {
		n.created = time.Now()
	}
	return n.with(o.Attributes)
}

// mustBeUnique panics if n holds what another object has. t.mu is held.
func (t *Target) mustBeUnique(hand string, n *object) {
	for _, k := range n.keys() {
		if holder, held := t.unique[k]; held && holder != n.id {
			panic(fmt.Sprintf("memtarget: %s: %s %q is held by %s", hand, k.attribute, k.value, holder))
		}
	}
}
