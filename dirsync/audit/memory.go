package audit

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// A MemorySink holds records in memory, for tests and for programs that do
// something of their own with them. It is durable as long as the process lives.
// The zero value holds none. It is safe for concurrent use.
type MemorySink struct {
	mu      sync.Mutex
	records []Record
}

// Position returns the last record.
func (s *MemorySink) Position(ctx context.Context) (Head, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	head, ok := s.position()
	return head, ok, ctx.Err()
}

func (s *MemorySink) position() (Head, bool) {
	if len(s.records) == 0 {
		return Head{}, false
	}
	return s.records[len(s.records)-1].Head(), true
}

// Append adds those of records that aren't held, as [Sink] says.
func (s *MemorySink) Append(ctx context.Context, records []Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	head, ok := s.position()
	rest, err := Pending(head, ok, records, func(seq uint64) (string, error) {
		if first := s.records[0].Seq; seq >= first {
			return s.records[seq-first].Hash, nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	var added []Record
	for i := range rest {
		// Through the encoding: a copy that shares nothing, and the same that
		// another sink would hold.
		line, err := Encode(&rest[i])
		if err != nil {
			return err
		}
		r, err := Decode(line)
		if err != nil {
			return fmt.Errorf("audit: record %d: %w", rest[i].Seq, errors.Join(errUnclean, err))
		}
		added = append(added, r)
	}
	s.records = append(s.records, added...)
	return nil
}

var errUnclean = errors.New("it can't be read back; it wasn't sealed by Seal")

// Records returns all records, in order. They must not be changed.
func (s *MemorySink) Records() []Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.records[:len(s.records):len(s.records)]
}
