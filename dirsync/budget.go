package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// A budget is what runs have spent of the limits: those of the window, and this
// one.
type budget struct {
	window ledger.Spent    // earlier runs
	spent  ledger.Spent    // this run; kept in the store as it grows
	runs   map[uint64]bool // those of the window
}

// loadBudget adds up what the runs of the window have spent. Those before it are
// forgotten.
func (r *run) loadBudget(ctx context.Context) error {
	r.budget = budget{spent: ledger.Spent{Time: r.report.Started}, runs: map[uint64]bool{}}
	var all []ledger.Numbered[ledger.Spent]
	for s, err := range r.l.Spents(ctx) {
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	for i, s := range all {
		if !r.opt.Limits.InWindow(len(all)-1-i, r.report.Started.Sub(s.Value.Time)) {
			r.l.ClearSpent(s.N)
			continue
		}
		r.budget.runs[s.N] = true
		r.budget.window.Tally.Merge(s.Value.Tally)
		for kind, n := range s.Value.Deleted {
			if r.budget.window.Deleted == nil {
				r.budget.window.Deleted = map[target.Kind]int{}
			}
			r.budget.window.Deleted[kind] += n
		}
	}
	return nil
}

// spend takes a change that nobody approved out of the budgets.
func (r *run) spend(c *plan.Change) error {
	if len(c.Effects()) == 0 {
		return nil
	}
	r.budget.spent.Add(c)
	return r.l.SetSpent(r.report.Run, &r.budget.spent)
}

// exceeds returns the budgets that this round's plan exceeds. Changes whose
// outcome is open count as made.
func (r *run) exceeds(ctx context.Context) ([]plan.Breach, error) {
	var spent plan.Tally
	spent.Merge(r.budget.window.Tally)
	spent.Merge(r.budget.spent.Tally)
	for k, err := range r.l.Intents(ctx) {
		if err != nil {
			return nil, err
		}
		if k.Value.Approver == "" {
			spent.Add(&k.Value.Change, 1)
		}
	}
	for k, err := range r.l.RefIntents(ctx) {
		if err != nil {
			return nil, err
		}
		if k.Value.Approver == "" {
			spent.Add(&k.Value.Change, 1)
		}
	}
	owned := map[target.Kind]int{
		target.User:      r.facts.Owned + r.budget.window.Deleted[target.User] + r.budget.spent.Deleted[target.User],
		target.Group:     r.facts.Groups + r.budget.window.Deleted[target.Group] + r.budget.spent.Deleted[target.Group],
		plan.Memberships: r.facts.Members + spent[plan.Memberships][plan.MemberRemovals],
	}
	breaches := r.opt.Limits.Check(r.tally, spent, owned)
	groups, err := r.groupBreaches(ctx)
	if err != nil {
		return nil, err
	}
	breaches = append(breaches, groups...)
	if r.facts.Proven.IsZero() {
		for kind, effects := range r.tally {
			if n := effects[plan.Removals]; n > 0 {
				breaches = append(breaches, plan.Breach{Kind: kind, Effect: plan.Removals, Bound: plan.Unproven, Planned: n, Owned: owned[kind]})
			}
		}
	}
	return breaches, nil
}
