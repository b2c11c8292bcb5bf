package dirsync

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// The codes of what others did to references and what stays so.
const (
	codeRefDrift         = "reference-drift"
	codeRefDriftPersists = "reference-drift-persists"
)

// aboutLeft reports whether p is about references that stay as others made them.
func aboutLeft(p plan.Problem) bool { return p.Code == codeRefDrift || p.Code == codeRefDriftPersists }

// compareRef decides about one reference of e, as it was just seen; names are those
// of a stranger that it points at.
func (r *run) compareRef(ctx context.Context, e *ledger.Entry, look ledger.RefToLook, is bool, names map[string]string) error {
	k, err := r.spotted(ctx, look.RefSpot)
	if err != nil {
		return err
	}
	x, err := r.l.Ref(ctx, k)
	if err != nil {
		return err
	}
	d, err := r.l.RefDrift(ctx, k)
	if err != nil {
		return err
	}
	r.l.ClearRefLook(look.RefSpot)
	wanted, err := r.says(ctx, k, x)
	if err != nil {
		return err
	}
	has := x != nil && x.Applied == ledger.Yes
	switch {
	case x != nil && x.Applied == ledger.Unsure:
		return nil // it is written once more
	case is == has:
		return r.asKnown(ctx, k, d, look)
	case is == wanted: // somebody did what was to be done
		if is {
			return r.applied(ctx, k, ledger.Yes)
		}
		return r.applied(ctx, k, ledger.No)
	}
	set, err := r.l.RefSet(ctx, k.Holder, k.Attribute)
	if err != nil || is && leavesAdded(k.Attribute, set) {
		return err
	}
	if _, stranger := plan.StrangerID(k.To); stranger {
		if is && names == nil && !look.Last {
			// The target doesn't show whose account it is, perhaps not yet: it may
			// be somebody's whom the source wants there.
			return r.l.SetRefLook(look.RefSpot, ledger.RefLook{After: time.Now().UTC().Add(replication), Last: true})
		}
		if wait, err := r.keepsPlace(ctx, k, names); wait || err != nil {
			return err
		}
	} else {
		if to, err := r.accountAt(ctx, k.To); to != look.To || err != nil {
			return err // it isn't there itself, which is found otherwise
		}
	}
	if d == nil {
		d = &ledger.RefDrift{}
	}
	if !d.Left || d.Added != is {
		r.report.RefsDrifted++
	}
	keeps, err := r.keepsRef(ctx, e, look.To, d)
	if err != nil {
		return err
	}
	d.Left, d.Added, d.Names = keeps, is, names
	if keeps {
		return r.setRefDrift(ctx, k, d)
	}
	d.Times, d.At, d.Held, d.Persists, d.Protected = d.Times+1, time.Now().UTC(), false, false, false
	n := ledger.Ref{}
	if x != nil {
		n = *x
	}
	if n.Applied, n.Standing = ledger.No, ledger.Plain; is {
		n.Applied = ledger.Unsure // not by us: it counts for nothing
	}
	if err := r.setRef(ctx, k, x, n); err != nil {
		return err
	}
	if err := r.setRefDrift(ctx, k, d); err != nil {
		return err
	}
	return r.l.SetRefLook(look.RefSpot, ledger.RefLook{After: time.Now().UTC().Add(replication), Last: true})
}

// asKnown: the reference is as we know it. If that was a replica which lags, a
// later look shows it.
func (r *run) asKnown(ctx context.Context, k ledger.RefKey, d *ledger.RefDrift, look ledger.RefToLook) error {
	if d != nil {
		if d.Held, d.Left, d.Persists, d.Protected = true, false, false, false; time.Since(d.At) > quiet {
			d = nil
		}
		if err := r.setRefDrift(ctx, k, d); err != nil {
			return err
		}
	}
	if look.Last {
		return nil
	}
	return r.l.SetRefLook(look.RefSpot, ledger.RefLook{After: time.Now().UTC().Add(replication), Last: true})
}

// keepsRef decides whether a reference stays as others made it, and remembers
// why.
func (r *run) keepsRef(ctx context.Context, e *ledger.Entry, to target.ID, d *ledger.RefDrift) (bool, error) {
	d.Persists, d.Protected = false, false
	if r.opt.Drift != PutBack {
		return true, nil
	}
	if group, err := r.driftOf(ctx, e); err != nil {
		return false, err
	} else if group.Foreign {
		d.Protected = true // another tool's, or one that holds roles
		return true, nil
	}
	if d.Held && time.Since(d.At) > quiet {
		d.Times = 0
	}
	most := 1
	if d.Held {
		most = mostPutBack
	}
	if d.Times >= most {
		d.Persists = true
		return true, nil
	}
	p, err := r.whoIsProtected(ctx)
	if err != nil {
		return false, err
	}
	for _, id := range []target.ID{to, e.Link.ID} {
		why, unknown := p.of(id, "")
		d.Protected = d.Protected || why != "" || unknown != nil && id == to
	}
	return d.Protected, nil
}

