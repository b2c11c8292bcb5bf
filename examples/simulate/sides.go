package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// syncName is how Microsoft's own tool calls its account; synchronizations leave
// such accounts out by default, so that the people are all there is.
const syncName = "MSOL_simulate"

// seed makes the people: the same in every run.
const seed = 1

// serveAD starts the directory and adds its lines. stop ends it and removes what
// it left on disk.
func serveAD(c config, lines, stderr io.Writer) (stop func() error, err error) {
	sync := adsim.Account{Name: syncName, Password: rand.Text(), GetChanges: true, SeesDeleted: true}
	admin := adsim.Account{Name: adsim.AdminName, Password: rand.Text(), Admin: true}
	d := adsim.New(&adsim.Options{Accounts: []adsim.Account{sync, admin}, TombstoneLifetime: 180})
	// As in every domain, the administrator isn't one of the people.
	if err := d.Modify(d.AccountDN(admin.Name), adsim.Replace("isCriticalSystemObject", "TRUE")); err != nil {
		return nil, fmt.Errorf("make the directory: %w", err)
	}
	if err := d.SeedPeople(c.people, seed); err != nil {
		return nil, fmt.Errorf("make %d people: %w", c.people, err)
	}
	s, err := adsim.Start(c.ad, d)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "simulate-")
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	stop = func() error { return errors.Join(s.Close(), os.RemoveAll(dir)) }
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, s.CAPEM(), 0o644); err != nil {
		return nil, errors.Join(err, stop())
	}
	line(lines, "LDAP_URL", s.URL())
	line(lines, "LDAP_CA", ca)
	line(lines, "BIND_DN", d.AccountDN(sync.Name))
	line(lines, "BIND_PASSWORD", sync.Password)
	line(lines, "BASE_DN", d.BaseDN())
	fmt.Fprintf(stderr, "simulate: Active Directory with %d people at %s\n", c.people, s.URL())
	fmt.Fprintf(stderr, "simulate: to change it: LDAPTLS_CACERT=%s ldapmodify -H %s -D %s -w %s\n",
		quote(ca), s.URL(), quote(d.AccountDN(admin.Name)), admin.Password)
	return stop, nil
}

// serveGraph starts the tenant and adds its lines.
func serveGraph(c config, lines, stderr io.Writer) (stop func() error, err error) {
	o := &graphsim.Options{Initial: c.initial, Domains: c.domains, Lag: c.lag, Token: rand.Text()}
	if c.quota {
		o.Limits = graphsim.MicrosoftLimits()
	}
	s, err := graphsim.New(o).Start(c.graph)
	if err != nil {
		return nil, err
	}
	line(lines, "GRAPH_URL", s.URL)
	line(lines, "GRAPH_TOKEN", s.Token)
	fmt.Fprintf(stderr, "simulate: Microsoft Graph of %s, verified domains %q, at %s\n", c.initial, c.domains, s.URL)
	return s.Close, nil
}
