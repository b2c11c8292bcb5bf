package dirsync

import (
	"context"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
)

// moveRefs has what the target holds of references at both ends of an account
// follow the account from one object to another. What the source says of either
// object stays as it is: what it doesn't say of the new one is removed. A bin
// keeps references or not. It belongs into the unit in which the account moves.
func (r *run) moveRefs(ctx context.Context, from, to source.ID, binned bool) error {
	if !r.refers() {
		return nil
	}
	var keys []ledger.RefKey
	for k, err := range r.l.RefsTo(ctx, from) {
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	for k, err := range r.l.Refs(ctx, from, "") {
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	for _, k := range keys {
		x, err := r.l.Ref(ctx, k)
		if err != nil {
			return err
		}
		if x == nil || x.Applied == ledger.No {
			continue
		}
		has := x.Applied
		if binned {
			has = ledger.Unsure
		}
		if err := r.applied(ctx, k, ledger.No); err != nil {
			return err
		}
		if k.Holder == from {
			k.Holder = to
		}
		if k.To == from {
			k.To = to
		}
		if err := r.applied(ctx, k, has); err != nil {
			return err
		}
	}
	return nil
}
