package statetest

import (
	"context"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// What may happen to the records while somebody ranges over them. Not each
// record leads to a commit, because a durable store syncs a disk for each.
var scanCommitRules = []rule{
	{"CommittingInTheBodyOfAScanIsAllowed", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		walk(t, s, func(i int, r state.Record) {
			if i%10 == 0 {
				commit(t, s, putIf(r.Key, "again", r.Revision))
			}
		})
		for i, r := range scan(t, s, "m/") {
			if changed := string(r.Value) == "again"; changed != (i%10 == 0) {
				t.Fatalf("%q has the value %q", r.Key, r.Value)
			}
		}
	}},
	{"RecordsMayBeDeletedBehindAScan", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		var passed []state.Write
		walk(t, s, func(i int, r state.Record) {
			if passed = append(passed, state.Remove(r.Key)); i%10 == 0 || i == many-1 {
				commit(t, s, passed...) // the record that is being looked at is among them
				passed = nil
			}
		})
		want(t, s, "m/")
	}},
	{"RecordsMayBeAddedBehindAScan", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		walk(t, s, func(i int, r state.Record) {
			if i%10 == 0 {
				commit(t, s, put(numbered("m/", 0)+"/"+r.Key, "new"), put("l/"+r.Key, "outside"))
			}
		})
	}},
	{"RecordsMayChangeAheadOfAScan", func(t *testing.T, s state.Store) {
		// Some multiples of 3 disappear, new records come behind multiples of 5:
		// whether a scan sees these is open. The others are there all the time.
		fill(t, s, "m/", many)
		seen := make(map[int]int)
		last, added := "", 0
		for r, err := range s.Scan(context.Background(), "m/") {
			if err != nil {
				t.Fatal(err)
			}
			if r.Key <= last {
				t.Fatalf("%q came after %q", r.Key, last)
			}
			if last = r.Key; len(r.Key) > len(numbered("m/", 0)) {
				added++
				continue
			}
			n := number(r.Key)
			seen[n]++
			if n%10 != 7 {
				continue
			}
			var writes []state.Write
			for ahead := n + 1; ahead < min(n+2000, many); ahead = n + 2*(ahead-n) {
				switch {
				case ahead%3 == 0:
					writes = append(writes, state.Remove(numbered("m/", ahead)))
				case ahead%5 == 0:
					writes = append(writes, put(numbered("m/", ahead)+"/new", "new"))
				}
			}
			commit(t, s, writes...)
		}
		for n := range many {
			if seen[n] != 1 && n%3 != 0 || seen[n] > 1 {
				t.Fatalf("record %d was yielded %d times", n, seen[n])
			}
		}
		if added > many {
			t.Errorf("%d added records were yielded, more than there are", added)
		}
	}},
	{"EverythingMayDisappearDuringAScan", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		yielded := 0
		for r, err := range s.Scan(context.Background(), "m/") {
			if err != nil {
				t.Fatal(err)
			}
			if yielded++; r.Key == numbered("m/", 0) {
				all := make([]state.Write, many)
				for i := range all {
					all[i] = state.Remove(numbered("m/", i))
				}
				commit(t, s, all...)
			}
		}
		if yielded > many {
			t.Errorf("%d records were yielded, there were never more than %d", yielded, many)
		}
		want(t, s, "")
	}},
}

// walk scans the many records of fill and checks that each comes once, in
// order, whatever body does.
func walk(t *testing.T, s state.Store, body func(i int, r state.Record)) {
	t.Helper()
	i := 0
	for r, err := range s.Scan(context.Background(), "m/") {
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Key) > len(numbered("m/", 0)) {
			continue // added by body
		}
		if r.Key != numbered("m/", i) {
			t.Fatalf("number %d is %q", i, r.Key)
		}
		body(i, r)
		i++
	}
	if i != many {
		t.Fatalf("%d records were yielded, want %d", i, many)
	}
}

// number is the inverse of numbered.
func number(key string) int {
	n := 0
	for _, c := range key[len("m/"):] {
		n = 10*n + int(c-'0')
	}
	return n
}
