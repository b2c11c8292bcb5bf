package adsim_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

const everybody = "(&(objectCategory=person)(objectClass=user))"

// open starts a server with n people and binds as one of the accounts.
func open(t *testing.T, opts *adsim.Options, n int, account, password string) (*adsim.Server, *ldap.Conn) {
	d := adsim.New(opts)
	require.NoError(t, d.SeedPeople(n, 1))
	s, err := adsim.Start("127.0.0.1:0", d)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s, dial(t, s, account, password)
}

func dial(t *testing.T, s *adsim.Server, account, password string) *ldap.Conn {
	c, err := ldap.DialURL(s.URL(), ldap.DialWithTLSConfig(s.TLSConfig()))
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	require.NoError(t, c.Bind(s.Directory().AccountDN(account), password))
	return c
}

func openSync(t *testing.T, opts *adsim.Options, n int) (*adsim.Server, *ldap.Conn) {
	return open(t, opts, n, adsim.SyncName, adsim.SyncPassword)
}

func people(s *adsim.Server, attrs ...string) *ldap.SearchRequest {
	return ldap.NewSearchRequest(adsim.PeopleOU+","+s.Directory().BaseDN(), ldap.ScopeWholeSubtree, 0, 0, 0, false, everybody, attrs, nil)
}

func TestEqualSeedsGiveEqualPeople(t *testing.T) {
	t.Parallel()
	read := func() (out []string) {
		s, c := openSync(t, nil, 60)
		_, err := s.Directory().Churn(40, 3)
		require.NoError(t, err)
		r, err := c.Search(people(s, "userPrincipalName", "objectGUID", "title", "proxyAddresses"))
		require.NoError(t, err)
		for _, e := range r.Entries {
			line := e.DN
			for _, a := range e.Attributes {
				line += fmt.Sprintf(" %s=%q", a.Name, a.Values)
			}
			out = append(out, line)
		}
		return out
	}
	require.Equal(t, read(), read())
}

func TestSeedHoldsTheKindsOfPeopleThatItPromises(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 2000)
	r, err := c.SearchWithPaging(people(s, "userPrincipalName", "userAccountControl", "givenName", "manager"), 500)
	require.NoError(t, err)
	require.Len(t, r.Entries, 2000)
	count := map[string]int{}
	for _, e := range r.Entries {
		_, domain, _ := strings.Cut(e.GetAttributeValue("userPrincipalName"), "@")
		count["@"+domain]++
		if strings.HasSuffix(e.GetAttributeValue("userAccountControl"), "4") {
			count["disabled"]++
		}
		if strings.ContainsFunc(e.GetAttributeValue("givenName"), func(c rune) bool { return c > 127 }) {
			count["not ASCII"]++
		}
	}
	require.InDelta(t, 1400, count["@contoso.com"], 80)
	require.InDelta(t, 300, count["@corp.example.com"], 60)
	require.InDelta(t, 200, count["@fabrikam.local"], 50)
	require.InDelta(t, 100, count["@"], 40)
	require.InDelta(t, 120, count["disabled"], 50)
	require.Positive(t, count["not ASCII"])
}

func TestChurnLogSaysWhatTheDirectoryThenHolds(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 100)
	log, err := s.Directory().Churn(200, 7)
	require.NoError(t, err)
	require.Len(t, log, 200)
	last := map[adsim.GUID]adsim.Change{}
	ops := map[string]bool{}
	for _, ch := range log {
		last[ch.GUID] = ch
		ops[ch.Op] = true
	}
	require.Len(t, ops, 10, "%v", ops)
	for g, ch := range last {
		r, err := c.Search(ldap.NewSearchRequest("<GUID="+g.String()+">", 0, 0, 0, 0, false, "(objectClass=*)", []string{ch.Attr}, nil))
		if ch.Op == "delete" {
			require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject), "%v", err)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, ch.DN, r.Entries[0].DN)
		if ch.Value != "" {
			require.Contains(t, r.Entries[0].GetAttributeValues(ch.Attr), ch.Value)
		}
	}
}

func TestStartTLSThenBindWhereSigningIsRequired(t *testing.T) {
	t.Parallel()
	s, err := adsim.NewServer(adsim.New(&adsim.Options{RequireSigning: true}))
	require.NoError(t, err)
	defer s.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go s.Serve(l)
	c, err := ldap.DialURL("ldap://" + l.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	err = c.Bind(s.Directory().AccountDN(adsim.SyncName), adsim.SyncPassword)
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultStrongAuthRequired), "%v", err)
	require.NoError(t, c.StartTLS(s.TLSConfig()))
	require.NoError(t, c.Bind(s.Directory().AccountDN(adsim.SyncName), adsim.SyncPassword))
	who, err := c.WhoAmI(nil)
	require.NoError(t, err)
	require.Equal(t, `u:CORP\svc-sync`, who.AuthzID)
}

func TestCertificateOfAnotherServerIsNotTrusted(t *testing.T) {
	t.Parallel()
	a, _ := openSync(t, nil, 0)
	b, _ := openSync(t, nil, 0)
	_, err := ldap.DialURL(a.URL(), ldap.DialWithTLSConfig(b.TLSConfig()))
	require.Error(t, err)
	var unknown *tls.CertificateVerificationError
	require.ErrorAs(t, err, &unknown)
}

func TestClientTimesOutInABubbleWithoutRealTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, err := adsim.NewServer(adsim.New(nil))
		require.NoError(t, err)
		s.Inject(adsim.EverySearch(adsim.Fault{Hang: true}))
		client, server := net.Pipe()
		go s.ServeConn(server)
		c := ldap.NewConn(client, false)
		c.Start()
		c.SetTimeout(90 * time.Second)
		require.NoError(t, c.Bind(s.Directory().AccountDN(adsim.SyncName), adsim.SyncPassword))
		begin := time.Now()
		_, err = c.Search(people(s, "1.1"))
		require.True(t, ldap.IsErrorWithCode(err, ldap.ErrorNetwork), "%v", err)
		require.Equal(t, 90*time.Second, time.Since(begin))
		c.Close()
		require.NoError(t, s.Close())
	})
}

func TestManyClientsReadWhileTheDirectoryChanges(t *testing.T) {
	t.Parallel()
	s, _ := openSync(t, nil, 300)
	done := make(chan error)
	for range 4 {
		c := dial(t, s, adsim.SyncName, adsim.SyncPassword)
		go func() {
			for range 5 {
				if _, err := c.SearchWithPaging(people(s, "name", "manager"), 50); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	_, err := s.Directory().Churn(300, 1)
	require.NoError(t, err)
	for range 4 {
		require.NoError(t, <-done)
	}
}
