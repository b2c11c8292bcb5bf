package statetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

var concurrentRules = []rule{
	{"ChecksLetNoUpdateGetLost", func(t *testing.T, s state.Store) {
		const workers, each = 8, 25
		commit(t, s, put("counter", "0"))
		together(workers, func(w int) {
			for range each {
				for {
					r, err := s.Get(context.Background(), "counter")
					if err != nil {
						t.Error(err)
						return
					}
					n, _ := strconv.Atoi(string(r.Value))
					err = s.Commit(context.Background(), putIf("counter", strconv.Itoa(n+1), r.Revision), put(fmt.Sprintf("by/%d", w), r.Key))
					if err == nil {
						break
					}
					if !errors.Is(err, state.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
		want(t, s, "counter", "counter="+strconv.Itoa(workers*each))
	}},
	{"OnlyOneCreatesAKey", func(t *testing.T, s state.Store) {
		var mu sync.Mutex
		winners := map[string][]string{}
		together(8, func(w int) {
			for i := range 20 {
				key, me := numbered("k/", i), strconv.Itoa(w)
				err := s.Commit(context.Background(), putIf(key, me, 0))
				if err == nil {
					mu.Lock()
					winners[key] = append(winners[key], me)
					mu.Unlock()
				} else if !errors.Is(err, state.ErrConflict) {
					t.Error(err)
				}
			}
		})
		for i := range 20 {
			key := numbered("k/", i)
			if len(winners[key]) != 1 {
				t.Errorf("%q was created by %q", key, winners[key])
			} else if r := get(t, s, key); string(r.Value) != winners[key][0] {
				t.Errorf("%q was created by %q but holds %q", key, winners[key], r.Value)
			}
		}
	}},
	{"NobodySeesHalfACommit", func(t *testing.T, s state.Store) {
		// One writer raises a and b together. Whoever reads the one and then
		// the other may find the second further on, never behind.
		const rounds = 200
		commit(t, s, put("a", "0"), put("b", "0"))
		done := make(chan struct{})
		read := func(key string) int {
			r, err := s.Get(context.Background(), key)
			if err != nil {
				t.Error(err)
			}
			n, _ := strconv.Atoi(string(r.Value))
			return n
		}
		together(4, func(w int) {
			if w == 0 {
				defer close(done)
				for i := range rounds {
					if err := s.Commit(context.Background(), put("a", strconv.Itoa(i+1)), put("b", strconv.Itoa(i+1))); err != nil {
						t.Error(err)
					}
				}
				return
			}
			first, second := "a", "b"
			if w%2 == 0 {
				first, second = second, first
			}
			for {
				one := read(first)
				if two := read(second); two < one {
					t.Errorf("%s was %d, and after that %s was %d", first, one, second, two)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}},
	{"ScansRunBesideCommits", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", 500)
		done := make(chan struct{})
		together(4, func(w int) {
			if w == 0 {
				defer close(done)
				for i := range 150 {
					writes := []state.Write{put(numbered("m/", i), "changed"), put(numbered("m/", i)+"/new", "new")}
					if i > 0 {
						writes = append(writes, state.Remove(numbered("m/", i-1)+"/new"))
					}
					if err := s.Commit(context.Background(), writes...); err != nil {
						t.Error(err)
					}
				}
				return
			}
			for {
				next := 0
				for r, err := range s.Scan(context.Background(), "m/") {
					if err != nil {
						t.Error(err)
						return
					}
					if len(r.Key) > len(numbered("m/", 0)) {
						continue
					}
					if number(r.Key) != next {
						t.Errorf("%q was yielded instead of number %d", r.Key, next)
					}
					next = number(r.Key) + 1
				}
				if next != 500 {
					t.Errorf("a scan ended after %d of 500 records", next)
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}},
}

// together runs f(0) to f(n-1) at once and waits for all.
func together(n int, f func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { f(i) })
	}
	wg.Wait()
}
