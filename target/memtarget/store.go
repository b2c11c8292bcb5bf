package memtarget

import (
	"crypto/sha256"
	"fmt"

	"github.com/dirbridge/dirbridge/target"
)

// store makes n, which [Target.check] has passed, the live object in the place
// of old, nil for a new one. t.mu is held.
func (t *Target) store(old, n *object) {
	switch {
	case old == nil:
		t.place(n)
	case old.deleted:
		delete(t.bin, old.id)
		t.place(n)
		t.noteRefsTo(n.id)
	default:
		t.release(old)
	}
	t.live[n.id] = n
	n.moment = t.note(n.id)
	for _, k := range n.keys() {
		t.unique[k] = n.id
	}
}

// A placed ID is an entry of the order in which objects are listed. It is void
// when the object is gone or has got another place.
type placed struct {
	id    target.ID
	place uint64
}

// at returns the live object at p, nil if p is void. t.mu is held.
func (t *Target) at(p placed) *object {
	if o := t.live[p.id]; o != nil && o.place == p.place {
		return o
	}
	return nil
}

// place puts o, not yet live, at the end of the order, of which a reader may
// hold a part: it is only ever appended to or replaced. t.mu is held.
func (t *Target) place(o *object) {
	if len(t.order) > 2*len(t.live)+64 {
		order := make([]placed, 0, len(t.live)+1)
		for _, p := range t.order {
			if t.at(p) != nil {
				order = append(order, p)
			}
		}
		t.order = order
	}
	t.places++
	o.place = t.places
	t.order = append(t.order, placed{o.id, o.place})
}

// discard moves a live object into the bin, where it holds no name, or throws
// it away if its kind has no bin. t.mu is held.
func (t *Target) discard(o *object) *object {
	n := *o
	n.deleted = true
	t.release(o)
	delete(t.live, o.id)
	t.noteRefsTo(o.id)
	if t.binned[o.kind] {
		t.bin[o.id] = &n
		n.moment = t.note(o.id)
	} else {
		t.refs.forget(o.id)
		t.forgotten(o)
	}
	return &n
}

// release gives o's unique values back. t.mu is held.
func (t *Target) release(o *object) {
	for _, k := range o.keys() {
		if t.unique[k] == o.id {
			delete(t.unique, k)
		}
	}
}

// newID makes the next GUID up: the same series for each tenant of one name.
func (t *Target) newID() target.ID {
	t.made++
	h := sha256.Sum256(fmt.Appendf(nil, "%s/%d", t.name, t.made))
	return target.ID(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
