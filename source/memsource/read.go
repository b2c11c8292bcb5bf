package memsource

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

// A read is what one sequence gives, fixed when it began.
type read struct {
	s       *Source
	mark    uint64 // of the directory when the read began
	names   []string
	entries []*entry // ascending by seq; they never change
}

// since collects what has a sequence number above seq. All objects in scope are
// wanted by a full read, the rest too by a delta. s.mu is held.
func (s *Source) since(seq uint64, full bool) read {
	r := read{s: s, mark: s.seq, names: s.names.list}
	if full {
		r.entries = make([]*entry, 0, s.live)
	}
	for e := s.last; e != nil && e.seq > seq; e = e.prev {
		if e.state == hidden || full && e.state != live {
			continue
		}
		r.entries = append(r.entries, e)
	}
	slices.Reverse(r.entries)
	return r
}

// run yields the read. A checkpoint between two entries is good because they
// come in the order of their numbers: whoever resumes there gets the rest.
func (r read) run(ctx context.Context, yield func(source.Event, error) bool) {
	for i, e := range r.entries {
		if err := ctx.Err(); err != nil {
			yield(source.Event{}, fmt.Errorf("read %s: %w", r.s.name, err))
			return
		}
		if i > 0 && i%r.s.every == 0 && !yield(r.s.checkpoint(r.entries[i-1].seq), nil) {
			return
		}
		if !yield(e.event(r.names, time.Now()), nil) {
			return
		}
	}
	if err := ctx.Err(); err != nil {
		yield(source.Event{}, fmt.Errorf("read %s: %w", r.s.name, err))
		return
	}
	yield(r.s.checkpoint(r.mark), nil)
}

const watermarkVersion = "mem1"

func (s *Source) checkpoint(seq uint64) source.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return source.Event{Op: source.Checkpoint, Watermark: s.watermark(seq)}
}

// watermark writes seq down. s.mu is held.
func (s *Source) watermark(seq uint64) source.Watermark {
	return source.Watermark(watermarkVersion + "." + s.instance + "." + strconv.FormatUint(seq, 10))
}

// resume returns the sequence number in w, or why a read can't begin there.
// s.mu is held.
func (s *Source) resume(w source.Watermark) (uint64, error) {
	if w == "" {
		return 0, nil // from the beginning, tombstones included
	}
	_, digits, _ := strings.Cut(strings.TrimPrefix(string(w), watermarkVersion+"."), ".")
	seq, err := strconv.ParseUint(digits, 10, 64)
	switch {
	case err != nil || s.watermark(seq) != w:
		return 0, fmt.Errorf("%w: not a watermark of this directory", source.ErrWatermarkExpired)
	case seq > s.seq:
		return 0, fmt.Errorf("%w: it is at change %d, the directory at %d", source.ErrWatermarkExpired, seq, s.seq)
	case seq < s.floor:
		return 0, fmt.Errorf("%w: tombstones up to change %d are gone", source.ErrWatermarkExpired, s.floor)
	}
	return seq, nil
}

// newInstance is random, so that no directory takes another's watermark for its
// own, not even one of the same name made later.
func newInstance() string { return rand.Text() }
