package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// settleOpenRefs takes up the changes of references that were on the wire when an
// earlier run died. They may have been made: that counts for the budgets, and
// what is wanted now is written again.
func (r *run) settleOpenRefs(ctx context.Context) error {
	if r.dry || r.keeping || !r.refers() {
		return nil
	}
	for k, err := range r.l.RefIntents(ctx) {
		if err != nil {
			return err
		}
		in := &k.Value
		err := r.unit(ctx, func() error {
			if err := r.noteCall(ctx, in, audit.OutcomeInterrupted, target.Result{}, false); err != nil {
				return err
			}
			for _, ids := range [][]source.ID{in.Change.Refer.Add, in.Change.Refer.Remove} {
				for _, to := range ids {
					k := ledger.RefKey{Holder: in.Change.Source, Attribute: in.Change.Refer.Attribute, To: to}
					if err := r.applied(ctx, k, ledger.Unsure); err != nil {
						return err
					}
				}
			}
			if in.Approver == "" {
				if err := r.spendRefs(ctx, &in.Change); err != nil {
					return err
				}
			}
			if r.kept != nil && r.kept.Undo == in.Undo {
				r.l.ClearChange(r.kept.Area, &in.Change)
			}
			r.l.ClearRefIntent(in.Change.Source)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return r.l.Flush(ctx)
}