// setRefDrift keeps d, and counts it if the reference stays as others made it.
func (r *run) setRefDrift(ctx context.Context, k ledger.RefKey, d *ledger.RefDrift) error {
	old, err := r.l.RefDrift(ctx, k)
	if err != nil {
		return err
	}
	if old != nil && old.Left || d != nil && d.Left {
		set, err := r.l.RefSet(ctx, k.Holder, k.Attribute)
		if err != nil {
			return err
		}
		set.Left = set.Left.Count(k.To, old, -1).Count(k.To, d, 1)
		if err := r.l.SetRefSet(k.Holder, k.Attribute, set); err != nil {
			return err
		}
	}
	return r.l.SetRefDrift(k, d)
}

// stale forgets that a reference stays as others made it, if it is to become
// another one by the source's word, or became one: x is what is remembered of it
// now, set counts it.
func (r *run) stale(ctx context.Context, k ledger.RefKey, before, x ledger.Ref, set *ledger.RefSet) error {
	if set.Awaits && before.Wanted && !x.Wanted { // somebody who kept a place may not be meant any more
		set.Awaits = false
		r.sweepLater(k.Holder)
	}
	if set.Left == nil {
		return nil
	}
	d, err := r.l.RefDrift(ctx, k)
	if d == nil || !d.Left || err != nil {
		return err
	}
	if d.Added != x.Wanted && d.Added == (x.Applied == ledger.No) {
		return nil
	}
	set.Left = set.Left.Count(k.To, d, -1)
	return r.l.SetRefDrift(k, nil)
}

// drifts are the references of holder that others changed, and that weren't seen
// since as they are put back: true if they added it.
func (r *run) drifts(ctx context.Context, holder source.ID) (map[ledger.RefKey]bool, error) {
	var all map[ledger.RefKey]bool
	for k, err := range r.l.RefDrifts(ctx, holder) {
		if err != nil {
			return nil, err
		}
		d, err := r.l.RefDrift(ctx, k)
		if err != nil {
			return nil, err
		}
		if d == nil || d.Left || d.Held {
			continue
		}
		if all == nil {
			all = map[ledger.RefKey]bool{}
		}
		all[k] = d.Added
	}
	return all, nil
}

// known forgets a stranger that has become ours since others added it, since what is
// known of its own reference says more, and one that turns out to be awaited.
func (r *run) known(ctx context.Context, k ledger.RefKey, x *ledger.Ref) (bool, error) {
	account, is := plan.StrangerID(k.To)
	if !is {
		return false, nil
	}
	owner, err := r.l.Owner(ctx, account)
	if err != nil {
		return false, err
	}
	if owner == "" {
		d, err := r.l.RefDrift(ctx, k)
		if d == nil || err != nil {
			return false, err
		}
		wait, err := r.keepsPlace(ctx, k, d.Names)
		if !wait || err != nil {
			return false, err
		}
		if err := r.setRefDrift(ctx, k, nil); err != nil {
			return false, err
		}
		return true, r.setRef(ctx, k, x, ledger.Ref{})
	}
	if err := r.setRef(ctx, k, x, ledger.Ref{}); err != nil {
		return false, err
	}
	k.To = owner
	own, err := r.l.Ref(ctx, k)
	if err != nil || own != nil && own.Applied != ledger.No {
		return true, err
	}
	return true, r.applied(ctx, k, ledger.Unsure)
}

// leftProblems are what a person has to know of references that stay as others
// made them.
func (r *run) leftProblems(ctx context.Context, e *ledger.Entry) (ps []plan.Problem, err error) {
	if !e.Owned() {
		return nil, nil
	}
	for _, attr := range []string{target.RefManager, target.RefMembers, target.RefOwners} {
		set, err := r.l.RefSet(ctx, e.Object.ID, attr)
		if err != nil {
			return nil, err
		}
		l := set.Left
		if l == nil {
			continue
		}
		some := make([]string, len(l.Some))
		for i, id := range l.Some {
			some[i] = string(id)
			if account, stranger := plan.StrangerID(id); stranger {
				some[i] = "the account " + string(account)
			}
		}
		p := mapping.Problem{Code: codeRefDrift, Attribute: attr,
			Message: fmt.Sprintf("of its %s, %d were added and %d removed at the target (%s)", attr, l.Added, l.Removed, strings.Join(some, ", ")),
			Remedy:  "have it changed in the source, or put it back at the target"}
		switch {
		case l.Persists > 0:
			p.Code = codeRefDriftPersists
			p.Message += fmt.Sprintf("; %d of these were put back, and came again; they are left as they are", l.Persists)
			p.Remedy = "find out who or what changes them: another tool, or somebody who insists"
		case l.Protected > 0:
			p.Message += fmt.Sprintf("; %d of these aren't put back, since they are about a protected account or group, or it isn't known whether they are", l.Protected)
			p.Remedy = "have its own administrators change it at the target, or take what protects it away"
		}
		ps = append(ps, plan.Problem{Object: e.Object.ID, Name: e.Object.DN, Problem: p})
	}
	return ps, nil
}

// tellRefDrift replaces what is told of references that stay as others made them.
func (r *run) tellRefDrift(ctx context.Context, e *ledger.Entry) error {
	old, err := r.l.ProblemsOf(ctx, e.Object.ID)
	if err != nil {
		return err
	}
	now, err := r.leftProblems(ctx, e)
	if err != nil {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(old), aboutLeft)
	if len(rest) == len(old) && len(now) == 0 {
		return nil
	}
	return r.setProblems(ctx, e.Object.ID, append(rest, now...))
}
