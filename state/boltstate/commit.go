package boltstate

import (
	"cmp"
	"context"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
)

// Commit makes all the writes, in order, or none. A Check sees what the writes
// before it in the same commit did. When Commit returns nil, the file was synced.
//
// Commits happen one after the other. Waiting for a turn ends with ctx; once
// begun, a commit is brought to its end.
func (s *Store) Commit(ctx context.Context, writes ...state.Write) error {
	if len(writes) == 0 {
		return nil
	}
	if err := state.ValidWrites(writes); err != nil {
		return fmt.Errorf("boltstate: commit: %w", err)
	}
	if s.readOnly {
		return fmt.Errorf("boltstate: commit: %w", cmp.Or(s.usable(ctx), ErrReadOnly))
	}
	err := s.update(ctx, func(tx *bbolt.Tx) error {
		meta := tx.Bucket(metaBucket)
		sums, err := unsealTotals(meta.Get(totalsKey))
		if err != nil {
			return err
		}
		records := tx.Bucket(recordsBucket)
		for _, w := range writes {
			if err := write(records, &sums, w); err != nil {
				return err
			}
		}
		return meta.Put(totalsKey, sums.seal())
	})
	if err != nil {
		return fmt.Errorf("boltstate: commit: %w", err)
	}
	return nil
}

// write makes one write and keeps the totals in step with it. The record that is
// there is checked first: nothing is decided on a damaged one, and overwriting
// it would hide that the file is going bad.
func write(records *bbolt.Bucket, sums *totals, w state.Write) error {
	key := []byte(w.Key)
	var revision uint64
	if stored := records.Get(key); stored != nil {
		var sum uint32
		var err error
		if revision, sum, _, err = unsealRecord(key, stored); err != nil {
			return err
		}
		sums.records--
		sums.sum -= uint64(sum)
	}
	if w.Check && w.Revision != revision {
		return fmt.Errorf("write %q at revision %d, but it is at %d: %w", w.Key, w.Revision, revision, state.ErrConflict)
	}
	sums.revision++
	if w.Delete {
		return records.Delete(key)
	}
	stored, sum := seal(key, sums.revision, w.Value)
	sums.records++
	sums.sum += uint64(sum)
	return records.Put(key, stored)
}
