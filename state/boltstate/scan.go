package boltstate

import (
	"bytes"
	"context"
	"fmt"
	"iter"

	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
)

// How much a scan reads in one transaction. It starts small, because most scans
// are short or end early.
const (
	firstChunk = 16
	fullChunk  = 1024
	chunkBytes = 1 << 20
)

// Scan yields the records whose keys begin with prefix, in byte order.
//
// No transaction is open while the body of the range runs: an open one would
// keep freed pages from use, and a commit that has to map the file anew would
// wait for it for ever. So a scan reads a chunk at a time (at most 1024 records,
// and no more once there is 1 MiB) and goes on behind the last key.
func (s *Store) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		at := position{prefix: []byte(prefix), key: []byte(prefix)}
		var chunk []state.Record
		for size := firstChunk; !at.end; size = min(2*size, fullChunk) {
			var err error
			chunk, err = s.read(ctx, chunk[:0], &at, size)
			for _, r := range chunk {
				if ctx.Err() != nil {
					err = ctx.Err()
					break
				}
				if !yield(r, nil) {
					return
				}
			}
			if err != nil {
				yield(state.Record{}, fmt.Errorf("boltstate: scan %q: %w", prefix, err))
				return
			}
		}
	}
}

// A position is where a scan goes on.
type position struct {
	prefix []byte
	key    []byte
	passed bool // the record at key was read
	end    bool
}

// read appends the next records to chunk. Those before an error are good.
func (s *Store) read(ctx context.Context, chunk []state.Record, at *position, size int) ([]state.Record, error) {
	if s.empty() {
		at.end = true
		return chunk, s.usable(ctx)
	}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(recordsBucket).Cursor()
		k, stored := c.Seek(at.key)
		if at.passed && bytes.Equal(k, at.key) {
			k, stored = c.Next()
		}
		for read := 0; len(chunk) < size && read < chunkBytes; k, stored = c.Next() {
			if at.end = !bytes.HasPrefix(k, at.prefix) || k == nil; at.end {
				return nil
			}
			r, err := record(k, stored)
			if err != nil {
				return err
			}
			chunk = append(chunk, r)
			read += len(stored)
		}
		at.key, at.passed = []byte(chunk[len(chunk)-1].Key), true
		return nil
	})
	return chunk, err
}
