package dirsync

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// loadKept finds the plan that waits for somebody's word, if there is one, and
// that it is the one that the run is asked to carry out.
func (r *run) loadKept(ctx context.Context) (err error) {
	if r.kept, err = r.l.Kept(ctx); err != nil {
		return err
	}
	if r.apply == "" {
		return nil
	}
	switch k := r.kept; {
	case k == nil:
		return &StaleError{Hash: r.apply, Reason: "no plan is kept: it was carried out, or a newer one needed nobody's word"}
	case !names(k.Hash, r.apply):
		return &StaleError{Hash: r.apply, Reason: fmt.Sprintf("the plan that waits now is %.12s", k.Hash)}
	}
	return nil
}

// free returns the area that holds no plan that waits.
func (r *run) free() int {
	if r.kept != nil {
		return 1 - r.kept.Area
	}
	return 0
}

// admit decides which plan this round carries out. Without a plan that waits and
// may be carried out it is the one just made. Otherwise it is that one, if each
// of its changes stands in the one just made: what else was planned comes in
// the next round, or, if just that plan was asked for, in the next run.
func (r *run) admit(ctx context.Context) error {
	k, before := r.kept, r.unplanned
	if k == nil || r.only != nil || k.Approval == nil && r.apply == "" {
		return nil
	}
	reason, err := r.objection(ctx, k)
	if err != nil {
		return err
	}
	if reason != "" {
		if err := r.voidKept(ctx, reason); err != nil {
			return err
		}
		if r.apply != "" {
			return &StaleError{Hash: k.Hash, Reason: reason}
		}
		r.warn(Warning{Code: "plan-stale", Message: fmt.Sprintf("the approved plan %.12s was dropped: %s", k.Hash, reason),
			Remedy: "look at the plan again, and approve that if it is right"})
		if !r.facts.Proven.IsZero() || k.Undo != 0 {
			return nil
		}
		// Its removals were planned because they were approved: they are held
		// back now.
		r.report.Unchanged, r.report.Skipped = before.Unchanged, before.Skipped
		return r.plan(ctx, 0)
	}
	made := r.area
	r.area, r.hash, r.approval = k.Area, k.Hash, k.Approval
	if err := r.l.ClearPlan(ctx, made); err != nil {
		return err
	}
	if err := r.tallyUp(ctx, r.apply != ""); err != nil {
		return err
	}
	if r.approval != nil {
		r.report.Approver = r.approval.By
		if r.facts.Proven.IsZero() && r.tally.Total(plan.Removals) > 0 {
			// Somebody has seen what is to be removed: that proves it.
			r.facts.Proven = time.Now().UTC()
		}
	}
	r.again = r.again || r.apply == ""
	return nil
}

// objection says why the plan that waits can't be carried out; "" if it can.
func (r *run) objection(ctx context.Context, k *ledger.Kept) (string, error) {
	if a := k.Approval; a != nil && !time.Now().Before(a.Until) {
		return "the approval was good until " + a.Until.UTC().Format(time.RFC3339), nil
	}
	if !k.Begun {
		hash, err := r.hashOf(ctx, k.Area)
		if err != nil {
			return "", err
		}
		if hash != k.Hash {
			return "its changes aren't those that it was named after", nil
		}
	}
	for c, err := range r.l.Plan(ctx, k.Area) {
		if err != nil {
			return "", err
		}
		if c.Op == target.Refer && k.Undo == 0 {
			if ok, err := r.refersStill(ctx, c); err != nil {
				return "", err
			} else if !ok {
				return fmt.Sprintf("a change of the %s of object %s would be another one now, or none", c.Refer.Attribute, c.Source), nil
			}
			continue
		}
		if in, err := r.l.Intent(ctx, c.Source); err != nil {
			return "", err
		} else if in != nil && k.Begun {
			continue // on its way
		}
		now, err := r.l.Change(ctx, r.area, c)
		if err != nil {
			return "", err
		}
		if now == nil || !plan.Same(now, c) {
			return fmt.Sprintf("the change of object %s (%s) would be another one now, or none", c.Source, c.Op), nil
		}
	}
	return "", nil
}

// planned reports whether the plan that waits, and may be carried out, holds c.
func (r *run) planned(ctx context.Context, c *plan.Change) (bool, error) {
	if r.kept == nil || r.kept.Approval == nil && r.apply == "" {
		return false, nil
	}
	k, err := r.l.Change(ctx, r.kept.Area, c)
	return k != nil && plan.Same(k, c), err
}

// hashOf computes the hash of the plan in area.
func (r *run) hashOf(ctx context.Context, area int) (string, error) {
	h := plan.NewHasher()
	for c, err := range r.l.Plan(ctx, area) {
		if err != nil {
			return "", err
		}
		if err := h.Add(c); err != nil {
			return "", err
		}
	}
	return h.Sum(), nil
}

