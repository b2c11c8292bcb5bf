package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A DriftPolicy says what becomes of what others change at our accounts.
//
// Ours are the accounts and groups that the engine owns, and of these the
// attributes that it has written a value to. Where it has written none, what others
// write stays. Members and owners of our groups are ours to say in any case: whoever
// the source doesn't name, and somebody has added, is removed again, guests and
// devices included.
type DriftPolicy string

const (
	// PutBack has values written again and deleted accounts restored, in the
	// plan, under its budgets. What comes back all the same is reported
	// (problem "drift-persists") and left: somebody else insists. The default.
	PutBack DriftPolicy = "putBack"

	// ReportDrift writes nothing because of it: it is a problem ("drift").
	// When the source changes the value, it is written.
	ReportDrift DriftPolicy = "report"

	// IgnoreDrift doesn't ask the target.
	IgnoreDrift DriftPolicy = "ignore"
)

// Check returns an error if p is none of the above.
func (p DriftPolicy) Check() error {
	switch p {
	case PutBack, ReportDrift, IgnoreDrift:
		return nil
	}
	return fmt.Errorf("drift policy %q: want %s, %s or %s", string(p), PutBack, ReportDrift, IgnoreDrift)
}

// drift finds what others did to our accounts, and decides what becomes of it.
// What the target tells is only a reason to look at an account; it becomes
// durable before, or together with, the token from which the target goes on. A
// target that can't be read holds up nothing else.
func (r *run) drift(ctx context.Context) error {
	if r.only != nil {
		return nil
	}
	if r.opt.Drift == IgnoreDrift {
		return r.forgetDrift(ctx)
	}
	if err := r.findDrift(ctx); err != nil {
		return err
	}
	return r.l.Flush(ctx) // planning looks through references
}

func (r *run) findDrift(ctx context.Context) error {
	tale, err := r.tellChanges(ctx)
	if tale.told != nil || err != nil {
		return r.unread(ctx, tale.told, err)
	}
	if tale.all != "" {
		if told, err := r.lookAtAll(ctx, tale.all); told != nil || err != nil {
			return r.unread(ctx, told, err)
		}
	}
	if told, err := r.look(ctx); told != nil || err != nil {
		return r.unread(ctx, told, err)
	}
	if told, err := r.lookAtRefs(ctx); told != nil || err != nil {
		return r.unread(ctx, told, err)
	}
	return nil
}

// A tale is what came of asking the target what changed.
type tale struct {
	all  string // why all has to be looked at
	told error  // why the target couldn't say it
}

// tellChanges takes in what the target says to have changed, of each kind.
func (r *run) tellChanges(ctx context.Context) (out tale, err error) {
	kinds := target.Kinds(r.tgt)
	feeds := make([]*ledger.Feed, len(kinds))
	for i, kind := range kinds {
		if feeds[i], err = r.l.Feed(ctx, kind); err != nil {
			return out, err
		}
		if out.all = r.lookAtAllBecause(feeds[i]); out.all != "" {
			return out, nil
		}
	}
	for i, kind := range kinds {
		if feeds[i].Token == "" {
			continue
		}
		told, err := r.readChanges(ctx, kind, *feeds[i])
		switch {
		case err != nil:
			return out, err
		case errors.Is(told, target.ErrTokenExpired):
			out.all = "the target can't tell any more what changed since the last run"
		case told != nil:
			return tale{told: told}, nil
		}
	}
	return out, nil
}

// unread goes on without knowing all that others did: the next run asks again.
func (r *run) unread(ctx context.Context, told, err error) error {
	if err := cmp.Or(err, ctx.Err()); err != nil {
		return err
	}
	r.warn(Warning{Code: "drift-unread", Message: fmt.Sprintf("what others changed at the target could not be read: %v", told),
		Remedy: "see that the application may read all users and groups; the next run tries again"})
	return nil
}

// lookAtAllBecause says why all of our accounts have to be looked at now, ""
// if what the target tells is enough.
func (r *run) lookAtAllBecause(f *ledger.Feed) string {
	switch {
	case r.req.Reconcile:
		return "asked for"
	case f == nil, f.Token == "" && !f.Untold && target.CanTellChanges(r.tgt):
		return "it is the first time"
	case f.Policy != string(r.opt.Drift):
		return "the policy for what others change is another one"
	case r.opt.Reconcile > 0 && r.report.Started.Sub(f.Full) >= r.opt.Reconcile:
		return fmt.Sprintf("the last time was %s", f.Full.UTC().Format(time.DateOnly))
	}
	return ""
}

// readChanges takes in what the target says to have changed. told is why the
// target couldn't say it; what it did say counts.
func (r *run) readChanges(ctx context.Context, kind target.Kind, f ledger.Feed) (told, err error) {
	complete := false
	for ev, err := range target.Changes(ctx, r.tgt, kind, f.Token) {
		if err != nil {
			return err, nil
		}
		err := r.l.Unit(ctx, func() error {
			if ev.Op == target.Checkpoint {
				complete, f.Token = true, ev.Token
				return r.l.SetFeed(kind, f)
			}
			if err := r.referred(ctx, ev); ev.Op == target.Referred || err != nil {
				return err
			}
			return r.changed(ctx, ev)
		})
		if err != nil {
			return nil, err
		}
	}
	if !complete {
		return errors.New("the target's changes ended without a checkpoint"), nil
	}
	return nil, nil
}

