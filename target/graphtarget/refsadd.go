package graphtarget

import (
	"context"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// maxExtra is how many writes the search for a reference that Graph refuses may
// take before the members are read instead: 2·log2(20), which finds one.
const maxExtra = 8

// add adds ids by one PATCH, which Graph carries out whole or not at all. What
// it refuses is halved until each one that stands in the way is known; if Graph
// names it, it is left out at once. why is a refusal that ids are known to meet,
// nil if it isn't known. It reports whether all of them were added at once.
func (r *referral) add(ctx context.Context, ids []target.ID, why *reply) bool {
	if left := r.undone(ids); len(left) < len(ids) {
		ids, why = left, nil // some were seen to be there
	}
	if len(ids) == 0 || r.err != nil {
		return r.err == nil
	}
	if why == nil {
		if r.failed {
			r.extra++
		}
		rep, doubt := insist(ctx, r.via, r.t.calls().bind(r.change.ID, r.change.Refs.Attribute, ids))
		r.doubt = r.doubt || doubt
		v := judge(rep)
		switch {
		case v.outcome == made:
			r.made(rep, ids...)
			return true
		case v.outcome != refused && r.doubt:
			r.err = inDoubt(v)
			return false
		case v.outcome != refused:
			r.err = v.err
			return false
		}
		r.failed = true
		why = &rep
	}
	r.blame(ctx, ids, why)
	return false
}

// blame finds out which of ids were refused with why, and adds the others.
func (r *referral) blame(ctx context.Context, ids []target.ID, why *reply) {
	v, f := judge(*why), faultOf(*why)
	already := f.says("object references already exist")
	gone := v.err.Sentinel == target.ErrNotFound || f.says("not a valid reference update", "source resource object")
	if gone {
		v.err.Sentinel = target.ErrNotFound
	}
	named := -1
	if gone {
		named = slices.IndexFunc(ids, func(id target.ID) bool { return f.says(string(id)) })
	}
	switch {
	case already && len(ids) == 1:
		r.made(*why, ids[0])
	case named >= 0:
		r.refuse(ids[named], v.err)
		r.add(ctx, slices.Delete(slices.Clone(ids), named, named+1), nil)
	case gone && !r.source(ctx):
	case !already && !gone && v.err.Sentinel != target.ErrInvalid && v.err.Sentinel != target.ErrQuota:
		r.err = v.err // forbidden, read-only, ...: it would meet them all
	case len(ids) == 1:
		r.refuse(ids[0], v.err)
	case already && !r.looked && (r.doubt || r.extra >= maxExtra):
		r.look(ctx)
		r.add(ctx, ids, nil)
	default:
		half := len(ids) / 2
		if r.add(ctx, ids[:half], nil) {
			r.add(ctx, ids[half:], why) // so it is among these
		} else {
			r.add(ctx, ids[half:], nil)
		}
	}
}

// undone are those of ids that aren't known to be there.
func (r *referral) undone(ids []target.ID) []target.ID {
	return slices.DeleteFunc(slices.Clone(ids), func(id target.ID) bool { return r.done[id] })
}

// look reads who is there, until all that are to be added are seen.
func (r *referral) look(ctx context.Context) {
	r.looked = true
	missing := r.undone(r.change.Refs.Add)
	for id, err := range r.t.references(ctx, r.change.ID, r.change.Refs.Attribute) {
		if err != nil {
			r.err = asError(err)
			return
		}
		if i := slices.IndexFunc(missing, func(m target.ID) bool { return strings.EqualFold(string(m), string(id)) }); i >= 0 {
			r.done[missing[i]] = true
			missing = slices.Delete(missing, i, i+1)
		}
		if len(missing) == 0 {
			return
		}
	}
}
