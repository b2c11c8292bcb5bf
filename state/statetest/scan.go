package statetest

import (
	"context"
	"reflect"
	"slices"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// many is more records than a store reads at once, one hopes.
const many = 3000

var scanRules = []rule{
	{"ScanIsInByteOrderOfTheKeys", func(t *testing.T, s state.Store) {
		// Collations, case folding, path order and UTF-16 order all differ from
		// byte order somewhere in here.
		keys := []string{
			"\x01", " ", "-", "/", "//", "0", "A", "B", "Z", "_", "a", "a ", "a!", "a-b", "a.b", "a/", "a//b", "a/b", "a/b/c",
			"a0", "a10", "a2", "aB", "aa", "a\x00", "a\x00b", "ab", "b", "z", "~", "\x7f", "é", "e\u0301", "ß", "ss", "\u0130", "i",
			"\ufb01", "\uffff", "\U00010000", "\U0010ffff",
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		for i := range keys { // 17 has no factor in common with their number
			commit(t, s, put(keys[(i*17)%len(keys)], "v"))
		}
		if len(keys)%17 == 0 {
			t.Fatal("this test doesn't put all keys")
		}
		var got []string
		for _, r := range scan(t, s, "") {
			got = append(got, r.Key)
		}
		if !reflect.DeepEqual(got, keys) {
			t.Errorf("order is\n\t%q, want\n\t%q", got, keys)
		}
	}},
	{"PrefixIsExact", func(t *testing.T, s state.Store) {
		commit(t, s, put("link", "1"), put("link/a", "2"), put("link/b/c", "3"), put("link0", "4"), put("lin", "5"), put("Link/a", "6"), put("xlink/a", "7"))
		want(t, s, "link/", "link/a=2", "link/b/c=3")
		want(t, s, "link", "link=1", "link/a=2", "link/b/c=3", "link0=4")
		want(t, s, "link/a", "link/a=2")
		want(t, s, "link/a/")
		want(t, s, "L", "Link/a=6")
		want(t, s, "nothing")
		want(t, s, "", "Link/a=6", "lin=5", "link=1", "link/a=2", "link/b/c=3", "link0=4", "xlink/a=7")
	}},
	{"NothingInAPrefixIsAWildcard", func(t *testing.T, s state.Store) {
		commit(t, s, put(`a%b/1`, "percent"), put(`a_b/1`, "line"), put(`a*b/1`, "star"), put(`a?b/1`, "mark"), put(`a\b/1`, "slash"), put(`a[b]/1`, "set"), put(`axb/1`, "x"))
		want(t, s, `a%b`, `a%b/1=percent`)
		want(t, s, `a_b`, `a_b/1=line`)
		want(t, s, `a*b`, `a*b/1=star`)
		want(t, s, `a?b`, `a?b/1=mark`)
		want(t, s, `a\`, `a\b/1=slash`)
		want(t, s, `a[b]`, `a[b]/1=set`)
	}},
	{"APrefixMayEndInTheLastCharacter", func(t *testing.T, s state.Store) {
		commit(t, s, put("a\U0010ffff", "1"), put("a\U0010ffffz", "2"), put("b", "3"), put("\U0010ffff", "4"), put("\U0010ffff\U0010ffff", "5"))
		want(t, s, "a\U0010ffff", "a\U0010ffff=1", "a\U0010ffffz=2")
		want(t, s, "\U0010ffff", "\U0010ffff=4", "\U0010ffff\U0010ffff=5")
	}},
	{"AScanOfManyYieldsEachOnce", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		commit(t, s, put("l", "before"), put("n", "after"))
		i := 0
		for _, r := range scan(t, s, "m/") {
			if r.Key != numbered("m/", i) || string(r.Value) != "value" || r.Revision == 0 {
				t.Fatalf("number %d is %q with %q at revision %d", i, r.Key, r.Value, r.Revision)
			}
			i++
		}
		if i != many {
			t.Fatalf("%d records, want %d", i, many)
		}
	}},
	{"AScanCarriesBigValues", func(t *testing.T, s state.Store) {
		big := make([]byte, 3<<20)
		for i := range 4 {
			big[0] = byte(i)
			commit(t, s, state.Put(numbered("big/", i), big))
		}
		for i, r := range scan(t, s, "big/") {
			if len(r.Value) != len(big) || r.Value[0] != byte(i) {
				t.Errorf("record %d has %d bytes and begins with %d", i, len(r.Value), r.Value[0])
			}
		}
	}},
	{"BreakingOutReleasesEverything", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", many)
		for i := range 200 { // a store that holds a lock or a connection stops here
			seen := 0
			for _, err := range s.Scan(context.Background(), "m/") {
				if err != nil {
					t.Fatal(err)
				}
				if seen++; seen > i%60 {
					break
				}
			}
			if seen != i%60+1 {
				t.Fatalf("broke out after %d records, want %d", seen, i%60+1)
			}
		}
		commit(t, s, put("m/0000000", "written"), put("z", "written"))
		if r := get(t, s, "m/0000000"); string(r.Value) != "written" {
			t.Errorf("value is %q", r.Value)
		}
	}},
	{"ScansMayBeNested", func(t *testing.T, s state.Store) {
		fill(t, s, "m/", 40)
		pairs := 0
		for a, err := range s.Scan(context.Background(), "m/") {
			if err != nil {
				t.Fatal(err)
			}
			for b, err := range s.Scan(context.Background(), "m/") {
				if err != nil {
					t.Fatal(err)
				}
				if get(t, s, b.Key).Revision == b.Revision && a.Key <= b.Key {
					pairs++
				}
			}
		}
		if pairs != 40*41/2 {
			t.Errorf("%d pairs, want %d", pairs, 40*41/2)
		}
	}},
}
