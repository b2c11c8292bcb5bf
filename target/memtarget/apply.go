package memtarget

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// Apply carries out one change and returns the whole object, with the number
// of the accepted change as its RequestID. See [target.Target]. A Disable or Enable sets accountEnabled even if the change
// doesn't name it.
func (t *Target) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.apply(ctx, c)
}

// MaxBatch is the most changes in one batch. See [target.Batcher].
func (t *Target) MaxBatch() int { return t.batch }

// ApplyBatch carries out cs in their order. See [target.Batcher]. A batch that
// is too large is refused whole.
func (t *Target) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Batches++
	out := make([]target.Result, len(cs))
	for i, c := range cs {
		if len(cs) > t.batch {
			out[i].Err = refuse(target.ErrNotApplied, "", "%d changes in a batch of at most %d", len(cs), t.batch)
			continue
		}
		out[i].Object, out[i].Err = t.apply(ctx, c)
	}
	return out
}

// apply carries out one change and counts it. t.mu is held.
func (t *Target) apply(ctx context.Context, c target.Change) (target.Object, error) {
	if err := ctx.Err(); err != nil {
		return target.Object{}, &target.Error{Sentinel: target.ErrNotApplied, Err: err}
	}
	o, err := t.change(c)
	t.counts.wrote(c.Op, err)
	if o == nil {
		return target.Object{}, err
	}
	t.accepted++
	out := o.export()
	out.RequestID = "change-" + strconv.FormatUint(t.accepted, 10)
	return out, err // of a Refer: some of it
}

// change does the work of apply. Either all of c is done or nothing (but for
// the single references of a Refer, which then has an object and an error): every
// check comes before the first write. t.mu is held.
func (t *Target) change(c target.Change) (*object, error) {
	if !slices.Contains(t.Kinds(), c.Kind) {
		return nil, refuse(target.ErrInvalid, "", "this target has no objects of kind %q", c.Kind)
	}
	if (c.ID == "") != (c.Op == target.Create) {
		return nil, refuse(target.ErrInvalid, "", "a %s with the id %q", c.Op, c.ID)
	}
	old := t.live[c.ID]
	if other := cmp.Or(old, t.bin[c.ID]); other != nil && other.kind != c.Kind {
		return nil, refuse(target.ErrNotFound, "", "no %s %s", c.Kind, c.ID)
	}
	if c.Kind == target.Group && (c.Op == target.Disable || c.Op == target.Enable) {
		return nil, refuse(target.ErrInvalid, "", "a group can't be switched off or on")
	}
	switch c.Op {
	case target.Create:
		return t.create(c)
	case target.Delete:
		return t.delete(c)
	case target.Restore:
		if old == nil {
			old = t.bin[c.ID]
		}
	case target.Disable:
		c.Set = switched(c.Set, "false")
	case target.Enable:
		c.Set = switched(c.Set, "true")
	case target.Update, target.Refer:
	default:
		return nil, refuse(target.ErrInvalid, "", "no such operation: %q", c.Op)
	}
	if old == nil {
		return nil, refuse(target.ErrNotFound, "", "no %s %s", c.Kind, c.ID)
	}
	if old.foreign {
		return nil, refuse(target.ErrReadOnly, "", "%s %s is mastered elsewhere", c.Kind, c.ID)
	}
	if c.Op == target.Refer {
		err := t.refer(old, c.Refs)
		if _, some := errors.AsType[*target.RefsError](err); err != nil && !some {
			return nil, err
		}
		return old, err
	}
	set, anchor, err := stamp(old, c.Set)
	if err != nil {
		return nil, err
	}
	n := old.with(set)
	n.deleted, n.anchor = false, anchor
	if n.unified() != old.unified() {
		return nil, refuse(target.ErrInvalid, attrGroupTypes, "a group stays what it was made as")
	}
	// A restored object comes back with its own name: its domain must still do.
	if err := t.check(n, c.Set, c.Op == target.Restore && old.deleted); err != nil {
		return nil, err
	}
	t.store(old, n)
	return n, nil
}

func (t *Target) create(c target.Change) (*object, error) {
	if holder := t.live[t.unique[key{c.Kind, attrAnchor, c.Anchor}]]; c.Repeat && c.Anchor != "" && holder != nil {
		return holder, nil // the earlier call made it
	}
	o := (&object{kind: c.Kind, anchor: c.Anchor, created: time.Now()}).with(c.Set)
	if c.Kind == target.Group && c.Anchor == "" {
		return nil, refuse(target.ErrInvalid, attrAnchor, "a new group must have its unique name")
	}
	for _, name := range required(c.Kind) {
		if o.first(name) == "" {
			return nil, refuse(target.ErrInvalid, name, "a new %s must have it", c.Kind)
		}
	}
	if err := t.check(o, c.Set, true); err != nil {
		return nil, err
	}
	o.id = t.newID()
	t.store(nil, o)
	return o, nil
}

func (t *Target) delete(c target.Change) (*object, error) {
	old := t.live[c.ID]
	if old == nil { // in the bin or gone for good: done
		return &object{id: c.ID, kind: c.Kind, anchor: c.Anchor, deleted: true}, nil
	}
	if old.foreign {
		return nil, refuse(target.ErrReadOnly, "", "%s %s is mastered elsewhere", c.Kind, c.ID)
	}
	return t.discard(old), nil
}

// stamp takes the anchor out of set, which may give one to an object that has
// none. An object's own may be written again.
func stamp(o *object, set target.Attributes) (rest target.Attributes, anchor string, err error) {
	v, named := set[target.AttrAnchor]
	if !named {
		return set, o.anchor, nil
	}
	if len(v) != 1 || v[0] == "" || o.anchor != "" && v[0] != o.anchor {
		return nil, "", refuse(target.ErrReadOnly, target.AttrAnchor, "%s %s has an anchor already, or none was given", o.kind, o.id)
	}
	rest = set.Clone()
	delete(rest, target.AttrAnchor)
	return rest, v[0], nil
}

// switched returns set with accountEnabled, which a Disable or Enable implies.
func switched(set target.Attributes, enabled string) target.Attributes {
	if set[target.AttrAccountEnabled] != nil {
		return set
	}
	set = set.Clone()
	set[target.AttrAccountEnabled] = []string{enabled}
	return set
}

func refuse(sentinel error, attribute, format string, args ...any) error {
	return &target.Error{Sentinel: sentinel, Attribute: attribute, Err: fmt.Errorf(format, args...)}
}
