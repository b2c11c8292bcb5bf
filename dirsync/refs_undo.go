package dirsync

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// refer is the inverse of a change of references, as far as the target still has
// what the run made of them.
func (u *undoing) refer(ctx context.Context, s ledger.Step, a *account) (*plan.Change, error) {
	if !a.link.Binned.IsZero() {
		return nil, u.cannot(s, a, s.Refer.Attribute, "the object is deleted")
	}
	x := &plan.Refer{Attribute: s.Refer.Attribute}
	changed := 0
	for _, d := range []struct {
		ids []source.ID
		is  ledger.Certainty
		to  *[]source.ID
	}{{s.Refer.Remove, ledger.No, &x.Add}, {s.Refer.Add, ledger.Yes, &x.Remove}} {
		for _, id := range d.ids {
			now, err := u.r.l.Ref(ctx, ledger.RefKey{Holder: s.Source, Attribute: x.Attribute, To: id})
			if err != nil {
				return nil, err
			}
			if now == nil {
				now = &ledger.Ref{}
			}
			if now.Applied != d.is {
				changed++
				continue
			}
			*d.to = append(*d.to, id)
		}
	}
	if x.Attribute == target.RefManager && changed > 0 {
		return nil, u.cannot(s, a, x.Attribute, "the manager was changed again since")
	}
	if changed > 0 {
		if err := u.cannot(s, a, x.Attribute, fmt.Sprintf("%d of its %s were changed again since", changed, x.Attribute)); err != nil {
			return nil, err
		}
	}
	if len(x.Add)+len(x.Remove) == 0 {
		return nil, nil
	}
	c := u.change(s, a, target.Refer, nil)
	c.Refer, c.Part = x, s.Part
	return c, nil
}

// holdUndone holds back what a synchronization would do to what was undone.
func (r *run) holdUndone(ctx context.Context, in *ledger.Intent, done *plan.Refer) error {
	for _, ids := range [][]source.ID{done.Add, done.Remove} {
		for _, to := range ids {
			k := ledger.RefKey{Holder: in.Change.Source, Attribute: done.Attribute, To: to}
			due, err := r.l.RefDue(ctx, k)
			if err != nil {
				return err
			}
			if due == nil {
				continue // the source agrees
			}
			due.Held = &ledger.Hold{Why: heldUndone, Of: strconv.FormatUint(in.Undo, 10), By: in.Approver, At: time.Now().UTC()}
			if err := r.l.SetRefDue(k, *due); err != nil {
				return err
			}
		}
	}
	return nil
}
