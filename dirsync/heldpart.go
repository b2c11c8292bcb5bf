package dirsync

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// heldPart takes out of c what somebody doesn't want, if others changed the
// account beside that: what they did is put back, and the hold stays. h is nil if
// nothing of c is held; rest is nil if nothing else is left of it.
func (r *run) heldPart(ctx context.Context, e *ledger.Entry, in plan.Input, c *plan.Change) (rest *plan.Change, h *ledger.Hold, err error) {
	if c == nil || e.Link == nil || c.Removal {
		return c, nil, nil
	}
	h, err = r.l.Hold(ctx, e.Object.ID)
	if h == nil || h.Deed == "" || h.State != sourceState(e) || err != nil {
		return c, nil, err
	}
	d, err := r.driftOf(ctx, e)
	if err != nil {
		return nil, nil, err
	}
	wish, _ := plan.Compute(undrifted(in, d))
	if wish == nil || wish.Deed() != h.Deed {
		return c, nil, nil
	}
	in.Applied, in.Unsure = maps.Clone(in.Applied), slices.Clone(in.Unsure)
	if in.Applied == nil {
		in.Applied = target.Attributes{}
	}
	for attr, v := range wish.Set {
		in.Applied[attr] = v
		in.Unsure = slices.DeleteFunc(in.Unsure, func(a string) bool { return a == attr })
	}
	if rest, _ = plan.Compute(in); rest != nil {
		rest.Wave, rest.Blocked, rest.Reason = c.Wave, c.Blocked, c.Reason
	}
	return rest, h, nil
}

// undrifted is in as it was before others changed the account, with the names
// that it wants as its own.
func undrifted(in plan.Input, d *ledger.Drift) plan.Input {
	in.UPN, in.Mail, in.Again, in.AnchorHolder, in.AnchorOwner = plan.Claim{}, plan.Claim{}, false, "", ""
	in.Applied, in.Unsure = maps.Clone(in.Applied), slices.Clone(in.Unsure)
	if in.Applied == nil {
		in.Applied = target.Attributes{}
	}
	for attr, b := range d.Back {
		if attr == "" {
			link := *in.Link
			link.Binned = time.Time{}
			in.Link = &link
			continue
		}
		in.Applied[attr] = b.Ours
		if isUnique(in.Kind, attr) { // which it doesn't have at all, perhaps
			in.Unsure = slices.DeleteFunc(in.Unsure, func(a string) bool { return a == attr })
		}
	}
	return in
}
