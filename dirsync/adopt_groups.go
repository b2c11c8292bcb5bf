package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// foreignWhy says why o can't be ours.
func foreignWhy(o target.Object) string {
	return cmp.Or(o.ForeignWhy, fmt.Sprintf("another tool synchronizes the %s from a directory (onPremisesSyncEnabled)",
		map[bool]string{true: "group", false: "account"}[o.Kind == target.Group]))
}

// otherSort says that o isn't what the rules want: of another kind, or another
// sort of group, which nobody can change.
func otherSort(res mapping.Result, o target.Object) string {
	word := func(kind target.Kind, a target.Attributes) string {
		switch {
		case kind != target.Group:
			return "a " + string(cmp.Or(kind, target.User))
		case a.Microsoft365():
			return "a Microsoft 365 group"
		}
		return "a security group"
	}
	is, wanted := word(o.Kind, o.Attributes), word(res.Kind, res.Attributes)
	if is == wanted {
		return ""
	}
	return fmt.Sprintf("it is %s, and the object is to be %s", is, wanted)
}

// findPaired looks up what is at the target of some pairs, each by the kind of
// its object. Of one without an object nothing is found.
func (r *run) findPaired(ctx context.Context, some []Pair) ([][]target.Object, error) {
	out := make([][]target.Object, len(some))
	of := map[target.Kind][]int{}
	for i, p := range some {
		e, err := r.l.Entry(ctx, p.Object)
		if err != nil {
			return nil, err
		}
		if e != nil {
			of[e.Kind()] = append(of[e.Kind()], i)
		}
	}
	for _, kind := range []target.Kind{target.User, target.Group} {
		keys := make([]target.Key, len(of[kind]))
		for i, n := range of[kind] {
			keys[i].ID = some[n].Account
		}
		found, err := target.Find(ctx, r.tgt, kind, keys)
		if err != nil {
			return nil, fmt.Errorf("look up accounts at the target: %w", err)
		}
		for i, n := range of[kind] {
			out[n] = found[i]
		}
	}
	return out, nil
}

// adoptsRefs has the members and owners of a group that became ours looked at in
// the next run, when the source has told which it is to have: those that are ours
// by [run.takeRefsOver], others as the policy for what others change says.
func (r *run) adoptsRefs(ctx context.Context, e *ledger.Entry) error {
	if e.Kind() != target.Group {
		return nil
	}
	if r.refers() && r.opt.Drift != IgnoreDrift {
		r.l.SetRefSweep(e.Object.ID)
	}
	return r.wake(ctx, e.Object.ID, ledger.Wake{Adopted: true})
}

// waitsToBeTold reports whether all there is to do for w is to take over what a
// group has, and the source has not yet told what it is to have.
func (r *run) waitsToBeTold(ctx context.Context, w ledger.Keyed[ledger.Wake]) (bool, error) {
	if w.Value != (ledger.Wake{Adopted: true}) {
		return false, nil
	}
	set, err := r.l.RefSet(ctx, w.ID, target.RefMembers)
	return !set.Told, err
}

// takeRefsOver makes what an adopted group has at the target ours, as far as it
// points at accounts of ours: a member that the source doesn't have is removed
// then, in the plan, under the budgets of removals. Everybody else in the group
// isn't ours: of them the policy for what others change decides. Before the source has told the whole set once nothing is
// taken over: that it hasn't named a member yet would count as its word.
func (r *run) takeRefsOver(ctx context.Context, e *ledger.Entry) (taken bool, err error) {
	id := e.Object.ID
	for _, attr := range []string{target.RefMembers, target.RefOwners} {
		set, err := r.l.RefSet(ctx, id, attr)
		if err != nil {
			return false, err
		}
		if add, _ := target.RefBatch(r.tgt, e.Kind(), attr); add == 0 || !set.Told {
			if attr == target.RefMembers {
				return add == 0, nil
			}
			continue // nobody asks the source for owners
		}
		for to, err := range target.ReadRefs(ctx, r.tgt, e.Kind(), e.Link.ID, attr) {
			if errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNotYet) {
				return false, nil // not shown now
			}
			if errors.Is(err, errors.ErrUnsupported) {
				break
			}
			if err != nil {
				return false, fmt.Errorf("read the %s of group %s at the target: %w", attr, id, err)
			}
			if err := r.unit(ctx, func() error { return r.takeRefOver(ctx, id, attr, to) }); err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

func (r *run) takeRefOver(ctx context.Context, id source.ID, attr string, to target.ID) error {
	owner, err := r.l.Owner(ctx, to)
	if owner == "" || err != nil {
		return err
	}
	k := ledger.RefKey{Holder: id, Attribute: attr, To: owner}
	x, err := r.l.Ref(ctx, k)
	if err != nil || x != nil && x.Applied == ledger.Yes {
		return err
	}
	n := ledger.Ref{}
	if x != nil {
		n = *x
	}
	n.Applied, n.Standing = ledger.Yes, ledger.Plain
	return r.setRef(ctx, k, x, n)
}
