package dirsync

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// setIntent makes in known before its call.
func (r *run) setIntent(in *ledger.Intent) error {
	if in.Change.Op == target.Refer {
		return r.l.SetRefIntent(*in)
	}
	return r.l.SetIntent(*in)
}

// follow makes a change of references ready: what is on the wire for the same
// holder is settled first, and the source's IDs become the target's. false says
// that nothing of it can be sent; it stays due.
func (a *applier) follow(ctx context.Context, c *plan.Change, batch *[]*ledger.Intent) (bool, error) {
	same := func(in *ledger.Intent) bool { return in.Change.Source == c.Source }
	if slices.ContainsFunc(*batch, same) {
		if err := a.send(ctx, *batch, false); err != nil {
			return false, err
		}
		*batch = nil
	}
	for slices.ContainsFunc(a.jobs, func(j *job) bool { return slices.ContainsFunc(j.intents, same) }) {
		if err := a.settleOldest(ctx); err != nil {
			return false, err
		}
	}
	if a.r.stop != nil || ctx.Err() != nil {
		return false, nil
	}
	ok, err := a.r.resolve(ctx, c)
	if !ok && err == nil {
		err = a.r.l.Unit(ctx, func() error {
			a.r.l.ClearChange(a.r.area, c)
			return nil
		})
	}
	return ok, err
}

// resolve fills in the target's IDs. What has no account by now is left out.
func (r *run) resolve(ctx context.Context, c *plan.Change) (bool, error) {
	e, err := r.l.Entry(ctx, c.Source)
	if err != nil || e == nil || !e.Owned() || r.refs.stuck[c.Source] {
		return false, err
	}
	c.ID, c.Anchor, c.Linked = e.Link.ID, e.Link.Anchor, e.Link.Since
	x := *c.Refer
	refs := &target.Refs{Attribute: x.Attribute}
	if x.Add, refs.Add, err = r.accounts(ctx, x.Add); err != nil {
		return false, err
	}
	if len(x.Add) == 0 || x.Attribute != target.RefManager {
		if x.Remove, refs.Remove, err = r.accounts(ctx, x.Remove); err != nil {
			return false, err
		}
	}
	if _, most := target.RefBatch(r.tgt, c.Kind, x.Attribute); len(refs.Remove) > most {
		// Of what an addition was to replace, which can't be made: the rest is
		// planned again.
		x.Remove, refs.Remove = x.Remove[:most], refs.Remove[:most]
	}
	c.Refer, c.Refs = &x, refs
	return len(refs.Add)+len(refs.Remove) > 0, nil
}

// accounts returns the accounts of those of ids that have one, in ascending
// order, and beside each the object.
func (r *run) accounts(ctx context.Context, ids []source.ID) (objects []source.ID, accounts []target.ID, err error) {
	type pair struct {
		object  source.ID
		account target.ID
	}
	var all []pair
	for _, id := range ids {
		if account, is := plan.StrangerID(id); is {
			if owner, err := r.l.Owner(ctx, account); err != nil {
				return nil, nil, err
			} else if owner == "" { // else it is ours by now, and that says more
				all = append(all, pair{id, account})
			}
			continue
		}
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return nil, nil, err
		}
		if e != nil && e.Owned() {
			all = append(all, pair{id, e.Link.ID})
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return cmp.Compare(a.account, b.account) })
	for _, p := range all {
		objects, accounts = append(objects, p.object), append(accounts, p.account)
	}
	return objects, accounts, nil
}

