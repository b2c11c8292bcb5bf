package dirsync

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// An account of ours that another tool has taken over (target.Object.Foreign, in
// Office 365 onPremisesSyncEnabled) is never written. Whatever shows the account
// says so, and it is kept with the link; right before a sensitive change the
// target is asked once more.

const codeForeign = ConflictForeign

// foreignProblem says that nothing is written, and how to end it.
func foreignProblem(id target.ID) mapping.Problem {
	return mapping.Problem{
		Code:    codeForeign,
		Message: fmt.Sprintf("another tool synchronizes the account %s now (onPremisesSyncEnabled); nothing is written to it", id),
		Remedy: "let one of the two have it: end the other tool's synchronization of the account, and it is written again by itself, " +
			"or take its object out of the scope",
	}
}

// noteForeign keeps whether another tool synchronizes the account of e, as it was
// just seen. What had to wait for it to end is tried at once.
func (r *run) noteForeign(ctx context.Context, e *ledger.Entry, foreign bool) error {
	if e.Link == nil || e.Link.Foreign == foreign {
		return nil
	}
	e.Link.Foreign = foreign
	if err := r.l.SetEntry(e); err != nil || foreign {
		return err
	}
	return r.markDue(ctx, e.Object.ID, "")
}

// noteForeignBinned does so for an account that was seen in the bin.
func (r *run) noteForeignBinned(ctx context.Context, owner source.ID, o target.Object) error {
	e, err := r.l.Entry(ctx, owner)
	if e == nil || e.Link == nil || e.Link.ID != o.ID || err != nil {
		return err
	}
	return r.l.Unit(ctx, func() error { return r.noteForeign(ctx, e, o.Foreign) })
}

// isForeign reports whether another tool synchronizes the account of e. What the
// target doesn't tell by itself is asked, so that it ends when it has ended.
func (r *run) isForeign(ctx context.Context, e *ledger.Entry) (bool, error) {
	if e.Link == nil || !e.Link.Foreign {
		return false, nil
	}
	if e.Kind() == target.User && r.opt.Drift != IgnoreDrift && target.CanTellChanges(r.tgt) {
		return true, nil
	}
	return r.lookForeign(ctx, e)
}

// lookForeign asks the target about the account of e. If it doesn't answer, what
// is known stays.
func (r *run) lookForeign(ctx context.Context, e *ledger.Entry) (bool, error) {
	if !e.Owned() {
		o, err := target.FindDeleted(ctx, r.tgt, e.Kind(), e.Link.ID)
		if err != nil {
			return e.Link.Foreign, ctx.Err()
		}
		return o.Foreign, r.noteForeign(ctx, e, o.Foreign)
	}
	found, err := target.Find(ctx, r.tgt, e.Kind(), []target.Key{{ID: e.Link.ID}})
	if err != nil || len(found[0]) == 0 {
		return e.Link.Foreign, ctx.Err()
	}
	return found[0][0].Foreign, r.noteForeign(ctx, e, found[0][0].Foreign)
}

// refusedForeign finds out whether the target refused a change since another tool
// synchronizes the account by now.
func (r *run) refusedForeign(ctx context.Context, e *ledger.Entry, err error) (bool, error) {
	if !errors.Is(err, target.ErrReadOnly) || e == nil || e.Link == nil {
		return false, nil
	}
	foreign, ferr := r.lookForeign(r.wire, e)
	return foreign, errors.Join(ferr, ctx.Err())
}

// asksForeign reports whether the account of a change is looked at once more
// right before the call. One in the bin was looked at there.
func asksForeign(in *ledger.Intent) bool { return isSensitive(in) && in.Change.Op != target.Restore }

// foreignNow asks which of the accounts of a batch another tool synchronizes,
// right before the calls. Those that aren't shown aren't in the answer: the call
// will tell. A target that can't look up single objects isn't asked.
func (r *run) foreignNow(ctx context.Context, batch []*ledger.Intent) (map[target.ID]bool, error) {
	_, finder := r.tgt.(target.Finder)
	keys := map[target.Kind][]target.Key{}
	foreign := map[target.ID]bool{}
	for _, in := range batch {
		if c := &in.Change; finder && asksForeign(in) {
			keys[c.Kind] = append(keys[c.Kind], target.Key{ID: c.ID})
		}
	}
	for kind, some := range keys {
		found, err := target.Find(ctx, r.tgt, kind, some)
		if err != nil {
			return foreign, err
		}
		for _, objects := range found {
			for _, o := range objects {
				foreign[o.ID] = o.Foreign
			}
		}
	}
	return foreign, nil
}

// recheckForeign returns the problem of a change that must not be made, nil if it
// may be. now is what the target just said, unknown why it didn't.
func (r *run) recheckForeign(ctx context.Context, in *ledger.Intent, now map[target.ID]bool, unknown error) (*mapping.Problem, error) {
	id := in.Change.ID
	foreign, asked := now[id]
	if !asked && unknown != nil && asksForeign(in) {
		return &mapping.Problem{
			Code:    codeForeignUnknown,
			Message: fmt.Sprintf("whether another tool synchronizes the account %s by now can't be read (%v); nothing is written to it", id, unknown),
			Remedy:  "see that the target can be read; it is tried again by itself",
		}, nil
	}
	e, err := r.l.Entry(ctx, in.Change.Source)
	if err != nil {
		return nil, err
	}
	if e == nil || e.Link == nil || e.Link.ID != id {
		foreign = foreign && asked
	} else if !asked {
		foreign = e.Link.Foreign
	} else if err := r.l.Unit(ctx, func() error { return r.noteForeign(ctx, e, foreign) }); err != nil {
		return nil, err
	}
	if !foreign {
		return nil, nil
	}
	p := foreignProblem(id)
	return &p, nil
}

const codeForeignUnknown = "synchronization-unknown"

// offLimitsHolder returns our own refusal of changes of e's references, nil if
// they may be written.
func (r *run) offLimitsHolder(ctx context.Context, e *ledger.Entry) (error, error) {
	if !e.Owned() {
		return nil, nil
	}
	c := &plan.Change{Change: target.Change{Op: target.Refer, Kind: e.Kind(), ID: e.Link.ID}, Source: e.Object.ID}
	p, err := r.offLimits(ctx, e, c)
	if p == nil || err != nil {
		return nil, err
	}
	return &protectedError{p.Problem}, nil
}
