package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// settleGroups looks at all whose groups have to be looked at again: groups first,
// which pass it on to those whom they hold if that means something for them, then
// people. A mark goes when all that follows from it is marked.
func (r *run) settleGroups(ctx context.Context) error {
	asked, people := map[source.ID]bool{}, map[source.ID]bool{}
	for {
		groups := false
		for k, err := range r.l.Regroups(ctx) {
			if err != nil {
				return err
			}
			if people[k.ID] {
				continue
			}
			is, err := r.regroupGroup(ctx, k.ID)
			if err != nil {
				return err
			}
			if groups = groups || is; !is {
				people[k.ID] = true
			}
		}
		more, err := r.askMembers(ctx, asked)
		if err != nil {
			return err
		}
		if !groups && !more {
			break
		}
	}
	for k, err := range r.l.Regroups(ctx) {
		if err != nil {
			return err
		}
		if err := r.unit(ctx, func() error { return r.regroupPerson(ctx, k.ID) }); err != nil {
			return err
		}
	}
	return r.l.Flush(ctx)
}

// askMembers looks up the groups of which not all members are known: they became
// one of those by which the scope goes, or were given anew.
func (r *run) askMembers(ctx context.Context, asked map[source.ID]bool) (any bool, err error) {
	var open []source.ID
	for k, err := range r.l.Rosters(ctx) {
		if err != nil {
			return false, err
		}
		again := k.Value.State == ledger.RosterMissing && r.report.Mode != Full // it may be shown by now, without an event
		if (k.Value.State == "" && !k.Value.Whole || again) && !asked[k.ID] {
			asked[k.ID] = true
			open = append(open, k.ID)
		}
	}
	for ids := range slices.Chunk(open, findBatch) {
		seen := r.seen
		r.seen = newIDSet()
		err := r.findAll(ctx, ids)
		found := r.seen
		if r.seen = seen; errors.Is(err, errors.ErrUnsupported) {
			return false, fmt.Errorf("the source %s can't look up the groups by which the scope goes", r.sourceNames())
		}
		if err != nil {
			return false, fmt.Errorf("look up groups: %w", err)
		}
		for _, id := range ids {
			if found.has(id) {
				r.mark(id)
				continue
			}
			if r.unreadSources() != nil {
				continue // it may be there
			}
			if err := r.missGroup(ctx, id); err != nil {
				return false, err
			}
		}
	}
	return len(open) > 0, nil
}

// regroupGroup sees how a group stands in the scope now, and has those whom it
// holds looked at if that means something for them; it reports whether id is a
// group. One by which the scope doesn't go any more is forgotten.
func (r *run) regroupGroup(ctx context.Context, id source.ID) (is bool, err error) {
	t, err := r.l.Roster(ctx, id)
	if err != nil {
		return false, err
	}
	known := t != nil
	if !known {
		e, err := r.l.Entry(ctx, id)
		if e == nil || e.Object.Kind != source.Group || err != nil {
			return false, err
		}
		t = &ledger.Roster{DN: e.Object.DN, Parent: e.Object.Parent, Home: e.Home}
		if e.Presence != plan.Present {
			t.State = ledger.RosterMissing
		}
	}
	standing, top, err := r.standing(ctx, id, t)
	if err != nil {
		return false, err
	}
	switch {
	case !known && (standing == "" || t.State != ""): // none of ours, and none to begin with
		return true, r.unit(ctx, func() error { r.l.ClearRegroup(id); return nil })
	case standing == "":
		return true, r.dismiss(ctx, id)
	case standing != t.Standing || top != t.Top:
		all := t.Standing == "" || top != t.Top || standing == ledger.RosterIn
		if err := r.passOn(ctx, id, all); err != nil {
			return false, err
		}
		t.Standing, t.Top = standing, top
	}
	return true, r.unit(ctx, func() error {
		r.l.ClearRegroup(id)
		return r.l.SetRoster(id, t)
	})
}

