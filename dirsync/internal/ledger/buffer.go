package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/state"
)

// How much a Buffer gathers before it commits by itself.
const (
	maxWrites = 2000
	maxBytes  = 8 << 20
)

// ErrCommit: what was gathered couldn't be committed. It is still gathered, also
// when a Unit returns it.
var ErrCommit = errors.New("commit")

// A Buffer gathers writes to a Store so that many go into one commit, and reads
// its own writes. It is for one goroutine.
//
// What is put together between two flushes becomes durable together. A full
// buffer flushes by itself, but only after a Unit.
type Buffer struct {
	store  state.Store
	writes []state.Write
	at     map[string]int // index of the last write to a key
	bytes  int

	unit bool   // in a Unit
	undo []undo // what the Unit has replaced
}

// An undo takes one write back.
type undo struct {
	key string
	was state.Write
	had bool
}

// NewBuffer returns an empty buffer over store.
func NewBuffer(store state.Store) *Buffer {
	return &Buffer{store: store, at: make(map[string]int)}
}

// Unit calls f; what it puts goes into one commit, or, if it fails, nowhere. A
// full buffer is committed after it; see [ErrCommit]. In
// f there is no Scan of anything that was put, and no Unit.
func (b *Buffer) Unit(ctx context.Context, f func() error) error {
	b.unit, b.undo = true, b.undo[:0]
	whole := false
	defer func() { // also when f panics
		if b.unit = false; !whole {
			for _, u := range slices.Backward(b.undo) {
				b.take(u)
			}
			b.undo = b.undo[:0]
		}
	}()
	if err := f(); err != nil {
		return err
	}
	b.unit, whole = false, true
	if len(b.writes) >= maxWrites || b.bytes >= maxBytes {
		return b.Flush(ctx)
	}
	return nil
}

// take undoes one write.
func (b *Buffer) take(u undo) {
	i := b.at[u.key]
	b.bytes -= size(b.writes[i])
	if u.had {
		b.writes[i] = u.was
		b.bytes += size(u.was)
		return
	}
	// Undone in reverse order, a new write is the last one.
	b.writes = b.writes[:i]
	delete(b.at, u.key)
}

func size(w state.Write) int { return len(w.Key) + len(w.Value) }

// Get returns the value at key, nil if there is none.
func (b *Buffer) Get(ctx context.Context, key string) ([]byte, error) {
	if i, ok := b.at[key]; ok {
		if b.writes[i].Delete {
			return nil, nil
		}
		return b.writes[i].Value, nil
	}
	return get(ctx, b.store, key)
}

// Put writes value under key with the next commit.
func (b *Buffer) Put(key string, value []byte) { b.add(state.Put(key, value)) }

// Remove removes key with the next commit.
func (b *Buffer) Remove(key string) { b.add(state.Remove(key)) }

func (b *Buffer) add(w state.Write) {
	i, had := b.at[w.Key]
	if b.unit {
		u := undo{key: w.Key, had: had}
		if had {
			u.was = b.writes[i]
		}
		b.undo = append(b.undo, u)
	}
	b.bytes += size(w)
	if had {
		b.bytes -= size(b.writes[i])
		b.writes[i] = w
		return
	}
	b.at[w.Key] = len(b.writes)
	b.writes = append(b.writes, w)
}

// Flush commits what was gathered.
func (b *Buffer) Flush(ctx context.Context) error {
	if len(b.writes) == 0 {
		return nil
	}
	if err := b.store.Commit(ctx, b.writes...); err != nil {
		return fmt.Errorf("%w %d records: %w", ErrCommit, len(b.writes), err)
	}
	clear(b.writes)
	b.writes = b.writes[:0]
	clear(b.at)
	b.bytes = 0
	return nil
}

// Scan yields the records under prefix in key order, what is gathered here
// included: if that concerns prefix, it is committed first. The body may put
// and remove, and sees either state of what it changes.
func (b *Buffer) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if b.concerns(prefix) {
			err := errors.New("ledger: a scan of what a unit has put")
			if !b.unit {
				err = b.Flush(ctx)
			}
			if err != nil {
				yield(state.Record{}, err)
				return
			}
		}
		b.store.Scan(ctx, prefix)(yield)
	}
}

// concerns reports whether something gathered lies under prefix.
func (b *Buffer) concerns(prefix string) bool {
	for key := range b.at {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// get returns the value at key, nil if there is none.
func get(ctx context.Context, s state.Store, key string) ([]byte, error) {
	rec, err := s.Get(ctx, key)
	if errors.Is(err, state.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return rec.Value, nil
}
