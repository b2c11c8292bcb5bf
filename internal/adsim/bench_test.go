package adsim_test

import (
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// flow is about what a synchronization asks for.
var flow = []string{"objectGUID", "objectSid", "sAMAccountName", "userPrincipalName", "displayName", "givenName", "sn", "mail", "proxyAddresses",
	"mailNickname", "title", "department", "company", "telephoneNumber", "mobile", "l", "c", "co", "postalCode", "streetAddress",
	"employeeID", "userAccountControl", "extensionAttribute1", "whenChanged"}

// BenchmarkFullRead reads 10,000 people in pages, client included.
func BenchmarkFullRead(b *testing.B) {
	c, base := benchServer(b, 10000)
	for b.Loop() {
		entries := 0
		paging := ldap.NewControlPaging(1000)
		for {
			req := ldap.NewSearchRequest(base, 2, 0, 0, 0, false, everybody, flow, []ldap.Control{paging})
			r, err := c.Search(req)
			require.NoError(b, err)
			entries += len(r.Entries)
			paging.SetCookie(ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie)
			if len(paging.Cookie) == 0 {
				break
			}
		}
		require.Equal(b, 10000, entries)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/10000, "µs/object")
}

// BenchmarkPollByUSN finds that nothing changed among 10,000 people.
func BenchmarkPollByUSN(b *testing.B) {
	c, base := benchServer(b, 10000)
	for b.Loop() {
		r, err := c.Search(ldap.NewSearchRequest(base, 2, 0, 0, 0, false, "(uSNChanged>=900000)", flow, nil))
		require.NoError(b, err)
		require.Empty(b, r.Entries)
	}
}

// BenchmarkSeedPeople makes 10,000 people.
func BenchmarkSeedPeople(b *testing.B) {
	for b.Loop() {
		require.NoError(b, adsim.New(nil).SeedPeople(10000, 1))
	}
}

func benchServer(b *testing.B, n int) (*ldap.Conn, string) {
	d := adsim.New(nil)
	require.NoError(b, d.SeedPeople(n, 1))
	s, err := adsim.Start("127.0.0.1:0", d)
	require.NoError(b, err)
	b.Cleanup(func() { s.Close() })
	c, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(s.TLSConfig()))
	require.NoError(b, err)
	b.Cleanup(func() { c.Close() })
	require.NoError(b, c.Bind(d.AccountDN(adsim.SyncName), adsim.SyncPassword))
	return c, adsim.PeopleOU + "," + d.BaseDN()
}
