package statetest

import (
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// What Write.Check means.
var checkRules = []rule{
	{"RevisionZeroMeansThatTheKeyMustNotExist", func(t *testing.T, s state.Store) {
		commit(t, s, putIf("k", "1", 0))
		refuse(t, s, putIf("k", "2", 0))
		want(t, s, "", "k=1")
		commit(t, s, state.Remove("k"))
		commit(t, s, putIf("k", "3", 0))
		want(t, s, "", "k=3")
	}},
	{"ACheckHoldsAtItsRevision", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "1"))
		first := get(t, s, "k").Revision
		commit(t, s, putIf("k", "2", first))
		refuse(t, s, putIf("k", "3", first))
		want(t, s, "", "k=2")
		commit(t, s, putIf("k", "4", get(t, s, "k").Revision))
		want(t, s, "", "k=4")
	}},
	{"ACheckOnAMissingKeyIsAConflict", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "1"))
		r := get(t, s, "k").Revision
		refuse(t, s, putIf("other", "2", r))
		commit(t, s, state.Remove("k"))
		refuse(t, s, putIf("k", "2", r))
		refuse(t, s, removeIf("k", r))
		want(t, s, "")
	}},
	{"ACheckTellsARecordFromItsPredecessor", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "same"))
		r := get(t, s, "k").Revision
		commit(t, s, state.Remove("k"))
		commit(t, s, put("k", "same"))
		refuse(t, s, putIf("k", "2", r))
		refuse(t, s, removeIf("k", r))
		want(t, s, "", "k=same")
	}},
	{"ADeleteCanDependOnARevision", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "1"))
		first := get(t, s, "k").Revision
		commit(t, s, put("k", "2"))
		refuse(t, s, removeIf("k", first))
		refuse(t, s, removeIf("k", 0))
		want(t, s, "", "k=2")
		commit(t, s, removeIf("k", get(t, s, "k").Revision))
		wantAbsent(t, s, "k")
		commit(t, s, removeIf("k", 0))
		wantAbsent(t, s, "k")
	}},
	{"WithoutCheckTheRevisionIsIgnored", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "1"))
		commit(t, s, state.Write{Key: "k", Value: []byte("2"), Revision: 12345})
		commit(t, s, state.Write{Key: "new", Value: []byte("3"), Revision: 12345})
		want(t, s, "", "k=2", "new=3")
	}},
	{"AConflictWritesNothingAtAll", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"), put("b", "1"), put("c", "1"))
		before := scan(t, s, "")
		wrong := before[1].Revision + 1_000_000
		others := []state.Write{put("a", "2"), state.Remove("c"), put("new", "2"), putIf("a2", "2", 0)}
		for i := range len(others) + 1 { // whatever its place
			writes := append([]state.Write{}, others[:i]...)
			writes = append(append(writes, putIf("b", "2", wrong)), others[i:]...)
			refuse(t, s, writes...)
			want(t, s, "", "a=1", "b=1", "c=1")
		}
		for i, r := range scan(t, s, "") {
			if r.Revision != before[i].Revision {
				t.Errorf("revision of %q went from %d to %d", r.Key, before[i].Revision, r.Revision)
			}
		}
		commit(t, s, putIf("b", "2", before[1].Revision)) // and the store goes on
		want(t, s, "", "a=1", "b=2", "c=1")
	}},
	{"ACheckSeesTheWritesBeforeItInTheSameCommit", func(t *testing.T, s state.Store) {
		commit(t, s, put("k", "1"))
		r := get(t, s, "k").Revision
		refuse(t, s, put("k", "2"), putIf("k", "3", r))
		refuse(t, s, put("new", "2"), putIf("new", "3", 0))
		refuse(t, s, state.Remove("k"), putIf("k", "3", r))
		want(t, s, "", "k=1")
		commit(t, s, removeIf("k", r), putIf("k", "4", 0))
		want(t, s, "", "k=4")
		commit(t, s, put("new", "1"), state.Remove("new"), putIf("new", "2", 0))
		want(t, s, "", "k=4", "new=2")
	}},
	{"ACheckOnOneKeyGuardsWritesToOthers", func(t *testing.T, s state.Store) {
		commit(t, s, put("lease", "me"))
		lease := get(t, s, "lease").Revision
		commit(t, s, putIf("lease", "me", lease), put("a", "1"))
		refuse(t, s, putIf("lease", "me", lease), put("a", "2"))
		want(t, s, "", "a=1", "lease=me")
	}},
}
