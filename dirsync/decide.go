package dirsync

import (
	"context"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// plan makes the plan of one round and keeps it in the store, in apply order.
func (r *run) plan(ctx context.Context, round int) error {
	r.round = round
	r.counts, r.tally, r.approval, r.area = plan.Counts{}, nil, nil, r.free()
	r.refs.begin()
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.inquire(ctx); err != nil {
		return err
	}
	if err := r.l.ClearPlan(ctx, r.area); err != nil {
		return err
	}
	for k, err := range r.l.Dues(ctx) {
		if err != nil {
			return err
		}
		if !r.isDue(k.ID, k.Value) {
			continue
		}
		if err := r.l.Unit(ctx, func() error { return r.decide(ctx, k.ID, k.Value) }); err != nil {
			return err
		}
	}
	if err := r.planRefs(ctx); err != nil {
		return err
	}
	if err := r.l.Flush(ctx); err != nil {
		return err
	}
	var err error
	r.hash, err = r.hashOf(ctx, r.area)
	return err
}

// decide plans one object.
func (r *run) decide(ctx context.Context, id source.ID, due ledger.Due) error {
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil {
		r.l.ClearDue(id)
		return err
	}
	if in, err := r.l.Intent(ctx, id); err != nil {
		return err
	} else if in != nil {
		return nil // its outcome is open; nothing is decided on top of it
	}
	in := plan.Input{
		ID: id, Kind: e.Kind(), Name: e.Object.DN, Presence: e.Presence, Evidence: e.Evidence,
		Link: e.Link, Applied: e.Applied, Refused: e.Refused, Unsure: e.Unsure, MayLive: e.MayLive, Leaving: r.opt.Leaving,
	}
	if wait, err := r.waits(ctx, e, in, due); wait || err != nil {
		return err
	}
	wave := 0
	if e.Presence == plan.Present {
		in.Name = r.tree.dnOf(&e.Object)
		in.Result = r.mapped(e)
		r.crossing(e, &in)
		if in.Result.Skip != nil {
			if r.round == 0 {
				r.report.Skipped++
			}
		} else {
			if wave, err = r.names(ctx, e, &in); err != nil {
				return err
			}
			if e.Link == nil {
				if err = r.anchorTaken(ctx, id, &in); err != nil {
					return err
				}
			}
		}
	}
	c, problems := plan.Compute(in)
	problems = append(problems, r.shared(e)...)
	if err := r.rouse(ctx, e, in, c); err != nil {
		return err
	}
	if c != nil && c.Op == target.Create && !r.newcomer.asked(id) {
		// It became due while this was being planned: nobody has looked yet
		// who holds its anchor and names.
		r.again = true
		return nil
	}
	if c != nil {
		c.Wave = wave
		c.Blocked = in.Blocked()
		if due.Why == whyDeletedThere && c.Op == target.Restore {
			c.Reason = due.Why
		}
		if due.Why != "" && (c.Op == target.Update || c.Op == target.Enable || c.Op == target.Disable) && !c.Removal && c.Crossing == "" {
			c.Reason = due.Why
		}
	}
	if h, err := r.held(ctx, e, in, c); err != nil {
		return err
	} else if h != nil {
		r.l.ClearDue(id) // a change of the object makes it due again
		return r.setProblems(ctx, id, []plan.Problem{heldProblem(in, c, h)})
	}
	if rest, h, err := r.heldPart(ctx, e, in, c); err != nil {
		return err
	} else if h != nil {
		if problems = append(problems, heldProblem(in, c, h)); rest == nil {
			r.l.ClearDue(id)
			return r.setProblems(ctx, id, problems)
		}
		c = rest
	}
	if c != nil && !r.opt.Policy.Allows(c) {
		return r.withhold(ctx, id, due, problems)
	}
	if c != nil {
		if p, err := r.offLimits(ctx, e, c); err != nil {
			return err
		} else if p != nil {
			return r.keepOff(ctx, due, p, problems)
		}
	}
	if c != nil && c.Removal && r.facts.Proven.IsZero() && !r.keeping {
		if known, err := r.planned(ctx, c); err != nil {
			return err
		} else if !known {
			problems = append(problems, heldBack(in, c))
			r.report.HeldBack++
			r.failed[id] = true
			return r.setProblems(ctx, id, problems)
		}
	}
	if e.RefusedDomain != "" && e.Presence == plan.Present && in.Result.Skip == nil {
		problems = append(problems, plan.Problem{Object: id, Name: in.Name, Problem: domainRefused(e.RefusedDomain)})
	}
	if problems, err = r.withOpen(ctx, e, c, problems); err != nil {
		return err
	}
	if problems, err = r.withDrift(ctx, e, c, problems); err != nil {
		return err
	}
	if err := r.setProblems(ctx, id, problems); err != nil {
		return err
	}
	if c != nil {
		if r.noCreate != nil && c.Op == target.Create {
			return nil
		}
		if err := r.expect(ctx, c); err != nil {
			return err
		}
		c.Counted = r.counted[id]
		r.counts.Add(c)
		if !r.covered[id] || c.Removal {
			r.tally.Add(c, 1)
		}
		return r.l.SetChange(r.area, c)
	}
	return r.settled(ctx, e, in, due)
}

// settled ends the planning of an object that needs no change.
func (r *run) settled(ctx context.Context, e *ledger.Entry, in plan.Input, due ledger.Due) error {
	id := e.Object.ID
	if e.Link == nil && e.Presence != plan.Present && !(e.Presence == plan.Missing && e.Joined.To != "") {
		return r.forget(ctx, e)
	}
	if in.Again {
		return nil // it steps aside, and has nothing to give up yet
	}
	if r.round == 0 && e.Owned() && e.Presence == plan.Present && in.Result.Skip == nil {
		r.report.Unchanged++
	}
	if e.Link == nil && (in.Blocked() || in.AnchorOwner != "") {
		foreign := func(attr, _ string) bool {
			return in.UPN.Foreign && attr == nameAttr(e.Kind()) || in.Mail.Foreign && attr == target.AttrMail
		}
		if err := r.yield(ctx, e, foreign); err != nil {
			return err
		}
	}
	if in.Blocked() {
		// What is in the way is at the target; nothing at the source will
		// tell when it is gone.
		r.failed[id], due.Why = true, ""
		return r.l.SetDue(id, later(due))
	}
	if until := in.Result.Until; !until.IsZero() {
		return r.l.SetDue(id, ledger.Due{Next: until.UTC()})
	}
	r.l.ClearDue(id)
	return r.crossed(e, in)
}

// yield takes back the claims of e, which gets no account or can't have its own
// back, since it keeps others from names that nobody has. What is held at the
// target isn't ours to pass on: foreign says of an attribute that it is. It
// claims again when it is planned again.
func (r *run) yield(ctx context.Context, e *ledger.Entry, foreign func(attr, value string) bool) error {
	id := e.Object.ID
	for _, c := range []struct {
		attr  string
		value *string
	}{{nameAttr(e.Kind()), &e.UPN}, {target.AttrMail, &e.Mail}} {
		if *c.value == "" || foreign(c.attr, *c.value) {
			continue
		}
		if err := r.l.ClearClaim(ctx, c.attr, *c.value, id); err != nil {
			return err
		}
		delete(r.winners, [2]string{c.attr, strings.ToLower(*c.value)})
		ids, err := r.l.Claimants(ctx, c.attr, *c.value)
		if err != nil {
			return err
		}
		for _, other := range ids {
			if r.failed[other] {
				// Others that yield would only be asked again; but an account
				// that goes without may take it now.
				h, err := r.l.Head(ctx, other)
				if err != nil {
					return err
				}
				if h == nil || !h.Linked {
					continue
				}
			}
			r.again = true
			if err := r.markDue(ctx, other, "a name changed hands"); err != nil {
				return err
			}
		}
		*c.value = ""
	}
	return r.l.SetEntry(e)
}

// withOpen adds what stays true of the problems that id has: what the target
// said, as long as the change that it refused isn't made, and that it can't be
// read.
func (r *run) withOpen(ctx context.Context, e *ledger.Entry, c *plan.Change, ps []plan.Problem) ([]plan.Problem, error) {
	old, err := r.l.ProblemsOf(ctx, e.Object.ID)
	if err != nil {
		return nil, err
	}
	unread := e.Presence == plan.Present && e.Digest == [sha256.Size]byte{}
	for _, o := range old {
		switch {
		case c != nil && e.Taken[o.Attribute] != "" && o.Code == "conflict-unowned":
			o.Answer = true // whether it is still so, the change will show
		case aboutLeft(o) && (!e.Owned() || c != nil && c.Op == target.Delete):
			continue
		case c != nil && o.Answer, unread && o.Code == "unreadable", aboutRefs(o):
		default:
			continue
		}
		if !slices.ContainsFunc(ps, func(p plan.Problem) bool { return p.Code == o.Code && p.Attribute == o.Attribute }) {
			ps = append(ps, o)
		}
	}
	return ps, nil
}

// anchorTaken notes who carries the anchor that a newcomer is to get: an account
// that isn't ours, live or in the bin, or another of our objects.
func (r *run) anchorTaken(ctx context.Context, id source.ID, in *plan.Input) error {
	anchor := in.Result.Anchor
	if in.AnchorHolder = r.unowned.anchors[anchor]; in.AnchorHolder != "" {
		return nil
	}
	ids, err := r.l.Claimants(ctx, target.AttrAnchor, anchor)
	if err != nil {
		return err
	}
	for _, other := range ids {
		if other == id {
			continue
		}
		e, err := r.l.Entry(ctx, other)
		if err != nil {
			return err
		}
		if e != nil && (e.Link != nil || other < id) {
			in.AnchorOwner = other
			return nil
		}
		// An account may have come of a create whose outcome is open.
		if open, err := r.l.Intent(ctx, other); err != nil {
			return err
		} else if open != nil {
			in.AnchorOwner = other
			return nil
		}
	}
	in.AnchorHolder = r.unowned.binned[anchor]
	in.AnchorBinned = in.AnchorHolder != ""
	return nil
}

// withhold leaves a change for the day when the policy lets it through.
func (r *run) withhold(ctx context.Context, id source.ID, due ledger.Due, ps []plan.Problem) error {
	r.report.Withheld++
	r.failed[id] = true
	due = later(due)
	due.Withheld = true
	if err := r.l.SetDue(id, due); err != nil {
		return err
	}
	return r.setProblems(ctx, id, ps)
}

func heldBack(in plan.Input, c *plan.Change) plan.Problem {
	return plan.Problem{Object: in.ID, Name: in.Name, Problem: mapping.Problem{
		Code:    "held-back",
		Message: "the account isn't removed yet (" + c.Reason + "): removals wait until a first complete run without removals has proven the configuration",
		Remedy:  "see that the configuration reads the right directory; a run in which nothing is to be removed proves it, or somebody who approves the plan",
	}}
}

// setProblems keeps what is wrong with id, each with the time when it was first
// seen.
func (r *run) setProblems(ctx context.Context, id source.ID, ps []plan.Problem) error {
	old, err := r.l.ProblemsOf(ctx, id)
	if err != nil {
		return err
	}
	if len(old) == 0 && len(ps) == 0 {
		return nil
	}
	for i := range ps {
		ps[i].Since = r.report.Started
		for _, o := range old {
			if o.Code == ps[i].Code && o.Attribute == ps[i].Attribute {
				ps[i].Since = o.Since
			}
		}
	}
	return r.l.SetProblems(id, ps)
}

// later is when an object that was refused is tried again: after a minute, then
// twice as long each time, a day at most. What it is for stays: budgets count by
// that.
func later(d ledger.Due) ledger.Due {
	wait := min(time.Minute<<min(d.Attempts, 11), 24*time.Hour)
	return ledger.Due{Why: d.Why, Attempts: d.Attempts + 1, Next: time.Now().UTC().Add(wait)}
}
