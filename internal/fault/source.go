package fault

import (
	"context"
	"iter"
	"math/rand/v2"
	"sync"

	"github.com/dirbridge/dirbridge/source"
)

// AbleSource is a Source with all the abilities.
type AbleSource interface {
	source.DeltaSource
	source.Poller
	source.Finder
	source.Checker
}

// A Source passes on what another one says, or doesn't.
type Source struct {
	inner AbleSource

	polls, finds, checks calls

	mu      sync.Mutex
	reads   int
	cut     *cut
	repeat  bool
	reorder *rand.Rand
}

type cut struct {
	after int
	err   error
}

var _ AbleSource = (*Source)(nil)

// NewSource wraps inner.
func NewSource(inner AbleSource) *Source { return &Source{inner: inner} }

// Cut makes the next read (All or Since) end after n events, checkpoints
// included, with err. With nil it ends there as if it were complete, without a
// checkpoint, which no source may do. A read that ends sooner isn't cut.
func (s *Source) Cut(n int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cut = &cut{n, err}
}

// Repeat makes reads give each event but checkpoints twice, which a source may
// do.
func (s *Source) Repeat(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeat = on
}

// Reorder makes reads give what comes between two checkpoints in another order,
// which a source may do as long as each object comes once. Nil stops it.
func (s *Source) Reorder(random *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reorder = random
}

// OnPoll, OnFind and OnCheck make the n-th call from now go wrong; 1 is the next.
func (s *Source) OnPoll(n int, f Fault)  { s.polls.on(n, f) }
func (s *Source) OnFind(n int, f Fault)  { s.finds.on(n, f) }
func (s *Source) OnCheck(n int, f Fault) { s.checks.on(n, f) }

// Reads is how many times All and Since were ranged over.
func (s *Source) Reads() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reads
}

// Name is the inner source's.
func (s *Source) Name() string { return s.inner.Name() }

// All reads everything.
func (s *Source) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return s.read(ctx, s.inner.All(ctx))
}

// Since reads what changed.
func (s *Source) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	return s.read(ctx, s.inner.Since(ctx, w))
}

// read gives events, with all that was ordered.
func (s *Source) read(ctx context.Context, events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		s.mu.Lock()
		c, repeat, reorder := s.cut, s.repeat, s.reorder
		s.cut = nil
		s.reads++
		s.mu.Unlock()
		if repeat {
			events = repeated(events)
		}
		if reorder != nil {
			events = reordered(ctx, events, reorder)
		}
		n := 0
		for e, err := range events {
			if c != nil && n == c.after {
				if c.err != nil {
					yield(source.Event{}, c.err)
				}
				return
			}
			n++
			if !yield(e, err) {
				return
			}
		}
	}
}

func repeated(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for e, err := range events {
			if !yield(e, err) {
				return
			}
			if err == nil && e.Op != source.Checkpoint && !yield(e, nil) {
				return
			}
		}
	}
}

func reordered(ctx context.Context, events iter.Seq2[source.Event, error], random *rand.Rand) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		var held []source.Event
		for e, err := range events {
			if err == nil && e.Op != source.Checkpoint {
				held = append(held, e)
				continue
			}
			random.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
			for _, h := range append(held, e) {
				if err == nil {
					err = ctx.Err() // cancelled while they were held
				}
				if err != nil {
					yield(source.Event{}, err)
					return
				}
				if !yield(h, nil) {
					return
				}
			}
			held = held[:0]
		}
	}
}

// Poll asks whether anything changed.
func (s *Source) Poll(ctx context.Context, w source.Watermark) (maybe bool, err error) {
	lost, fault := s.polls.do(ctx, func() { maybe, err = s.inner.Poll(ctx, w) })
	if lost {
		return false, fault
	}
	return maybe, err
}

// Find looks ids up.
func (s *Source) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		var events iter.Seq2[source.Event, error]
		if lost, err := s.finds.do(ctx, func() { events = s.inner.Find(ctx, ids) }); lost {
			yield(source.Event{}, err)
			return
		}
		events(yield)
	}
}

// Check returns the inner source's findings.
func (s *Source) Check(ctx context.Context) (findings []source.Finding, err error) {
	lost, fault := s.checks.do(ctx, func() { findings, err = s.inner.Check(ctx) })
	if lost {
		return nil, fault
	}
	return findings, err
}
