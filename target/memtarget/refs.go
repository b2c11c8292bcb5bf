package memtarget

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/target"
)

const (
	maxRefs   = 20  // that one change may add, and as many that it may remove
	maxOwners = 100 // of a group
)

// A link is one object's references of one attribute.
type link struct {
	from      target.ID
	attribute string
}

// refs are who refers to whom, in both directions. What lies in the bin keeps
// its references and those to it; they are shown between live objects only.
type refs struct {
	out  map[link]map[target.ID]bool
	in   map[target.ID]map[link]bool
	note func(l link, to target.ID) // that something happens to a reference
}

func newRefs(note func(link, target.ID)) refs {
	return refs{out: map[link]map[target.ID]bool{}, in: map[target.ID]map[link]bool{}, note: note}
}

// add reports whether the reference is new.
func (r refs) add(l link, to target.ID) bool {
	if r.out[l][to] {
		return false
	}
	if r.out[l] == nil {
		r.out[l] = map[target.ID]bool{}
	}
	if r.in[to] == nil {
		r.in[to] = map[link]bool{}
	}
	r.out[l][to], r.in[to][l] = true, true
	r.note(l, to)
	return true
}

func (r refs) remove(l link, to target.ID) {
	r.note(l, to)
	delete(r.out[l], to)
	if len(r.out[l]) == 0 {
		delete(r.out, l)
	}
	delete(r.in[to], l)
	if len(r.in[to]) == 0 {
		delete(r.in, to)
	}
}

// forget drops all that id refers to and all that refers to it.
func (r refs) forget(id target.ID) {
	for _, attribute := range []string{target.RefMembers, target.RefOwners, target.RefManager} {
		l := link{id, attribute}
		for to := range maps.Clone(r.out[l]) {
			r.remove(l, to)
		}
	}
	for l := range maps.Clone(r.in[id]) {
		r.remove(l, id)
	}
}

// RefBatch returns 20 and 20 for the members and owners of a group, 1 and 1 for
// the manager of a user. See [target.Referrer].
func (t *Target) RefBatch(kind target.Kind, attribute string) (add, remove int) {
	switch {
	case kind == target.Group && (attribute == target.RefMembers || attribute == target.RefOwners):
		return maxRefs, maxRefs
	case kind == target.User && attribute == target.RefManager:
		return 1, 1
	}
	return 0, 0
}

// RefLimit returns [Options.MaxMembers] for the members of a group, and 100 for
// its owners. See [target.RefLimiter].
func (t *Target) RefLimit(kind target.Kind, attribute string) int {
	switch {
	case kind == target.Group && attribute == target.RefMembers:
		return t.maxMembers
	case kind == target.Group && attribute == target.RefOwners:
		return maxOwners
	}
	return 0
}

