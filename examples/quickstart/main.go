package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == ""); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		stop()
		os.Exit(1)
	}
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// run sets the stage and tells the story.
func run(ctx context.Context, out io.Writer, color bool) (err error) {
	// A domain controller with a company in it. Yours is there already.
	company, err := newCompany()
	if err != nil {
		return err
	}
	dc, err := adsim.Start("127.0.0.1:0", company.Directory)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dc.Close()) }()

	// Where people come from: Active Directory, over TLS.
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(dc.CAPEM())
	src, err := ldapsource.New(
		[]string{dc.URL()},
		[]string{company.scope()},
		ldapsource.Credentials{User: company.AccountDN(adsim.SyncName), Password: ldapsource.Password(adsim.SyncPassword)},
		&ldapsource.Options{RootCAs: authority},
	)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()

	// Where they go: a tenant that owns contoso.com, and has begun to claim
	// fabrikam.com.
	tenant := memtarget.New("contoso.onmicrosoft.com", nil)
	tenant.VerifyDomain("contoso.com")
	tenant.AddDomain(target.Domain{Name: "fabrikam.com"})

	// What has to be remembered.
	dir, err := os.MkdirTemp("", "quickstart-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	store, err := boltstate.Open(filepath.Join(dir, "state.db"), nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()

	// What moves them.
	w := &writer{out: out, color: color}
	notes := &notes{accounts: map[source.ID]target.ID{}, names: map[source.ID]mapping.Decision{}}
	engine, err := dirsync.New(src, tenant, store, &dirsync.Options{OnEvent: notes.take})
	if err != nil {
		return err
	}
	s := &story{writer: w, notes: notes, company: company, tenant: tenant, engine: engine}
	if err := s.tell(ctx); err != nil {
		return err
	}
	return w.err
}
