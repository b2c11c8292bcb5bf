package dirsync

import (
	"context"
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
	r.before = sum(r.before, r.counts)
	r.counts = plan.Counts{}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	if err := r.inquire(ctx); err != nil {
		return err
	}
	if err := r.l.ClearPlan(ctx); err != nil {
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
	if err := r.l.Flush(ctx); err != nil {
		return err
	}
	h := plan.NewHasher()
	for c, err := range r.l.Plan(ctx) {
		if err != nil {
			return err
		}
		if err := h.Add(c); err != nil {
			return err
		}
	}
	if round == 0 {
		r.report.PlanHash = h.Sum()
	}
	r.breaches = r.opt.Limits.Check(sum(r.before, r.counts), r.facts.Owned+r.before.Delete)
	return nil
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
		ID: id, Name: e.Object.DN, Presence: e.Presence, Evidence: e.Evidence,
		Link: e.Link, Applied: e.Applied, Refused: e.Refused, Leaving: r.opt.Leaving,
	}
	wave := 0
	if e.Presence == plan.Present {
		in.Result = r.mapped(e)
		if in.Result.Skip != nil {
			if r.round == 0 {
				r.report.Skipped++
			}
		} else {
			if wave, err = r.names(ctx, e, &in); err != nil {
				return err
			}
			if e.Link == nil {
				in.AnchorHolder = r.unowned.anchors[in.Result.Anchor]
			}
		}
	}
	c, problems := plan.Compute(in)
	if c != nil && c.Removal && r.facts.Proven.IsZero() {
		problems = append(problems, heldBack(in, c))
		r.report.HeldBack++
		r.failed[id] = true
		return r.setProblems(ctx, id, problems)
	}
	if err := r.setProblems(ctx, id, problems); err != nil {
		return err
	}
	if c != nil {
		c.Wave = wave
		if due.Why != "" && (c.Op == target.Update || c.Op == target.Enable || c.Op == target.Disable) && !c.Removal {
			c.Reason = due.Why
		}
		if r.noCreate != nil && c.Phase() == 1 {
			return nil
		}
		r.counts.Add(c)
		return r.l.SetChange(c)
	}
	return r.settled(ctx, e, in, due)
}

// settled ends the planning of an object that needs no change.
func (r *run) settled(ctx context.Context, e *ledger.Entry, in plan.Input, due ledger.Due) error {
	id := e.Object.ID
	if e.Link == nil && e.Presence != plan.Present {
		return r.forget(ctx, e)
	}
	if r.round == 0 && e.Owned() && e.Presence == plan.Present && in.Result.Skip == nil {
		r.report.Unchanged++
	}
	if in.UPN.Foreign || in.Mail.Foreign || in.AnchorHolder != "" {
		// What is in the way is at the target; nothing at the source will
		// tell when it is gone.
		r.failed[id] = true
		return r.l.SetDue(id, later(due))
	}
	if until := in.Result.Until; !until.IsZero() {
		return r.l.SetDue(id, ledger.Due{Next: until.UTC()})
	}
	r.l.ClearDue(id)
	return nil
}

func heldBack(in plan.Input, c *plan.Change) plan.Problem {
	return plan.Problem{Object: in.ID, Name: in.Name, Problem: mapping.Problem{
		Code:    "held-back",
		Message: "the account isn't removed yet (" + c.Reason + "): removals wait until a first complete run without removals has proven the configuration",
		Remedy:  "see that the configuration reads the right directory; a run in which nothing is to be removed proves it",
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
// twice as long each time, a day at most.
func later(d ledger.Due) ledger.Due {
	wait := min(time.Minute<<min(d.Attempts, 11), 24*time.Hour)
	return ledger.Due{Attempts: d.Attempts + 1, Next: time.Now().UTC().Add(wait)}
}

func sum(a, b plan.Counts) plan.Counts {
	return plan.Counts{
		Create: a.Create + b.Create, Update: a.Update + b.Update, Enable: a.Enable + b.Enable,
		Disable: a.Disable + b.Disable, Delete: a.Delete + b.Delete, Restore: a.Restore + b.Restore,
		Removals: a.Removals + b.Removals,
	}
}

// guard looks at the whole plan, what this run has done already included,
// before anything of it is written.
func (r *run) guard() error {
	if r.counts.Removals == 0 || len(r.breaches) == 0 {
		return nil
	}
	return &HaltedError{Hash: r.report.PlanHash, Counts: r.counts, Breaches: r.breaches}
}
