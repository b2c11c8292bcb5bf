package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/state/memstate"
)

// parts are what a run needs, made as the configuration says.
type parts struct {
	*config
	source *ldapsource.Source
	engine *dirsync.Engine
	log    *slog.Logger
	closes []func() error
}

// A purpose says what parts are for.
type purpose struct {
	dryRun  bool
	daemon  bool // its log is what is left of it; a single run reports by itself
	onEvent func(dirsync.Event)
}

// open reads the configuration and makes the parts of it. It asks nobody
// anything; a mistake in the configuration is a *configError. Close the parts.
func (p *program) open(path string, use purpose) (_ *parts, err error) {
	c, err := load(path)
	if err != nil {
		return nil, err
	}
	if err := c.validate(p.env); err != nil {
		return nil, err
	}
	level := slog.LevelWarn
	if use.daemon {
		level = slog.LevelInfo
	}
	x := &parts{config: c, log: newLogger(c.Log, level, p.stderr)}
	defer func() {
		if err != nil {
			err = errors.Join(err, x.close())
		}
	}()
	if x.source, err = x.newSource(p.env); err != nil {
		return nil, c.wrong(err, "source", "activeDirectory")
	}
	x.closes = append(x.closes, x.source.Close)
	tgt, err := x.newTarget(p.env)
	if err != nil {
		return nil, c.wrong(err, "target", "office365")
	}
	x.closes = append(x.closes, tgt.Close)
	rules, err := mapping.New(&mapping.Options{
		Fallback: mapping.Fallback(c.UPN.Fallback), FallbackDomain: mapping.FallbackDomain(c.UPN.FallbackDomain),
		UsageLocation: c.UsageLocation, ExpiredIsDisabled: c.ExpiredIsDisabled,
	})
	if err != nil {
		return nil, c.wrong(err)
	}
	store, err := x.openState(use.dryRun)
	if err != nil {
		return nil, err
	}
	engineLog := x.log
	if !use.daemon && c.Log.Level == "" {
		engineLog = nil // what it says is in the report
	}
	x.engine, err = dirsync.New(x.source, tgt, store, &dirsync.Options{
		Mapper: rules, Limits: c.limits(), Leaving: plan.Leaving(c.Leaving), OnEvent: use.onEvent, Logger: engineLog,
	})
	if err != nil {
		return nil, c.wrong(err)
	}
	return x, nil
}

// close closes the parts, the last one first.
func (x *parts) close() error {
	var errs error
	for i := len(x.closes) - 1; i >= 0; i-- {
		errs = errors.Join(errs, x.closes[i]())
	}
	x.closes = nil
	return errs
}

// wrong makes a mistake that a part found in its options one of the file.
func (c *config) wrong(err error, keys ...string) error {
	return &configError{[]string{c.file.at(keys...) + ": " + err.Error()}}
}

func (c *config) limits() plan.Limits {
	var l plan.Limits
	if n := c.Limits.Removals; n != nil {
		l.Removals = *n
	}
	if p := c.Limits.RemovalPercent; p != nil {
		l.Percent = *p
	}
	return l
}

func (x *parts) newSource(env environment) (*ldapsource.Source, error) {
	ad := x.Source.ActiveDirectory
	o := &ldapsource.Options{
		Name: ad.Name, ServerName: ad.ServerName, InsecurePlainLDAP: ad.InsecurePlainLDAP, Logger: x.log,
		Delta: ldapsource.DeltaMode(ad.Delta),
	}
	if ad.Delta == "auto" {
		o.Delta = ldapsource.DeltaAuto
	}
	if ad.CAFile != "" {
		pool, err := onlyAuthorities(ad.CAFile)
		if err != nil {
			return nil, err
		}
		o.RootCAs = pool
	}
	bases := ad.BaseDNs
	if ad.BaseDN != "" {
		bases = []string{ad.BaseDN}
	}
	// Asked anew at each bind, so that a password in a file can be changed
	// while the daemon runs.
	password := secret{ad.Bind.PasswordEnv, ad.Bind.PasswordFile, env}
	return ldapsource.New(ad.Servers, bases, ldapsource.Credentials{
		User:     ad.Bind.DN,
		Password: func(context.Context) (string, error) { return password.read() },
	}, o)
}

// openState opens the state file. A dry run makes none where there is none.
func (x *parts) openState(dryRun bool) (state.Store, error) {
	path := x.State.Bolt.Path
	if dryRun {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return memstate.New(), nil
		}
	}
	store, err := boltstate.Open(path, nil)
	if err != nil {
		return nil, err
	}
	x.closes = append(x.closes, store.Close)
	return store, nil
}

// check has the source say what its account can and can't see. Blockers are an
// error.
func (x *parts) check(ctx context.Context, w io.Writer) error {
	findings, err := source.Check(ctx, x.source)
	if err != nil {
		return fmt.Errorf("check the directory: %w", err)
	}
	var blockers error
	for _, f := range findings {
		switch f.Severity {
		case source.Blocker:
			blockers = errors.Join(blockers, fmt.Errorf("%s: %s; what to do: %s", f.Code, f.Message, f.Remedy))
		case source.Warning:
			fmt.Fprintf(w, "dirbridge: warning: %s: %s; what to do: %s\n", f.Code, f.Message, f.Remedy)
		default:
			x.log.Info(f.Message, "code", f.Code, "remedy", f.Remedy)
		}
	}
	return blockers
}

func newLogger(c logConfig, level slog.Level, w io.Writer) *slog.Logger {
	if c.Level != "" {
		// validate has seen that it is one of the levels' names
		_ = level.UnmarshalText([]byte(c.Level))
	}
	o := &slog.HandlerOptions{Level: level}
	if cmp.Or(c.Format, "text") == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}
