package memstate

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/dirbridge/dirbridge/state"
)

// A Store is a [state.Store] in memory. Get one from [New]. It is safe for
// concurrent use.
type Store struct {
	mu       sync.RWMutex
	records  list
	revision uint64 // the last one given out; never given out again
}

var _ state.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store { return &Store{} }

// Get returns the record at key, or an error that wraps [state.ErrNotFound].
func (s *Store) Get(ctx context.Context, key string) (state.Record, error) {
	if err := ctx.Err(); err != nil {
		return state.Record{}, fmt.Errorf("memstate: get %q: %w", key, err)
	}
	if err := state.ValidKey(key); err != nil {
		return state.Record{}, fmt.Errorf("memstate: get: %w", err)
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.records.at(key)
	if r == nil {
		return state.Record{}, fmt.Errorf("memstate: get %q: %w", key, state.ErrNotFound)
	}
	return clone(*r), nil
}

// How much a scan copies under one lock. It starts small, because most scans
// are short or end early.
const (
	firstChunk = 16
	fullChunk  = 512
	chunkBytes = 1 << 20
)

// Scan yields the records whose keys begin with prefix, in byte order. No lock
// is held while the body of the range runs.
func (s *Store) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		var chunk []state.Record
		from, after := prefix, false // seek to from, or past it
		for size := firstChunk; ; size = min(2*size, fullChunk) {
			chunk = s.read(chunk[:0], from, after, prefix, size)
			for _, r := range chunk {
				if err := ctx.Err(); err != nil {
					yield(state.Record{}, fmt.Errorf("memstate: scan %q: %w", prefix, err))
					return
				}
				if !yield(r, nil) {
					return
				}
				from, after = r.Key, true
			}
			if len(chunk) == 0 {
				break
			}
		}
		if err := ctx.Err(); err != nil {
			yield(state.Record{}, fmt.Errorf("memstate: scan %q: %w", prefix, err))
		}
	}
}

// read appends the next records under prefix to chunk, none at the end.
func (s *Store) read(chunk []state.Record, from string, after bool, prefix string, size int) []state.Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	block, i, found := s.records.seek(from)
	if after && found {
		i++
	}
	for copied := 0; block < len(s.records.blocks); block, i = block+1, 0 {
		for _, r := range s.records.blocks[block][i:] {
			if !strings.HasPrefix(r.Key, prefix) || len(chunk) == size || copied >= chunkBytes {
				return chunk
			}
			chunk = append(chunk, clone(r))
			copied += len(r.Value)
		}
	}
	return chunk
}

// clone makes a copy to give away: a value belongs to whoever gets it.
func clone(r state.Record) state.Record {
	r.Value = append([]byte{}, r.Value...)
	return r
}

// Commit makes all the writes, in order, or none. A Check sees what the writes
// before it in the same commit did.
func (s *Store) Commit(ctx context.Context, writes ...state.Write) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstate: commit: %w", err)
	}
	if err := state.ValidWrites(writes); err != nil {
		return fmt.Errorf("memstate: commit: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.check(writes); err != nil {
		return fmt.Errorf("memstate: commit: %w", err)
	}
	for _, w := range writes {
		s.revision++
		if w.Delete {
			s.records.remove(w.Key)
			continue
		}
		s.records.put(clone(state.Record{Key: w.Key, Value: w.Value, Revision: s.revision}))
	}
	return nil
}

// check finds out whether every Check holds, without changing anything. The
// i-th write will get the i-th revision after the last one.
func (s *Store) check(writes []state.Write) error {
	var written map[string]uint64 // by this commit; 0: removed
	for i, w := range writes {
		if w.Check {
			revision, ok := written[w.Key]
			if !ok {
				if r := s.records.at(w.Key); r != nil {
					revision = r.Revision
				}
			}
			if revision != w.Revision {
				return fmt.Errorf("write %q at revision %d, but it is at %d: %w", w.Key, w.Revision, revision, state.ErrConflict)
			}
		}
		if len(writes) == 1 {
			break
		}
		if written == nil {
			written = make(map[string]uint64, len(writes))
		}
		if written[w.Key] = s.revision + uint64(i) + 1; w.Delete {
			written[w.Key] = 0
		}
	}
	return nil
}
