package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// refersStill reports whether each reference of a change that was planned before
// is still to be changed in the same direction, however it would be cut into
// changes now.
func (r *run) refersStill(ctx context.Context, c *plan.Change) (bool, error) {
	e, err := r.l.Entry(ctx, c.Source)
	if err != nil {
		return false, err
	}
	if ready, _, err := r.refersNow(ctx, e); !ready || err != nil || !r.opt.Policy.Allows(c) {
		return false, err
	}
	if off, err := r.offLimitsHolder(ctx, e); off != nil || err != nil {
		return false, err
	}
	for i, ids := range [][]source.ID{c.Refer.Add, c.Refer.Remove} {
		for _, to := range ids {
			k := ledger.RefKey{Holder: c.Source, Attribute: c.Refer.Attribute, To: to}
			x, err := r.l.Ref(ctx, k)
			if x == nil || err != nil {
				return false, err
			}
			due, err := r.l.RefDue(ctx, k)
			if due == nil || due.Held != nil || err != nil {
				return false, err
			}
			if wanted, err := r.says(ctx, k, x); wanted != (i == 0) || err != nil {
				return false, err
			}
			if does, _, err := r.points(ctx, e, k, x); !does || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}
