package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/schedule"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
)

// A daemon runs on schedule. It has the state open only while it looks or runs,
// so that other commands get at it in between.
type daemon struct {
	*program
	*parts
	guide guide

	checked bool
	again   bool   // the run was halted for the same plan as the one before
	halted  *story // why the last run was halted
}

// do runs on schedule until ctx ends, which is no error.
func (cmd *runCommand) do(ctx context.Context, p *program) int {
	return p.report(p.daemon(ctx, cmd.Config))
}

func (p *program) daemon(ctx context.Context, path string) (err error) {
	asked, stop := askedBySignal() // before anything else: unasked, the signal would end the program
	defer stop()
	d := &daemon{program: p, guide: guide{path}}
	d.parts, err = p.open(ctx, path, purpose{use: running, daemon: true, onEvent: d.take})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.leave(); err != nil {
		return err
	}
	if err := d.look(ctx); ctx.Err() != nil {
		return nil
	} else if err != nil {
		return err
	}
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	o := &schedule.Options{Every: d.Schedule.every, Full: d.Schedule.full, Trigger: asked, OnRun: func(r *dirsync.Report, err error) {
		d.ran(r, err)
		if err == nil && !d.checked {
			err = d.look(ctx) // between two runs, as the source wants it
		}
		if errors.Is(err, state.ErrReopen) || errors.Is(err, state.ErrCorrupt) {
			end(err) // whoever started the program starts it again
		}
	}}
	err = schedule.Run(running, d, o)
	switch {
	case ctx.Err() != nil:
		return nil
	case running.Err() != nil:
		return context.Cause(running)
	}
	return err
}

// look checks what the account can see, once.
func (d *daemon) look(ctx context.Context) error {
	if d.checked {
		return nil
	}
	err := d.check(ctx, d.stderr)
	if errors.Is(err, source.ErrUnavailable) || errors.Is(err, source.ErrIncomplete) {
		// A controller that is down is one that comes back.
		d.log.Warn("the directory can't be checked now", "error", err)
		return nil
	}
	d.checked = err == nil
	return err
}

func (d *daemon) take(e dirsync.Event) {
	if h, ok := e.(dirsync.Halted); ok {
		d.again = h.Again
	}
}

// Sync makes a run, as [schedule.Engine] wants it. While another instance uses
// the state, it waits: a run that is due isn't left out for somebody who looks.
func (d *daemon) Sync(ctx context.Context, req *dirsync.Request) (*dirsync.Report, error) {
	if err := d.enter(ctx, d.program, -1); err != nil {
		return &dirsync.Report{Problems: []dirsync.Problem{}}, err
	}
	if made, err := d.engine.Waiting(ctx); err == nil && made != nil && made.Approval != nil {
		// It was planned with everything that failed before; so it has to be
		// when it is held against what would be planned now.
		req.Retry = true
	}
	r, err := d.engine.Sync(ctx, req)
	d.halted = whyHalted(ctx, d.engine, err)
	return r, errors.Join(err, d.leave())
}

// Poll asks whether there is something to do, as [schedule.Engine] wants it.
func (d *daemon) Poll(ctx context.Context) (changed bool, err error) {
	if err := d.enter(ctx, d.program, -1); err != nil {
		return false, err
	}
	made, err := d.engine.Waiting(ctx)
	if err == nil {
		// What somebody approved meanwhile is something to do, too.
		if changed = made != nil && made.Approval != nil; !changed {
			changed, err = d.engine.Poll(ctx)
		}
	}
	return changed, errors.Join(err, d.leave())
}

// ran prints one line about a run. What it failed of doesn't end the daemon,
// unless it is the state.
func (d *daemon) ran(r *dirsync.Report, err error) {
	now := time.Now().UTC().Format(time.RFC3339)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(d.stdout, "%s stopped during %s\n", now, counts(r))
	case d.halted != nil && d.again:
		fmt.Fprintf(d.stdout, "%s halted for the same plan %.12s as before; it waits for dirbridge approve or dirbridge reject\n", now, d.halted.Hash)
	case err != nil:
		fmt.Fprintf(d.stdout, "%s failed: %s; %s\n", now, plain(err.Error()), counts(r))
		if d.halted != nil {
			w := &printer{Writer: newWriter(d.stderr)}
			w.story(d.halted)
			w.steps(d.guide.halted(d.halted.Hash))
			_ = w.flush() // there is nobody left to tell
		} else if what := advice(err); what != "" {
			fmt.Fprintf(d.stderr, "dirbridge: what to do: %s\n", plain(what))
		}
	default:
		fmt.Fprintf(d.stdout, "%s %s\n", now, counts(r))
	}
	for _, warning := range r.Warnings {
		fmt.Fprintf(d.stderr, "dirbridge: warning: %s: %s; what to do: %s\n", warning.Code, plain(warning.Message), plain(warning.Remedy))
	}
	for _, problem := range r.Problems {
		if !problem.Since.Before(r.Started) { // what is older was told before
			fmt.Fprintf(d.stderr, "dirbridge: %s: %s (%s): %s; what to do: %s\n",
				problem.Code, plain(problem.Name), plain(string(problem.Object)), plain(problem.Message), plain(problem.Remedy))
		}
	}
}
