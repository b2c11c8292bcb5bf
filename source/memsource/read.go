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
	s        *Source
	mark     uint64   // of the directory when the read began
	complete bool     // All, or what was left of it
	entries  []*entry // ascending by seq; they never change
	steps    []step   // of references, ascending by seq
}

// since collects what has a sequence number above seq. All objects in scope are
// wanted by a full read, the rest too by a delta. Complete says that it is a full
// read or goes on with one. s.mu is held.
func (s *Source) since(seq uint64, full, complete bool) read {
	r := read{s: s, mark: s.seq, complete: complete}
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
	r.steps = s.steps(seq, complete, r.entries)
	return r
}

// run yields the read. A checkpoint between two numbers is good because entries
// and steps come in their order: whoever resumes there gets the rest.
func (r read) run(ctx context.Context, yield func(source.Event, error) bool) {
	given, last := 0, uint64(0)
	entries, steps := r.entries, r.steps
	for len(entries)+len(steps) > 0 {
		if err := ctx.Err(); err != nil {
			yield(source.Event{}, fmt.Errorf("read %s: %w", r.s.name, err))
			return
		}
		object := len(steps) == 0 || len(entries) > 0 && entries[0].seq <= steps[0].seq
		seq := last
		if object {
			seq = entries[0].seq
		} else {
			seq = steps[0].seq
		}
		if given >= r.s.every && seq > last {
			given = 0
			if !yield(r.s.checkpoint(last, r.complete), nil) {
				return
			}
		}
		given, last = given+1, seq
		if object {
			r.s.mu.Lock()
			ev := r.s.event(entries[0], time.Now())
			r.s.mu.Unlock()
			entries = entries[1:]
			if !yield(ev, nil) {
				return
			}
			continue
		}
		t := steps[0]
		if steps = steps[1:]; !t.say(r.s.size, yield) {
			return
		}
	}
	if err := ctx.Err(); err != nil {
		yield(source.Event{}, fmt.Errorf("read %s: %w", r.s.name, err))
		return
	}
	yield(r.s.checkpoint(r.mark, false), nil)
}

const (
	watermarkVersion = "mem1"
	halfway          = ".rest" // ends a watermark from which a complete read goes on
)

func (s *Source) checkpoint(seq uint64, rest bool) source.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	// Without references, the rest of a complete read is a delta.
	return source.Event{Op: source.Checkpoint, Watermark: s.watermark(seq, rest && len(s.attributes) > 0)}
}

// watermark writes seq down. s.mu is held.
func (s *Source) watermark(seq uint64, rest bool) source.Watermark {
	w := watermarkVersion + "." + s.instance + "." + strconv.FormatUint(seq, 10)
	if rest {
		w += halfway
	}
	return source.Watermark(w)
}

// resume returns the sequence number in w and whether the rest of a complete
// read is wanted, or why a read can't begin there. s.mu is held.
func (s *Source) resume(w source.Watermark) (seq uint64, rest bool, err error) {
	if w == "" {
		return 0, true, nil // from the beginning, tombstones included
	}
	_, digits, _ := strings.Cut(strings.TrimPrefix(string(w), watermarkVersion+"."), ".")
	digits, rest = strings.CutSuffix(digits, halfway)
	seq, err = strconv.ParseUint(digits, 10, 64)
	switch {
	case err != nil || s.watermark(seq, rest) != w:
		err = fmt.Errorf("%w: not a watermark of this directory", source.ErrWatermarkExpired)
	case seq > s.seq:
		err = fmt.Errorf("%w: it is at change %d, the directory at %d", source.ErrWatermarkExpired, seq, s.seq)
	case seq < s.floor:
		err = fmt.Errorf("%w: tombstones up to change %d are gone", source.ErrWatermarkExpired, s.floor)
	}
	return seq, rest, err
}

// newInstance is random, so that no directory takes another's watermark for its
// own, not even one of the same name made later.
func newInstance() string { return rand.Text() }
