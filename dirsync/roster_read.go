package dirsync

import (
	"context"
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
)

// byGroup reports whether the scope asks who is a member of groups.
func (r *run) byGroup() bool { return r.opt.Scope != nil && len(r.opt.Scope.Groups) > 0 }

// observeGroup remembers what the source says of a group by whose members the
// scope goes: how it is called, and whether it is there. What is known of its
// members stays. One that is given anew tells them whole again.
func (r *run) observeGroup(ctx context.Context, ev source.Event) error {
	o := ev.Object
	if !r.byGroup() || o.ID == "" || ev.Op == source.Checkpoint || ev.Op == source.Upsert && o.Kind != source.Group {
		return nil
	}
	old, err := r.l.Roster(ctx, o.ID)
	if old == nil || err != nil {
		return err
	}
	now := *old
	if now.Home != r.from.home { // as with containers
		if ev.Op != source.Upsert || old.State == "" && old.DN != "" && r.prior(old.Home, r.from.home) {
			return nil
		}
		now.Home = r.from.home
	}
	switch ev.Op {
	case source.Upsert:
		now.DN, now.Parent, now.State = o.DN, o.Parent, ""
		now.Whole = old.Whole && old.State == ""
	case source.Left:
		now.State = ledger.RosterLeft
	case source.Deleted:
		now.State = ledger.RosterDeleted
	case source.Unreadable:
		now.State = ledger.RosterUnreadable
	}
	if now == *old {
		return nil
	}
	if now.State != old.State {
		r.l.SetRegroup(o.ID)
	}
	return r.l.SetRoster(o.ID, &now)
}

// missGroups notes which groups a complete read of o (nil: of all sources) didn't
// give, and nobody found.
func (r *run) missGroups(ctx context.Context, o *origin) error {
	if !r.byGroup() {
		return nil
	}
	var missed []source.ID
	for k, err := range r.l.Rosters(ctx) {
		if err != nil {
			return err
		}
		if k.Value.State == "" && !r.seen.has(k.ID) && (o == nil || k.Value.Home == o.home) {
			missed = append(missed, k.ID)
		}
	}
	for _, id := range missed {
		if err := r.missGroup(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) missGroup(ctx context.Context, id source.ID) error {
	return r.unit(ctx, func() error {
		t, err := r.l.Roster(ctx, id)
		if t == nil || err != nil {
			return err
		}
		t.State = ledger.RosterMissing
		r.l.SetRegroup(id)
		return r.l.SetRoster(id, t)
	})
}

// takeMembers remembers whom a group holds by which the scope goes, in units of its
// own, as takeRefs does it for what is synchronized.
func (r *run) takeMembers(ctx context.Context, id source.ID, x *source.References) error {
	if !r.byGroup() || x.Attribute != "member" {
		return nil
	}
	if t, err := r.l.Roster(ctx, id); t == nil || err != nil {
		return err
	}
	key := ledger.RefKey{Holder: id, Attribute: x.Attribute} // the source's word, unlike target.RefMembers
	set := r.telling(key, x)
	if err := r.setMembers(ctx, id, x.Remove, false); err != nil {
		return err
	}
	if err := r.setMembers(ctx, id, x.Add, true); err != nil {
		return err
	}
	r.refs.emptied.told(key, x)
	seen, strange, whole := r.ended(key, set, x)
	switch {
	case !whole:
		return nil
	case len(seen)+strange == 0:
		return r.emptyGroup(ctx, key)
	}
	return r.keepMembers(ctx, id, seen, strange == 0)
}

// setMembers notes that a group holds ids, or doesn't any more.
func (r *run) setMembers(ctx context.Context, group source.ID, ids []source.ID, is bool) error {
	for part := range slices.Chunk(ids, refsAtOnce) {
		err := r.unit(ctx, func() error {
			t, err := r.l.Roster(ctx, group)
			if t == nil || err != nil {
				return err
			}
			n := 0
			for _, id := range part {
				news, err := r.l.SetRostered(ctx, group, id, is)
				if err != nil {
					return err
				}
				if news {
					r.l.SetRegroup(id)
					n++
				}
			}
			if n == 0 {
				return nil
			}
			if !is {
				n = -n
			}
			t.Members += n
			return r.l.SetRoster(group, t)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// keepMembers notes that all members of a group were told: those whose hashes are
// in seen, which is in order. Without proof of who is gone, whoever was in it stays.
func (r *run) keepMembers(ctx context.Context, group source.ID, seen []uint64, proven bool) error {
	t, err := r.l.Roster(ctx, group)
	if t == nil || err != nil {
		return err
	}
	if !proven {
		r.warn(Warning{Code: "scope-group-doubtful", Message: fmt.Sprintf("the group %s of the scope was told in a way that doesn't say who left it", group),
			Remedy: "see that the sync account may read member, and what it points at; whoever was in it stays in scope"})
	}
	if t.Members > len(seen) && proven {
		var gone []source.ID
		for id, err := range r.l.Rostered(ctx, group) {
			if err != nil {
				return err
			}
			if _, found := slices.BinarySearch(seen, hashOf(id)); !found {
				gone = append(gone, id)
			}
		}
		if err := r.setMembers(ctx, group, gone, false); err != nil {
			return err
		}
	}
	if t.Whole {
		return nil
	}
	return r.unit(ctx, func() error {
		if t, err = r.l.Roster(ctx, group); t == nil || err != nil {
			return err
		}
		t.Whole, t.Known = true, true
		r.l.SetRegroup(group)
		return r.l.SetRoster(group, t)
	})
}
