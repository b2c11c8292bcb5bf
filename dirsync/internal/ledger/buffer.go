package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/dirbridge/dirbridge/state"
)

// How much a Buffer gathers before it commits by itself.
const (
	maxWrites = 2000
	maxBytes  = 8 << 20
)

// A Buffer gathers writes to a Store so that many go into one commit, and reads
// its own writes. It is for one goroutine.
//
// What is put together between two flushes becomes durable together. Put may
// flush when the buffer is full, but only between units: see Begin.
type Buffer struct {
	store  state.Store
	writes []state.Write
	at     map[string]int // index of the last write to a key
	bytes  int
	unit   int // depth of Begin
}

// NewBuffer returns an empty buffer over store.
func NewBuffer(store state.Store) *Buffer {
	return &Buffer{store: store, at: make(map[string]int)}
}

// Begin starts a unit: what is put until the function that it returns is called
// goes into one commit.
func (b *Buffer) Begin() (end func(ctx context.Context) error) {
	b.unit++
	return func(ctx context.Context) error {
		b.unit--
		if b.unit == 0 && (len(b.writes) >= maxWrites || b.bytes >= maxBytes) {
			return b.Flush(ctx)
		}
		return nil
	}
}

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
	b.bytes += len(w.Key) + len(w.Value)
	if i, ok := b.at[w.Key]; ok {
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
		return fmt.Errorf("commit %d records: %w", len(b.writes), err)
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
		for key := range b.at {
			if strings.HasPrefix(key, prefix) {
				if err := b.Flush(ctx); err != nil {
					yield(state.Record{}, err)
					return
				}
				break
			}
		}
		b.store.Scan(ctx, prefix)(yield)
	}
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
