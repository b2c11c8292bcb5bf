package audit

import (
	"context"
	"errors"
	"fmt"
)

// What [Sink.Append] refuses.
var (
	// ErrForked: the sink holds another record under the same number, or what
	// comes doesn't follow what it holds. Two engines with one sink, a state
	// that was put back from a copy, or a log that somebody edited. Nothing
	// was appended. Verify the log; then give the sink a new, empty place.
	ErrForked = errors.New("the record doesn't fit what the sink holds")

	// ErrGap: records between what the sink holds and what comes are missing.
	// Nothing was appended. Deliver the missing ones first; if they are gone,
	// give the sink a new, empty place.
	ErrGap = errors.New("records are missing")
)

// A Sink keeps records for good. The engine keeps each record in its own store
// (the outbox) until all its sinks have it, and delivers again what it isn't
// sure about.
//
// A Sink is used by one goroutine of one process at a time. Package audittest is
// the conformance suite.
type Sink interface {
	// Position returns the last record that is held durably. ok is false for a
	// sink that holds none.
	Position(ctx context.Context) (head Head, ok bool, err error)

	// Append adds sealed, consecutive records. A sink that holds none begins
	// with any record. Records at or before the Position are skipped if their
	// hashes fit, so delivering again is harmless; if they don't, the error
	// wraps [ErrForked]. If records are missing in between, it wraps
	// [ErrGap]. After either, nothing was appended.
	//
	// When Append returns nil, the records survive a loss of power. After any
	// other error a part of the records, from the first one on, may have been
	// appended; Position says how many. Append doesn't keep records.
	Append(ctx context.Context, records []Record) error
}

// Pending says which of records a sink has yet to append: the part after its
// position, or an error that wraps [ErrForked] or [ErrGap]. It also checks that
// the records are sealed and consecutive. Authors of sinks begin Append with it.
//
// lookup returns the hash of a record before the position. It is called at most
// once, and only if all of records lie before it. It may say that it no longer
// knows ("", nil), and a nil lookup says that always: the records are skipped.
func Pending(position Head, ok bool, records []Record, lookup func(seq uint64) (hash string, err error)) ([]Record, error) {
	for i := range records {
		r := &records[i]
		if err := r.Check(); err != nil {
			return nil, err
		}
		if i == 0 {
			continue
		}
		if before := &records[i-1]; r.Seq != before.Seq+1 {
			return nil, fmt.Errorf("audit: record %d comes right after record %d: %w", r.Seq, before.Seq, ErrGap)
		} else if r.Prev != before.Hash {
			return nil, fmt.Errorf("audit: record %d doesn't follow record %d: %w", r.Seq, before.Seq, ErrForked)
		}
	}
	if !ok || len(records) == 0 {
		return records, nil
	}
	first, last := &records[0], &records[len(records)-1]
	switch {
	case first.Seq > position.Seq+1:
		return nil, fmt.Errorf("audit: record %d comes, but the last one held is %d: %w", first.Seq, position.Seq, ErrGap)
	case first.Seq == position.Seq+1:
		if first.Prev != position.Hash {
			return nil, fmt.Errorf("audit: record %d doesn't follow the last one held: %w", first.Seq, ErrForked)
		}
		return records, nil
	case last.Seq < position.Seq:
		if lookup == nil {
			return nil, nil
		}
		// One comparison is enough here and below: the others hang on it by
		// their hashes.
		hash, err := lookup(last.Seq)
		if err != nil {
			return nil, err
		}
		if hash != "" && hash != last.Hash {
			return nil, fmt.Errorf("audit: another record %d is held: %w", last.Seq, ErrForked)
		}
		return nil, nil
	}
	i := position.Seq - first.Seq
	if records[i].Hash != position.Hash {
		return nil, fmt.Errorf("audit: another record %d is held: %w", position.Seq, ErrForked)
	}
	return records[i+1:], nil
}