// passOn has those looked at again whom a group holds, or only the groups among
// them.
func (r *run) passOn(ctx context.Context, group source.ID, all bool) error {
	for id, err := range r.l.Rostered(ctx, group) {
		if err != nil {
			return err
		}
		err := r.unit(ctx, func() error {
			if !all {
				if t, err := r.l.Roster(ctx, id); t == nil || err != nil {
					return err
				}
			}
			r.l.SetRegroup(id)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// dismiss forgets whom a group holds by which the scope doesn't go any more.
func (r *run) dismiss(ctx context.Context, group source.ID) error {
	for id, err := range r.l.Rostered(ctx, group) {
		if err != nil {
			return err
		}
		err := r.unit(ctx, func() error {
			r.l.SetRegroup(id)
			_, err := r.l.SetRostered(ctx, group, id, false)
			return err
		})
		if err != nil {
			return err
		}
	}
	return r.unit(ctx, func() error {
		r.l.ClearRegroup(group)
		return r.l.SetRoster(group, nil)
	})
}

// standing is what those are by a group whom it holds: it is one of the scope, or
// in one, or in a group that is in one, and so on. RosterIn needs a way on which
// every group is given, and whole; with any other way it is RosterHeld.
//
// That a group is deleted is proof that it holds nobody any more. Not so if the
// scope names it: a configuration that names what isn't there is for people to
// decide about.
func (r *run) standing(ctx context.Context, id source.ID, t *ledger.Roster) (standing string, top source.ID, err error) {
	for _, standing := range []string{ledger.RosterIn, ledger.RosterHeld} {
		if top, err := r.way(ctx, id, t, standing == ledger.RosterIn); top != "" || err != nil {
			return standing, top, err
		}
	}
	return "", "", nil
}

// way looks for a group that the scope names, upward from id. Groups may hold one
// another in circles.
func (r *run) way(ctx context.Context, id source.ID, t *ledger.Roster, clean bool) (top source.ID, err error) {
	seen := map[source.ID]bool{id: true}
	for next := []source.ID{id}; len(next) > 0; {
		var above []source.ID
		for _, g := range next {
			if g != id {
				if t, err = r.l.Roster(ctx, g); err != nil {
					return "", err
				}
			}
			named := r.scope.Names(g)
			if t == nil || t.State == ledger.RosterDeleted && !named || clean && (t.State != "" || !t.Whole) {
				continue
			}
			if named {
				return g, nil
			}
			if !r.scope.Nested() {
				continue
			}
			groups, err := r.l.RosteredIn(ctx, g)
			if err != nil {
				return "", err
			}
			for _, up := range groups {
				if !seen[up] {
					seen[up] = true
					above = append(above, up)
				}
			}
		}
		next = above
	}
	return "", nil
}

// regroupPerson sees by which group somebody is in the scope now. It means
// something if they come in or go out, or aren't in though they should be.
func (r *run) regroupPerson(ctx context.Context, id source.ID) error {
	r.l.ClearRegroup(id)
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil {
		return err
	}
	groups, err := r.l.RosteredIn(ctx, id)
	if err != nil {
		return err
	}
	old, now, best := e.Member, ledger.Member{}, 0
	for _, g := range groups {
		t, err := r.l.Roster(ctx, g)
		if err != nil {
			return err
		}
		rank := 0
		switch {
		case t == nil || t.Standing == "":
		case t.Standing == ledger.RosterHeld:
			rank = 1
		default:
			rank = 2
		}
		if rank > best || rank == best && rank > 0 && g == old.By {
			best, now = rank, ledger.Member{By: g, Top: t.Top}
		}
	}
	if now.By == "" {
		now.Top = old.Top
	}
	if now != old {
		e.Member = now
		if err := r.l.SetEntry(e); err != nil {
			return err
		}
	}
	if (old.By == "") == (now.By == "") && (now.By == "" || e.Owned() && e.Side.Out == "") {
		return nil
	}
	return r.markDue(ctx, id, "its groups changed")
}
