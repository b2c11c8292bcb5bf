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

// daemon runs on schedule until ctx ends, which is no error.
func (p *program) daemon(ctx context.Context, path string) (err error) {
	asked, stop := askedBySignal() // before anything else: unasked, the signal would end the program
	defer stop()
	x, err := p.open(path, purpose{daemon: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, x.close()) }()
	checked := false
	check := func() error {
		if checked {
			return nil
		}
		err := x.check(ctx, p.stderr)
		if errors.Is(err, source.ErrUnavailable) || errors.Is(err, source.ErrIncomplete) {
			// A controller that is down is one that comes back.
			x.log.Warn("the directory can't be checked now", "error", err)
			return nil
		}
		checked = err == nil
		return err
	}
	if err := check(); ctx.Err() != nil {
		return nil
	} else if err != nil {
		return err
	}
	running, end := context.WithCancelCause(ctx)
	defer end(nil)
	o := &schedule.Options{Every: x.Schedule.every, Full: x.Schedule.full, Trigger: asked, OnRun: func(r *dirsync.Report, err error) {
		p.ran(r, err)
		if err == nil && !checked {
			err = check() // between two runs, as the source wants it
		}
		if errors.Is(err, state.ErrReopen) || errors.Is(err, state.ErrCorrupt) {
			end(err) // whoever started the program starts it again
		}
	}}
	err = schedule.Run(running, x.engine, o)
	switch {
	case ctx.Err() != nil:
		return nil
	case running.Err() != nil:
		return context.Cause(running)
	}
	return err
}

// ran prints one line about a run. What it failed of doesn't end the daemon,
// unless it is the state.
func (p *program) ran(r *dirsync.Report, err error) {
	now := time.Now().UTC().Format(time.RFC3339)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintf(p.stdout, "%s stopped during %s\n", now, counts(r))
	case err != nil:
		fmt.Fprintf(p.stdout, "%s failed: %v; %s\n", now, err, counts(r))
		if what := advice(err); what != "" {
			fmt.Fprintf(p.stderr, "dirbridge: what to do: %s\n", what)
		}
	default:
		fmt.Fprintf(p.stdout, "%s %s\n", now, counts(r))
	}
	for _, problem := range r.Problems {
		if !problem.Since.Before(r.Started) { // what is older was told before
			fmt.Fprintf(p.stderr, "dirbridge: %s: %s (%s): %s; what to do: %s\n",
				problem.Code, plain(problem.Name), problem.Object, plain(problem.Message), problem.Remedy)
		}
	}
}
