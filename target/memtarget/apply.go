package memtarget

import (
	"context"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// Apply carries out one change and returns the whole object. See
// [target.Target]. A Disable or Enable sets accountEnabled even if the change
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
	if err != nil {
		return target.Object{}, err
	}
	return o.export(), nil
}

// change does the work of apply. Either all of c is done or nothing: every
// check comes before the first write. t.mu is held.
func (t *Target) change(c target.Change) (*object, error) {
	if c.Kind != target.User {
		return nil, refuse(target.ErrInvalid, "", "this target has no objects of kind %q", c.Kind)
	}
	if (c.ID == "") != (c.Op == target.Create) {
		return nil, refuse(target.ErrInvalid, "", "a %s with the id %q", c.Op, c.ID)
	}
	old := t.live[c.ID]
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
	case target.Update:
	default:
		return nil, refuse(target.ErrInvalid, "", "no such operation: %q", c.Op)
	}
	if old == nil {
		return nil, refuse(target.ErrNotFound, "", "no %s %s", c.Kind, c.ID)
	}
	if old.foreign {
		return nil, refuse(target.ErrReadOnly, "", "%s %s is mastered elsewhere", c.Kind, c.ID)
	}
	n := old.with(c.Set)
	n.deleted = false
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
	for _, name := range []string{target.AttrAccountEnabled, attrDisplayName, attrMailNickname, target.AttrUserPrincipalName} {
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
