package graphtarget

import (
	"context"

	"github.com/dirbridge/dirbridge/target"
)

// manage sets or clears the manager of a user. To clear it, it must be the one
// that is to go: what another set meanwhile stays.
func (r *referral) manage(ctx context.Context, add, remove []target.ID) {
	switch {
	case len(add) > 0:
		r.setManager(ctx, add[0])
		if r.done[add[0]] {
			r.made(r.last, remove...)
		}
	case len(remove) > 0:
		r.clearManager(ctx, remove[0])
	}
}

func (r *referral) setManager(ctx context.Context, id target.ID) {
	rep, doubt := insist(ctx, r.via, r.t.calls().setManager(r.change.ID, id))
	v := judge(rep)
	switch {
	case v.outcome == made:
		r.made(rep, id)
	case v.outcome == refused && (v.err.Sentinel == target.ErrNotFound || v.err.Sentinel == target.ErrInvalid):
		if faultOf(rep).says(string(id)) && id != r.change.ID || r.source(ctx) {
			r.refuse(id, v.err)
		}
	case doubt:
		r.err = inDoubt(v)
	default:
		r.err = v.err
	}
}

func (r *referral) clearManager(ctx context.Context, id target.ID) {
	now, err := r.t.managerOf(ctx, r.via, r.change.ID)
	switch {
	case err != nil:
		r.err = asError(err)
		if r.err.Sentinel == target.ErrNotFound {
			r.err = r.t.missing(r.change, r.err)
		}
		return
	case now != id:
		r.done[id] = true
		return
	}
	rep, doubt := insist(ctx, r.via, r.t.calls().clearManager(r.change.ID))
	switch v := judge(rep); {
	case v.outcome == made, v.err.Sentinel == target.ErrNotFound:
		r.made(rep, id)
	case doubt:
		r.err = inDoubt(v)
	default:
		r.err = v.err
	}
}
