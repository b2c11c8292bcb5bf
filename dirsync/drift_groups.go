package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// purgedThere: the target says that somebody deleted the group of e for good, it
// isn't there, and it isn't in the bin. It is made anew, since its unique name
// lets no second one be made, and filled; what others tied to the old one's ID is
// lost. That it can't be found would not be reason enough.
func (r *run) purgedThere(ctx context.Context, e *ledger.Entry, d *ledger.Drift) error {
	if _, known := d.Left[""]; !known {
		r.report.Drifted++
	}
	if r.keeps(d, "", nil, nil) {
		d.Gone = true
		return nil
	}
	if e.Owned() {
		r.facts.Own(e.Kind(), -1)
	}
	if err := r.releaseNames(ctx, e); err != nil {
		return err
	}
	if err := r.wake(ctx, e.Object.ID, ledger.Wake{Lost: true}); err != nil {
		return err
	}
	r.l.ClearOwner(e.Link.ID)
	e.Link, e.Applied, e.Unsure, e.MayLive = nil, nil, nil, false
	d.Account = "" // what comes of it goes for the new one
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	return r.markDue(ctx, e.Object.ID, whyDeletedThere)
}

// sweepAll has the references of all of our groups looked at.
func (r *run) sweepAll(ctx context.Context) error {
	if add, _ := target.RefBatch(r.tgt, target.Group, target.RefMembers); add == 0 || r.facts.Groups == 0 {
		return nil
	}
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return err
		}
		if !k.Value.Linked {
			continue
		}
		e, err := r.l.Entry(ctx, k.ID)
		if err != nil {
			return err
		}
		if e != nil && e.Kind() == target.Group {
			r.l.SetRefSweep(k.ID)
		}
	}
	return r.l.Flush(ctx)
}

// sweepLater has all references of an object looked at by the next run.
func (r *run) sweepLater(id source.ID) {
	if r.opt.Drift != IgnoreDrift {
		r.l.SetRefSweep(id)
	}
}

// forgetRefDrift is forgetDrift for references.
func (r *run) forgetRefDrift(ctx context.Context) error {
	for k, err := range r.l.RefLooks(ctx) {
		if err != nil {
			return err
		}
		r.l.ClearRefLook(k.RefSpot)
	}
	for id, err := range r.l.RefSweeps(ctx) {
		if err != nil {
			return err
		}
		r.l.ClearRefSweep(id)
	}
	var holders []source.ID // whose problems say something of it, perhaps
	for k, err := range r.l.RefDrifts(ctx, "") {
		if err != nil {
			return err
		}
		if n := len(holders); n == 0 || holders[n-1] != k.Holder {
			holders = append(holders, k.Holder)
		}
		if err := r.unit(ctx, func() error { return r.setRefDrift(ctx, k, nil) }); err != nil {
			return err
		}
	}
	for _, id := range holders {
		e, err := r.l.Entry(ctx, id)
		if e == nil && err == nil {
			continue
		}
		if err == nil {
			err = r.unit(ctx, func() error { return r.tellRefDrift(ctx, e) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// strangers are the names of the accounts that aren't ours and to which those of
// due refer that are there.
func (r *run) strangers(ctx context.Context, due []ledger.RefToLook, is []bool) (names map[target.ID]map[string]string, told, err error) {
	var keys []target.Key
	for i, k := range due {
		owner, err := r.l.Owner(ctx, k.To)
		if err != nil {
			return nil, nil, err
		}
		if is[i] && owner == "" {
			keys = append(keys, target.Key{ID: k.To})
		}
	}
	if len(keys) == 0 {
		return nil, nil, nil
	}
	names = map[target.ID]map[string]string{}
	for _, kind := range target.Kinds(r.tgt) {
		found, err := target.Find(ctx, r.tgt, kind, keys)
		if err != nil {
			return nil, err, nil
		}
		for _, objects := range found {
			for _, o := range objects {
				names[o.ID] = map[string]string{target.AttrAnchor: o.Anchor, target.AttrMail: o.Attributes.First(target.AttrMail),
					target.AttrUserPrincipalName: o.Attributes.First(target.AttrUserPrincipalName)}
			}
		}
	}
	return names, nil, nil
}

// keepsPlace reports whether an account with these names is that of an object to
// which the source wants the holder of k to refer, by all that can be seen. It
// waits to be adopted, and keeps its place meanwhile.
func (r *run) keepsPlace(ctx context.Context, k ledger.RefKey, names map[string]string) (bool, error) {
	for _, attr := range []string{target.AttrAnchor, target.AttrUserPrincipalName, target.AttrMail} {
		value := names[attr]
		if value == "" {
			continue
		}
		ids, err := r.l.Claimants(ctx, attr, value)
		if err != nil {
			return false, err
		}
		for _, id := range ids {
			x, err := r.l.Ref(ctx, ledger.RefKey{Holder: k.Holder, Attribute: k.Attribute, To: id})
			if err != nil {
				return false, err
			}
			if x == nil || !x.Wanted {
				continue
			}
			set, err := r.l.RefSet(ctx, k.Holder, k.Attribute)
			if err != nil {
				return false, err
			}
			set.Awaits = true
			return true, r.l.SetRefSet(k.Holder, k.Attribute, set)
		}
	}
	return false, nil
}

// toldWhole notes that the source told a whole set. If that is news, what others
// may have done to it is looked at.
func (r *run) toldWhole(ctx context.Context, key ledger.RefKey) error {
	if r.facts.Behind {
		if r.refs.whole == nil {
			r.refs.whole = map[ledger.RefKey]bool{}
		}
		r.refs.whole[key] = true
	}
	set, err := r.l.RefSet(ctx, key.Holder, key.Attribute)
	if err != nil || set.Told {
		return err
	}
	return r.unit(ctx, func() error {
		set.Told = true
		r.sweepLater(key.Holder)
		return r.l.SetRefSet(key.Holder, key.Attribute, set)
	})
}

// untold notes that the state was behind, of the sets of e that the source didn't
// tell since: nobody is removed because it isn't known who put them there.
func (r *run) untold(ctx context.Context, e *ledger.Entry) error {
	for _, attr := range []string{target.RefMembers, target.RefOwners} {
		if r.refs.whole[ledger.RefKey{Holder: e.Object.ID, Attribute: attr}] {
			continue
		}
		set, err := r.l.RefSet(ctx, e.Object.ID, attr)
		if err != nil {
			return err
		}
		if !set.Told {
			continue
		}
		set.Told = false
		if err := r.l.SetRefSet(e.Object.ID, attr, set); err != nil {
			return err
		}
	}
	return nil
}

// leavesAdded reports whether what others add to a set stays: the source hasn't
// said whom it wants. Of members it may want none; of owners and managers it has
// named at least one, or what others write is theirs, as with attributes. The
// manager is one: whoever took the place is replaced, not removed.
func leavesAdded(attr string, set ledger.RefSet) bool {
	return !set.Told || attr == target.RefManager || attr != target.RefMembers && set.Wanted == 0
}
