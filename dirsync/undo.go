package dirsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// restorable is how long Entra keeps a deleted user (Microsoft Graph,
// directory deletedItems).
const restorable = 30 * 24 * time.Hour

// Undo plans the inverse of what a run did, and keeps that plan for somebody's
// word like any other: approve it, or pass its hash to [Engine.Apply]. Neither
// source nor target is asked or written. Before it is carried out, the accounts are
// looked at: if somebody changed one of the values since, the plan is stale.
//
// Values are put back where the target still holds what the run wrote; deleted
// accounts are restored as long as the target's bin keeps them; accounts that
// the run created or restored go into the bin. What can't be undone is among the
// report's Problems, with the code "cannot-undo" and the reason.
//
// The source stays the authority, and it doesn't know of this: what the next
// runs would do to the undone objects is held back (code "held") until the
// source says something else of them, or [Engine.Release] lets it go.
func (e *Engine) Undo(ctx context.Context, run uint64) (*Plan, error) {
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, nil)
	err := unbroken(func() error { return r.undo(ctx, run) })
	report, err := r.end(ctx, err)
	if err != nil {
		return nil, err
	}
	p := keptPlan(r.kept, r.l)
	p.Report = report
	return p, nil
}

func (r *run) undo(ctx context.Context, n uint64) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	r.report.Mode = Undo
	if err := r.settleOpenRefs(ctx); err != nil { // what a crash left on the wire
		return err
	}
	if err := r.planUndo(ctx, n); err != nil {
		return err
	}
	if r.counts.Total() == 0 && len(r.report.Problems) == 0 {
		return fmt.Errorf("undo run %d: it isn't remembered, or it changed nothing", n)
	}
	var err error
	if r.breaches, err = r.exceeds(ctx); err != nil {
		return err
	}
	if err := r.keep(ctx, n); err != nil {
		return err
	}
	return r.note(ctx, audit.Record{Event: audit.EventUndo, Plan: r.hash, Detail: fmt.Sprintf("of run %d: %d changes", n, r.counts.Total())})
}

// applyUndo carries out the undoing that waits, if somebody approved it or just
// it was asked for. It comes before the source is read. done says that this was
// all that was asked for.
func (r *run) applyUndo(ctx context.Context) (done bool, err error) {
	k := r.kept
	if k == nil || k.Undo == 0 || r.dry || r.keeping || r.only != nil || k.Approval == nil && r.apply == "" {
		return false, nil
	}
	// What is held back afterwards depends on the scope.
	if err := r.underScope(ctx); err != nil {
		if errors.Is(err, ErrScope) && r.apply == "" {
			return false, nil // which is sought first
		}
		return false, err
	}
	// An intent that is open would be overwritten by the undoing's own.
	if err := r.settleOpenRefs(ctx); err != nil {
		return false, err
	}
	if err := r.lookBeforeUndo(ctx, k); err != nil {
		return false, err
	}
	problems := len(r.report.Problems)
	if err := r.planUndo(ctx, k.Undo); err != nil {
		return false, err
	}
	r.report.Problems = r.report.Problems[:problems] // told when it was planned
	if err := r.admit(ctx); err != nil {
		return false, err
	}
	if r.kept == nil {
		return false, nil // it was dropped
	}
	r.report.Undid, r.report.PlanHash = k.Undo, r.hash
	if err := r.tallyUp(ctx, true); err != nil {
		return false, err
	}
	if err := r.guard(ctx); err != nil {
		return false, err
	}
	r.emit(Planned{Run: r.report.Run, Hash: r.hash, Counts: r.counts})
	r.undoing = k.Undo
	err = r.carryOut(ctx)
	r.undoing = 0
	if err != nil {
		return false, err
	}
	// What a synchronization would do to these now is what is to be held back.
	if err := r.plan(ctx, 1); err != nil {
		return false, err
	}
	if err := r.l.ClearPlan(ctx, r.area); err != nil {
		return false, err
	}
	if r.apply != "" {
		r.report.Mode = Undo
		return true, nil
	}
	r.only, r.again, r.approval = nil, false, nil
	return false, nil
}

