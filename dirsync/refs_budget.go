package dirsync

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// mostBreaches is how many groups are named whose budgets a plan exceeds.
const mostBreaches = 100

// spendRefs takes a change of references that nobody approved out of the budgets:
// those of all groups, which stand with the run, and those of its own group,
// which stand with the group.
func (r *run) spendRefs(ctx context.Context, c *plan.Change) error {
	if err := r.spend(c); err != nil {
		return err
	}
	added, removed := c.Members()
	if _, flagged := r.opt.Limits.Flagged[c.Source]; !flagged {
		added = 0
	}
	if added+removed == 0 {
		return nil
	}
	all, err := r.l.RefSpent(ctx, c.Source)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(slices.Clone(all), func(s ledger.RefSpent) bool { return !r.spentNow(s) })
	if n := len(all); n == 0 || all[n-1].Run != r.report.Run {
		all = append(all, ledger.RefSpent{Run: r.report.Run})
	}
	last := &all[len(all)-1]
	last.Added += added
	last.Removed += removed
	if err := r.l.SetRefSpent(c.Source, all); err != nil {
		return err
	}
	return r.l.SetSpent(r.report.Run, &r.budget.spent) // so that the run counts, whatever else it spends
}

// spentNow reports whether what a group spent still counts.
func (r *run) spentNow(s ledger.RefSpent) bool {
	return s.Run == r.report.Run || r.budget.runs[s.Run]
}

// groupBreaches returns the budgets of single groups that this round's plan
// exceeds.
func (r *run) groupBreaches(ctx context.Context) (out []plan.Breach, err error) {
	for _, id := range slices.Sorted(maps.Keys(r.refs.tally)) {
		all, err := r.l.RefSpent(ctx, id)
		if err != nil {
			return nil, err
		}
		spent := plan.GroupTally{}
		for _, s := range all {
			if r.spentNow(s) {
				spent.Added += s.Added
				spent.Removed += s.Removed
			}
		}
		if in, err := r.l.RefIntent(ctx, id); err != nil {
			return nil, err
		} else if in != nil && in.Approver == "" {
			added, removed := in.Change.Members()
			spent.Added += added
			spent.Removed += removed
		}
		set, err := r.l.RefSet(ctx, id, target.RefMembers)
		if err != nil {
			return nil, err
		}
		out = append(out, r.opt.Limits.CheckGroup(id, r.refs.tally[id], spent, set.Applied+spent.Removed)...)
		if len(out) >= mostBreaches {
			break
		}
	}
	return out, nil
}

// holdRefs has the references of a rejected change held back, if it was for them
// that the run was halted.
func (r *run) holdRefs(ctx context.Context, c *plan.Change, k *ledger.Kept, by string) error {
	added, removed := c.Members()
	bad := len(k.Breaches) == 0 || k.Undo != 0
	for _, b := range k.Breaches {
		switch b.Effect {
		case plan.MemberRemovals:
			bad = bad || removed > 0
		case plan.GroupMemberRemovals:
			bad = bad || removed > 0 && b.Group == c.Source
		case plan.FlaggedAdditions:
			bad = bad || added > 0 && b.Group == c.Source
		default:
			bad = bad || slices.Contains(c.Effects(), b.Effect)
		}
	}
	if !bad || k.Undo != 0 {
		return nil
	}
	return r.l.Unit(ctx, func() error {
		for _, ids := range [][]source.ID{c.Refer.Add, c.Refer.Remove} {
			for _, to := range ids {
				key := ledger.RefKey{Holder: c.Source, Attribute: c.Refer.Attribute, To: to}
				due, err := r.l.RefDue(ctx, key)
				if err != nil {
					return err
				}
				if due == nil {
					continue
				}
				due.Held = &ledger.Hold{Why: heldRejected, Of: k.Hash, By: by, At: time.Now().UTC()}
				if err := r.l.SetRefDue(key, *due); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// releaseRefs ends the holds on references of ids, or of everybody: then ids are
// those whose own change was held, since references wait without a mark while
// their holder has no account.
func (r *run) releaseRefs(ctx context.Context, ids []source.ID, all bool) (n int, err error) {
	if all {
		ids = slices.Clone(ids)
		for h, err := range r.l.RefHeads(ctx) {
			if err != nil {
				return 0, err
			}
			ids = append(ids, h.ID)
		}
		for id, err := range r.l.RefWaits(ctx) { // and those that have no account now, or aren't in scope
			if err != nil {
				return 0, err
			}
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		for k, err := range r.l.RefDues(ctx, id) {
			if err != nil {
				return n, err
			}
			due, err := r.l.RefDue(ctx, k)
			if err != nil {
				return n, err
			}
			if due == nil || due.Held == nil {
				continue
			}
			n++
			if err := r.l.Unit(ctx, func() error { return r.l.SetRefDue(k, ledger.RefDue{}) }); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
