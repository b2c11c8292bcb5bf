package fault

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"

	"github.com/dirbridge/dirbridge/target"
)

// OnRefs makes the n-th call of Refs or FindRefs from now go wrong; 1 is the next.
func (t *Target) OnRefs(n int, f Fault) { t.refs.on(n, f) }

// Kinds are the inner target's.
func (t *Target) Kinds() []target.Kind { return t.inner.Kinds() }

// RefLimit is the inner target's.
func (t *Target) RefLimit(kind target.Kind, attribute string) int {
	return target.RefLimit(t.inner, kind, attribute)
}

// RefBatch is the inner target's.
func (t *Target) RefBatch(kind target.Kind, attribute string) (add, remove int) {
	return t.inner.RefBatch(kind, attribute)
}

// Refs yields whom a visible object refers to, without those that are hidden.
func (t *Target) Refs(ctx context.Context, kind target.Kind, id target.ID, attribute string) iter.Seq2[target.ID, error] {
	return func(yield func(target.ID, error) bool) {
		var ids iter.Seq2[target.ID, error]
		if lost, err := t.refs.do(ctx, func() { ids = t.inner.Refs(ctx, kind, id, attribute) }); lost {
			yield("", err)
			return
		}
		if t.isHidden(id) {
			yield("", &target.Error{Sentinel: target.ErrNotFound, Err: fmt.Errorf("%s %s", kind, id)})
			return
		}
		for to, err := range ids {
			if !t.isHidden(to) && !yield(to, err) {
				return
			}
		}
	}
}

// FindRefs tells of single references of a visible object, hidden ones as not
// there.
func (t *Target) FindRefs(ctx context.Context, kind target.Kind, id target.ID, attribute string, to []target.ID) (is []bool, err error) {
	if lost, ferr := t.refs.do(ctx, func() { is, err = t.inner.FindRefs(ctx, kind, id, attribute, to) }); lost {
		return nil, ferr
	}
	if err == nil && t.isHidden(id) {
		return nil, &target.Error{Sentinel: target.ErrNotFound, Err: fmt.Errorf("%s %s", kind, id)}
	}
	for i := range is {
		is[i] = is[i] && !t.isHidden(to[i])
	}
	return is, err
}

// withoutHidden is c without the references to what is hidden, and for each of
// those the error.
func (t *Target) withoutHidden(c target.Change) (target.Change, map[target.ID]error) {
	if c.Refs == nil {
		return c, nil
	}
	refs := *c.Refs
	refs.Add = nil
	hidden := map[target.ID]error{}
	for _, id := range c.Refs.Add {
		if t.isHidden(id) {
			hidden[id] = &target.Error{Sentinel: target.ErrNotYet, Err: fmt.Errorf("object %s", id)}
		} else {
			refs.Add = append(refs.Add, id)
		}
	}
	c.Refs = &refs
	return c, hidden
}

// refusing adds refused references to the outcome of a Refer.
func refusing(err error, refused map[target.ID]error) error {
	some, ok := errors.AsType[*target.RefsError](err)
	switch {
	case len(refused) == 0 || err != nil && !ok:
		return err
	case ok:
		maps.Copy(refused, some.Refused)
	}
	return &target.RefsError{Refused: refused}
}