// planUndo plans the inverse of run n, the last step first.
func (r *run) planUndo(ctx context.Context, n uint64) error {
	r.counts, r.tally, r.area = plan.Counts{}, nil, r.free()
	if err := r.l.ClearPlan(ctx, r.area); err != nil {
		return err
	}
	var steps []ledger.Step
	for s, err := range r.l.Steps(ctx, n) {
		if err != nil {
			return err
		}
		steps = append(steps, s.Value)
	}
	u := &undoing{r: r, run: n, now: map[source.ID]*account{}, held: map[[2]string]source.ID{}}
	wave := -1
	var last [3]int
	for _, s := range slices.Backward(steps) {
		// What one step freed, the step that took it has to give back first.
		if at := [3]int{s.Round, s.Wave, s.Phase}; wave < 0 || at != last {
			wave, last = wave+1, at
		}
		c, err := u.step(ctx, s)
		if err != nil {
			return err
		}
		if c == nil {
			continue
		}
		c.Wave = wave
		r.counts.Add(c)
		r.tally.Add(c, 1)
		if err := r.l.Unit(ctx, func() error { return r.l.SetChange(r.area, c) }); err != nil {
			return err
		}
	}
	hash, err := r.hashOf(ctx, r.area)
	r.hash, r.report.PlanHash = hash, hash
	return err
}

// An undoing plans the inverse of one run.
type undoing struct {
	r    *run
	run  uint64
	now  map[source.ID]*account // as they are once the steps so far are undone
	held map[[2]string]source.ID
}

// An account is one of ours in the course of an undoing.
type account struct {
	entry   *ledger.Entry
	link    plan.Link
	applied target.Attributes
}

// step is the inverse of s, nil if there is none.
func (u *undoing) step(ctx context.Context, s ledger.Step) (*plan.Change, error) {
	a := u.now[s.Source]
	if a == nil {
		e, err := u.r.l.Entry(ctx, s.Source)
		if err != nil {
			return nil, err
		}
		a = &account{entry: e}
		if e != nil && e.Link != nil {
			a.link, a.applied = *e.Link, e.Applied.Clone()
		}
		u.now[s.Source] = a
	}
	in, err := u.r.l.Intent(ctx, s.Source)
	switch {
	case err != nil:
		return nil, err
	case in != nil:
		return nil, u.cannot(s, a, "", "the outcome of a later change is open; try again after the next run")
	case a.entry == nil || a.link.ID != s.ID:
		return nil, u.cannot(s, a, "", "the account isn't known any more")
	}
	if a.link.Foreign {
		return nil, u.cannot(s, a, "", "another tool synchronizes the account now")
	}
	live := a.link.Binned.IsZero()
	if s.Refer != nil {
		return u.refer(ctx, s, a)
	}
	switch s.Op {
	case target.Create, target.Restore:
		if !live {
			return nil, u.cannot(s, a, "", "the account is deleted already")
		}
		c := u.change(s, a, target.Delete, nil)
		c.Removal = true
		c.Evidence = &source.Evidence{Kind: "undo", Detail: "of run " + strconv.FormatUint(u.run, 10)}
		a.link.Binned = u.r.report.Started
		u.releaseAll(s, a)
		return c, nil
	case target.Delete:
		switch {
		case live:
			return nil, u.cannot(s, a, "", "the account lives again")
		case !target.CanRestore(u.r.tgt):
			return nil, u.cannot(s, a, "", "the target can't restore what was deleted")
		case u.r.report.Started.Sub(a.link.Binned) >= restorable:
			return nil, u.cannot(s, a, "", "the account was deleted more than 30 days ago; its bin has been emptied")
		}
		for _, attr := range uniques {
			if free, err := u.isFree(ctx, attr, uniqueValue(s.Kind, a.applied, attr), s.Source); err != nil {
				return nil, err
			} else if !free {
				return nil, u.cannot(s, a, attr, "another account has its "+attr+" now")
			}
		}
		c := u.change(s, a, target.Restore, nil)
		a.link.Binned = time.Time{}
		for _, attr := range uniques {
			u.hold(attr, uniqueValue(s.Kind, a.applied, attr), s.Source)
		}
		return c, nil
	}
	if !live {
		return nil, u.cannot(s, a, "", "the account is deleted")
	}
	return u.putBack(ctx, s, a)
}

