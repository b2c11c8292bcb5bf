package e2e_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

// An ad is a domain controller, real or simulated, as its administrator sees it.
type ad struct {
	url, base string
	ca        []byte // PEM
	admin     account
	sync      account // the least-privileged account of a synchronization
	reader    account // any account
	extra     int     // how many people there are beyond the usual thousand
}

type account struct{ dn, password string }

// startSim starts a simulated domain controller with n people.
func startSim(t testing.TB, n int) (*ad, *adsim.Directory, *adsim.Server) {
	t.Helper()
	dir := adsim.New(nil)
	require.NoError(t, dir.SeedPeople(n, seed(t)))
	srv, err := adsim.Start("127.0.0.1:0", dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	a := &ad{
		url: srv.URL(), base: dir.BaseDN(), ca: srv.CAPEM(),
		admin:  account{dir.AccountDN(adsim.AdminName), adsim.AdminPassword},
		sync:   account{dir.AccountDN(adsim.SyncName), adsim.SyncPassword},
		reader: account{dir.AccountDN(adsim.ReaderName), adsim.ReaderPassword},
	}
	return a, dir, srv
}

// domain is the DNS name of the domain.
func (a *ad) domain() string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(a.base, "DC="), ",DC=", "."))
}

func (a *ad) roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(a.ca)
	return pool
}

// connect binds as the administrator.
func (a *ad) connect(t testing.TB) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(a.url, ldap.DialWithTLSConfig(&tls.Config{RootCAs: a.roots(), MinVersion: tls.VersionTLS12}))
	require.NoError(t, err)
	require.NoError(t, c.Bind(a.admin.dn, a.admin.password))
	return c
}

// read reads everything that the comparison needs, as the administrator.
func (a *ad) read(t testing.TB) *compare.Directory {
	t.Helper()
	c := a.connect(t)
	defer c.Close()
	attributes := compare.Attributes()
	search := func(base, filter string, controls ...ldap.Control) (out []compare.Entry) {
		q := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, controls)
		r, err := c.SearchWithPaging(q, 500)
		require.NoError(t, err)
		for _, e := range r.Entries {
			one := compare.Entry{DN: e.DN, Values: map[string][]string{}}
			for _, v := range e.Attributes {
				for _, b := range v.ByteValues {
					name := strings.ToLower(v.Name)
					one.Values[name] = append(one.Values[name], string(b))
				}
			}
			out = append(out, one)
		}
		return out
	}
	d := &compare.Directory{
		Live: search(a.base, "(sAMAccountType=805306368)"),
		Deleted: search("CN=Deleted Objects,"+a.base, "(&(isDeleted=TRUE)(objectClass=user)(!(objectClass=computer)))",
			ldap.NewControlMicrosoftShowDeleted()),
		Groups:        search(a.base, "(objectClass=group)"),
		DeletedGroups: search("CN=Deleted Objects,"+a.base, "(&(isDeleted=TRUE)(objectClass=group))", ldap.NewControlMicrosoftShowDeleted()),
	}
	for _, g := range d.Groups {
		g.Values["member"] = members(t, c, g.DN)
	}
	require.NotEmpty(t, d.Live)
	return d
}

// members are all values of a group's member, range by range.
func members(t testing.TB, c *ldap.Conn, dn string) (dns []string) {
	t.Helper()
	for {
		r, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false, "(objectClass=*)",
			[]string{fmt.Sprintf("member;range=%d-*", len(dns))}, nil))
		require.NoError(t, err)
		require.Len(t, r.Entries, 1)
		more := false
		for _, v := range r.Entries[0].Attributes {
			dns = append(dns, v.Values...)
			more = more || len(v.Values) > 0 && strings.Contains(v.Name, ";range=") && !strings.HasSuffix(v.Name, "-*")
		}
		if !more {
			return dns
		}
	}
}

// undelete brings a deleted object back to where dn says.
func (a *ad) undelete(t testing.TB, guid, dn string) {
	t.Helper()
	c := a.connect(t)
	defer c.Close()
	deleted := []ldap.Control{ldap.NewControlMicrosoftShowDeleted()}
	r, err := c.Search(ldap.NewSearchRequest("<GUID="+guid+">", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=*)", []string{"isDeleted"}, deleted))
	require.NoError(t, err)
	require.Len(t, r.Entries, 1)
	m := ldap.NewModifyRequest(r.Entries[0].DN, deleted) // Samba wants the tombstone's own name
	m.Delete("isDeleted", nil)
	m.Replace("distinguishedName", []string{dn})
	require.NoError(t, c.Modify(m), "%s", dn)
}
