package statetest

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// RunDurable checks what must hold of a store that is closed and opened again.
// open opens the store that lives in dir, an empty directory at first, and
// returns a function that closes it.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) (s state.Store, close func())) {
	for _, r := range []struct {
		name string
		test func(t *testing.T, reopen func() state.Store)
	}{
		{"EverythingIsThereAfterReopening", testReopen},
		{"RevisionsAreNeverUsedAgainAfterReopening", testRevisionsGoOn},
		{"ChecksHoldAcrossReopening", testChecksAcross},
	} {
		t.Run(r.name, func(t *testing.T) {
			dir := t.TempDir()
			s, stop := open(t, dir)
			defer func() { stop() }()
			r.test(t, func() state.Store {
				if s == nil {
					s, stop = open(t, dir)
					return s
				}
				stop()
				s, stop = open(t, dir)
				return s
			})
		})
	}
}

func testReopen(t *testing.T, reopen func() state.Store) {
	s := reopen()
	big := bytes.Repeat([]byte{0, 1, 0xfe, 0xff}, 500_000)
	fill(t, s, "m/", many)
	commit(t, s, state.Put("empty", nil), state.Put("big", big), put("gone", "1"), put("é/\x00", "odd"))
	commit(t, s, state.Remove("gone"), put(numbered("m/", 5), "changed"))
	before := scan(t, s, "")

	for range 3 {
		s = reopen()
		if after := scan(t, s, ""); !reflect.DeepEqual(after, before) {
			t.Fatalf("%d records before, %d after, or other values or revisions", len(before), len(after))
		}
		wantAbsent(t, s, "gone")
		if r := get(t, s, "big"); !bytes.Equal(r.Value, big) {
			t.Errorf("%d bytes came back as %d other ones", len(big), len(r.Value))
		}
	}
}

func testRevisionsGoOn(t *testing.T, reopen func() state.Store) {
	seen := map[uint64]bool{}
	for range 4 {
		s := reopen()
		for range 3 {
			commit(t, s, put("k", "v"))
			r := get(t, s, "k").Revision
			if seen[r] {
				t.Fatalf("revision %d came twice", r)
			}
			seen[r] = true
		}
		// Whoever derives revisions from the records that exist forgets here.
		commit(t, s, state.Remove("k"))
	}
}

func testChecksAcross(t *testing.T, reopen func() state.Store) {
	s := reopen()
	commit(t, s, put("k", "1"))
	first := get(t, s, "k").Revision
	commit(t, s, put("k", "2"))
	second := get(t, s, "k").Revision

	s = reopen()
	refuse(t, s, putIf("k", "3", first))
	refuse(t, s, putIf("k", "3", 0))
	commit(t, s, putIf("k", "3", second), putIf("new", "3", 0))
	s = reopen()
	want(t, s, "", "k=3", "new=3")
}