// putBack is the inverse of an update: the values from before, where the account
// still has those that the run wrote.
func (u *undoing) putBack(ctx context.Context, s ledger.Step, a *account) (*plan.Change, error) {
	var stays []string
	if a.entry.Presence == plan.Present {
		stays = u.r.ruled(a.entry).CannotClear
	}
	d, err := u.r.driftOf(ctx, a.entry)
	if err != nil {
		return nil, err
	}
	if _, off := d.Left[""]; off || d.Gone {
		return nil, u.cannot(s, a, "", "somebody deleted the account at the target")
	}
	set := target.Attributes{}
	for _, attr := range slices.Sorted(maps.Keys(s.After)) {
		was := s.Before[attr]
		l, theirs := d.Left[attr]
		switch {
		case theirs && slices.Equal(l.Ours, a.applied[attr]):
			if err := u.cannot(s, a, attr, "somebody changed "+attr+" at the target since"); err != nil {
				return nil, err
			}
			continue
		case attr == target.AttrAnchor:
			if err := u.cannot(s, a, attr, "an account that was adopted keeps its source anchor"); err != nil {
				return nil, err
			}
			continue
		case !slices.Equal(a.applied[attr], s.After[attr]) && len(a.applied[attr])+len(s.After[attr]) > 0:
			if err := u.cannot(s, a, attr, attr+" was changed again since"); err != nil {
				return nil, err
			}
			continue
		case len(was) == 0 && (slices.Contains(stays, attr) || slices.Contains(required, attr) || attr == target.AttrMail):
			if err := u.cannot(s, a, attr, attr+" had no value before, and the target can't clear it"); err != nil {
				return nil, err
			}
			continue
		case uniqueIn(s.Kind, a.applied, attr):
			free, err := u.isFree(ctx, attr, was[0], s.Source)
			if err != nil {
				return nil, err
			}
			if !free {
				if err := u.cannot(s, a, attr, "another account has the "+attr+" from before now"); err != nil {
					return nil, err
				}
				continue
			}
			u.hold(attr, a.applied.First(attr), "")
			u.hold(attr, was[0], s.Source)
		}
		set[attr] = was
	}
	if len(set) == 0 {
		return nil, nil
	}
	op := target.Update
	if v, ok := set[target.AttrAccountEnabled]; ok {
		op = target.Enable
		if v[0] == "false" {
			op = target.Disable
		}
	}
	c := u.change(s, a, op, set)
	for attr, v := range set {
		if len(v) == 0 {
			delete(a.applied, attr)
			continue
		}
		a.applied[attr] = v
	}
	return c, nil
}

func (u *undoing) change(s ledger.Step, a *account, op target.Op, set target.Attributes) *plan.Change {
	c := &plan.Change{
		Change: target.Change{Op: op, Kind: s.Kind, ID: s.ID, Anchor: a.link.Anchor, Set: set, Linked: a.link.Since},
		Source: s.Source, Name: a.entry.Object.DN, UPN: a.applied.First(target.AttrUserPrincipalName),
		Reason: fmt.Sprintf("undoes run %d", u.run),
	}
	link := a.link
	c.Precondition = plan.Precondition{Object: "unknown", Account: plan.AccountOf(&link)}
	for attr := range set {
		if v := a.applied[attr]; len(v) > 0 {
			if c.Before == nil {
				c.Before = target.Attributes{}
			}
			c.Before[attr] = v
		}
	}
	return c
}

// isFree reports whether nobody else of ours has value once the steps so far are
// undone.
func (u *undoing) isFree(ctx context.Context, attr, value string, id source.ID) (bool, error) {
	if value == "" {
		return true, nil
	}
	if holder, ok := u.held[[2]string{attr, strings.ToLower(value)}]; ok {
		return holder == "" || holder == id, nil
	}
	holder, err := u.r.l.Holder(ctx, attr, value)
	return holder == "" || holder == id, err
}

func (u *undoing) hold(attr, value string, id source.ID) {
	if value != "" {
		u.held[[2]string{attr, strings.ToLower(value)}] = id
	}
}

func (u *undoing) releaseAll(s ledger.Step, a *account) {
	for _, attr := range uniques {
		u.hold(attr, uniqueValue(s.Kind, a.applied, attr), "")
	}
}

// cannot reports what isn't undone.
func (u *undoing) cannot(s ledger.Step, a *account, attr, why string) error {
	p := plan.Problem{Object: s.Source, Since: u.r.report.Started, Problem: mapping.Problem{
		Code: "cannot-undo", Attribute: attr, Once: true,
		Message: fmt.Sprintf("the %s by run %d can't be undone: %s", s.Op, u.run, why),
		Remedy:  "change it by hand, if need be",
	}}
	if a.entry != nil {
		p.Name = a.entry.Object.DN
	}
	u.r.report.Problems = append(u.r.report.Problems, p)
	return nil
}
