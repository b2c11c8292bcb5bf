package boltstate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/dirbridge/dirbridge/state"
)

// Options tune a [Store]. The zero value is good.
type Options struct {
	// LockTimeout is how long to wait for another process to close the file.
	// Default 1 s; negative: not at all.
	LockTimeout time.Duration

	// SkipVerify opens the file without walking it first (about 1 s for a
	// million records that are in memory, more if they have to come from the
	// disk). Records are still checked as they are read, but a missing one isn't
	// noticed, and a damaged file may end the process. Call [Store.Check] at
	// another time. Default false.
	SkipVerify bool

	// ReadOnly opens the file for reading alone, and makes or changes nothing:
	// neither a file where there is none, nor its format, nor its mode. No file,
	// or one of size 0, is an empty store. A Commit fails with an error that
	// wraps [ErrReadOnly]. Several processes may read at the same time, but not
	// while one has the file open for writing. Default false.
	ReadOnly bool

	// OnWideMode is told the mode of an existing file that others than its owner
	// could use, after Open took that away from them. What they read or changed
	// before is for a person to think about. Default: nobody is told. It isn't
	// called on Windows.
	OnWideMode func(was fs.FileMode)

	// For tests of this package: other steps, small pages, a file that fails.
	steps    []migration
	pageSize int
	openFile func(path string, flag int, mode os.FileMode) (*os.File, error)
}

func (o *Options) withDefaults() Options {
	out := Options{}
	if o != nil {
		out = *o
	}
	switch {
	case out.LockTimeout == 0:
		out.LockTimeout = time.Second
	case out.LockTimeout < 0:
		out.LockTimeout = 1 // bbolt tries once, and takes 0 for ever
	}
	if out.steps == nil {
		out.steps = migrations
	}
	if out.openFile == nil {
		out.openFile = os.OpenFile
	}
	return out
}

// Open opens the store in the file at path, which it makes if necessary, but not
// its directory. opts may be nil.
//
// Errors wrap [state.ErrLocked] if another process (or another Store of this
// one) has the file open, [state.ErrNewerFormat] if a newer version of this
// software wrote it, [state.ErrCorrupt] if it is damaged or something else. In
// none of these cases is the file changed. A file whose mode can't be narrowed
// to its owner is an error, too (see [Options.OnWideMode]).
func Open(path string, opts *Options) (*Store, error) {
	s, err := open(path, opts.withDefaults())
	if err != nil {
		return nil, fmt.Errorf("boltstate: open %s: %w", path, err)
	}
	return s, nil
}

func open(path string, opts Options) (*Store, error) {
	exists, err := look(path)
	if err != nil {
		return nil, err
	}
	if opts.ReadOnly {
		return openForReading(path, opts, exists)
	}
	if exists && !opts.SkipVerify {
		if err := verifyFile(path, opts); err != nil {
			return nil, err
		}
	}
	db, file, err := openBolt(path, opts, false)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, db: db, file: file, steps: opts.steps, writer: make(chan struct{}, 1)}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := narrow(file, opts.OnWideMode); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if !exists {
		if err := syncDirectory(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// look says whether there is anything in the file at path.
func look(path string) (exists bool, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Stat(filepath.Dir(path)); err != nil {
			return false, fmt.Errorf("its directory must exist: %w", err)
		}
		return false, nil
	case err != nil:
		return false, err
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("not a regular file but %s", info.Mode().Type())
	}
	return info.Size() > 0, nil // a file of size 0 is a store that was never begun
}

// verifyFile walks the file before bbolt is let loose on it: bbolt follows the
// page numbers in a file without looking, and a damaged one can end the process
// in ways that can't be recovered from (a cycle overflows the stack). Opening
// for reading trusts nothing but the root pages, which have checksums.
func verifyFile(path string, opts Options) error {
	db, file, err := openBolt(path, opts, true)
	if err != nil {
		return err
	}
	return errors.Join(verify(context.Background(), file, newest(opts.steps)), db.Close())
}

// openBolt opens and locks the file.
func openBolt(path string, opts Options, readOnly bool) (db *bbolt.DB, file *os.File, err error) {
	err = recovering(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout:      opts.LockTimeout,
			FreelistType: bbolt.FreelistMapType,
			NoStatistics: true,
			ReadOnly:     readOnly,
			PageSize:     opts.pageSize,
			OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := opts.openFile(path, flag, mode)
				file = f
				return f, err
			},
		})
		return err
	})
	if err == nil {
		return db, file, nil
	}
	if errors.As(err, new(panicError)) && file != nil {
		_ = file.Close() // bbolt lost track of it
	}
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		err = state.ErrLocked
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		err = fmt.Errorf("%w: not a bbolt file, or damaged at its beginning: %w", state.ErrCorrupt, err)
	case fileTooSmall(path):
		err = fmt.Errorf("%w: cut short: %w", state.ErrCorrupt, err)
	}
	return nil, nil, err
}

// fileTooSmall: bbolt has no error of its own for a file without root pages.
func fileTooSmall(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() > 0 && info.Size() < int64(2*os.Getpagesize())
}

// syncDirectory makes the entry of a new file durable. Windows has no such call
// and needs none.
func syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
