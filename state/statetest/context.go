package statetest

import (
	"context"
	"errors"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

var contextRules = []rule{
	{"ACancelledContextEndsEveryCall", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"), put("b", "1"))
		ctx, cancel := context.WithCancel(context.Background())
		cancel()

		if _, err := s.Get(ctx, "a"); !errors.Is(err, context.Canceled) {
			t.Errorf("Get gave %v, want an error that wraps context.Canceled", err)
		}
		if n, err := drain(t, s.Scan(ctx, "")); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("Scan gave %d records and %v, want an error that wraps context.Canceled", n, err)
		}
		if n, err := drain(t, s.Scan(ctx, "nothing/")); n != 0 || !errors.Is(err, context.Canceled) {
			t.Errorf("Scan of nothing gave %d records and %v: it looks complete", n, err)
		}
		if err := s.Commit(ctx, put("a", "2"), put("c", "2")); !errors.Is(err, context.Canceled) {
			t.Errorf("Commit gave %v, want an error that wraps context.Canceled", err)
		}
		want(t, s, "", "a=1", "b=1")
	}},
	{"ACutScanNeverLooksComplete", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		for _, at := range []int{1, 7, 100, many - 1, many} {
			ctx, cancel := context.WithCancel(context.Background())
			seen := 0
			var failure error
			for r, err := range s.Scan(ctx, "m/") {
				if failure != nil {
					t.Fatalf("after its error the scan yielded %q, %v", r.Key, err)
				}
				if failure = err; err != nil {
					continue
				}
				if seen++; seen == at {
					cancel()
				}
			}
			cancel()
			if seen < many && !errors.Is(failure, context.Canceled) {
				t.Errorf("cancelled after %d: ended after %d records with %v", at, seen, failure)
			}
		}
		commit(t, s, put("m/0000000", "the store goes on"))
	}},
}
