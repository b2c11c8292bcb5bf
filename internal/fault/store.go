package fault

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/state"
)

// A Store passes calls on to another one, or doesn't.
type Store struct {
	inner                state.Store
	gets, scans, commits calls
}

var _ state.Store = (*Store)(nil)

// NewStore wraps inner.
func NewStore(inner state.Store) *Store { return &Store{inner: inner} }

// OnGet, OnScan and OnCommit make the n-th call from now go wrong; 1 is the
// next. A commit whose fault is Done was made, and nobody knows.
func (s *Store) OnGet(n int, f Fault)    { s.gets.on(n, f) }
func (s *Store) OnScan(n int, f Fault)   { s.scans.on(n, f) }
func (s *Store) OnCommit(n int, f Fault) { s.commits.on(n, f) }

// Gets, Scans and Commits are how many calls there were.
func (s *Store) Gets() int    { return s.gets.made() }
func (s *Store) Scans() int   { return s.scans.made() }
func (s *Store) Commits() int { return s.commits.made() }

// Get returns a record.
func (s *Store) Get(ctx context.Context, key string) (r state.Record, err error) {
	lost, fault := s.gets.do(ctx, func() { r, err = s.inner.Get(ctx, key) })
	if lost {
		return state.Record{}, fault
	}
	return r, err
}

// Scan yields records.
func (s *Store) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		var records iter.Seq2[state.Record, error]
		if lost, err := s.scans.do(ctx, func() { records = s.inner.Scan(ctx, prefix) }); lost {
			yield(state.Record{}, err)
			return
		}
		records(yield)
	}
}

// Commit makes all the writes or none.
func (s *Store) Commit(ctx context.Context, writes ...state.Write) (err error) {
	lost, fault := s.commits.do(ctx, func() { err = s.inner.Commit(ctx, writes...) })
	if lost {
		return fault
	}
	return err
}