// settleRefs remembers the outcome of a change of references, each for itself. An
// unknown one needs no repeat: adding what is there and removing what isn't are
// done, so what is wanted by then is written again.
func (r *run) settleRefs(ctx context.Context, in *ledger.Intent, res target.Result) error {
	c := &in.Change
	r.emit(Applied{Run: r.report.Run, Change: *c, Object: res.Object, Err: res.Err})
	r.leave(c, res.Err, false)
	r.l.ClearRefIntent(c.Source)
	if err := r.l.SetRefWrote(c.Source, time.Now()); err != nil {
		return err
	}
	err, refused := res.Err, map[target.ID]error(nil)
	if some, ok := errors.AsType[*target.RefsError](err); ok {
		err, refused = nil, some.Refused
	}
	outcome := audit.OutcomeApplied
	switch {
	case err == nil && len(refused) > 0:
		outcome = audit.OutcomeRefused
		if target.OutcomeUnknown(res.Err) {
			outcome = audit.OutcomeUnknown
		}
	case target.OutcomeUnknown(err):
		outcome = audit.OutcomeUnknown
	case err != nil:
		outcome = audit.OutcomeRefused
	}
	if err := r.noteCall(ctx, in, outcome, res, false); err != nil {
		return err
	}
	if stop, err := r.refusedWhole(ctx, c, err); stop || err != nil {
		return err
	}
	done := plan.Refer{Attribute: c.Refer.Attribute}
	maybe := done
	for i, part := range []struct {
		accounts []target.ID
		objects  []source.ID
		done     *[]source.ID
		maybe    *[]source.ID
		is       ledger.Certainty
	}{{c.Refs.Add, c.Refer.Add, &done.Add, &maybe.Add, ledger.Yes}, {c.Refs.Remove, c.Refer.Remove, &done.Remove, &maybe.Remove, ledger.No}} {
		for j, account := range part.accounts {
			k := ledger.RefKey{Holder: c.Source, Attribute: c.Refer.Attribute, To: part.objects[j]}
			why := err
			if refused[account] != nil {
				why = refused[account]
			}
			if why == nil {
				*part.done = append(*part.done, k.To)
				if err := r.applied(ctx, k, part.is); err != nil {
					return err
				}
				continue
			}
			if r.ends(why) {
				continue // it stays due as it is
			}
			if target.OutcomeUnknown(why) {
				*part.maybe = append(*part.maybe, k.To)
			}
			if err := r.refusedRef(ctx, k, why, i == 0); err != nil {
				return err
			}
		}
	}
	if len(done.Add) == 0 && len(c.Refs.Add) > 0 && len(c.Refer.Remove) > 0 && c.Refer.Attribute == target.RefManager {
		r.again = true // the one from before goes all the same
	}
	if len(done.Add) > 0 && c.Refer.Attribute == target.RefManager {
		// It took the place of whoever it was.
		for _, to := range c.Refer.Remove {
			if err := r.applied(ctx, ledger.RefKey{Holder: c.Source, Attribute: c.Refer.Attribute, To: to}, ledger.No); err != nil {
				return err
			}
		}
		done.Remove = c.Refer.Remove
	}
	if err == nil && len(refused) == 0 {
		if ps, err := r.l.ProblemsOf(ctx, c.Source); err != nil {
			return err
		} else if slices.ContainsFunc(ps, aboutRefs) {
			r.refs.answered = append(r.refs.answered, c.Source)
		}
	}
	return r.accountRefs(ctx, in, done, maybe)
}

