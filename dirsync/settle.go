package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// settle remembers the outcome of one change. All that it puts goes into one
// commit: link, applied values, indexes, what is left to do.
func (r *run) settle(ctx context.Context, in *ledger.Intent, res target.Result, repeat bool) error {
	c := &in.Change
	if c.Op == target.Refer {
		return r.settleRefs(ctx, in, res)
	}
	e, err := r.l.Entry(ctx, c.Source)
	if err != nil {
		return err
	}
	if e == nil {
		// Only an intent can outlive its entry, and entries with intents are
		// kept; a store that lost one must not make us lose the account.
		e = &ledger.Entry{Presence: plan.Missing}
		e.Object.ID, e.Object.DN = c.Source, c.Name
	}
	r.emit(Applied{Run: r.report.Run, Change: *c, Object: res.Object, Err: res.Err, Repeat: repeat})
	if res.Err == nil && c.Op == target.Create {
		// A repeat finds its account by the anchor. It must not be that of
		// another object of ours that has the same one.
		owner, err := r.l.Owner(ctx, res.Object.ID)
		if err != nil {
			return err
		}
		if owner != "" && owner != c.Source {
			res.Err = &target.Error{Sentinel: target.ErrExists, Attribute: target.AttrAnchor, Err: fmt.Errorf("the account is that of the object %s", owner)}
		}
		if repeat && owner == "" && !ourCreate(in, res.Object) {
			res.Err = &target.Error{Sentinel: target.ErrExists, Attribute: target.AttrAnchor, Err: fmt.Errorf("the account %s isn't the one that was asked for", res.Object.ID)}
		}
	}
	r.leave(c, res.Err, repeat)
	if res.Err != nil {
		outcome := audit.OutcomeRefused
		if target.OutcomeUnknown(res.Err) {
			outcome, in.Told = audit.OutcomeUnknown, true
			if err := r.l.SetIntent(*in); err != nil {
				return err
			}
		}
		if err := r.noteCall(ctx, in, outcome, res, repeat); err != nil {
			return err
		}
		return r.refused(ctx, e, c, res.Err, repeat)
	}
	r.l.ClearIntent(c.Source)
	if err := r.noteCall(ctx, in, audit.OutcomeApplied, res, repeat); err != nil {
		return err
	}
	if err := r.journal(in, res.Object.ID); err != nil {
		return err
	}
	if in.Approver == "" {
		if err := r.spend(c); err != nil {
			return err
		}
	}
	if err := r.accepted(ctx, e, c, res.Object); err != nil {
		return err
	}
	switch {
	case repeat && c.Op == target.Create && res.Object.Deleted:
		// Nothing is known of it but that it is ours: a restore writes it all.
		if err := r.unsure(e, e.Applied.Names()); err != nil {
			return err
		}
	case repeat && c.Op == target.Create:
		// What a repeat found was made by the first call, and may have been
		// changed since.
		if err := r.takeOver(ctx, e, res.Object, ""); err != nil {
			return err
		}
	}
	r.count(c)
	if in.Undo != 0 {
		h := ledger.Hold{Why: heldUndone, Of: strconv.FormatUint(in.Undo, 10), By: in.Approver, At: time.Now().UTC()}
		if err := r.l.SetHold(c.Source, h); err != nil {
			return err
		}
	}
	if err := r.answered(ctx, c.Source); err != nil {
		return err
	}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	if c.Reason == whyChangedThere {
		if err := r.putBack(ctx, e, c); err != nil {
			return err
		}
	}
	// A repeat settles an old intention: what is wanted now is planned next.
	// So is what stepped aside for another, and what changed meanwhile.
	// What a synchronization would do to what was undone is to be held back.
	if repeat || in.Undo != 0 {
		return r.markDue(ctx, c.Source, "")
	}
	if c.Again {
		if r.counted == nil {
			r.counted = map[source.ID][]plan.Effect{}
		}
		r.counted[c.Source] = append(r.counted[c.Source], c.Then...)
		r.again = true
		return r.markDue(ctx, c.Source, "")
	}
	if free, err := r.wantsFree(ctx, e); err != nil {
		return err
	} else if free {
		r.again = true
		return r.markDue(ctx, c.Source, "a name changed hands")
	}
	if c.Blocked {
		r.failed[c.Source] = true
		due, err := r.l.Due(ctx, c.Source)
		if due == nil {
			due = &ledger.Due{}
		}
		if err != nil {
			return err
		}
		due.Why = "" // it is made
		return r.l.SetDue(c.Source, later(*due))
	}
	if !c.Until.IsZero() {
		return r.l.SetDue(c.Source, ledger.Due{Next: c.Until.UTC()})
	}
	r.l.ClearDue(c.Source)
	return nil
}

