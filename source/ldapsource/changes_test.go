package ldapsource_test

import (
	"fmt"
	"testing"

	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// DirSync gives values that came and went, in one entry or several, and a server
// that doesn't do that gives some or all of those that are there.
func TestWhatDirSyncSaysOfMembers(t *testing.T) {
	member := func(option string, n int, more ...string) *ldap.EntryAttribute {
		a := &ldap.EntryAttribute{Name: "member" + option, Values: more}
		for i := range n {
			a.Values = append(a.Values, fmt.Sprintf("<GUID=b9ab2ef7-091b-50bf-845c-%012d>;CN=Ann,DC=x", i))
		}
		return a
	}
	type said = ldapsource.SyncChange
	for name, tt := range map[string]struct {
		want  said
		attrs []*ldap.EntryAttribute
	}{
		"came":                        {said{Add: 2}, []*ldap.EntryAttribute{member(";range=1-1", 2)}},
		"came and went":               {said{Add: 2, Remove: 1}, []*ldap.EntryAttribute{member(";range=0-0", 1), member(";range=1-1", 2)}},
		"came, in two entries":        {said{Add: 5}, []*ldap.EntryAttribute{member(";range=1-1", 2), member(";RANGE=1-1", 3)}},
		"came, of whom one is nobody": {said{Add: 1, Unidentified: 1}, []*ldap.EntryAttribute{member(";range=1-1", 1, "CN=Bob,DC=y")}},
		"none left":                   {said{Whole: true}, []*ldap.EntryAttribute{member("", 0)}},
		"one left":                    {said{Add: 1, Whole: true}, []*ldap.EntryAttribute{member("", 1)}},
		"perhaps all":                 {said{Unclear: true}, []*ldap.EntryAttribute{member("", 2)}},
		"a piece":                     {said{Unclear: true}, []*ldap.EntryAttribute{member(";range=0-1499", 2)}},
		"all, and one that came":      {said{Add: 2, Whole: true, Unclear: true}, []*ldap.EntryAttribute{member("", 1), member(";range=1-1", 1)}},
		"one that came, and none":     {said{Add: 1, Unclear: true}, []*ldap.EntryAttribute{member(";range=1-1", 1), member("", 0)}},
	} {
		require.Equal(t, tt.want, ldapsource.MembersOf(tt.attrs...), name)
	}
}
