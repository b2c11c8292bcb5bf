package state

import (
	"context"
	"errors"
	"iter"
)

// A Record is a value under its key.
type Record struct {
	// Key is slash-separated, valid UTF-8 of 1 to 1024 bytes.
	Key string

	// Value is at most 16 MiB. It belongs to whoever got the record.
	Value []byte

	// Revision is the store's own number for this state of the key, never 0.
	// It differs each time that the key is written.
	Revision uint64
}

// A Write is one part of a commit: it puts Value under Key or, with Delete,
// removes Key (which need not exist).
type Write struct {
	Key    string
	Value  []byte
	Delete bool

	// Check makes the commit depend on the key's revision: it must be
	// Revision, where 0 means that the key must not exist. It sees the earlier
	// writes of its own commit. Without Check the write happens whatever is
	// there.
	Check    bool
	Revision uint64
}

// Put returns an unconditional write of value under key.
func Put(key string, value []byte) Write { return Write{Key: key, Value: value} }

// Remove returns an unconditional removal of key.
func Remove(key string) Write { return Write{Key: key, Delete: true} }

// A Store keeps small records under slash-separated keys. It is safe for
// concurrent use.
//
// A store that finds a record damaged returns an error that wraps [ErrCorrupt]
// for it, never a wrong value. A key or value outside of [Record]'s limits is an
// error ([ValidWrites]), and nothing is written. A cancelled ctx is an error that
// wraps ctx.Err(), also for an empty scan.
type Store interface {
	// Get returns the record at key, or an error that wraps [ErrNotFound].
	Get(ctx context.Context, key string) (Record, error)

	// Scan yields the records whose keys begin with prefix, in ascending byte
	// order of their keys. An error is yielded once, last, with the zero
	// Record. A sequence isn't a snapshot: of what is committed while it is
	// ranged over, it may give the state before or after. Every record that
	// exists the whole time is yielded once. Committing in the body of the
	// range is allowed. Breaking out releases everything.
	Scan(ctx context.Context, prefix string) iter.Seq2[Record, error]

	// Commit makes all the writes, in order, or none. When it returns nil they
	// are durable. An error that wraps [ErrConflict] says that a Check did not
	// hold and that nothing was written; any other error leaves it open
	// whether everything or nothing was written: read to find out. Without
	// writes it does nothing.
	Commit(ctx context.Context, writes ...Write) error
}

var (
	// ErrNotFound: there is no record at this key.
	ErrNotFound = errors.New("no such record")

	// ErrConflict: a record isn't at the revision that a Write named, because
	// somebody else wrote it. Nothing was written.
	ErrConflict = errors.New("record was changed by somebody else")

	// ErrCorrupt: what is stored isn't what was written. Nothing is done on
	// the strength of it.
	ErrCorrupt = errors.New("stored record is damaged")

	// ErrLocked: another process uses the store.
	ErrLocked = errors.New("store is in use by another process")

	// ErrReopen: after a failed commit or a fault of the medium the store
	// can't be used any more; opening it again shows what is there.
	ErrReopen = errors.New("store must be opened again")

	// ErrNewerFormat: the store was written by a newer version of this
	// software, which this one must not touch.
	ErrNewerFormat = errors.New("store has a newer format")
)