// clockSkew is how far the target's clock may be behind ours.
const clockSkew = 5 * time.Minute

// ourCreate reports whether o, which carries the anchor of a create with an
// unknown outcome, can be what that made. The anchor was free when it was
// planned, but somebody else may have used it since; what isn't ours for sure is
// never taken.
func ourCreate(in *ledger.Intent, o target.Object) bool {
	if !o.Created.IsZero() && o.Created.Before(in.Since.Add(-clockSkew)) {
		return false
	}
	same := func(attr string) bool {
		v := o.Attributes.First(attr)
		return v == "" || v == in.Change.Set.First(attr)
	}
	return !o.Foreign && same(target.AttrUserPrincipalName) && same("displayName")
}

// leave takes c out of the plan, since it was sent. A plan that waited for
// somebody's word keeps what the target didn't even look at.
func (r *run) leave(c *plan.Change, err error, repeat bool) {
	area := r.area
	if r.kept != nil && (repeat || r.area == r.kept.Area) {
		for _, s := range []error{target.ErrNotApplied, target.ErrThrottled, target.ErrUnavailable, target.ErrUnauthenticated} {
			if errors.Is(err, s) && !target.OutcomeUnknown(err) {
				return
			}
		}
		area = r.kept.Area
	}
	r.l.ClearChange(area, c)
}

// journal remembers what the run did, for its undoing.
func (r *run) journal(in *ledger.Intent, id target.ID) error {
	c := &in.Change
	s := ledger.Step{Round: in.Round, Wave: c.Wave, Phase: c.Phase(), Op: c.Op, Kind: c.Kind, ID: c.ID, Source: c.Source}
	switch c.Op {
	case target.Create:
		s.ID = id
	case target.Update, target.Enable, target.Disable:
		s.Before, s.After = c.Before, c.Set
	}
	return r.l.SetStep(in.Run, s)
}

// answered drops what the target said about an earlier change.
func (r *run) answered(ctx context.Context, id source.ID) error {
	ps, err := r.l.ProblemsOf(ctx, id)
	if err != nil || len(ps) == 0 {
		return err
	}
	return r.setProblems(ctx, id, slices.DeleteFunc(ps, func(p plan.Problem) bool { return p.Answer }))
}

