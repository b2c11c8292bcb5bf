package statetest

import (
	"context"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

var commitRules = []rule{
	{"ACommitWithoutWritesDoesNothing", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "v"))
		before := get(t, s, "k").Revision
		commit(t, s)
		want(t, s, "", "k=v")
		if after := get(t, s, "k").Revision; after != before {
			t.Errorf("revision went from %d to %d", before, after)
		}
	}},
	{"ACommitMakesAllItsWrites", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"), put("b", "2"), put("c", "3"))
		commit(t, s, put("a", "4"), state.Remove("b"), put("d", "5"))
		want(t, s, "", "a=4", "c=3", "d=5")
	}},
	{"WritesToOneKeyAreMadeInOrder", func(t *testing.T, s state.Store) {
		commit(t, s,
			put("a", "1"), put("a", "2"),
			put("b", "1"), state.Remove("b"),
			state.Remove("c"), put("c", "1"),
			put("d", "1"), state.Remove("d"), put("d", "2"),
			put("e", "2"), put("e", ""))
		want(t, s, "", "a=2", "c=1", "d=2", "e=")
		wantAbsent(t, s, "b")
		commit(t, s, put("a", "3"), put("a", "1"), state.Remove("c"), put("c", "0"), state.Remove("c"))
		want(t, s, "", "a=1", "d=2", "e=")
	}},
	{"RemovingWhatIsNotThereIsNoError", func(t *testing.T, s state.Store) {
		commit(t, s, state.Remove("a"))
		commit(t, s, put("b", "1"), state.Remove("a"), state.Remove("a"))
		want(t, s, "", "b=1")
	}},
	{"ADeleteIgnoresItsValue", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"))
		commit(t, s, state.Write{Key: "a", Value: []byte("left over"), Delete: true})
		wantAbsent(t, s, "a")
	}},
	{"ARevisionDiffersEachTimeAKeyIsWritten", func(t *testing.T, s state.Store) {
		seen := map[uint64]string{}
		note := func(what string) {
			t.Helper()
			r := get(t, s, "k").Revision
			if r == 0 {
				t.Fatalf("%s: revision 0", what)
			}
			if earlier, ok := seen[r]; ok {
				t.Fatalf("%s: revision %d was that of %q already", what, r, earlier)
			}
			seen[r] = what
		}
		commit(t, s, put("k", "v"))
		note("created")
		commit(t, s, put("k", "w"))
		note("changed")
		commit(t, s, put("k", "w"))
		note("written again as it was")
		commit(t, s, put("k", "1"), put("k", "2"))
		note("written twice in a commit")
		commit(t, s, state.Remove("k"))
		commit(t, s, put("k", "w"))
		note("created again")
		commit(t, s, state.Remove("k"), put("k", "w"))
		note("replaced in a commit")
	}},
	{"ARevisionStaysWhenOtherKeysAreWritten", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"), put("b", "1"))
		before := get(t, s, "a")
		commit(t, s, put("b", "2"), put("a/b", "1"), put("A", "1"))
		commit(t, s, state.Remove("b"))
		refuse(t, s, put("a", "3"), putIf("c", "1", 99))
		if after := get(t, s, "a"); after.Revision != before.Revision {
			t.Errorf("revision went from %d to %d", before.Revision, after.Revision)
		}
	}},
	{"ABigCommitHappensWhole", func(t *testing.T, s state.Store) {
		writes := make([]state.Write, 0, 10_001)
		for i := range 10_000 {
			writes = append(writes, put(numbered("b/", i), "v"))
		}
		refuse(t, s, append(writes, putIf("x", "1", 7))...)
		want(t, s, "")
		commit(t, s, writes...)
		if n, err := drain(t, s.Scan(context.Background(), "b/")); n != 10_000 || err != nil {
			t.Errorf("%d records and error %v, want 10000", n, err)
		}
	}},
}
