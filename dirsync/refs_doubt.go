package dirsync

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// codeRefDoubt says that a whole set was told that doesn't say who is gone.
const codeRefDoubt = "reference-doubtful"

// emptied are the sets that had somebody, or are new, and were told whole and empty in this
// read, and what was told of them since. To a source, what it may not read can look
// empty: it is asked at the end of the read.
type emptied map[ledger.RefKey]*emptySet

type emptySet struct {
	attribute string // as the source calls it
	scopes    bool   // it says who is in scope
	seen      []uint64
}

// told takes in what is told of a set after it was empty.
func (e emptied) told(key ledger.RefKey, x *source.References) {
	if x.First {
		delete(e, key)
	} else if set := e[key]; set != nil {
		for _, to := range x.Add {
			set.seen = append(set.seen, hashOf(to))
		}
	}
}

// emptySet notes that a set was told whole and empty.
func (r *run) emptySet(ctx context.Context, key ledger.RefKey, attribute string) error {
	set, err := r.l.RefSet(ctx, key.Holder, key.Attribute)
	if err != nil {
		return err
	}
	// Of members, who isn't wanted may be removed as drift.
	if set.Wanted == 0 && (set.Told || key.Attribute != target.RefMembers) {
		return r.takeWhole(ctx, key, nil)
	}
	if r.refs.emptied == nil {
		r.refs.emptied = emptied{}
	}
	r.refs.emptied[key] = &emptySet{attribute: attribute}
	return nil
}

// emptyGroup notes that a group of the scope was told without members.
func (r *run) emptyGroup(ctx context.Context, key ledger.RefKey) error {
	t, err := r.l.Roster(ctx, key.Holder)
	if t == nil || err != nil {
		return err
	}
	if t.Members == 0 {
		return r.keepMembers(ctx, key.Holder, nil, true)
	}
	if r.refs.emptied == nil {
		r.refs.emptied = emptied{}
	}
	r.refs.emptied[key] = &emptySet{attribute: key.Attribute, scopes: true}
	return nil
}

// confirmEmptied ends a read: whom an empty set doesn't name is gone if the source
// has evidence that the set is empty.
func (r *run) confirmEmptied(ctx context.Context) error {
	all := r.refs.emptied
	r.refs.emptied = nil
	keys := slices.SortedFunc(maps.Keys(all), func(a, b ledger.RefKey) int {
		return cmp.Or(cmp.Compare(a.Holder, b.Holder), cmp.Compare(a.Attribute, b.Attribute))
	})
	for _, key := range keys {
		set := all[key]
		empty, err := source.Empty(ctx, r.from.src, key.Holder, set.attribute)
		if err != nil {
			return sourceError{fmt.Errorf("ask whether the %s of %s are none: %w", set.attribute, key.Holder, err)}
		}
		slices.Sort(set.seen)
		seen := slices.Compact(set.seen)
		switch {
		case set.scopes:
			err = r.keepMembers(ctx, key.Holder, seen, empty)
		case empty:
			err = r.takeWhole(ctx, key, seen)
		default:
			err = r.doubtSet(ctx, key, fmt.Sprintf("no values of its %s are shown, without evidence that there are none: nobody is removed", set.attribute))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// doubtSet reports that a set was told whole in a way that proves nobody to be
// gone; "" ends that.
func (r *run) doubtSet(ctx context.Context, key ledger.RefKey, why string) error {
	return r.unit(ctx, func() error {
		set, err := r.l.RefSet(ctx, key.Holder, key.Attribute)
		if err != nil {
			return err
		}
		set.Doubt, set.Told = why != "", set.Told && why == ""
		if err := r.l.SetRefSet(key.Holder, key.Attribute, set); err != nil {
			return err
		}
		e, err := r.l.Entry(ctx, key.Holder)
		if e == nil || err != nil {
			return err
		}
		old, err := r.l.ProblemsOf(ctx, key.Holder)
		if err != nil {
			return err
		}
		ps := slices.DeleteFunc(slices.Clone(old), func(p plan.Problem) bool { return p.Code == codeRefDoubt && p.Attribute == key.Attribute })
		if why != "" {
			ps = append(ps, plan.Problem{Object: key.Holder, Name: e.Object.DN, Problem: mapping.Problem{Code: codeRefDoubt, Attribute: key.Attribute,
				Message: "the source told a set that doesn't say who is gone: " + why,
				Remedy:  "see that the sync account may read the attribute and what it points at; a complete read then tells the set anew",
			}})
		}
		return r.setProblems(ctx, key.Holder, ps)
	})
}
