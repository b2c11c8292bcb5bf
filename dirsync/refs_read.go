package dirsync

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// refsAtOnce is how many references go into one unit.
const refsAtOnce = 500

// A telling is a whole set that is being told: hashes of what came so far, eight
// bytes for each.
type telling struct {
	seen    []uint64
	strange int // values that the source can't identify
}

var refSeed = maphash.MakeSeed()

func hashOf(id source.ID) uint64 { return maphash.String(refSeed, string(id)) }

// takeRefs remembers what an object says about others, in units of its own: what
// came is true even if the rest doesn't come. Nothing is decided here.
func (r *run) takeRefs(ctx context.Context, ev source.Event) error {
	x, id := ev.References, ev.Object.ID
	if x == nil || id == "" {
		return fmt.Errorf("the source yielded references without saying whose or which (%s)", ev.Object.DN)
	}
	if err := r.takeMembers(ctx, id, x); err != nil {
		return err
	}
	attr, kind := refAttributes[x.Attribute], target.User
	if ev.Object.Kind == source.Group {
		kind = target.Group
	}
	if add, _ := target.RefBatch(r.tgt, kind, attr); attr == "" || add == 0 {
		return nil // the target can't hold them
	}
	if r.several() {
		h, err := r.l.Head(ctx, id)
		if err != nil || h != nil && h.Home != r.from.home {
			return err
		}
	}
	r.report.ReferencesUnknown += x.Unidentified
	key := ledger.RefKey{Holder: id, Attribute: attr}
	set := r.telling(key, x)
	if err := r.wantRefs(ctx, key, x.Remove, false); err != nil {
		return err
	}
	if err := r.wantRefs(ctx, key, x.Add, true); err != nil {
		return err
	}
	if attr == target.RefManager && len(x.Add) > 0 {
		// There is one: the last that was told.
		if err := r.keepOnly(ctx, key, []uint64{hashOf(x.Add[len(x.Add)-1])}); err != nil {
			return err
		}
	}
	r.refs.emptied.told(key, x)
	seen, strange, whole := r.ended(key, set, x)
	switch {
	case !whole:
		return nil
	case strange > 0:
		return r.doubtSet(ctx, key, fmt.Sprintf("%d values of its %s can't be identified: who isn't among the others stays", strange, attr))
	case len(seen) == 0:
		return r.emptySet(ctx, key, x.Attribute)
	}
	return r.takeWhole(ctx, key, seen)
}

// takeWhole takes seen, in order, for the whole set.
func (r *run) takeWhole(ctx context.Context, key ledger.RefKey, seen []uint64) error {
	if err := r.toldWhole(ctx, key); err != nil {
		return err
	}
	return r.keepOnly(ctx, key, seen)
}

// telling is the set of which x tells a part, nil if x is a difference.
func (r *run) telling(key ledger.RefKey, x *source.References) *telling {
	set := r.refs.told[key]
	switch {
	case x.First:
		if r.refs.told == nil {
			r.refs.told = map[ledger.RefKey]*telling{}
		}
		set = &telling{}
		r.refs.told[key] = set
	case len(x.Remove) > 0: // a difference: what was begun before doesn't end any more
		delete(r.refs.told, key)
		set = nil
	}
	return set
}

// ended adds what x tells to the set; with the last of it, the hashes of all
// are returned, in order, and how many couldn't be identified.
func (r *run) ended(key ledger.RefKey, set *telling, x *source.References) (seen []uint64, strange int, whole bool) {
	if set == nil {
		return nil, 0, false
	}
	for _, to := range x.Add {
		set.seen = append(set.seen, hashOf(to))
	}
	set.strange += x.Unidentified
	if !x.Last {
		return nil, 0, false
	}
	delete(r.refs.told, key)
	slices.Sort(set.seen)
	return slices.Compact(set.seen), set.strange, true
}

// wantRefs notes that the source says, or says no more, that the holder refers
// to ids.
func (r *run) wantRefs(ctx context.Context, key ledger.RefKey, ids []source.ID, wanted bool) error {
	for part := range slices.Chunk(ids, refsAtOnce) {
		err := r.unit(ctx, func() error {
			for _, to := range part {
				key.To = to
				if err := r.wantRef(ctx, key, wanted); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) wantRef(ctx context.Context, k ledger.RefKey, wanted bool) error {
	x, err := r.l.Ref(ctx, k)
	if err != nil || x == nil && !wanted || x != nil && x.Wanted == wanted {
		return err
	}
	n := ledger.Ref{}
	if x != nil {
		n = *x
	}
	n.Wanted, n.Standing = wanted, ledger.Plain
	return r.setRef(ctx, k, x, n)
}

// keepOnly notes that the source wants nothing of the set but what is in seen,
// which is in order. If that are as many as are wanted, they are the same, and nothing is
// looked at.
func (r *run) keepOnly(ctx context.Context, key ledger.RefKey, seen []uint64) error {
	set, err := r.l.RefSet(ctx, key.Holder, key.Attribute)
	if err == nil && set.Doubt {
		err = r.doubtSet(ctx, key, "")
	}
	if err != nil || set.Wanted <= len(seen) {
		return err
	}
	return r.each(ctx, r.l.Refs(ctx, key.Holder, key.Attribute), func(k ledger.RefKey) error {
		if _, found := slices.BinarySearch(seen, hashOf(k.To)); found {
			return nil
		}
		return r.wantRef(ctx, k, false)
	})
}

// holdCheckpoint keeps a watermark back that came between the first and the last
// part of a set, or before it is confirmed that one is empty: a read from there
// would not tell that set whole.
func (r *run) holdCheckpoint(w source.Watermark) bool {
	if len(r.refs.told)+len(r.refs.emptied) == 0 {
		r.refs.passed = nil
		return false
	}
	r.refs.passed = &w
	return true
}

// passCheckpoint passes it at the end of the read: sets that haven't ended by now
// never will.
func (r *run) passCheckpoint(ctx context.Context) error {
	w := r.refs.passed
	r.refs.told, r.refs.passed = nil, nil
	if w == nil {
		return nil
	}
	return r.l.Unit(ctx, func() error { return r.setWatermark(*w) })
}
