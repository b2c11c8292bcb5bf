package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// points reports whether the object that k points at has an account that can be
// referred to when this plan is carried out. Without, standing says why. One that
// left the scope, or is out of sight, gets no new references, and keeps what it
// has until the holder says otherwise.
func (r *run) points(ctx context.Context, e *ledger.Entry, k ledger.RefKey, x *ledger.Ref) (does bool, standing ledger.Standing, err error) {
	if _, stranger := plan.StrangerID(k.To); stranger {
		return true, 0, nil
	}
	h, err := r.l.Head(ctx, k.To)
	if err != nil {
		return false, 0, err
	}
	if h == nil {
		return false, ledger.Dropped, nil
	}
	if r.refs.going.has(k.To) || h.Presence == plan.Deleted && x.Applied == ledger.No {
		return false, ledger.Gone, nil
	}
	if h.Linked && (!x.Wanted || x.Applied != ledger.No) {
		return true, 0, nil
	}
	if flat, err := r.flat(ctx, e, k); flat || err != nil {
		return false, ledger.Dropped, err
	}
	if r.refs.coming.has(k.To) {
		return true, 0, nil
	}
	if known, ok := r.refs.out[k.To]; ok {
		return known == ledger.Plain, known, nil
	}
	standing, err = r.outside(ctx, k.To, h)
	if err != nil {
		return false, 0, err
	}
	if r.refs.out == nil || len(r.refs.out) >= mostOut {
		r.refs.out = map[source.ID]ledger.Standing{}
	}
	r.refs.out[k.To] = standing
	return standing == ledger.Plain, standing, nil
}

// mostOut bounds what is remembered of who can be pointed at.
const mostOut = 50_000

// outside says why nothing new points at an object, Plain if it may.
func (r *run) outside(ctx context.Context, id source.ID, h *ledger.Head) (ledger.Standing, error) {
	switch h.Presence {
	case plan.Deleted:
		return ledger.Gone, nil
	case plan.Left:
		if !h.Linked {
			if e, err := r.l.Entry(ctx, id); e != nil && e.Link != nil || err != nil {
				return ledger.Gone, err // in the bin, with what it had
			}
		}
		return ledger.Dropped, nil
	case plan.Present:
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return 0, err
		}
		switch {
		case e.Link != nil && !e.Owned():
			return ledger.Gone, nil
		}
		switch res := r.mapped(e); {
		case res.Skip != nil:
			return ledger.Dropped, nil
		case res.Undecided:
			return ledger.Waiting, nil
		case h.Linked:
			return ledger.Plain, nil
		}
	}
	return ledger.Waiting, nil
}
