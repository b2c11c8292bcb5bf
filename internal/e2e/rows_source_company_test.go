package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A company is the real engine and the real LDAP client in this process, before
// a simulated domain controller, behind them a tenant in memory. Its connections
// are pipes, so it may live in a bubble of testing/synctest.
type company struct {
	t     *testing.T
	dir   *adsim.Directory
	srv   *adsim.Server
	in    string // the scope
	out   string
	src   *ldapsource.Source
	tgt   *memtarget.Target
	store state.Store
	eng   *dirsync.Engine
	log   bytes.Buffer
}

type companyOptions struct {
	ad     adsim.Options
	source ldapsource.Options
	engine dirsync.Options
	as     string // account, defaults to that of a synchronization
	base   string // defaults to OU=In
	people int
}

func newCompany(t *testing.T, o companyOptions) *company {
	t.Helper()
	c := &company{t: t, dir: adsim.New(&o.ad), tgt: memtarget.New("contoso", nil), store: memstate.New()}
	c.in, c.out = "OU=In,"+c.dir.BaseDN(), "OU=Out,"+c.dir.BaseDN()
	for _, dn := range []string{c.in, c.out} {
		_, err := c.dir.Add(dn, adsim.Attrs{"objectClass": {"organizationalUnit"}})
		require.NoError(t, err)
	}
	c.tgt.VerifyDomain("contoso.com")
	for i := range o.people {
		c.hire(fmt.Sprintf("p%03d", i))
	}
	c.serve(c.dir)
	c.use(o)
	t.Cleanup(func() { require.NoError(t, c.src.Close()); require.NoError(t, c.srv.Close()) })
	return c
}

// serve lets another domain controller answer from the next connection on.
func (c *company) serve(dir *adsim.Directory) {
	if c.srv != nil {
		require.NoError(c.t, c.srv.Close())
	}
	srv, err := adsim.NewServer(dir)
	require.NoError(c.t, err)
	c.dir, c.srv = dir, srv
}

// use makes source and engine anew, as after a restart with this configuration.
func (c *company) use(o companyOptions) {
	c.t.Helper()
	if c.src != nil {
		require.NoError(c.t, c.src.Close())
	}
	base, who, password := c.in, adsim.SyncName, adsim.SyncPassword
	if o.base != "" {
		base = o.base
	}
	if o.as == adsim.ReaderName {
		who, password = adsim.ReaderName, adsim.ReaderPassword
	}
	o.source.InsecurePlainLDAP = true
	o.source.Dial = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go c.srv.ServeConn(server)
		return client, nil
	}
	o.source.Logger = slog.New(slog.NewJSONHandler(&c.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	o.engine.Logger = o.source.Logger
	var err error
	c.src, err = ldapsource.New([]string{"ldap://dc1"}, []string{base}, ldapsource.Credentials{User: c.dir.AccountDN(who), Password: ldapsource.Password(password)}, &o.source)
	require.NoError(c.t, err)
	c.eng, err = dirsync.New(c.src, c.tgt, c.store, &o.engine)
	require.NoError(c.t, err)
}

// dn is where somebody hired in OU=In is.
func (c *company) dn(login string) string { return "CN=" + login + "," + c.in }

// hire adds a person to OU=In.
func (c *company) hire(login string, more ...adsim.Attrs) adsim.GUID {
	c.t.Helper()
	a := adsim.Attrs{"objectClass": {"user"}, "sAMAccountName": {login}, "userPrincipalName": {login + "@contoso.com"},
		"displayName": {"Person " + login}, "userAccountControl": {"512"}}
	for _, m := range more {
		for k, v := range m {
			a[k] = v
		}
	}
	g, err := c.dir.Add(c.dn(login), a)
	require.NoError(c.t, err)
	return g
}

func (c *company) entitle(login, title string) {
	c.t.Helper()
	require.NoError(c.t, c.dir.Modify(c.dn(login), adsim.Replace("title", title)))
}

// sync makes a run that must not fail.
func (c *company) sync(req ...dirsync.Request) *dirsync.Report {
	c.t.Helper()
	rep, err := c.run(req...)
	require.NoError(c.t, err)
	return rep
}

func (c *company) run(req ...dirsync.Request) (*dirsync.Report, error) {
	var q dirsync.Request
	if len(req) > 0 {
		q = req[0]
	}
	return c.eng.Sync(c.t.Context(), &q)
}

// account is the live account with this login ID in contoso.com, nil if there
// is none.
func (c *company) account(login string) *target.Object {
	for _, o := range c.tgt.Objects() {
		if o.Attributes.First(target.AttrUserPrincipalName) == login+"@contoso.com" {
			return &o
		}
	}
	return nil
}

// enabled counts the live accounts that can sign in.
func (c *company) enabled() (n int) {
	for _, o := range c.tgt.Objects() {
		if o.Attributes.First(target.AttrAccountEnabled) == "true" {
			n++
		}
	}
	return n
}

// requireNothingRemoved fails the test unless a run left all n accounts as they
// can sign in.
func (c *company) requireNothingRemoved(rep *dirsync.Report, n int, why string) {
	c.t.Helper()
	require.Zero(c.t, rep.Deleted+rep.Disabled, why)
	require.Equal(c.t, n, c.enabled(), why)
}

// codesOf are the problems of a report, each code once.
func codesOf(rep *dirsync.Report) (codes []string) {
	for _, p := range rep.Problems {
		if !slices.Contains(codes, p.Code) {
			codes = append(codes, p.Code)
		}
	}
	slices.Sort(codes)
	return codes
}

// idOf is the source's name for a GUID.
func idOf(g adsim.GUID) source.ID { return source.ID(g.String()) }
