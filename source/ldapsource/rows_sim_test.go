package ldapsource_test

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

// TestA09_ReferralsAreNeverFollowed: whatever a server refers to, only the
// configured address is dialled.
func TestA09_ReferralsAreNeverFollowed(t *testing.T) {
	s := simulate(t, nil)
	s.people(5)
	var dialled []string
	src := s.source(func(o *ldapsource.Options) {
		o.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = append(dialled, address)
			return (&net.Dialer{}).DialContext(ctx, network, address)
		}
	})
	all := read(src.All(t.Context()))
	require.NoError(t, all.err)
	s.entitle(1, "changed")
	for _, text := range []string{"ldap://rogue.example/DC=corp", ""} {
		s.srv.Inject(func(r adsim.Request) *adsim.Fault {
			if r.Kind == "search" && r.Base != "" {
				return &adsim.Fault{Code: 10, Text: text}
			}
			return nil
		})
		for _, r := range []reading{read(src.All(t.Context())), read(src.Since(t.Context(), all.mark())), read(src.Find(t.Context(), []source.ID{"b9ab2ef7-091b-50bf-845c-72bb8a00e909"}))} {
			require.ErrorIs(t, r.err, source.ErrIncomplete)
			require.Zero(t, r.events)
		}
	}
	// References beside the entries, as a search from the domain's root gets.
	s.srv.Inject(nil)
	_, err := src.Check(t.Context())
	require.NoError(t, err)
	whole, err := ldapsource.New([]string{s.srv.URL()}, []string{s.dir.BaseDN()}, syncer(s.dir), &ldapsource.Options{RootCAs: poolOf(t, s.srv)})
	require.NoError(t, err)
	defer whole.Close()
	require.NoError(t, read(whole.All(t.Context())).err)
	require.Len(t, slices.Compact(slices.Sorted(slices.Values(dialled))), 1)
	require.Equal(t, strings.TrimPrefix(s.srv.URL(), "ldaps://"), dialled[0])
}

// TestA11_NothingInANameIsAFilter: the filters that the server is asked hold
// names as escaped bytes alone.
func TestA11_NothingInANameIsAFilter(t *testing.T) {
	s := simulate(t, nil)
	s.people(5)
	src := s.source()
	for _, name := range []string{"*", ")(objectClass=*", "p1)(|(cn=*", `p\2a`, "p1\x00", "(", `CORP\*`, `CORP\)(cn=*`, "*@corp.example.com", "p1)(cn=*@corp.example.com",
		`x\x`, `\`, `CORP\`, "@corp.example.com", strings.Repeat("(", 8000), strings.Repeat("x", 1<<20)} {
		ids, err := src.Resolve(t.Context(), name)
		require.NoError(t, err, "%.40q", name)
		require.Empty(t, ids, "%.40q", name)
	}
	for name, want := range map[string]string{"P1": "Person 1", `corp\p2`: "Person 2", `corp.example.com\p3`: "Person 3", "p4@CORP.example.com": "Person 4"} {
		ids, err := src.Resolve(t.Context(), name)
		require.NoError(t, err)
		require.Equal(t, []source.ID{s.idOf("CN=" + want + "," + s.in)}, ids, name)
	}
}

// FuzzA11FilterOfName: whatever the name, the filter's shape is the same.
func FuzzA11FilterOfName(f *testing.F) {
	for _, n := range []string{"ann", "*", ")(cn=*", "\x00", `a\b`, "ä@x", "{b9ab2ef7-091b-50bf-845c-72bb8a00e909}"} {
		f.Add(n, n)
	}
	f.Fuzz(func(t *testing.T, name, sam string) {
		for i, c := range ldapsource.Assertions(t, ldapsource.FilterOfName(name, sam)) {
			if c.Attribute != "objectGUID" {
				require.Equal(t, map[bool]string{true: name, false: sam}[i < 3], c.Value)
			}
			require.Contains(t, []string{"userPrincipalName", "sAMAccountName", "mail", "objectGUID"}, c.Attribute)
		}
	})
}
