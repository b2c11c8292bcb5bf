package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

// A session is the state while it is open, and the engine over it. Nobody else
// has the state open for writing meanwhile.
type session struct {
	store  *boltstate.Store
	engine *dirsync.Engine
}

// enter opens the state. If another instance uses it, it waits: for patience, or
// until ctx ends if that is negative.
func (x *parts) enter(ctx context.Context, p *program, patience time.Duration) error {
	store, err := x.openState(ctx, p, patience)
	if err != nil {
		return err
	}
	x.session = &session{store: store}
	engineLog := x.log
	if !x.daemon && x.Log.Level == "" {
		engineLog = nil // what it says is in the report
	}
	o := &dirsync.Options{
		Mapper: x.rules, Scope: x.config.scope(), Limits: x.config.limits(), Policy: plan.Policy(x.Policy), Leaving: plan.Leaving(x.Leaving),
		Drift: dirsync.DriftPolicy(x.Drift.Policy), Reconcile: x.Drift.reconcile(),
		Protected: x.Protected.Accounts, IgnoreRoles: x.Protected.Roles == "ignore",
		OnEvent: x.onEvent, Logger: engineLog,
		Sources: x.others(), Name: x.Source.Name, Join: x.Source.join(), MoveWait: x.Source.moveWait,
	}
	if path := x.Audit.path(x.State.Bolt.Path); path != "" && !x.use.readOnly() {
		// Not before the state is ours: it is the state's lock that says who
		// may write here.
		if x.audit == nil {
			if x.audit, err = audit.OpenFile(path, nil); err != nil {
				return errors.Join(fmt.Errorf("%w: %w", dirsync.ErrAudit, err), x.leave())
			}
		}
		o.Audit = []audit.Sink{x.audit}
	}
	if x.engine, err = dirsync.New(x.sources[0], x.target, store, o); err != nil {
		return errors.Join(x.wrong(err), x.leave())
	}
	return nil
}

// leave closes the state, so that others can use it.
func (x *parts) leave() error {
	if x.session == nil {
		return nil
	}
	s := x.session
	x.session = nil
	return s.store.Close()
}

// openState opens the state file. Who only looks makes none where there is none,
// and what people decide needs one.
func (x *parts) openState(ctx context.Context, p *program, patience time.Duration) (*boltstate.Store, error) {
	path := x.State.Bolt.Path
	if _, err := os.Stat(path); x.use == deciding && errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no state at %s: no run was made with this configuration yet", path)
	}
	o := &boltstate.Options{ReadOnly: x.use.readOnly(), LockTimeout: 200 * time.Millisecond, OnWideMode: func(was fs.FileMode) {
		fmt.Fprintf(p.stderr, "dirbridge: warning: others could use the state file (its mode was %v); only its owner can now\n", was)
	}}
	told, until := false, time.Now().Add(patience)
	for {
		store, err := boltstate.Open(path, o)
		if !errors.Is(err, state.ErrLocked) || patience >= 0 && !time.Now().Before(until) {
			return store, err
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if !told {
			told = true
			upTo := ""
			if patience >= 0 {
				upTo = fmt.Sprintf(" up to %v", patience)
			}
			fmt.Fprintf(p.stderr, "dirbridge: another instance uses the state; waiting%s for it\n", upTo)
		}
	}
}
