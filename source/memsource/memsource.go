package memsource

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

// Options are what may be chosen about a [Source]. The zero value is good.
type Options struct {
	// CheckpointEvery is after how many objects a read offers a checkpoint.
	//
	// Defaults to 1000, a page of Active Directory.
	CheckpointEvery int

	// MaxTombstones is how many tombstones are kept. When there is one more,
	// the oldest is forgotten, and watermarks from before it expire.
	//
	// Defaults to no limit.
	MaxTombstones int

	// MaxReferences is how many references one event tells at most. A set of
	// more comes in several.
	//
	// Defaults to 1500, as many values as Active Directory gives at a time.
	MaxReferences int
}

// A Source is an editable directory in memory. It is safe for concurrent use:
// it may be edited while it is read, also in the body of the range. A read gives
// what was there when it began, in the order of the last change of each object
// (the one that didn't change for longest comes first).
//
// It holds users, groups and containers, whatever is put there. References are
// told for the attributes that were ever given to an object of the kind by
// [Source.Refer] or [Source.SetRefs]: of a directory without, none come.
//
// Memory is about what the values take, plus 300 bytes an object and 150 a
// reference. A delta costs what changed, a full read or [Source.Len] doesn't
// copy the directory, but for the references.
type Source struct {
	name  string
	every int
	max   int // tombstones, 0 for no limit
	size  int // references in one event

	mu       sync.Mutex
	instance string // makes watermarks of another Source foreign
	seq      uint64 // of the last change
	floor    uint64 // watermarks below it have expired
	entries  map[source.ID]*entry
	first    *entry   // oldest change
	last     *entry   // newest change
	live     int      // objects in scope
	graves   int      // tombstones among entries
	queue    []*entry // tombstones, oldest first; with MaxTombstones only; some may be void
	names    names    // of attributes, for packing
	made     uint64   // IDs that were made up

	// References. All nil until there are any.
	sets       map[setKey]*refSet
	back       map[source.ID][]*refSet // those with a mark for the ID
	log        []refChange             // ascending by seq
	marks      int                     // in all sets
	attributes []string                // in the order of first use
	attrs      map[source.Kind][]string
}

var (
	_ source.DeltaSource = (*Source)(nil)
	_ source.Poller      = (*Source)(nil)
	_ source.Finder      = (*Source)(nil)
	_ source.Confirmer   = (*Source)(nil)
	_ source.Resolver    = (*Source)(nil)
	_ source.Checker     = (*Source)(nil)
)

// New returns an empty directory. Name becomes [Source.Name]: it must not be
// empty and must have no '/'.
func New(name string, opts *Options) *Source {
	if opts == nil {
		opts = &Options{}
	}
	s := &Source{name: name, every: opts.CheckpointEvery, max: opts.MaxTombstones, size: opts.MaxReferences,
		instance: newInstance(), entries: map[source.ID]*entry{}}
	if s.every <= 0 {
		s.every = 1000
	}
	if s.size <= 0 {
		s.size = 1500
	}
	return s
}

// Name returns the name given to [New].
func (s *Source) Name() string { return s.name }

// All yields an Upsert for every object in scope, with checkpoints. See
// [source.Source].
func (s *Source) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		s.mu.Lock()
		r := s.since(0, true, true)
		s.mu.Unlock()
		r.run(ctx, yield)
	}
}

// Since yields what changed after w. See [source.DeltaSource]. A watermark
// expires when a tombstone that is newer was forgotten (see
// [Options.MaxTombstones], [Source.PurgeTombstones]), and with [Source.Expire].
func (s *Source) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		s.mu.Lock()
		seq, rest, err := s.resume(w)
		var r read
		if err == nil {
			r = s.since(seq, false, rest)
		}
		s.mu.Unlock()
		if err != nil {
			yield(source.Event{}, fmt.Errorf("read changes of %s: %w", s.name, err))
			return
		}
		r.run(ctx, yield)
	}
}

// Poll reports whether anything changed after w. See [source.Poller].
func (s *Source) Poll(ctx context.Context, w source.Watermark) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, fmt.Errorf("poll %s: %w", s.name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seq, _, err := s.resume(w)
	return err != nil || seq != s.seq, nil
}

// Find yields what is certain about ids. See [source.Finder].
func (s *Source) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for _, id := range ids {
			if err := ctx.Err(); err != nil {
				yield(source.Event{}, fmt.Errorf("find in %s: %w", s.name, err))
				return
			}
			s.mu.Lock()
			e := s.entries[id]
			if e == nil || e.state == hidden {
				s.mu.Unlock()
				continue
			}
			ev := s.event(e, time.Now())
			var steps []step
			if e.tells() {
				for _, attribute := range s.attrs[e.kind] {
					set := s.sets[setKey{id, attribute}]
					if set == nil {
						set = &refSet{setKey: setKey{id, attribute}}
					}
					steps = append(steps, s.step(set, e.seq, true))
				}
			}
			s.mu.Unlock()
			if !yield(ev, nil) {
				return
			}
			for _, t := range steps {
				if !t.say(s.size, yield) {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil {
			yield(source.Event{}, fmt.Errorf("find in %s: %w", s.name, err))
		}
	}
}

// Check has nothing to find. See [source.Checker].
func (s *Source) Check(ctx context.Context) ([]source.Finding, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("check %s: %w", s.name, err)
	}
	return nil, nil
}