// answeredRefs drops what was said of references that are written by now.
func (r *run) answeredRefs(ctx context.Context) error {
	all := r.refs.answered
	r.refs.answered = nil
	for _, id := range all {
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		wrong, due := map[string]*wrongRefs{}, 0
		for k, err := range r.l.RefDues(ctx, id) {
			if err != nil {
				return err
			}
			d, err := r.l.RefDue(ctx, k)
			if err != nil {
				return err
			}
			if d == nil {
				continue
			}
			due++
			w := wrong[k.Attribute]
			if w == nil {
				w = &wrongRefs{}
				wrong[k.Attribute] = w
			}
			if d.Held != nil {
				w.held, w.by = w.held+1, d.Held
			} else if d.Refused != "" {
				w.refused, w.reason = w.refused+1, cmp.Or(w.reason, d.Refused)
			}
		}
		err = r.unit(ctx, func() error {
			if due == 0 {
				r.l.ClearRefHead(id)
			}
			return r.setRefProblems(ctx, e, wrong, due > 0)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// accountRefs counts what was done, takes it out of the budgets together with what may have been
// done, and remembers it for its undoing.
func (r *run) accountRefs(ctx context.Context, in *ledger.Intent, done, maybe plan.Refer) error {
	if in.Approver == "" {
		all := in.Change
		all.Refer = &plan.Refer{Attribute: done.Attribute, Add: slices.Concat(done.Add, maybe.Add), Remove: slices.Concat(done.Remove, maybe.Remove)}
		if err := r.spendRefs(ctx, &all); err != nil {
			return err
		}
	}
	if len(done.Add)+len(done.Remove) == 0 {
		return nil
	}
	c := in.Change
	c.Refer = &done
	added, removed := c.Members()
	r.report.MembersAdded += added
	r.report.MembersRemoved += removed
	if added+removed == 0 {
		r.report.RefsChanged += max(len(done.Add), len(done.Remove))
	}
	if in.Undo != 0 {
		if err := r.holdUndone(ctx, in, &done); err != nil {
			return err
		}
	}
	return r.l.SetStep(in.Run, ledger.Step{Round: in.Round, Wave: c.Wave, Phase: c.Phase(), Op: c.Op, Kind: c.Kind, ID: c.ID, Source: c.Source,
		Part: c.Part, Refer: &done})
}

// refusedWhole decides what an error about a whole change means for its holder.
// stop says that its references stay due as they are.
func (r *run) refusedWhole(ctx context.Context, c *plan.Change, err error) (stop bool, _ error) {
	switch {
	case err == nil, target.OutcomeUnknown(err), errors.Is(err, target.ErrNotYet):
		return false, nil
	case errors.Is(err, target.ErrNotApplied):
		return true, nil
	case r.ends(err):
		return true, nil
	case errors.Is(err, target.ErrNotFound), errors.Is(err, target.ErrForbidden), errors.Is(err, target.ErrReadOnly):
		// It is about the holder: the rest of its references would meet the same.
		r.stuck(c.Source)
		e, lerr := r.l.Entry(ctx, c.Source)
		if lerr != nil {
			return false, lerr
		}
		if _, err := r.refusedForeign(ctx, e, err); err != nil {
			return false, err
		}
		if errors.Is(err, target.ErrNotFound) && e != nil {
			if err := r.lost(ctx, e, c, err); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// stuck has no more references of a holder tried in this run.
func (r *run) stuck(holder source.ID) {
	if r.refs.stuck == nil {
		r.refs.stuck = map[source.ID]bool{}
	}
	r.refs.stuck[holder] = true
}

// refusedRef has one reference tried again later.
func (r *run) refusedRef(ctx context.Context, k ledger.RefKey, why error, add bool) error {
	if target.OutcomeUnknown(why) {
		if err := r.applied(ctx, k, ledger.Unsure); err != nil {
			return err
		}
	}
	due, err := r.l.RefDue(ctx, k)
	if err != nil {
		return err
	}
	if due == nil {
		due = &ledger.RefDue{}
	}
	if errors.Is(why, target.ErrNotYet) {
		if wait := min(time.Second<<min(due.Attempts, 3), 8*time.Second); r.waited+wait <= r.opt.Patience {
			r.again, r.wait = true, max(r.wait, wait)
			return r.l.SetRefDue(k, ledger.RefDue{Attempts: due.Attempts + 1, Next: time.Now().UTC().Add(wait)})
		}
	}
	if r.refs.failed == nil {
		r.refs.failed, r.refs.refused = map[ledger.RefKey]bool{}, map[ledger.RefKey]int{}
	}
	r.refs.failed[k] = true
	next := later(ledger.Due{Attempts: due.Attempts})
	if err := r.l.SetRefDue(k, ledger.RefDue{Attempts: next.Attempts, Next: next.Next, Refused: why.Error()}); err != nil {
		return err
	}
	if r.refs.stuck[k.Holder] {
		if err := r.l.DelayRefHead(k.Holder, ledger.RefDue{Next: next.Next}); err != nil {
			return err
		}
	}
	if add && errors.Is(why, target.ErrNotFound) && !r.refs.stuck[k.Holder] {
		if err := r.lostMember(ctx, k.To, why); err != nil {
			return err
		}
	}
	of := ledger.RefKey{Holder: k.Holder, Attribute: k.Attribute}
	r.refs.refused[of]++
	e, err := r.l.Entry(ctx, k.Holder)
	if e == nil || err != nil {
		return err
	}
	return r.setRefProblems(ctx, e, map[string]*wrongRefs{k.Attribute: {refused: r.refs.refused[of], reason: why.Error()}}, true)
}

// lostMember looks after an account of ours that couldn't be referred to because
// it isn't there.
func (r *run) lostMember(ctx context.Context, id source.ID, why error) error {
	e, err := r.l.Entry(ctx, id)
	if e == nil || e.Link == nil || err != nil {
		return err
	}
	if in, err := r.l.Intent(ctx, id); in != nil || err != nil || r.unseen(e) {
		return err
	}
	return r.lost(ctx, e, &plan.Change{Change: target.Change{Op: target.Refer, Kind: e.Kind(), ID: e.Link.ID}, Source: id}, why)
}