// Refs yields whom a live object refers to, in ascending order, as it was when
// the range began. See [target.Referrer].
func (t *Target) Refs(ctx context.Context, kind target.Kind, id target.ID, attribute string) iter.Seq2[target.ID, error] {
	return func(yield func(target.ID, error) bool) {
		t.mu.Lock()
		t.counts.RefReads++
		o := t.live[id]
		all := t.referred(id, attribute)
		t.mu.Unlock()
		switch n, _ := t.RefBatch(kind, attribute); {
		case n == 0:
			yield("", refuse(target.ErrInvalid, attribute, "a %s has no such references", kind))
			return
		case o == nil || o.kind != kind:
			yield("", refuse(target.ErrNotFound, "", "no %s %s", kind, id))
			return
		}
		for _, to := range all {
			if ctx.Err() != nil {
				break
			}
			t.mu.Lock()
			t.counts.RefsListed++
			t.mu.Unlock()
			if !yield(to, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield("", fmt.Errorf("list references in %s: %w", t.name, err))
		}
	}
}

// FindRefs tells of single references. See [target.RefFinder].
func (t *Target) FindRefs(ctx context.Context, kind target.Kind, id target.ID, attribute string, to []target.ID) ([]bool, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find references in %s: %w", t.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.RefFinds++
	t.counts.RefKeys += len(to)
	o := t.live[id]
	switch n, _ := t.RefBatch(kind, attribute); {
	case n == 0:
		return nil, refuse(target.ErrInvalid, attribute, "a %s has no such references", kind)
	case o == nil || o.kind != kind:
		return nil, refuse(target.ErrNotFound, "", "no %s %s", kind, id)
	}
	is := make([]bool, len(to))
	for i, one := range to {
		is[i] = t.refs.out[link{id, attribute}][one] && t.live[one] != nil
	}
	return is, nil
}

// referred are the live objects to which id refers, in ascending order. t.mu is
// held.
func (t *Target) referred(id target.ID, attribute string) []target.ID {
	var all []target.ID
	for to := range t.refs.out[link{id, attribute}] {
		if t.live[to] != nil {
			all = append(all, to)
		}
	}
	slices.Sort(all)
	return all
}

// refer adds, then removes references of o: those that can't be are in a
// [*target.RefsError], all others are made. t.mu is held.
func (t *Target) refer(o *object, r *target.Refs) error {
	if r == nil {
		return refuse(target.ErrInvalid, "", "a refer without references")
	}
	add, remove := t.RefBatch(o.kind, r.Attribute)
	switch {
	case add == 0:
		return refuse(target.ErrInvalid, r.Attribute, "a %s has no such references", o.kind)
	case len(r.Add) > add || len(r.Remove) > remove:
		return refuse(target.ErrInvalid, r.Attribute, "%d to add and %d to remove, at most %d and %d", len(r.Add), len(r.Remove), add, remove)
	}
	both := map[target.ID]bool{}
	for _, id := range slices.Concat(r.Add, r.Remove) {
		if id == "" || both[id] {
			return refuse(target.ErrInvalid, r.Attribute, "%q is named twice, or it is no id", id)
		}
		both[id] = true
	}
	l := link{o.id, r.Attribute}
	refused := map[target.ID]error{}
	for _, to := range r.Add {
		if err := t.admits(o, r.Attribute, t.live[to], to); err != nil {
			refused[to] = err
			continue
		}
		if r.Attribute == target.RefManager { // there is one
			for old := range maps.Clone(t.refs.out[l]) {
				if old != to {
					t.refs.remove(l, old)
				}
			}
		}
		if t.refs.add(l, to) {
			t.counts.RefsAdded++
		}
	}
	for _, to := range r.Remove {
		if !t.refs.out[l][to] || t.live[to] == nil {
			continue
		}
		if r.Attribute == target.RefOwners && len(t.referred(o.id, r.Attribute)) == 1 {
			refused[to] = refuse(target.ErrInvalid, r.Attribute, "the last owner stays")
			continue
		}
		t.refs.remove(l, to)
		t.counts.RefsRemoved++
	}
	if len(refused) > 0 {
		return &target.RefsError{Refused: refused}
	}
	return nil
}

// admits says why o can't refer to the object to by this attribute. t.mu is
// held.
func (t *Target) admits(o *object, attribute string, to *object, id target.ID) error {
	switch {
	case to == nil:
		return refuse(target.ErrNotFound, attribute, "no object %s", id)
	case attribute != target.RefMembers && to.kind != target.User:
		return refuse(target.ErrInvalid, attribute, "a %s can't be that", to.kind)
	case to.kind == target.Group && (o.unified() || to.unified()):
		return refuse(target.ErrInvalid, attribute, "Microsoft 365 groups don't nest")
	case attribute == target.RefOwners && !t.refs.out[link{o.id, attribute}][id] && len(t.referred(o.id, attribute)) >= maxOwners:
		return refuse(target.ErrQuota, attribute, "at most %d owners", maxOwners)
	case attribute == target.RefMembers && t.maxMembers > 0 && !t.refs.out[link{o.id, attribute}][id] && len(t.referred(o.id, attribute)) >= t.maxMembers:
		return refuse(target.ErrQuota, attribute, "at most %d members", t.maxMembers)
	}
	return nil
}
