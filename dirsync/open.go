package dirsync

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// settleOpenIntents settles what was on the wire when an earlier run ended
// without knowing the outcome. The source has been read: a change that is still
// right is repeated, and a create finds its object by the anchor, since the
// anchor was free before the first call. One that the source has gone on from
// isn't made a second time, and neither is a create while an account with its
// anchor lies in the target's bin: what became of it is looked up.
func (r *run) settleOpenIntents(ctx context.Context) error {
	if r.dry || r.keeping {
		return nil
	}
	var open []*ledger.Intent
	for k, err := range r.l.Intents(ctx) {
		if err != nil {
			return err
		}
		open = append(open, &k.Value)
	}
	if len(open) == 0 {
		return nil
	}
	a := r.newApplier(ctx)
	defer a.cancel()
	for _, in := range open {
		if in.Told {
			continue
		}
		// The process died before it could tell of the call.
		in.Told = true
		err := r.unit(ctx, func() error {
			if err := r.noteCall(ctx, in, audit.OutcomeInterrupted, target.Result{}, false); err != nil {
				return err
			}
			return r.l.SetIntent(*in)
		})
		if err != nil {
			return err
		}
	}
	bin, listed, err := r.binOf(ctx, open)
	if err != nil {
		return err
	}
	var repeat []*ledger.Intent
	for _, in := range open {
		create := in.Change.Op == target.Create
		if create && !listed {
			continue // stays open until the bin can be read
		}
		still, err := r.stillRight(ctx, in)
		if err != nil {
			return err
		}
		if still && !create {
			// Who has become protected since isn't written again.
			e, err := r.l.Entry(ctx, in.Change.Source)
			if err != nil {
				return err
			}
			off, err := r.isOffLimits(ctx, e)
			if err != nil {
				return err
			}
			still = !off
		}
		binned := bin[in.Change.Anchor]
		if still && !(create && len(binned) > 0) {
			repeat = append(repeat, in)
			continue
		}
		if err := r.lookUp(ctx, in, binned, still); err != nil {
			return err
		}
	}
	most := target.MaxBatch(r.tgt)
	for len(repeat) > 0 && r.stop == nil && ctx.Err() == nil {
		n := min(most, len(repeat))
		if err := a.send(ctx, repeat[:n], true); err != nil {
			return errors.Join(err, a.drain(ctx))
		}
		repeat = repeat[n:]
	}
	if err := a.drain(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.stop
}

// stillRight reports whether an open change may be made once more as far as
// the source says now: nobody is removed who is wanted, and nobody gets an
// account or its use back who isn't.
func (r *run) stillRight(ctx context.Context, in *ledger.Intent) (bool, error) {
	c := &in.Change
	if in.Undo != 0 {
		return true, nil // the source wasn't asked for it in the first place
	}
	e, err := r.l.Entry(ctx, c.Source)
	if err != nil {
		return false, err
	}
	wanted, enabled := false, false
	if e != nil && e.Presence == plan.Present {
		res := r.mapped(e)
		if res.Undecided {
			return false, nil
		}
		wanted = res.Skip == nil
		enabled = wanted && res.Attributes.First(target.AttrAccountEnabled) != "false"
	}
	switch {
	case c.Removal:
		return e != nil && !wanted && e.Presence != plan.Missing, nil
	case c.Op == target.Create, c.Op == target.Restore:
		return wanted, nil
	case c.Set.First(target.AttrAccountEnabled) == "true":
		return enabled, nil
	case c.Op == target.Disable:
		return !enabled, nil
	}
	return true, nil
}

// visibleAfter is how long we wait for an account to show of which nobody knows
// whether it was made. Targets take minutes; a day costs nothing, and an account
// that shows after that would be nobody's.
const visibleAfter = 24 * time.Hour

// replication is how long a target may take to show everywhere what became of an
// object that there is.
const replication = 15 * time.Minute

// lookUp settles an open change without making it again. What can't be told
// from what the target shows stays open, or is written anew. binned are the
// objects in the bin that a create may have made, wanted says that the source
// still wants what it was for.
func (r *run) lookUp(ctx context.Context, in *ledger.Intent, binned []target.Object, wanted bool) error {
	c := &in.Change
	old := time.Since(in.Since) > visibleAfter || c.Op == target.Restore && time.Since(in.Since) > replication
	switch c.Op {
	case target.Create:
		found, err := target.Find(ctx, r.tgt, c.Kind, []target.Key{{Anchor: c.Anchor}})
		if err != nil {
			return err
		}
		for _, o := range append(found[0], binned...) {
			if ourCreate(in, o) {
				return r.unit(ctx, func() error { return r.settle(ctx, in, target.Result{Object: o}, true) })
			}
		}
		if !old && wanted {
			return nil
		}
		if !old { // it may show yet; nothing else is wrong with who isn't wanted
			return r.unit(ctx, func() error {
				ps, err := r.l.ProblemsOf(ctx, c.Source)
				if len(ps) == 0 || err != nil {
					return err
				}
				return r.setProblems(ctx, c.Source, slices.DeleteFunc(ps, func(p plan.Problem) bool { return p.Code != codeUnknown }))
			})
		}
		return r.drop(ctx, in, nil)
	case target.Delete, target.Restore:
		_, err := target.FindDeleted(ctx, r.tgt, c.Kind, c.ID)
		switch {
		case err == nil:
			return r.drop(ctx, in, func(e *ledger.Entry) error { return r.binned(ctx, e) })
		case !errors.Is(err, target.ErrNotFound) && !errors.Is(err, errors.ErrUnsupported):
			return err
		case c.Op == target.Restore && !old:
			return nil
		case c.Op == target.Restore:
			return r.unit(ctx, func() error {
				return r.settle(ctx, in, target.Result{Object: target.Object{ID: c.ID, Kind: c.Kind, Anchor: c.Anchor}}, true)
			})
		}
		// Not in the bin, or not to be seen there: the next write will tell.
		return r.drop(ctx, in, func(e *ledger.Entry) error {
			e.Deleting = in.Since
			return r.unsure(e, e.Applied.Names())
		})
	}
	return r.drop(ctx, in, func(e *ledger.Entry) error { return r.doubt(ctx, e, c) })
}

// drop ends an open change whose making is no longer wanted, and has the object
// planned anew. It may have been made, and spends the budget.
func (r *run) drop(ctx context.Context, in *ledger.Intent, note func(*ledger.Entry) error) error {
	return r.unit(ctx, func() error {
		r.l.ClearIntent(in.Change.Source)
		if in.Approver == "" {
			if err := r.spend(&in.Change); err != nil {
				return err
			}
		}
		if r.kept != nil {
			r.l.ClearChange(r.kept.Area, &in.Change)
		}
		e, err := r.l.Entry(ctx, in.Change.Source)
		if e == nil || err != nil {
			return err
		}
		if note != nil && e.Link != nil {
			if err := note(e); err != nil {
				return err
			}
		}
		return r.markDue(ctx, in.Change.Source, "")
	})
}

// unsure has attributes written again, whatever was applied.
func (r *run) unsure(e *ledger.Entry, attrs []string) error {
	for _, attr := range attrs {
		if !slices.Contains(e.Unsure, attr) {
			e.Unsure = append(e.Unsure, attr)
		}
	}
	slices.Sort(e.Unsure)
	return r.l.SetEntry(e)
}
