package boltstate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
)

// A Store is a [state.Store] in one file. Get one from [Open]. It is safe for
// concurrent use.
type Store struct {
	path   string
	db     *bbolt.DB     // nil: reading only, and there is no file
	file   *os.File      // db's
	steps  []migration   // to the format that this store understands
	writer chan struct{} // held by the one who writes; bbolt's own lock knows no context

	readOnly bool
	unfilled bool // reading only: the file has no records yet

	closing sync.Once
	broken  atomic.Pointer[error] // why no call can succeed any more
	lost    atomic.Bool           // bbolt panicked; whoever calls it may wait for ever
}

var _ state.Store = (*Store)(nil)

// Path returns the path that the store was opened with.
func (s *Store) Path() string { return s.path }

// Close waits for calls that are under way, then releases the file. Calls after
// it fail with an error that wraps [os.ErrClosed]; closing again does nothing.
func (s *Store) Close() (err error) {
	s.closing.Do(func() {
		s.fail(os.ErrClosed)
		if s.lost.Load() {
			err = s.abandon()
			return
		}
		if s.db != nil {
			err = s.db.Close()
		}
	})
	if err != nil {
		return fmt.Errorf("boltstate: close %s: %w", s.path, err)
	}
	return nil
}

// abandon gives the file up without bbolt, which panicked and may hold any of
// its locks. The mapping stays, and would keep the file locked if only the file
// were closed.
func (s *Store) abandon() error {
	select {
	case s.writer <- struct{}{}: // never to be released
		return errors.Join(unlock(s.file), s.file.Close())
	default:
		return errors.New("a commit can't be ended: the file stays locked until this process ends")
	}
}

// Get returns the record at key, or an error that wraps [state.ErrNotFound].
func (s *Store) Get(ctx context.Context, key string) (r state.Record, err error) {
	if err := state.ValidKey(key); err != nil {
		return state.Record{}, fmt.Errorf("boltstate: get: %w", err)
	}
	if s.empty() {
		return state.Record{}, fmt.Errorf("boltstate: get %q: %w", key, cmp.Or(s.usable(ctx), state.ErrNotFound))
	}
	err = s.view(ctx, func(tx *bbolt.Tx) error {
		k := []byte(key)
		stored := tx.Bucket(recordsBucket).Get(k)
		if stored == nil {
			return state.ErrNotFound
		}
		r, err = record(k, stored)
		return err
	})
	if err != nil {
		return state.Record{}, fmt.Errorf("boltstate: get %q: %w", key, err)
	}
	return r, nil
}

// record makes a Record of what is stored, sharing nothing with the file.
func record(key, stored []byte) (state.Record, error) {
	revision, _, value, err := unsealRecord(key, stored)
	if err != nil {
		return state.Record{}, err
	}
	return state.Record{Key: string(key), Value: append([]byte{}, value...), Revision: revision}, nil
}

// view runs f in a short read transaction. f must not run anybody else's code.
func (s *Store) view(ctx context.Context, f func(tx *bbolt.Tx) error) error {
	if err := s.usable(ctx); err != nil {
		return err
	}
	return s.guard(func() error { return s.db.View(f) })
}

// update runs f in a write transaction and commits it. An error of f changes
// nothing. After an error of the commit the handle is done for: what reached the
// disk is unknown, and a second fsync could report a success that isn't one.
func (s *Store) update(ctx context.Context, f func(tx *bbolt.Tx) error) error {
	return s.alone(ctx, func() error {
		return s.guard(func() error {
			tx, err := s.db.Begin(true)
			if err != nil {
				return err
			}
			if err := f(tx); err != nil {
				return errors.Join(err, tx.Rollback())
			}
			if err := tx.Commit(); err != nil {
				return s.fail(fmt.Errorf("%w: %w; whether it was written is unknown", state.ErrReopen, err))
			}
			return nil
		})
	})
}

// alone runs f while nobody else writes.
func (s *Store) alone(ctx context.Context, f func() error) error {
	select {
	case s.writer <- struct{}{}:
		defer func() { <-s.writer }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.usable(ctx); err != nil {
		return err
	}
	return f()
}

// usable says why a call can't even begin.
func (s *Store) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if broken := s.broken.Load(); broken != nil {
		return fmt.Errorf("the store is unusable since: %w", *broken)
	}
	return nil
}

// fail makes all later calls fail because of err, which it returns.
func (s *Store) fail(err error) error {
	s.broken.CompareAndSwap(nil, &err)
	return err
}

// guard runs f and turns a panic of bbolt into an error. bbolt panics when it
// meets a page that can't be; reading a page that isn't there faults.
func (s *Store) guard(f func() error) error {
	err := recovering(f)
	if errors.As(err, new(panicError)) {
		_ = s.fail(err)
		s.lost.Store(true)
	}
	return err
}

// prepare fills a new file in and migrates an older one.
func (s *Store) prepare() (err error) {
	ctx, known := context.Background(), newest(s.steps)
	var version uint32
	err = s.view(ctx, func(tx *bbolt.Tx) (err error) {
		version, err = inspect(tx, known)
		return err
	})
	if err != nil || version == known {
		return err
	}
	return s.update(ctx, func(tx *bbolt.Tx) error {
		if version == 0 {
			return create(tx, known)
		}
		return migrate(tx, version, s.steps)
	})
}
