package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

// deletedLongAgo reports whether we sent a delete of e's account, of which no
// outcome was ever seen, so long ago that it would show in the bin by now. If it
// is neither live nor there, it was made, and the bin was emptied since.
func deletedLongAgo(e *ledger.Entry) bool {
	return !e.Deleting.IsZero() && time.Since(e.Deleting) > visibleAfter
}

// lost decides about an account of ours that isn't where it was. One that
// somebody put into the bin is brought back, if that is the policy for what others
// do; one that is nowhere is reported, since "not found" alone proves nothing.
func (r *run) lost(ctx context.Context, e *ledger.Entry, c *plan.Change, err error) error {
	if e.Link == nil {
		return r.later(ctx, e, mapping.Problem{Code: "not-found", Message: "the target says: " + err.Error(),
			Remedy: "nothing: the next run tries again"}, err)
	}
	o, ferr := target.FindDeleted(r.wire, r.tgt, c.Kind, e.Link.ID)
	if ferr == nil {
		if err := r.noteForeign(ctx, e, o.Foreign); err != nil {
			return err
		}
	}
	stays := false
	if ferr == nil && c.Op != target.Restore && !c.Removal && e.Deleting.IsZero() {
		var derr error
		if stays, derr = r.staysDeleted(ctx, e); derr != nil {
			return derr
		}
	}
	switch {
	case stays:
		return r.later(ctx, e, deletedThere(e.Link.ID), err)
	case ferr == nil && c.Op != target.Restore:
		if err := r.binned(ctx, e); err != nil {
			return err
		}
	case errors.Is(ferr, target.ErrNotFound) && c.Op == target.Restore:
		// It was in the bin and isn't any more, and it isn't live either: its
		// time there is over. A new account follows, if the anchor is free.
		if err := r.wake(ctx, c.Source, ledger.Wake{Lost: true}); err != nil {
			return err
		}
		r.l.ClearOwner(e.Link.ID)
		e.Link, e.Applied = nil, nil
	case ferr != nil && !errors.Is(ferr, target.ErrNotFound) && !errors.Is(ferr, errors.ErrUnsupported):
		return r.later(ctx, e, mapping.Problem{Code: "not-found",
			Message: "the account isn't at the target, and its bin can't be read: " + ferr.Error(),
			Remedy:  "nothing: the next run tries again"}, err)
	case c.Removal && c.Op == target.Disable, ferr != nil && deletedLongAgo(e):
		// It left, and so has its account; or it came back after we had deleted
		// the account, of which only now we know. Then it is a new one.
		if e.Owned() {
			r.facts.Own(e.Kind(), -1)
		}
		if err := r.wake(ctx, c.Source, ledger.Wake{Lost: true}); err != nil {
			return err
		}
		if err := r.releaseNames(ctx, e); err != nil {
			return err
		}
		r.l.ClearOwner(e.Link.ID)
		e.Link, e.Applied, e.Unsure, e.Deleting = nil, nil, nil, time.Time{}
	default:
		return r.later(ctx, e, mapping.Problem{
			Code:    "missing-at-target",
			Message: fmt.Sprintf("the account %s isn't at the target any more, and not in its bin either", e.Link.ID),
			Remedy:  "find out who removed it for good; if it is to be made anew, remove the object from the scope and add it again",
		}, err)
	}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	r.again = true
	return r.markDue(ctx, c.Source, "")
}

// releaseNames notes that an account holds no names any more, since it is in the
// bin or gone.
func (r *run) releaseNames(ctx context.Context, e *ledger.Entry) error {
	for _, attr := range uniques {
		was := uniqueValue(e.Kind(), e.Applied, attr)
		if err := r.l.SetHolder(ctx, attr, was, "", e.Object.ID); err != nil {
			return err
		}
		if err := r.freed(ctx, attr, was, e.Object.ID); err != nil {
			return err
		}
	}
	return nil
}
