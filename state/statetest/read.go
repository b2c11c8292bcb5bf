package statetest

import (
	"bytes"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

var readRules = []rule{
	{"AnEmptyStoreHasNoRecords", func(t *testing.T, s state.Store) {
		wantAbsent(t, s, "link/ann")
		want(t, s, "")
		want(t, s, "link/")
	}},
	{"GetReturnsWhatWasPut", func(t *testing.T, s state.Store) {
		commit(t, s, put("link/ann", "t1"))
		r := get(t, s, "link/ann")
		if string(r.Value) != "t1" {
			t.Errorf("value is %q, want %q", r.Value, "t1")
		}
		if r.Revision == 0 {
			t.Error("revision is 0, which is never a record's")
		}
		want(t, s, "", "link/ann=t1")
	}},
	{"GetOfOtherKeysIsErrNotFound", func(t *testing.T, s state.Store) {
		commit(t, s, put("link/ann", "t1"))
		for _, key := range []string{"link", "link/", "link/an", "link/anna", "link/ANN", "Link/ann", "ann", " link/ann", "link/ann "} {
			wantAbsent(t, s, key)
		}
	}},
	{"AnEmptyValueIsARecord", func(t *testing.T, s state.Store) {
		commit(t, s, state.Put("nil", nil), state.Put("empty", []byte{}))
		for _, key := range []string{"nil", "empty"} {
			if r := get(t, s, key); len(r.Value) != 0 || r.Revision == 0 {
				t.Errorf("%q has the value %q at revision %d, want an empty one and a revision", key, r.Value, r.Revision)
			}
		}
		want(t, s, "", "empty=", "nil=")
		wantAbsent(t, s, "missing")
	}},
	{"AValueIsAnyBytes", func(t *testing.T, s state.Store) {
		every := make([]byte, 512)
		for i := range every {
			every[i] = byte(i)
		}
		for _, v := range [][]byte{every, {0}, {0, 0, 0}, {0xff, 0xfe}, []byte("'; drop table\x00\\x00 \xc3\x28\r\n"), bytes.Repeat([]byte{0xff}, 70_000)} {
			commit(t, s, state.Put("k", v))
			if r := get(t, s, "k"); !bytes.Equal(r.Value, v) {
				t.Errorf("%d bytes came back as %d other ones", len(v), len(r.Value))
			}
		}
	}},
	{"TheCallersSliceMayChangeAfterCommit", func(t *testing.T, s state.Store) {
		v := []byte("before")
		commit(t, s, state.Put("k", v))
		copy(v, "after!")
		want(t, s, "", "k=before")
	}},
	{"AValueBelongsToWhoeverGotIt", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "before"), put("b", "before"))
		spoil := func(v []byte) {
			copy(v, "after!")
			_ = append(v, "and more, over whatever lies behind it"...)
		}
		spoil(get(t, s, "a").Value)
		for _, r := range scan(t, s, "") {
			spoil(r.Value)
		}
		want(t, s, "", "a=before", "b=before")

		kept := scan(t, s, "")
		commit(t, s, put("a", "after!"), state.Remove("b"))
		for _, r := range kept {
			if string(r.Value) != "before" {
				t.Errorf("a commit changed a value that was given away: %q", r.Value)
			}
		}
	}},
	{"GetSeesEveryCommitBeforeIt", func(t *testing.T, s state.Store) {
		for _, v := range []string{"1", "2", "", "3"} {
			commit(t, s, put("k", v))
			want(t, s, "", "k="+v)
		}
		commit(t, s, state.Remove("k"))
		wantAbsent(t, s, "k")
		want(t, s, "")
	}},
}
