package dirsync

import (
	"context"
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// wake has everything that concerns the references of id, and those to it,
// looked at again. It belongs into the unit in which that happens.
func (r *run) wake(ctx context.Context, id source.ID, w ledger.Wake) error {
	if !r.refers() {
		return nil
	}
	return r.l.SetWake(ctx, id, w)
}

// rouse wakes what waits for the account of e: it has one, or gets it by c.
func (r *run) rouse(ctx context.Context, e *ledger.Entry, in plan.Input, c *plan.Change) error {
	if e.Presence != plan.Present || in.Result.Skip != nil || !r.refers() {
		return nil
	}
	if !e.Owned() && (c == nil || c.Op != target.Create && c.Op != target.Restore) {
		return nil
	}
	waits, err := r.l.RefWait(ctx, e.Object.ID)
	if !waits || err != nil {
		return err
	}
	return r.l.SetWake(ctx, e.Object.ID, ledger.Wake{})
}

// expect notes what becomes of an object by c, for the references that are
// planned behind it.
func (r *run) expect(ctx context.Context, c *plan.Change) error {
	switch c.Op {
	case target.Create, target.Restore:
		r.refs.coming.add(c.Source)
	case target.Delete:
		r.refs.going.add(c.Source)
		if c.Kind != target.User || !r.refers() {
			return nil
		}
		for k, err := range r.l.RefsTo(ctx, c.Source) {
			if err != nil {
				return err
			}
			if k.Attribute != target.RefMembers {
				continue
			}
			if x, err := r.l.Ref(ctx, k); err != nil {
				return err
			} else if x != nil && x.Applied != ledger.No {
				c.Leaves = append(c.Leaves, k.Holder)
			}
		}
	}
	return nil
}

// wakeRefs makes due what was woken, in units of its own: a crash repeats it.
func (r *run) wakeRefs(ctx context.Context) error {
	for w, err := range r.l.Wakes(ctx) {
		if err != nil {
			return err
		}
		if waits, err := r.waitsToBeTold(ctx, w); waits || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		e, err := r.l.Entry(ctx, w.ID)
		if err != nil {
			return err
		}
		remains, goes, err := r.remains(ctx, e)
		if err != nil {
			return err
		}
		if goes {
			continue // what becomes of it is known when it is settled
		}
		if w.Value.Lost {
			if err := r.each(ctx, r.l.Refs(ctx, w.ID, ""), func(k ledger.RefKey) error { return r.applied(ctx, k, ledger.No) }); err != nil {
				return err
			}
		}
		if (w.Value.Restored || w.Value.Compare) && e != nil && e.Owned() {
			if err := r.compareRefs(ctx, e); err != nil {
				return err
			}
			r.sweepLater(w.ID) // for what others did to it before, and in the bin
		}
		err = r.each(ctx, r.l.RefsTo(ctx, w.ID), func(k ledger.RefKey) error {
			if err := r.doubtRef(ctx, k, w.Value); err != nil || !remains {
				return err
			}
			return r.takeOut(ctx, k)
		})
		if err != nil {
			return err
		}
		still := false
		if w.Value.Adopted && e != nil && e.Owned() {
			taken, err := r.takeRefsOver(ctx, e)
			if err != nil {
				return err
			}
			still = !taken
		}
		err = r.unit(ctx, func() error {
			r.l.SetRefHead(w.ID)
			r.l.ClearRefWait(w.ID)
			r.l.ClearWake(w.ID)
			if still {
				return r.l.SetWake(ctx, w.ID, ledger.Wake{Adopted: true})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// each calls f for each of keys, in a unit of its own.
func (r *run) each(ctx context.Context, keys func(func(ledger.RefKey, error) bool), f func(ledger.RefKey) error) error {
	for k, err := range keys {
		if err != nil {
			return err
		}
		if err := r.unit(ctx, func() error { return f(k) }); err != nil {
			return err
		}
	}
	return nil
}

// doubtRef looks again at a reference to an object to which w happened. One that the
// target had is in doubt: a bin keeps it, and nobody tells what became of it.
func (r *run) doubtRef(ctx context.Context, k ledger.RefKey, w ledger.Wake) error {
	x, err := r.l.Ref(ctx, k)
	if x == nil || err != nil {
		return err
	}
	n := *x
	n.Standing = ledger.Plain
	switch {
	case w.Lost:
		n.Applied = ledger.No
	case (w.Binned || w.Restored) && n.Applied == ledger.Yes:
		n.Applied = ledger.Unsure
	}
	return r.setRef(ctx, k, x, n)
}

// compareRefs makes what the account of e refers to at the target what is applied. It
// came out of the bin with what it had, or the state was behind. What isn't ours
// among it isn't looked at. If the target can't tell, each is written once more.
func (r *run) compareRefs(ctx context.Context, e *ledger.Entry) error {
	id := e.Object.ID
	err := r.each(ctx, r.l.Refs(ctx, id, ""), func(k ledger.RefKey) error {
		x, err := r.l.Ref(ctx, k)
		if x == nil || x.Applied != ledger.Yes || err != nil {
			return err
		}
		return r.applied(ctx, k, ledger.Unsure)
	})
	if err != nil || e.Kind() != target.Group {
		return err
	}
	for _, attr := range []string{target.RefMembers, target.RefOwners} {
		if add, _ := target.RefBatch(r.tgt, e.Kind(), attr); add == 0 {
			continue
		}
		for to, err := range target.ReadRefs(ctx, r.tgt, e.Kind(), e.Link.ID, attr) {
			if errors.Is(err, target.ErrNotFound) || errors.Is(err, target.ErrNotYet) || errors.Is(err, errors.ErrUnsupported) {
				break // it doesn't show it yet, or can't
			}
			if err != nil {
				return fmt.Errorf("read the %s of group %s at the target: %w", attr, id, err)
			}
			err := r.unit(ctx, func() error {
				owner, err := r.l.Owner(ctx, to)
				if owner == "" || err != nil {
					return err
				}
				k := ledger.RefKey{Holder: id, Attribute: attr, To: owner}
				x, err := r.l.Ref(ctx, k)
				if x == nil || err != nil {
					return err
				}
				return r.applied(ctx, k, ledger.Yes)
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