// changed takes in one event: an account of ours that isn't as it is known has
// to be looked at.
func (r *run) changed(ctx context.Context, ev target.DeltaEvent) error {
	owner, err := r.l.Owner(ctx, ev.Object.ID)
	if owner == "" || err != nil {
		return err
	}
	e, err := r.l.Entry(ctx, owner)
	if e == nil || e.Link == nil || e.Link.ID != ev.Object.ID || err != nil {
		return err
	}
	d, err := r.driftOf(ctx, e)
	if err != nil {
		return err
	}
	if live := ev.Op == target.Changed; d.Empty() && e.Owned() == live && (!live || len(differences(e, ev.Object)) == 0) {
		return nil
	}
	return r.l.SetLook(owner, ledger.Look{Binned: ev.Op == target.Binned, Purged: ev.Op == target.Purged})
}

// fewUnseen is how many accounts are looked for in the bin one by one. For more,
// it is listed.
const fewUnseen = 20

// lookAtAll compares all of our accounts with what the target lists. The token
// of before is where the next delta begins, so that nothing is lost between.
func (r *run) lookAtAll(ctx context.Context, why string) (told, err error) {
	kinds := target.Kinds(r.tgt)
	feeds := make([]ledger.Feed, len(kinds))
	for i, kind := range kinds {
		token, can, err := target.Latest(ctx, r.tgt, kind)
		if err != nil {
			return err, nil
		}
		feeds[i] = ledger.Feed{Token: token, Untold: !can, Full: r.report.Started, Policy: string(r.opt.Drift)}
	}
	keep := func() error {
		for i, kind := range kinds {
			if err := r.l.SetFeed(kind, feeds[i]); err != nil {
				return err
			}
		}
		return nil
	}
	if r.facts.Owned+r.facts.Groups == 0 {
		return nil, keep() // there is nothing to look at
	}
	r.report.Reconciled = why
	seen := newIDSet()
	for o, err := range r.tgt.Current(ctx) {
		if err != nil {
			return err, nil
		}
		err := r.l.Unit(ctx, func() error {
			if owner, err := r.l.Owner(ctx, o.ID); owner == "" || err != nil {
				return err
			} else {
				seen.add(owner)
			}
			return r.changed(ctx, target.DeltaEvent{Op: target.Changed, Object: o})
		})
		if err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var unseen []source.ID // in the bin, gone, or not shown yet
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return nil, err
		}
		if k.Value.Linked && !seen.has(k.ID) {
			unseen = append(unseen, k.ID)
		}
	}
	binned := newIDSet()
	if len(unseen) > fewUnseen {
		for _, kind := range kinds {
			if kind == target.Group && r.facts.Groups == 0 {
				continue
			}
			for o, err := range target.Deleted(ctx, r.tgt, kind) {
				if err != nil {
					break // they are looked for one by one
				}
				if owner, err := r.l.Owner(ctx, o.ID); err != nil {
					return nil, err
				} else if owner != "" {
					binned.add(owner)
				}
			}
		}
	}
	for k, err := range r.l.Drifts(ctx) {
		if err != nil {
			return nil, err
		}
		unseen = append(unseen, k.ID)
	}
	for _, id := range unseen {
		err := r.l.Unit(ctx, func() error { return r.l.SetLook(id, ledger.Look{Binned: binned.has(id)}) })
		if err != nil {
			return nil, err
		}
	}
	if err := r.sweepAll(ctx); err != nil {
		return nil, err
	}
	return nil, keep()
}

// forgetDrift drops what is remembered of what others did, since nobody wants to
// know.
func (r *run) forgetDrift(ctx context.Context) error {
	known := false
	for _, kind := range target.Kinds(r.tgt) {
		f, err := r.l.Feed(ctx, kind)
		if err != nil {
			return err
		}
		known = known || f != nil
	}
	if !known {
		return nil
	}
	if err := r.forgetRefDrift(ctx); err != nil {
		return err
	}
	for k, err := range r.l.Looks(ctx) {
		if err != nil {
			return err
		}
		r.l.ClearLook(k.ID)
	}
	for k, err := range r.l.Drifts(ctx) {
		if err != nil {
			return err
		}
		err := r.l.Unit(ctx, func() error {
			if err := r.l.SetDrift(k.ID, nil); err != nil {
				return err
			}
			return r.tellDrift(ctx, k.ID, nil)
		})
		if err != nil {
			return err
		}
	}
	for _, kind := range target.Kinds(r.tgt) {
		r.l.ClearFeed(kind)
	}
	return nil
}

// driftOf returns what is remembered of what others did to the account of e.
func (r *run) driftOf(ctx context.Context, e *ledger.Entry) (*ledger.Drift, error) {
	d, err := r.l.Drift(ctx, e.Object.ID)
	if d == nil || e.Link == nil || d.Account != "" && d.Account != e.Link.ID {
		d = &ledger.Drift{}
	}
	if e.Link != nil {
		d.Account = e.Link.ID
	}
	return d, err
}

// differences are the attributes of which o, the account of e, holds something
// else than was applied, in order; the anchor among them, unless it is to be
// written yet.
func differences(e *ledger.Entry, o target.Object) []string {
	var attrs []string
	for attr, ours := range e.Applied {
		if len(ours) > 0 && !slices.Contains(e.Unsure, attr) && !same(ours, o.Attributes[attr]) {
			attrs = append(attrs, attr)
		}
	}
	if o.Anchor != e.Link.Anchor && !(e.Link.Unstamped && o.Anchor == "") {
		attrs = append(attrs, target.AttrAnchor)
	}
	slices.Sort(attrs)
	return attrs
}

// same reports whether theirs is what a target may make of ours: letter case and
// white space don't count, since services normalise both.
func same(ours, theirs []string) bool {
	if slices.Equal(ours, theirs) {
		return true
	}
	plain := func(values []string) []string {
		out := make([]string, len(values))
		for i, v := range values {
			out[i] = strings.ToLower(strings.Join(strings.Fields(v), " "))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(plain(ours), plain(theirs))
}
