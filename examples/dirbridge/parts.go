package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// parts are what a run needs, made as the configuration says.
type parts struct {
	*config
	purpose
	sources []*ldapsource.Source
	target  *graphtarget.Target
	rules   mapping.Mapper
	log     *slog.Logger
	closes  []func() error

	*session // nil while the state isn't open
	audit    *audit.File
}

// A purpose says what parts are for.
type purpose struct {
	use     use
	daemon  bool // its log is what is left of it; a single run reports by itself
	onEvent func(dirsync.Event)
}

// A use says what is done with directory, tenant and state.
type use int

const (
	running  use = iota // directory and tenant are asked, the state is written
	looking             // directory and tenant are asked, the state is only read
	deciding            // nobody is asked, no secret is needed, the state is written
	reading             // nobody is asked, no secret is needed, the state is only read
)

func (u use) offline() bool  { return u == deciding || u == reading }
func (u use) readOnly() bool { return u == looking || u == reading }

// configure reads the configuration and finds what is wrong with it.
func (p *program) configure(path string, u use) (*config, error) {
	c, err := load(path)
	if err != nil {
		return nil, err
	}
	return c, c.validate(p.env, u.offline())
}

// open makes the parts and opens the state. It asks nobody anything; a mistake
// in the configuration is a *configError. Close the parts.
func (p *program) open(ctx context.Context, path string, use purpose) (*parts, error) {
	x, err := p.assemble(path, use)
	if err != nil {
		return nil, err
	}
	if err := x.enter(ctx, p, p.patience); err != nil {
		return nil, errors.Join(err, x.close())
	}
	return x, nil
}

// assemble makes the parts without opening the state.
func (p *program) assemble(path string, use purpose) (_ *parts, err error) {
	c, err := p.configure(path, use.use)
	if err != nil {
		return nil, err
	}
	level := slog.LevelWarn
	if use.daemon {
		level = slog.LevelInfo
	}
	x := &parts{config: c, purpose: use, log: newLogger(c.Log, level, p.stderr)}
	defer func() {
		if err != nil {
			err = errors.Join(err, x.close())
		}
	}()
	list, keys := c.Source.directories()
	for i, ad := range list {
		s, err := x.newSource(ad, p.env)
		if err != nil {
			return nil, c.wrong(err, keys[i]...)
		}
		x.sources, x.closes = append(x.sources, s), append(x.closes, s.Close)
	}
	if x.target, err = x.newTarget(p.env); err != nil {
		return nil, c.wrong(err, "target", "office365")
	}
	x.closes = append(x.closes, x.target.Close)
	x.rules, err = mapping.New(&mapping.Options{
		Fallback: mapping.Fallback(c.UPN.Fallback), FallbackDomain: mapping.FallbackDomain(c.UPN.FallbackDomain),
		UsageLocation: c.UsageLocation, ExpiredIsDisabled: c.ExpiredIsDisabled,
		Microsoft365: c.Groups.microsoft365(), Version: c.Groups.version(),
	})
	if err != nil {
		return nil, c.wrong(err)
	}
	return x, nil
}

// close closes the parts, the last one first.
func (x *parts) close() error {
	errs := x.leave()
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

func (x *parts) newSource(ad *adConfig, env environment) (*ldapsource.Source, error) {
	o := &ldapsource.Options{
		Name: ad.Name, ServerName: ad.ServerName, InsecurePlainLDAP: ad.InsecurePlainLDAP, Logger: x.log,
		Delta: ldapsource.DeltaMode(ad.Delta), PrimaryGroups: ad.PrimaryGroups,
	}
	o.Kinds, o.References = x.config.reads()
	o.Attributes = append(x.Source.join().SourceAttributes(), x.Groups.attributes()...)
	if s := x.config.scope(); s != nil {
		o.Attributes = append(o.Attributes, s.SourceAttributes()...)
		if len(s.Containers()) > 0 {
			if o.Kinds == nil {
				o.Kinds = []source.Kind{source.User}
			}
			o.Kinds = append(o.Kinds, source.Container)
		}
	}
	if ad.Delta == "auto" {
		o.Delta = ldapsource.DeltaAuto
	}
	if ad.CAFile != "" && !x.use.offline() {
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

// check has the sources say what their accounts can and can't see. Blockers are an
// error. One of several that can't be asked is left to the engine.
func (x *parts) check(ctx context.Context, w io.Writer) (blockers error) {
	for _, s := range x.sources {
		findings, err := source.Check(ctx, s)
		switch {
		case err != nil && len(x.sources) > 1 && ctx.Err() == nil:
			fmt.Fprintf(w, "dirbridge: warning: check the directory %s: %s\n", plain(s.Name()), plain(err.Error()))
		case err != nil:
			return fmt.Errorf("check the directory: %w", err)
		}
		blockers = errors.Join(blockers, x.tell(w, findings))
	}
	return blockers
}

// tell tells what a source found, and returns what a run can't succeed with.
func (x *parts) tell(w io.Writer, findings []source.Finding) (blockers error) {
	for _, f := range findings {
		switch f.Severity {
		case source.Blocker:
			blockers = errors.Join(blockers, fmt.Errorf("%s: %s; what to do: %s", f.Code, f.Message, f.Remedy))
		case source.Warning:
			fmt.Fprintf(w, "dirbridge: warning: %s: %s; what to do: %s\n", f.Code, plain(f.Message), plain(f.Remedy))
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
