package dirsync

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// What others did to members and owners is found as it is with accounts: what a
// delta says, and what a look at everything shows, are reasons to look at single
// references, and only that decides.

// spotted returns the key under which a reference at the target is remembered: an
// account that isn't ours is named by its own ID.
func (r *run) spotted(ctx context.Context, s ledger.RefSpot) (ledger.RefKey, error) {
	owner, err := r.l.Owner(ctx, s.To)
	if owner == "" {
		owner = plan.Stranger(s.To)
	}
	return ledger.RefKey{Holder: s.Holder, Attribute: s.Attribute, To: owner}, err
}

// referred takes in what an event says of references of ours. It belongs into a
// unit.
func (r *run) referred(ctx context.Context, ev target.DeltaEvent) error {
	if len(ev.Refs) == 0 || !r.refers() {
		return nil
	}
	holder, err := r.l.Owner(ctx, ev.Object.ID)
	if holder == "" || err != nil {
		return err
	}
	e, err := r.l.Entry(ctx, holder)
	if e == nil || !e.Owned() || e.Link.ID != ev.Object.ID || err != nil {
		return err
	}
	for _, refs := range ev.Refs {
		if add, _ := target.RefBatch(r.tgt, e.Kind(), refs.Attribute); add == 0 {
			continue
		}
		for i, ids := range [][]target.ID{refs.Add, refs.Remove} {
			for _, to := range ids {
				if _, err := r.suspect(ctx, ledger.RefSpot{Holder: holder, Attribute: refs.Attribute, To: to}, i == 0); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// suspect has a reference looked at that the target seems to have, or not to
// have, if that isn't as it is known. Our own writes that come back are as they
// are known. has is whether we know it to be there.
func (r *run) suspect(ctx context.Context, s ledger.RefSpot, is bool) (has bool, err error) {
	k, err := r.spotted(ctx, s)
	if err != nil {
		return false, err
	}
	x, err := r.l.Ref(ctx, k)
	if err != nil {
		return false, err
	}
	d, err := r.l.RefDrift(ctx, k)
	if err != nil {
		return false, err
	}
	has = x != nil && x.Applied == ledger.Yes
	if (d == nil || !d.Left) && (is == has || x != nil && x.Applied == ledger.Unsure) {
		return has, nil // in doubt, it is written once more in any case
	}
	return has, r.l.SetRefLook(s, ledger.RefLook{})
}

// lookAtRefs looks at all references of the groups that are to be swept, then at
// the single ones that seem to have changed. told is why the target couldn't be
// asked.
func (r *run) lookAtRefs(ctx context.Context) (told, err error) {
	if !r.refers() {
		return nil, nil
	}
	for id, err := range r.l.RefSweeps(ctx) {
		if err != nil {
			return nil, err
		}
		if unread, err := r.homeUnread(ctx, id); err != nil {
			return nil, err
		} else if unread {
			continue
		}
		if told, err := r.sweep(ctx, id); told != nil || err != nil {
			return told, err
		}
	}
	var due []ledger.RefToLook // of one object and attribute
	flush := func() (told, err error) {
		for some := range slices.Chunk(due, lookBatch) {
			if told, err := r.lookAtSome(ctx, some); told != nil || err != nil {
				return told, err
			}
		}
		due = due[:0]
		return nil, nil
	}
	var all []ledger.RefToLook
	for k, err := range r.l.RefLooks(ctx) {
		if err != nil {
			return nil, err
		}
		if !time.Now().Before(k.After) {
			all = append(all, k)
		}
	}
	for _, k := range all {
		if unread, err := r.homeUnread(ctx, k.Holder); err != nil {
			return nil, err
		} else if unread {
			continue
		}
		if len(due) > 0 && (due[0].Holder != k.Holder || due[0].Attribute != k.Attribute) {
			if told, err := flush(); told != nil || err != nil {
				return told, err
			}
		}
		due = append(due, k)
	}
	return flush()
}

// refsReady says whether the references of an object can be looked at now: until
// tells from when on, if it is later; e is nil if there is nothing to look at.
func (r *run) refsReady(ctx context.Context, id source.ID) (e *ledger.Entry, until time.Time, err error) {
	e, err = r.l.Entry(ctx, id)
	if e == nil || !e.Owned() || err != nil {
		return nil, until, err
	}
	in, err := r.l.RefIntent(ctx, id)
	if err != nil {
		return nil, until, err
	}
	last, err := r.l.RefWrote(ctx, id)
	if err != nil {
		return nil, until, err
	}
	if e.Link.Since.After(last) {
		last = e.Link.Since
	}
	if until = last.Add(replication); in != nil {
		until = time.Now().Add(replication)
	}
	return e, until, nil
}

// sweep streams the references of one group and has all looked at that aren't as
// they are known. It keeps eight bytes for each that is: 400 kB for a group of
// 50,000.
func (r *run) sweep(ctx context.Context, id source.ID) (told, err error) {
	e, until, err := r.refsReady(ctx, id)
	if err != nil {
		return nil, err
	}
	if e != nil && time.Now().Before(until) {
		return nil, nil // the next run does it
	}
	for _, attr := range []string{target.RefMembers, target.RefOwners} {
		if e == nil {
			break
		}
		if add, _ := target.RefBatch(r.tgt, e.Kind(), attr); add == 0 {
			continue
		}
		told, err := r.sweepBy(ctx, e, attr)
		if errors.Is(told, target.ErrNotFound) || errors.Is(told, errors.ErrUnsupported) {
			break // it isn't there, which is found otherwise, or can't be read
		}
		if told != nil || err != nil {
			return told, err
		}
	}
	r.l.ClearRefSweep(id)
	return nil, nil
}

func (r *run) sweepBy(ctx context.Context, e *ledger.Entry, attr string) (told, err error) {
	id := e.Object.ID
	var seen []uint64
	for to, err := range target.ReadRefs(ctx, r.tgt, e.Kind(), e.Link.ID, attr) {
		if err != nil {
			return err, nil
		}
		err := r.unit(ctx, func() error {
			has, err := r.suspect(ctx, ledger.RefSpot{Holder: id, Attribute: attr, To: to}, true)
			if has {
				seen = append(seen, hashOf(source.ID(to)))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	slices.Sort(seen)
	seen = slices.Compact(seen)
	missing := func(k ledger.RefKey) error {
		to, err := r.accountAt(ctx, k.To)
		if to == "" || err != nil {
			return err
		}
		if _, found := slices.BinarySearch(seen, hashOf(source.ID(to))); found {
			return nil
		}
		_, err = r.suspect(ctx, ledger.RefSpot{Holder: id, Attribute: attr, To: to}, false)
		return err
	}
	set, err := r.l.RefSet(ctx, id, attr)
	if err == nil && set.Applied > len(seen) { // else the same
		err = r.each(ctx, r.l.Refs(ctx, id, attr), missing)
	}
	if err != nil {
		return nil, err
	}
	return nil, r.each(ctx, r.l.RefDrifts(ctx, id), func(k ledger.RefKey) error {
		d, err := r.l.RefDrift(ctx, k)
		switch {
		case err != nil || d == nil || k.Attribute != attr:
			return err
		case d.Left:
			return missing(k) // what others added may be gone again
		case time.Since(d.At) > quiet:
			return r.setRefDrift(ctx, k, nil)
		}
		return nil
	})
}

// accountAt is the account of an object or stranger, "" if there is no live one.
func (r *run) accountAt(ctx context.Context, id source.ID) (target.ID, error) {
	if account, is := plan.StrangerID(id); is {
		return account, nil
	}
	e, err := r.l.Entry(ctx, id)
	if e == nil || !e.Owned() || err != nil {
		return "", err
	}
	return e.Link.ID, nil
}

// lookAtSome looks at references of one object by one attribute.
func (r *run) lookAtSome(ctx context.Context, due []ledger.RefToLook) (told, err error) {
	holder, attr := due[0].Holder, due[0].Attribute
	e, until, err := r.refsReady(ctx, holder)
	if err != nil {
		return nil, err
	}
	all := func(f func(ledger.RefToLook) error) error {
		for _, k := range due {
			if err := r.unit(ctx, func() error { return f(k) }); err != nil {
				return err
			}
		}
		return nil
	}
	forget := func(k ledger.RefToLook) error {
		r.l.ClearRefLook(k.RefSpot)
		return nil
	}
	switch {
	case e == nil:
		return nil, all(forget)
	case time.Now().Before(until):
		return nil, all(func(k ledger.RefToLook) error {
			return r.l.SetRefLook(k.RefSpot, ledger.RefLook{After: until.UTC(), Last: k.Last})
		})
	}
	ids := make([]target.ID, len(due))
	for i, k := range due {
		ids[i] = k.To
	}
	is, err := target.FindRefs(ctx, r.tgt, e.Kind(), e.Link.ID, attr, ids)
	switch {
	case errors.Is(err, target.ErrNotFound), errors.Is(err, errors.ErrUnsupported):
		return nil, all(forget) // the group itself is looked at when its deletion is told
	case err != nil:
		return err, nil
	case len(is) != len(ids):
		return errors.New("the target answered for other references than it was asked for"), nil
	}
	names, told, err := r.strangers(ctx, due, is)
	if told != nil || err != nil {
		return told, err
	}
	for i, k := range due {
		if err := r.unit(ctx, func() error { return r.compareRef(ctx, e, k, is[i], names[k.To]) }); err != nil {
			return nil, err
		}
	}
	return nil, r.unit(ctx, func() error { return r.tellRefDrift(ctx, e) })
}
