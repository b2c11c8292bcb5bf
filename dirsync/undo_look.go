package dirsync

import (
	"context"
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/target"
)

// lookBeforeUndo looks at the accounts of which an undoing overwrites values: what
// others changed since they were last looked at makes its plan another one, which
// isn't carried out then. What was written within the last quarter of an hour may
// not show yet, and is looked at later.
func (r *run) lookBeforeUndo(ctx context.Context, k *ledger.Kept) error {
	if r.opt.Drift == IgnoreDrift {
		return nil // what others write is nobody's concern
	}
	var looks []ledger.Keyed[ledger.Look]
	for c, err := range r.l.Plan(ctx, k.Area) {
		if err != nil {
			return err
		}
		if len(c.Set) > 0 && c.Op != target.Create {
			looks = append(looks, ledger.Keyed[ledger.Look]{ID: c.Source})
		}
	}
	size := lookBatch
	if _, finder := r.tgt.(target.Finder); !finder {
		size = max(1, len(looks))
	}
	for some := range slices.Chunk(looks, size) {
		if told, err := r.lookAt(ctx, some); err != nil {
			return err
		} else if told != nil {
			return fmt.Errorf("look at the accounts of which run %d is undone: %w", k.Undo, told)
		}
	}
	return nil
}
