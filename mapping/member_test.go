package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func TestAScopeByGroupsAsksForMembership(t *testing.T) {
	s := mapping.Scope{Groups: []string{"g"}, Nested: true, Exclude: []string{"lab"}}
	b, err := s.Bind(map[string]source.ID{"g": "g", "lab": "lab"})
	require.NoError(t, err)
	require.True(t, b.ByGroup())
	here, there, nowhere := b.At(whole(sales, dom)), b.At(whole(lab, dom)), b.At(part())
	for name, tt := range map[string]struct {
		at   mapping.Verdict
		m    mapping.Membership
		want mapping.Answer
		why  string
	}{
		"a member":                        {here, mapping.Membership{In: true, Group: "CN=G", Top: "CN=G"}, mapping.InScope, "a member of CN=G"},
		"by another group":                {here, mapping.Membership{In: true, Group: "CN=N", Top: "CN=G"}, mapping.InScope, "a member of CN=N, which is in CN=G"},
		"no member":                       {here, mapping.Membership{}, mapping.OutOfScope, "not a member of a group of the scope"},
		"no longer":                       {here, mapping.Membership{Top: "CN=G", Stays: true}, mapping.OutOfScope, "no longer a member of CN=G"},
		"a member elsewhere":              {there, mapping.Membership{In: true, Group: "CN=G", Top: "CN=G"}, mapping.OutOfScope, "in OU=Lab,DC=corp (excluded)"},
		"a member nobody knows where":     {nowhere, mapping.Membership{In: true, Group: "CN=G", Top: "CN=G"}, mapping.Undecided, "where it lies isn't known"},
		"no member nobody knows where":    {nowhere, mapping.Membership{}, mapping.OutOfScope, "not a member of a group of the scope"},
		"of a group that is gone":         {here, mapping.Membership{In: true, Group: "CN=G", Top: "CN=G", Held: true}, mapping.Undecided, "the members of CN=G aren't known"},
		"in by a group that is gone":      {here, mapping.Membership{In: true, Group: "CN=G", Top: "CN=G", Held: true, Stays: true}, mapping.InScope, "a member of CN=G"},
		"out, with a group never told":    {here, mapping.Membership{Top: "CN=G", Unknown: "CN=N"}, mapping.OutOfScope, "no longer a member of CN=G"},
		"was in, with a group never told": {here, mapping.Membership{Top: "CN=G", Unknown: "CN=N", Stays: true}, mapping.Undecided, "the members of CN=N aren't known"},
	} {
		v := b.Among(&source.Object{Kind: source.User}, tt.at, tt.m)
		require.Equal(t, tt.want, v.Answer, name)
		require.Equal(t, tt.why, v.Decision.Branch, name)
		require.Equal(t, tt.want == mapping.Undecided, v.Problem != nil, name)
	}
	require.Equal(t, here, b.Among(&source.Object{Kind: source.Group}, here, mapping.Membership{}), "groups themselves aren't asked")
}

// What identified a scope before there were groups identifies it still: nobody
// leaves because of another version.
func TestTheFingerprintOfAScopeWithoutGroupsIsWhatItWas(t *testing.T) {
	print := func(s mapping.Scope, ids map[string]source.ID) string {
		b, err := s.Bind(ids)
		require.NoError(t, err)
		return b.Fingerprint()
	}
	ids := map[string]source.ID{"a": "a", "b": "b", "g": "g", "CN=G": "g", "h": "h"}
	require.Equal(t, "cdc971b333703780993a0b18", print(mapping.Scope{Include: []string{"a"}, Exclude: []string{"b"}}, ids))
	seen := map[string]bool{}
	for _, s := range []mapping.Scope{
		{Include: []string{"a"}}, {Groups: []string{"g"}}, {Groups: []string{"g"}, Nested: true}, {Groups: []string{"g", "h"}},
		{Groups: []string{"g"}, Include: []string{"a"}},
	} {
		fp := print(s, ids)
		require.False(t, seen[fp])
		seen[fp] = true
	}
	require.Equal(t, print(mapping.Scope{Groups: []string{"g", "h"}}, ids), print(mapping.Scope{Groups: []string{"h", "CN=G", "g"}}, ids))
}

func TestMistakesInAScopeByGroups(t *testing.T) {
	require.ErrorContains(t, (&mapping.Scope{Nested: true}).Check(), "none is named")
	require.ErrorContains(t, (&mapping.Scope{Groups: []string{" "}}).Check(), "groups has an empty name")
	_, err := (&mapping.Scope{Groups: []string{"g"}}).Bind(nil)
	require.ErrorContains(t, err, "nothing is bound")
}
