package statetest_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/state/statetest"
)

// A mutant keeps the contract but for one sentence.
type mutant struct {
	*memstate.Store
	get    func(s *memstate.Store, ctx context.Context, key string) (state.Record, error)
	scan   func(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error]
	commit func(s *memstate.Store, ctx context.Context, writes []state.Write) error
}

func (m mutant) Get(ctx context.Context, key string) (state.Record, error) {
	if m.get != nil {
		return m.get(m.Store, ctx, key)
	}
	return m.Store.Get(ctx, key)
}

func (m mutant) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	if m.scan != nil {
		return m.scan(m.Store, ctx, prefix)
	}
	return m.Store.Scan(ctx, prefix)
}

func (m mutant) Commit(ctx context.Context, writes ...state.Write) error {
	if m.commit != nil {
		return m.commit(m.Store, ctx, writes)
	}
	return m.Store.Commit(ctx, writes...)
}

// mutants makes each mutant anew; the name says what is wrong with it.
func mutants() map[string]mutant {
	shared := map[uint64][]byte{}
	return map[string]mutant{
		"a missing record is an empty one": {get: func(s *memstate.Store, ctx context.Context, key string) (state.Record, error) {
			r, err := s.Get(ctx, key)
			if errors.Is(err, state.ErrNotFound) {
				return state.Record{Key: key}, nil
			}
			return r, err
		}},
		"an empty value is a missing record": {get: func(s *memstate.Store, ctx context.Context, key string) (state.Record, error) {
			r, err := s.Get(ctx, key)
			if err == nil && len(r.Value) == 0 {
				return state.Record{}, state.ErrNotFound
			}
			return r, err
		}},
		"values are shared": {get: func(s *memstate.Store, ctx context.Context, key string) (state.Record, error) {
			r, err := s.Get(ctx, key)
			if v, ok := shared[r.Revision]; ok {
				r.Value = v
			}
			shared[r.Revision] = r.Value
			return r, err
		}},
		"values are text": {get: func(s *memstate.Store, ctx context.Context, key string) (state.Record, error) {
			r, err := s.Get(ctx, key)
			r.Value = []byte(strings.ToValidUTF8(string(r.Value), "?"))
			return r, err
		}},
		"a revision is a length": {
			get: func(s *memstate.Store, ctx context.Context, key string) (state.Record, error) {
				r, err := s.Get(ctx, key)
				r.Revision = uint64(len(r.Value)) + 1
				return r, err
			},
		},
		"a prefix ends at a slash": {scan: func(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
			return only(s.Scan(ctx, prefix), func(r state.Record) bool {
				rest := strings.TrimPrefix(r.Key, prefix)
				return prefix == "" || rest == "" || strings.HasSuffix(prefix, "/") || rest[0] == '/'
			})
		}},
		"a prefix ignores case": {scan: func(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
			return only(s.Scan(ctx, ""), func(r state.Record) bool { return strings.HasPrefix(strings.ToLower(r.Key), strings.ToLower(prefix)) })
		}},
		"a scan counts its way": {scan: func(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
			return byOffset(s, ctx, prefix)
		}},
		"a cut scan looks complete": {scan: func(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
			return func(yield func(state.Record, error) bool) {
				for r, err := range s.Scan(ctx, prefix) {
					if err != nil || !yield(r, nil) {
						return
					}
				}
			}
		}},
		"the first record comes twice": {scan: func(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
			return func(yield func(state.Record, error) bool) {
				again := true
				for r, err := range s.Scan(ctx, prefix) {
					if !yield(r, err) || again && err == nil && !yield(r, err) {
						return
					}
					again = false
				}
			}
		}},
		"checks are ignored": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			return s.Commit(ctx, edited(writes, func(w *state.Write) { w.Check = false })...)
		}},
		"revision 0 is no check": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			return s.Commit(ctx, edited(writes, func(w *state.Write) { w.Check = w.Check && w.Revision != 0 })...)
		}},
		"deletes aren't checked": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			return s.Commit(ctx, edited(writes, func(w *state.Write) { w.Check = w.Check && !w.Delete })...)
		}},
		"each write is a commit": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			for _, w := range writes {
				if err := s.Commit(ctx, w); err != nil {
					return err
				}
			}
			return nil
		}},
		"the last write comes first": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			var back []state.Write
			for _, w := range writes {
				back = append([]state.Write{w}, back...)
			}
			return s.Commit(ctx, back...)
		}},
		"a conflict has no name": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			if err := s.Commit(ctx, writes...); err != nil {
				return errors.New(err.Error())
			}
			return nil
		}},
		"invalid writes are left out": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			var good []state.Write
			for _, w := range writes {
				if w.Key != "" && len(w.Key) <= 1024 && len(w.Value) <= 16<<20 {
					good = append(good, w)
				}
			}
			return s.Commit(ctx, good...)
		}},
		"a cancelled commit succeeds": {commit: func(s *memstate.Store, ctx context.Context, writes []state.Write) error {
			return s.Commit(context.WithoutCancel(ctx), writes...)
		}},
	}
}

func only(seq iter.Seq2[state.Record, error], keep func(state.Record) bool) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for r, err := range seq {
			if (err != nil || keep(r)) && !yield(r, err) {
				return
			}
		}
	}
}

// byOffset skips as many records as it has yielded, as SQL's OFFSET does, every
// hundred records.
func byOffset(s *memstate.Store, ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for done, more := 0, true; more; {
			var page []state.Record
			i := 0
			for r, err := range s.Scan(ctx, prefix) {
				if err != nil {
					yield(r, err)
					return
				}
				if i++; i > done {
					page = append(page, r)
				}
				if len(page) == 100 {
					break
				}
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
			}
			done += len(page)
			more = len(page) == 100
		}
	}
}

func edited(writes []state.Write, edit func(*state.Write)) []state.Write {
	out := append([]state.Write{}, writes...)
	for i := range out {
		edit(&out[i])
	}
	return out
}

// which names the mutant that this binary, run as a child, is to test.
const which = "STATETEST_MUTANT"

// A suite is worth what it finds: a store that breaks one rule must not pass.
func TestTheSuiteFindsEveryMutant(t *testing.T) {
	if name := os.Getenv(which); name != "" {
		statetest.Run(t, func(*testing.T) state.Store {
			m := mutants()[name]
			m.Store = memstate.New()
			return m
		})
		return
	}
	child := func(name string) (string, error) {
		c := exec.Command(os.Args[0], "-test.run=^TestTheSuiteFindsEveryMutant$", "-test.failfast", "-test.timeout=60s")
		c.Env = append(os.Environ(), which+"="+name)
		out, err := c.CombinedOutput()
		return string(out), err
	}
	out, err := child("none: the store is good")
	require.NoError(t, err, out)
	for name := range mutants() {
		t.Run(name, func(t *testing.T) {
			out, err := child(name)
			require.Error(t, err, "the suite passes it")
			require.Contains(t, out, "--- FAIL: TestTheSuiteFindsEveryMutant/", "it fails, but no rule says why")
			require.NotContains(t, out, "panic:", "it fails, but no rule says why")
		})
	}
}
