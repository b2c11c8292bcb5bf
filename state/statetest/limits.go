package statetest

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// The limits that [state.Record] sets.
const (
	maxKey   = 1024
	maxValue = 16 << 20
)

var limitRules = []rule{
	{"AKeyMayHave1024Bytes", func(t *testing.T, s state.Store) {
		for _, key := range []string{strings.Repeat("k", maxKey), strings.Repeat("é", maxKey/2), "x"} {
			commit(t, s, put(key, "v"))
			if r := get(t, s, key); string(r.Value) != "v" {
				t.Errorf("value is %q", r.Value)
			}
			if got := scan(t, s, key); len(got) != 1 || got[0].Key != key {
				t.Errorf("a scan found %d records", len(got))
			}
		}
	}},
	{"AKeyIsAnyUTF8", func(t *testing.T, s state.Store) {
		keys := []string{"/", "a//b", " ", "a\x00b", "..", "../x", "CON", `a\b:c|d"e`, "\u00e9", "e\u0301", "\U0001f600", "*"}
		for i, key := range keys {
			commit(t, s, put(key, numbered("", i)))
		}
		for i, key := range keys {
			if r := get(t, s, key); string(r.Value) != numbered("", i) {
				t.Errorf("value of %q is %q", key, r.Value)
			}
		}
	}},
	{"AnInvalidKeyIsRefusedAndNothingWritten", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"))
		for what, key := range map[string]string{
			"an empty key": "", "1025 bytes": strings.Repeat("k", maxKey+1), "1025 bytes in 513 characters": strings.Repeat("é", maxKey/2) + "x",
			"no UTF-8": "a\xffb", "a cut character": "a\xc3",
		} {
			for how, w := range map[string]state.Write{"Put": put(key, "v"), "Remove": state.Remove(key), "Check": putIf(key, "v", 0)} {
				wantRefused(t, s, how+" "+what, put("a", "2"), w, put("b", "2"))
			}
			if _, err := s.Get(context.Background(), key); err == nil {
				t.Errorf("Get of %s gave no error", what)
			}
		}
	}},
	{"AValueMayHave16MiB", func(t *testing.T, s state.Store) {
		v := bytes.Repeat([]byte("0123456789abcdef"), maxValue/16)
		commit(t, s, state.Put("big", v), put("small", "1"))
		if r := get(t, s, "big"); !bytes.Equal(r.Value, v) {
			t.Errorf("%d bytes came back as %d other ones", len(v), len(r.Value))
		}
		want(t, s, "small", "small=1")
	}},
	{"ALargerValueIsRefusedAndNothingWritten", func(t *testing.T, s state.Store) {
		commit(t, s, put("a", "1"))
		wantRefused(t, s, "16 MiB and 1 byte", put("a", "2"), state.Put("big", make([]byte, maxValue+1)), put("b", "2"))
		wantAbsent(t, s, "big")
	}},
}

// wantRefused wants an error that isn't a conflict, and the store to hold a=1
// alone.
func wantRefused(t *testing.T, s state.Store, what string, writes ...state.Write) {
	t.Helper()
	err := s.Commit(context.Background(), writes...)
	switch {
	case err == nil:
		t.Errorf("%s: no error", what)
	case errors.Is(err, state.ErrConflict), errors.Is(err, state.ErrNotFound), errors.Is(err, state.ErrCorrupt):
		t.Errorf("%s: the error says something else: %v", what, err)
	case len(err.Error()) > 600:
		t.Errorf("%s: the error has %d characters, nobody will read it", what, len(err.Error()))
	}
	want(t, s, "", "a=1")
}