// accepted brings the entry to what the target holds now.
func (r *run) accepted(ctx context.Context, e *ledger.Entry, c *plan.Change, o target.Object) error {
	owned := e.Owned()
	e.MayLive, e.Deleting = false, time.Time{}
	switch {
	case !c.Removal:
		e.Side.Out, e.Side.Left = "", ""
	case c.Crossing == plan.Leaves:
		e.Side.Left = e.Side.Out
	}
	now := time.Now().UTC()
	e.Wrote = now
	old := e.Applied.Clone()
	if !owned {
		old = nil // an account in the bin holds no names
	}
	switch c.Op {
	case target.Create:
		e.Link = &plan.Link{ID: o.ID, Anchor: c.Anchor, Since: now}
		if o.Deleted { // by somebody, before we knew that we had made it
			e.Link.Binned = now
		}
		e.Applied = target.Attributes{}
		r.l.SetOwner(o.ID, c.Source)
	case target.Restore:
		if e.Link != nil {
			e.Link.Binned = time.Time{}
			e.Link.Since = now
		}
		r.again = r.again || r.refers() // what it brings along is looked at
		if err := r.wake(ctx, c.Source, ledger.Wake{Restored: true}); err != nil {
			return err
		}
	case target.Delete:
		if e.Link != nil {
			e.Link.Binned = now
		}
		if err := r.wake(ctx, c.Source, ledger.Wake{Binned: true, Lost: !target.CanRestore(r.tgt)}); err != nil {
			return err
		}
	}
	if e.Applied == nil {
		e.Applied = target.Attributes{}
	}
	for attr, v := range c.Set {
		delete(e.Refused, attr)
		delete(e.Taken, attr)
		e.Unsure = slices.DeleteFunc(e.Unsure, func(u string) bool { return u == attr })
		if len(v) == 0 {
			delete(e.Applied, attr)
			continue
		}
		e.Applied[attr] = v
	}
	if _, stamped := c.Set[target.AttrAnchor]; stamped { // not one of its attributes
		if delete(e.Applied, target.AttrAnchor); e.Link != nil {
			e.Link.Unstamped = false
		}
	}
	held := e.Applied
	if c.Op == target.Delete || c.Op == target.Create && o.Deleted {
		held = nil
	}
	for _, attr := range uniques {
		was, is := uniqueValue(e.Kind(), old, attr), uniqueValue(e.Kind(), held, attr)
		if was == is {
			continue
		}
		if err := r.l.SetHolder(ctx, attr, was, is, c.Source); err != nil {
			return err
		}
		if err := r.freed(ctx, attr, was, c.Source); err != nil {
			return err
		}
	}
	if c.Op == target.Delete {
		anchor := "" // an account in the bin still carries its own
		if e.Link != nil && target.CanRestore(r.tgt) {
			anchor = e.Link.Anchor
		}
		if err := r.claims(ctx, e, "", "", anchor); err != nil {
			return err
		}
		if e.Link != nil && !target.CanRestore(r.tgt) {
			r.l.ClearOwner(e.Link.ID)
			e.Link, e.Applied = nil, nil
		}
	}
	switch {
	case e.Owned() && !owned:
		r.facts.Own(e.Kind(), 1)
	case !e.Owned() && owned:
		r.facts.Own(e.Kind(), -1)
	}
	return nil
}

// wantsFree reports whether e goes without a name that is its own to take, since
// it became free after e's change was planned.
func (r *run) wantsFree(ctx context.Context, e *ledger.Entry) (bool, error) {
	if !e.Owned() || e.Presence != plan.Present {
		return false, nil
	}
	for attr, value := range map[string]string{nameAttr(e.Kind()): e.UPN, target.AttrMail: e.Mail} {
		if value == "" || ledger.SameName(attr, value, e.Applied.First(attr)) || e.Refused[attr] != nil || r.unowned.holder(attr, value) != "" {
			continue
		}
		holder, err := r.l.Holder(ctx, attr, value)
		if err != nil {
			return false, err
		}
		if holder != "" {
			continue
		}
		if winner, err := r.winner(ctx, attr, value, ""); winner == e.Object.ID || err != nil {
			return err == nil, err
		}
	}
	return false, nil
}

// freed tells those who go without a value that it is free now.
func (r *run) freed(ctx context.Context, attr, value string, id source.ID) error {
	if value == "" {
		return nil
	}
	ids, err := r.l.Claimants(ctx, attr, value)
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
		if e == nil || e.Applied.First(attr) == value {
			continue
		}
		if due, err := r.l.Due(ctx, other); err != nil {
			return err
		} else if due != nil && due.Next.IsZero() && !r.failed[other] {
			continue // it is in this plan already
		}
		if err := r.markDue(ctx, other, "a name changed hands"); err != nil {
			return err
		}
		r.again = true
	}
	return nil
}

// count puts an accepted change into the report.
func (r *run) count(c *plan.Change) {
	switch c.Op {
	case target.Create:
		r.report.Created++
	case target.Update:
		r.report.Updated++
	case target.Enable:
		r.report.Updated++
		r.report.Enabled++
	case target.Disable:
		r.report.Disabled++
	case target.Delete:
		r.report.Deleted++
		r.report.MembersLeft += len(c.Leaves)
	case target.Restore:
		r.report.Restored++
	}
}
