package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// purgedThere: the target says that somebody deleted the group of e for good, it
// isn't there, and it isn't in the bin. It is made anew, since its unique name
// lets no second one be made, and filled; what others tied to the old one's ID is
// lost. That it can't be found would not be reason enough.
func (r *run) purgedThere(ctx context.Context, e *ledger.Entry, d *ledger.Drift) error {
	if _, known := d.Left[""]; !known {
		r.report.Drifted++
	}
	if r.keeps(d, "", nil, nil) {
		d.Gone = true
		return nil
	}
	if e.Owned() {
		r.facts.Own(e.Kind(), -1)
	}
	if err := r.releaseNames(ctx, e); err != nil {
		return err
	}
	if err := r.wake(ctx, e.Object.ID, ledger.Wake{Lost: true}); err != nil {
		return err
	}
	r.l.ClearOwner(e.Link.ID)
	e.Link, e.Applied, e.Unsure, e.MayLive = nil, nil, nil, false
	d.Account = "" // what comes of it goes for the new one
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	return r.markDue(ctx, e.Object.ID, whyDeletedThere)
}

// sweepAll has the references of all of our groups looked at.
func (r *run) sweepAll(ctx context.Context) error {
	if add, _ := target.RefBatch(r.tgt, target.Group, target.RefMembers); add == 0 || r.facts.Groups == 0 {
		return nil
	}
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return err
		}
		if !k.Value.Linked {
			continue
		}
		e, err := r.l.Entry(ctx, k.ID)
		if err != nil {
			return err
		}
		if e != nil && e.Kind() == target.Group {
			r.l.SetRefSweep(k.ID)
		}
	}
	return r.l.Flush(ctx)
}

// forgetRefDrift is forgetDrift for references.
func (r *run) forgetRefDrift(ctx context.Context) error {
	for k, err := range r.l.RefLooks(ctx) {
		if err != nil {
			return err
		}
		r.l.ClearRefLook(k.RefSpot)
	}
	for id, err := range r.l.RefSweeps(ctx) {
		if err != nil {
			return err
		}
		r.l.ClearRefSweep(id)
	}
	var holders []source.ID // whose problems say something of it, perhaps
	for k, err := range r.l.RefDrifts(ctx, "") {
		if err != nil {
			return err
		}
		if n := len(holders); n == 0 || holders[n-1] != k.Holder {
			holders = append(holders, k.Holder)
		}
		if err := r.unit(ctx, func() error { return r.setRefDrift(ctx, k, nil) }); err != nil {
			return err
		}
	}
	for _, id := range holders {
		e, err := r.l.Entry(ctx, id)
		if e == nil && err == nil {
			continue
		}
		if err == nil {
			err = r.unit(ctx, func() error { return r.tellRefDrift(ctx, e) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}
