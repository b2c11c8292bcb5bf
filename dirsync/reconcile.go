package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// reconcile takes over from the target what our accounts really hold, after a
// state that is older than what was done: it may believe that a value is as it
// should be which was changed twice since. Planning then writes the difference.
func (r *run) reconcile(ctx context.Context) error {
	if !r.facts.Behind || r.dry || r.only != nil {
		return nil
	}
	seen := newIDSet()
	for o, err := range r.tgt.Current(ctx) {
		if err != nil {
			return fmt.Errorf("read the target's objects: %w", err)
		}
		owner, err := r.l.Owner(ctx, o.ID)
		if err != nil {
			return err
		}
		if owner == "" {
			continue
		}
		seen.add(owner)
		err = r.unit(ctx, func() error {
			e, err := r.l.Entry(ctx, owner)
			if e == nil || e.Link == nil || err != nil {
				return err
			}
			if err := r.wake(ctx, owner, ledger.Wake{Compare: true}); err != nil {
				return err
			}
			if err := r.untold(ctx, e); err != nil {
				return err
			}
			return r.takeOver(ctx, e, o, "the state was behind")
		})
		if err != nil {
			return err
		}
	}
	// What the target doesn't show is in its bin, or it can't be told.
	var unseen []*ledger.Entry
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return err
		}
		if !k.Value.Linked || seen.has(k.ID) {
			continue
		}
		e, err := r.l.Entry(ctx, k.ID)
		if err != nil {
			return err
		}
		unseen = append(unseen, e)
	}
	for _, e := range unseen {
		_, err := target.FindDeleted(ctx, r.tgt, e.Kind(), e.Link.ID)
		switch {
		case errors.Is(err, target.ErrNotFound), errors.Is(err, errors.ErrUnsupported):
			// It may just not be shown yet: what it holds is written once more.
			err := r.unit(ctx, func() error {
				if err := r.unsure(e, e.Applied.Names()); err != nil {
					return err
				}
				return r.markDue(ctx, e.Object.ID, "the state was behind")
			})
			if err != nil {
				return err
			}
			continue
		case err != nil:
			return fmt.Errorf("read the target's bin: %w", err)
		}
		err = r.unit(ctx, func() error {
			if err := r.binned(ctx, e); err != nil {
				return err
			}
			return r.markDue(ctx, e.Object.ID, "the state was behind")
		})
		if err != nil {
			return err
		}
	}
	r.facts.Behind = false
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// takeOver makes what o, the account of e, holds what was last applied to e. An attribute that the
// target doesn't give may be empty or not told: it is written again.
func (r *run) takeOver(ctx context.Context, e *ledger.Entry, o target.Object, why string) error {
	if err := r.noteForeign(ctx, e, o.Foreign); err != nil {
		return err
	}
	old, owned := e.Applied.Clone(), e.Owned()
	if !owned {
		old, e.Link.Binned = nil, time.Time{} // out of the bin again
		r.facts.Own(e.Kind(), 1)
		if err := r.wake(ctx, e.Object.ID, ledger.Wake{Restored: true}); err != nil {
			return err
		}
	}
	if e.Applied == nil {
		e.Applied = target.Attributes{}
	}
	changed := !owned
	for attr, v := range o.Attributes {
		if len(v) > 0 && !slices.Equal(v, e.Applied[attr]) {
			e.Applied[attr] = slices.Clone(v)
			changed = true
		}
	}
	for attr := range e.Applied {
		if len(o.Attributes[attr]) == 0 && !slices.Contains(e.Unsure, attr) {
			e.Unsure = append(e.Unsure, attr)
			changed = true
		}
	}
	if !changed {
		return nil
	}
	slices.Sort(e.Unsure)
	if err := r.holds(ctx, e, old); err != nil {
		return err
	}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	return r.markDue(ctx, e.Object.ID, why)
}

// holds notes which names e holds, after others than old became known to be
// applied.
func (r *run) holds(ctx context.Context, e *ledger.Entry, old target.Attributes) error {
	for _, attr := range uniques {
		was, is := uniqueValue(e.Kind(), old, attr), uniqueValue(e.Kind(), e.Applied, attr)
		if was == is {
			continue
		}
		if err := r.l.SetHolder(ctx, attr, was, is, e.Object.ID); err != nil {
			return err
		}
		if err := r.freed(ctx, attr, was, e.Object.ID); err != nil {
			return err
		}
	}
	return nil
}

// doubt has the attributes of c written again, since it isn't known whether c was
// made. Which names the account of e has is looked up at once: whoever is removed
// gets no further write, and would keep others from a name that it doesn't have.
// Nothing else is taken over, since what is shown may be a little old. What can't
// be looked up is held to be as it was.
func (r *run) doubt(ctx context.Context, e *ledger.Entry, c *plan.Change) error {
	if c.Set.First(nameAttr(c.Kind))+c.Set.First(target.AttrMail) != "" && e.Owned() {
		found, err := target.Find(ctx, r.tgt, c.Kind, []target.Key{{ID: e.Link.ID}})
		if err == nil && len(found[0]) == 1 && found[0][0].ID == e.Link.ID {
			o := target.Object{ID: e.Link.ID, Attributes: e.Applied.Clone(), Foreign: found[0][0].Foreign}
			for _, attr := range uniques {
				if v := found[0][0].Attributes[attr]; len(v) > 0 {
					o.Attributes[attr] = v
				}
			}
			if err := r.takeOver(ctx, e, o, "what was written was in doubt"); err != nil {
				return err
			}
		}
	}
	return r.unsure(e, c.Set.Names())
}

// binned notes that the account of e is in the target's bin.
func (r *run) binned(ctx context.Context, e *ledger.Entry) error {
	if e.Owned() {
		r.facts.Own(e.Kind(), -1)
	}
	if err := r.wake(ctx, e.Object.ID, ledger.Wake{Binned: true}); err != nil {
		return err
	}
	e.Link.Binned, e.MayLive, e.Deleting = time.Now().UTC(), false, time.Time{}
	if err := r.releaseNames(ctx, e); err != nil {
		return err
	}
	return r.l.SetEntry(e)
}
