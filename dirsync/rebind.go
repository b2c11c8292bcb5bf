package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

// rebind moves the link of an object that is gone to one with the same anchor,
// as it is after a move to another forest. An account in the bin stays there: the
// next run restores it.
func (r *run) rebind(ctx context.Context, a *Adopted, e *ledger.Entry, res mapping.Result, found []target.Object, by string) error {
	old, err := r.l.Entry(ctx, a.From)
	if err != nil {
		return err
	}
	if old == nil || old.Link == nil || old.Link.ID != a.Account {
		return no("the account isn't that of the object %s", a.From)
	}
	if why, _, err := r.waiting(ctx, old); err != nil {
		return err
	} else if why != "" {
		return no("it isn't proven that the object %s is gone: %s", a.From, why)
	}
	a.UPN = old.Applied.First(target.AttrUserPrincipalName)
	if in, err := r.l.Intent(ctx, a.From); err != nil {
		return err
	} else if in != nil {
		return no("the outcome of a call for the object %s is open; try again after the next run", a.From)
	}
	switch {
	case !r.isGone(old), !r.seen.has(a.From), // what was proven earlier may have been undone, and not be shown
		old.Presence == plan.Present && refused(r.mapped(old)) && !r.isPlaced(old):
		return no("it isn't proven that the object %s is gone: an anchor doesn't move while its object may be there", a.From)
	case old.Link.Anchor != res.Anchor, old.Link.Anchor != a.Anchor:
		return no("the object %s hasn't the same source anchor", a.From)
	}
	link := *old.Link
	o := target.Object{ID: link.ID, Kind: target.User, Attributes: old.Applied}
	switch live := len(found) > 0; {
	case live && link.Binned.IsZero():
		o = found[0]
		if o.Anchor != link.Anchor {
			return no("the account carries another source anchor by now")
		}
		if time.Since(old.Wrote) < replication { // what it shows may be older than that
			o.Attributes = old.Applied
		}
	case live:
		return no("the account was in the bin and lives again; try again after the next run")
	case link.Binned.IsZero():
		return no("the account isn't at the target")
	default:
		if _, err := target.FindDeleted(ctx, r.tgt, target.User, link.ID); errors.Is(err, target.ErrNotFound) {
			return no("the account isn't in the bin any more")
		} else if err != nil {
			return fmt.Errorf("read the target's bin: %w", err)
		}
	}
	if err := r.mayBeOurs(res, o, a.UPN); err != nil {
		return err
	}
	if err := r.moveRefs(ctx, a.From, a.Object, !link.Binned.IsZero()); err != nil {
		return err
	}
	if err := r.unlink(ctx, old); err != nil {
		return err
	}
	a.Outcome = AdoptRebound
	e.Link, e.Applied, e.Unsure, e.MayLive = &link, o.Attributes.Clone(), old.Unsure, old.MayLive
	e.Refused, e.Taken, e.Wrote = nil, nil, old.Wrote
	if err := r.linked(ctx, e, res); err != nil {
		return err
	}
	return r.note(ctx, audit.Record{Event: audit.EventRebound, Kind: string(target.User), Source: string(a.Object), Name: a.Name,
		Target: string(link.ID), Anchor: link.Anchor, UPN: a.UPN, Approver: by, Reason: "moved to another forest",
		Detail: "it was the account of the object " + string(a.From)})
}

// unlink takes its account from an object that is gone.
func (r *run) unlink(ctx context.Context, e *ledger.Entry) error {
	id := e.Object.ID
	for _, attr := range uniques {
		if err := r.l.SetHolder(ctx, attr, uniqueValue(e.Kind(), e.Applied, attr), "", id); err != nil {
			return err
		}
	}
	r.l.ClearHold(id)
	e.Link, e.Applied = nil, nil
	if e.Presence != plan.Present {
		return r.forget(ctx, e)
	}
	if err := r.claims(ctx, e, "", "", ""); err != nil {
		return err
	}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	return r.markDue(ctx, id, "")
}
