package dirsync

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// rosters are the groups by whose members the scope goes. They are fixed once the
// source was read.
type rosters map[source.ID]ledger.Roster

// bindGroups finds the groups that the scope names. A name that was bound before
// stays so, whatever is called that now, and whatever became of the group.
func (r *run) bindGroups(ctx context.Context) (map[string]source.ID, error) {
	bound, open := map[string]source.ID{}, map[string][]string{} // by what a group has to be called
	if !r.byGroup() {
		return bound, nil
	}
	for _, name := range r.opt.Scope.Groups {
		if id := r.scoping.Groups[name]; id != "" {
			bound[name] = id
			continue
		}
		id := source.ID(strings.ToLower(strings.Trim(strings.TrimSpace(name), "{}")))
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return nil, err
		}
		if e != nil && e.Object.Kind == source.Group && e.Presence == plan.Present {
			bound[name] = id
		} else {
			open[foldDN(name)] = append(open[foldDN(name)], name)
		}
	}
	if len(open) == 0 {
		return bound, nil
	}
	found, any, err := r.groupsCalled(ctx, open)
	if err != nil {
		return nil, err
	}
	var bad []string
	for dn, names := range open {
		for _, name := range names {
			if bound[name] = ""; len(found[dn]) == 1 {
				bound[name] = found[dn][0]
			} else {
				bad = append(bad, name)
			}
		}
	}
	if len(bad) > 0 {
		slices.Sort(bad)
		return nil, &ScopeError{Names: bad, None: !any}
	}
	return bound, nil
}

// groupsCalled finds groups by their DN, and says whether there are any at all.
// Everything is looked at: it is done once for each name.
func (r *run) groupsCalled(ctx context.Context, dns map[string][]string) (found map[string][]source.ID, any bool, err error) {
	found = map[string][]source.ID{}
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return nil, false, err
		}
		if k.Value.Presence != plan.Present {
			continue
		}
		e, err := r.l.Entry(ctx, k.ID)
		if err != nil {
			return nil, false, err
		}
		if e == nil || e.Object.Kind != source.Group {
			continue
		}
		any = true
		if dn := foldDN(r.tree.dnOf(&e.Object)); dns[dn] != nil {
			found[dn] = append(found[dn], k.ID)
		}
	}
	return found, any, nil
}

// regroup brings who is in the scope by a group up to what the source said. When
// the scope was changed, all its groups are looked at again.
func (r *run) regroup(ctx context.Context, changed bool) error {
	if !changed && !r.byGroup() {
		return nil
	}
	if changed {
		for k, err := range r.l.Rosters(ctx) {
			if err != nil {
				return err
			}
			r.l.SetRegroup(k.ID)
			if err := r.passOn(ctx, k.ID, true); err != nil {
				return err
			}
		}
	}
	for _, id := range r.scope.Groups() {
		err := r.unit(ctx, func() error {
			t, err := r.l.Roster(ctx, id)
			if t != nil || err != nil {
				return err
			}
			t = &ledger.Roster{}
			if e, err := r.l.Entry(ctx, id); err != nil {
				return err
			} else if e != nil {
				t.DN, t.Parent, t.Home = e.Object.DN, e.Object.Parent, e.Home
			}
			r.l.SetRegroup(id)
			return r.l.SetRoster(id, t)
		})
		if err != nil {
			return err
		}
	}
	if err := r.settleGroups(ctx); err != nil {
		return err
	}
	if err := r.loadRosters(ctx); err != nil {
		return err
	}
	if err := r.judgeGroups(); err != nil {
		return err
	}
	return r.askAgain(ctx)
}

// askAgain has those looked at of whom couldn't be told whether they are in scope
// since a group isn't known.
func (r *run) askAgain(ctx context.Context) error {
	for k, err := range r.l.Problems(ctx) {
		if err != nil {
			return err
		}
		if slices.ContainsFunc(k.Value, func(p plan.Problem) bool { return p.Code == mapping.CodeGroupUnknown }) {
			if err := r.unit(ctx, func() error { return r.markDue(ctx, k.ID, "its groups changed") }); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadRosters reads the groups by whose members the scope goes.
func (r *run) loadRosters(ctx context.Context) error {
	r.rosters, r.unknown = rosters{}, ""
	for k, err := range r.l.Rosters(ctx) {
		if err != nil {
			return err
		}
		r.rosters[k.ID] = k.Value
		if !k.Value.Known {
			r.unknown = k.ID
		}
	}
	return nil
}

// judgeGroups says what is wrong with the groups. If the members of one that the
// scope names were never told whole, nobody can be said not to be one.
func (r *run) judgeGroups() error {
	var untold []string
	for _, name := range slices.Sorted(maps.Keys(r.scoping.Groups)) {
		if t := r.rosters[r.scoping.Groups[name]]; !t.Known {
			untold = append(untold, name)
		}
	}
	if len(untold) > 0 {
		return &ScopeError{Names: untold, Untold: true}
	}
	for _, id := range slices.Sorted(maps.Keys(r.rosters)) {
		if t := r.rosters[id]; t.State != "" {
			r.warn(Warning{Code: "scope-group-gone",
				Message: fmt.Sprintf("the group %q, by which the scope goes, is %s: who was its member stays in the scope, and nobody enters by it", r.groupDN(id), t.State),
				Remedy:  "see that the sync account may read it, and that it lies below the base DNs; if it is gone for good, take it out of the scope, or out of the group that holds it"})
		}
	}
	return nil
}

// knownGroups has a run decide by the groups of the scope without a read of
// everything: by what was last told of them.
func (r *run) knownGroups(ctx context.Context) error {
	if !r.byGroup() {
		return nil
	}
	for _, id := range r.scope.Groups() {
		if t, err := r.l.Roster(ctx, id); err != nil {
			return err
		} else if t == nil || !t.Known {
			return fmt.Errorf("%w: it asks who is a member of the group %s, and no run has read that yet", ErrScope, id)
		}
	}
	if err := r.settleGroups(ctx); err != nil {
		return err
	}
	return r.loadRosters(ctx)
}

// groupDN is what a group of the scope is called now.
func (r *run) groupDN(id source.ID) string {
	t := r.rosters[id]
	return r.tree.dnOf(&source.Object{DN: t.DN, Parent: t.Parent})
}

// membership is by which group e is in the scope.
func (r *run) membership(e *ledger.Entry) mapping.Membership {
	m := mapping.Membership{In: e.Member.By != ""}
	if e.Member.Top != "" {
		m.Top = r.groupDN(e.Member.Top)
	}
	if m.In {
		t, known := r.rosters[e.Member.By]
		m.Group = r.groupDN(e.Member.By)
		m.Held = !known || t.Standing != ledger.RosterIn
	} else if r.unknown != "" {
		m.Unknown = r.groupDN(r.unknown)
	}
	m.Stays = e.Owned() && e.Side.Out == ""
	return m
}
