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
	r.breaches = r.opt.Limits.Check(sum(r.done, r.counts), r.facts.Owned+r.done.Delete)
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
		Link: e.Link, Applied: e.Applied, Refused: e.Refused, Unsure: e.Unsure, Leaving: r.opt.Leaving,
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
				if in.AnchorHolder, in.AnchorOwner, err = r.anchorTaken(ctx, id, in.Result.Anchor); err != nil {
					return err
				}
			}
		}
	}
	c, problems := plan.Compute(in)
	if c != nil && c.Op == target.Create && !r.newcomer.asked(id) {
		// It became due while this was being planned: nobody has looked yet
		// who holds its anchor and names.
		r.again = true
		return nil
	}
	if c != nil && c.Removal && r.facts.Proven.IsZero() {
		problems = append(problems, heldBack(in, c))
		r.report.HeldBack++
		r.failed[id] = true
		return r.setProblems(ctx, id, problems)
	}
	if e.RefusedDomain != "" && e.Presence == plan.Present && in.Result.Skip == nil {
		problems = append(problems, plan.Problem{Object: id, Name: in.Name, Problem: mapping.Problem{
			Code: codeDomainRefused, Attribute: target.AttrUserPrincipalName,
			Message: "the target refuses the domain " + e.RefusedDomain + " for this account though it lists it as verified; the fallback is used",
			Remedy:  "nothing, if the domain was verified a short while ago: it is tried again when the object or the list of domains changes, in a full run, and when asked",
		}})
	}
	if problems, err = r.withOpen(ctx, e, c, problems); err != nil {
		return err
	}
	if err := r.setProblems(ctx, id, problems); err != nil {
		return err
	}
	if c != nil {
		c.Wave = wave
		c.Blocked = in.Blocked()
		if due.Why != "" && (c.Op == target.Update || c.Op == target.Enable || c.Op == target.Disable) && !c.Removal {
			c.Reason = due.Why
		}
		if r.noCreate != nil && c.Op == target.Create {
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
	if e.Link == nil && (in.Blocked() || in.AnchorOwner != "") {
		if err := r.yield(ctx, e, in); err != nil {
			return err
		}
	}
	if in.Blocked() {
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

// yield takes back the claims of a newcomer that gets no account, since it keeps
// others from names that nobody has. What is held at the target isn't ours to
// pass on. It claims again when it is planned again.
func (r *run) yield(ctx context.Context, e *ledger.Entry, in plan.Input) error {
	id := e.Object.ID
	for _, c := range []struct {
		attr    string
		value   *string
		foreign bool
	}{{target.AttrUserPrincipalName, &e.UPN, in.UPN.Foreign}, {target.AttrMail, &e.Mail, in.Mail.Foreign}} {
		if *c.value == "" || c.foreign {
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
			if !r.failed[other] { // others that yield would only be asked again
				r.again = true
				if err := r.markDue(ctx, other, "a name changed hands"); err != nil {
					return err
				}
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
		case c != nil && o.Answer, unread && o.Code == "unreadable":
		default:
			continue
		}
		if !slices.ContainsFunc(ps, func(p plan.Problem) bool { return p.Code == o.Code && p.Attribute == o.Attribute }) {
			ps = append(ps, o)
		}
	}
	return ps, nil
}

// anchorTaken says who carries the anchor that a newcomer is to get: an account
// that isn't ours, or another of our objects.
func (r *run) anchorTaken(ctx context.Context, id source.ID, anchor string) (target.ID, source.ID, error) {
	if holder := r.unowned.anchors[anchor]; holder != "" {
		return holder, "", nil
	}
	ids, err := r.l.Claimants(ctx, target.AttrAnchor, anchor)
	if err != nil || len(ids) < 2 {
		return "", "", err
	}
	for _, other := range ids {
		if other == id {
			continue
		}
		e, err := r.l.Entry(ctx, other)
		if err != nil {
			return "", "", err
		}
		if e != nil && (e.Link != nil || other < id) {
			return "", other, nil
		}
	}
	return "", "", nil
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
