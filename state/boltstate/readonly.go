package boltstate

import (
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// ErrReadOnly: the store was opened with [Options.ReadOnly].
var ErrReadOnly = errors.New("store was opened for reading only")

// openForReading opens a store that never changes anything. The file stays
// locked from the walk through it on, so that what was verified is what is read.
func openForReading(path string, opts Options, exists bool) (*Store, error) {
	s := &Store{path: path, steps: opts.steps, readOnly: true, writer: make(chan struct{}, 1)}
	if !exists {
		return s, nil
	}
	var err error
	if s.db, s.file, err = openBolt(path, opts, true); err != nil {
		return nil, err
	}
	if !opts.SkipVerify {
		err = verify(context.Background(), s.file, newest(s.steps))
	}
	if err == nil {
		err = s.recognize()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// recognize makes sure that the file can be read as it is. One that bbolt began
// and nobody filled in is an empty store.
func (s *Store) recognize() error {
	var version uint32
	err := s.guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			version, err = inspect(tx, newest(s.steps))
			return err
		})
	})
	if err == nil && version != 0 && version < newest(s.steps) {
		err = fmt.Errorf("format %d has to be migrated to %d: open it for writing once", version, newest(s.steps))
	}
	s.unfilled = version == 0
	return err
}

// empty reports whether there is nothing that could be read.
func (s *Store) empty() bool { return s.db == nil || s.unfilled }
