package boltstate

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
)

// Check walks the whole file as [Open] does and has bbolt check it as well. What
// it finds wraps [state.ErrCorrupt]; a find means that the file should be put
// back from a copy or made anew (see the package's documentation).
//
// Commits wait meanwhile, reads go on. It takes a second or two for a
// million records.
func (s *Store) Check(ctx context.Context) error {
	err := s.alone(ctx, func() error {
		if s.empty() {
			return nil
		}
		if err := verify(ctx, s.file, newest(s.steps)); err != nil {
			return err
		}
		return s.view(ctx, func(tx *bbolt.Tx) error {
			var found error
			for err := range tx.Check() { // to its end: it would wait for ever for a reader
				if found == nil {
					found = fmt.Errorf("%w: bbolt: %w", state.ErrCorrupt, err)
				}
			}
			return found
		})
	})
	if err != nil {
		return fmt.Errorf("boltstate: check %s: %w", s.path, err)
	}
	return nil
}

// Compact writes the store to a new file at path, without the room that deleted
// records left behind, and verifies it. Nothing may be at path. Revisions stay.
// The store itself isn't changed; to go on with the copy, close the store and
// rename the copy over it.
//
// Commits wait meanwhile, reads go on. Once begun it doesn't look at ctx.
func (s *Store) Compact(ctx context.Context, path string) error {
	err := s.alone(ctx, func() error {
		if _, err := os.Lstat(path); err == nil {
			return os.ErrExist
		}
		if s.db == nil {
			return os.ErrNotExist
		}
		return s.guard(func() error { return s.compact(path) })
	})
	if err != nil {
		return fmt.Errorf("boltstate: compact %s to %s: %w", s.path, path, err)
	}
	return nil
}

func (s *Store) compact(path string) (err error) {
	opts := (&Options{}).withDefaults()
	copied, _, err := openBolt(path, opts, false)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	const transaction = 16 << 20 // bytes
	if err := errors.Join(bbolt.Compact(copied, s.db, transaction), copied.Close()); err != nil {
		return err
	}
	return errors.Join(verifyFile(path, opts), syncDirectory(filepath.Dir(path)))
}
