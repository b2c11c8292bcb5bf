package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// A deleted object is nobody's member and nobody's manager: its tombstone says
// that for all who referred to it. Mostly its account goes, and the target takes it
// out by itself. Where the account stays (it is protected, refused, or disabled
// instead), it is taken out. What the holders said of it is kept: a directory with a
// bin puts it back.

// says reports whether the source wants a reference, as far as is known of both
// ends.
func (r *run) says(ctx context.Context, k ledger.RefKey, x *ledger.Ref) (bool, error) {
	if x == nil || !x.Wanted {
		return false, nil
	}
	h, err := r.l.Head(ctx, k.To)
	if h == nil || h.Presence != plan.Deleted || err != nil {
		return true, err
	}
	e, err := r.l.Entry(ctx, k.To)
	if e == nil || err != nil {
		return true, err
	}
	why, _, err := r.waiting(ctx, e) // it may have been moved to another source
	return why != "", err
}

// remains reports whether e was deleted in the source and has an account, and
// whether that may still go: by this plan, by a call whose outcome is open, or once it
// is known that the object wasn't moved to another source.
func (r *run) remains(ctx context.Context, e *ledger.Entry) (remains, goes bool, err error) {
	if e == nil || e.Presence != plan.Deleted || !e.Owned() {
		return false, false, nil
	}
	id := e.Object.ID
	in, err := r.l.Intent(ctx, id)
	if err != nil {
		return false, false, err
	}
	why, _, err := r.waiting(ctx, e)
	return true, in != nil || why != "" || r.refs.going.has(id), err
}

// takeOut makes a reference to a deleted object whose account remains due.
func (r *run) takeOut(ctx context.Context, k ledger.RefKey) error {
	x, err := r.l.Ref(ctx, k)
	if x == nil || x.Applied == ledger.No || err != nil {
		return err
	}
	return r.l.SetRefDue(k, ledger.RefDue{})
}

// refusedDeletion has this run plan once more if somebody refers to an account
// that was to be deleted and remains. It belongs into a unit.
func (r *run) refusedDeletion(ctx context.Context, id source.ID) error {
	if !r.refers() {
		return nil
	}
	for k, err := range r.l.RefsTo(ctx, id) {
		if err != nil {
			return err
		}
		if x, err := r.l.Ref(ctx, k); err != nil {
			return err
		} else if x != nil && x.Applied != ledger.No {
			r.again = true
			return r.wake(ctx, id, ledger.Wake{})
		}
	}
	return nil
}