// tallyUp counts the plan of this round anew. With narrow, later rounds concern
// its objects alone.
func (r *run) tallyUp(ctx context.Context, narrow bool) error {
	r.counts, r.tally, r.refs.tally = plan.Counts{}, nil, nil
	if narrow {
		r.only = map[source.ID]bool{}
	}
	for c, err := range r.l.Plan(ctx, r.area) {
		if err != nil {
			return err
		}
		r.counts.Add(c)
		r.tally.Add(c, 1)
		r.refs.count(c)
		if narrow {
			r.only[c.Source] = true
		}
	}
	return nil
}

// guard looks at the whole plan of this round before anything of it is written.
// One that exceeds a budget is kept, and the run halts, unless somebody approved
// just this plan.
func (r *run) guard(ctx context.Context) error {
	if r.approval != nil {
		return r.begun(ctx)
	}
	var err error
	if r.breaches, err = r.exceeds(ctx); err != nil {
		return err
	}
	if len(r.breaches) == 0 {
		if r.kept != nil && r.area == r.kept.Area {
			return r.begun(ctx)
		}
		if r.kept != nil && r.only == nil && r.kept.Undo == 0 && r.kept.Approval == nil {
			return r.dropKept(ctx) // what needed somebody's word isn't wanted any more
		}
		return nil
	}
	again := r.kept != nil && r.kept.Hash == r.hash
	if err := r.keep(ctx, 0); err != nil {
		return err
	}
	if !again {
		if err := r.note(ctx, audit.Record{Event: audit.EventHalted, Plan: r.hash, Detail: haltedBy(r.breaches)}); err != nil {
			return err
		}
	}
	if err := r.l.Flush(ctx); err != nil {
		return err
	}
	halted := &HaltedError{Hash: r.hash, Counts: r.counts, Breaches: r.breaches}
	r.emit(Halted{Run: r.report.Run, Err: halted, Again: again})
	return halted
}

func haltedBy(breaches []plan.Breach) string {
	words := make([]string, len(breaches))
	for i, b := range breaches {
		words[i] = b.String()
	}
	return strings.Join(words, "; ")
}

// keep has the plan of this round wait for somebody's word. The one that waited
// before makes room for it.
func (r *run) keep(ctx context.Context, undo uint64) error {
	old := r.kept
	k := &ledger.Kept{Area: r.area, Hash: r.hash, Run: r.report.Run, Made: r.report.Started, Counts: r.counts, Breaches: r.breaches, Undo: undo}
	if old != nil && old.Hash == k.Hash && !old.Begun {
		k.Run, k.Made, k.Approval = old.Run, old.Made, old.Approval
	}
	if old != nil && old.Area != k.Area {
		// The head first: a crash leaves the old plan without a head, which is
		// cleared when its area is used again.
		if err := r.setKept(ctx, k); err != nil {
			return err
		}
		return r.l.ClearPlan(ctx, old.Area)
	}
	return r.setKept(ctx, k)
}

func (r *run) setKept(ctx context.Context, k *ledger.Kept) error {
	r.kept = k
	if err := r.l.SetKept(k); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// begun notes that the plan that waited is being carried out: from now on it
// loses its changes one by one.
func (r *run) begun(ctx context.Context) error {
	if r.kept.Begun || r.counts.Total() == 0 {
		return nil
	}
	r.kept.Begun = true
	return r.l.SetKept(r.kept)
}

// finished drops the plan that waited when nothing is left of it. What couldn't
// be sent stays in it, under the same approval.
func (r *run) finished(ctx context.Context) error {
	if r.kept == nil || r.area != r.kept.Area || r.dry {
		return nil
	}
	for _, err := range r.l.Plan(ctx, r.kept.Area) {
		return err
	}
	r.kept = nil
	r.l.ClearKept()
	return r.l.Flush(ctx)
}

// dropKept forgets the plan that waits.
func (r *run) dropKept(ctx context.Context) error {
	area := r.kept.Area
	r.kept = nil
	r.l.ClearKept()
	if err := r.l.Flush(ctx); err != nil {
		return err
	}
	return r.l.ClearPlan(ctx, area)
}

// voidKept forgets the plan that waits since it doesn't hold any more, and says
// so.
func (r *run) voidKept(ctx context.Context, reason string) error {
	rec := audit.Record{Event: audit.EventPlanStale, Plan: r.kept.Hash, Detail: reason}
	if a := r.kept.Approval; a != nil {
		rec.Approver = a.By
	}
	if err := r.note(ctx, rec); err != nil {
		return err
	}
	return r.dropKept(ctx)
}

// names reports whether given is hash or begins it: twelve characters are
// enough, as messages give them.
func names(hash, given string) bool {
	return len(given) >= 12 && strings.HasPrefix(hash, strings.ToLower(given))
}
