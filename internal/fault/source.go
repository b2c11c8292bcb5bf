package fault

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
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

	polls, finds, checks, confirms calls

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

var (
	_ AbleSource       = (*Source)(nil)
	_ source.Resolver  = (*Source)(nil)
	_ source.Confirmer = (*Source)(nil)
)

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
// do. Of a set of references that comes in several events, none is repeated: it
// would be another set.
func (s *Source) Repeat(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeat = on
}

// Reorder makes reads give what comes between two checkpoints in another order,
// which a source may do as long as each object comes once. The events of one set
// of references stay in a row. Nil stops it.
func (s *Source) Reorder(random *rand.Rand) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reorder = random
}

// OnPoll, OnFind, OnCheck and OnConfirm make the n-th call from now go wrong; 1 is
// the next.
func (s *Source) OnPoll(n int, f Fault)    { s.polls.on(n, f) }
func (s *Source) OnFind(n int, f Fault)    { s.finds.on(n, f) }
func (s *Source) OnCheck(n int, f Fault)   { s.checks.on(n, f) }
func (s *Source) OnConfirm(n int, f Fault) { s.confirms.on(n, f) }

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
		open := rows{}
		for e, err := range events {
			if !yield(e, err) {
				return
			}
			if _, alone := open.take(e, 0); err == nil && e.Op != source.Checkpoint && alone && !yield(e, nil) {
				return
			}
		}
	}
}

// rows are the sets of references that are being told in several events, by
// object and attribute, each with the number that it began under.
type rows map[[2]string]int

// take reports whether e stands alone, or else the number of its row: next if it
// begins one.
func (o rows) take(e source.Event, next int) (row int, alone bool) {
	r := e.References
	if e.Op != source.Refers || r.Whole() {
		return 0, true
	}
	key := [2]string{string(e.Object.ID), r.Attribute}
	if r.First {
		o[key] = next
	}
	row, in := o[key]
	if r.Last {
		delete(o, key)
	}
	return row, !in
}

func reordered(ctx context.Context, events iter.Seq2[source.Event, error], random *rand.Rand) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		var held [][]source.Event
		open := rows{}
		for e, err := range events {
			if err == nil && e.Op != source.Checkpoint {
				if i, alone := open.take(e, len(held)); alone || e.References.First {
					held = append(held, []source.Event{e})
				} else {
					held[i] = append(held[i], e)
				}
				continue
			}
			random.Shuffle(len(held), func(i, j int) { held[i], held[j] = held[j], held[i] })
			for _, h := range append(slices.Concat(held...), e) {
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
			clear(open)
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

// Confirm asks the inner source, if it can.
func (s *Source) Confirm(ctx context.Context, w source.Watermark, to source.ID, attribute string, holders []source.ID) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		var events iter.Seq2[source.Event, error]
		if lost, err := s.confirms.do(ctx, func() { events = source.Confirm(ctx, s.inner, w, to, attribute, holders) }); lost {
			yield(source.Event{}, err)
			return
		}
		events(yield)
	}
}

// Resolve asks the inner source, if it can.
func (s *Source) Resolve(ctx context.Context, name string) ([]source.ID, error) {
	return source.Resolve(ctx, s.inner, name)
}

// Empty asks the inner source, if it can tell.
func (s *Source) Empty(ctx context.Context, id source.ID, attribute string) (bool, error) {
	return source.Empty(ctx, s.inner, id, attribute)
}

// Check returns the inner source's findings.
func (s *Source) Check(ctx context.Context) (findings []source.Finding, err error) {
	lost, fault := s.checks.do(ctx, func() { findings, err = s.inner.Check(ctx) })
	if lost {
		return nil, fault
	}
	return findings, err
}
