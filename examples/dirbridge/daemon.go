package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/schedule"
	"github.com/dirbridge/dirbridge/source"
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
	switch err := x.check(ctx, p.stderr); {
	case ctx.Err() != nil:
		return nil
	case errors.Is(err, source.ErrUnavailable), errors.Is(err, source.ErrIncomplete):
		// A controller that is down is one that comes back.
		x.log.Warn("the directory can't be checked now", "error", err)
	case err != nil:
		return err
	}
	o := &schedule.Options{Every: x.Schedule.every, Full: x.Schedule.full, Trigger: asked, OnRun: p.ran}
	if err := schedule.Run(ctx, x.engine, o); ctx.Err() == nil {
		return err
	}
	return nil
}

// ran prints one line about a run. Nothing ends the daemon but a signal.
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
				problem.Code, problem.Name, problem.Object, problem.Message, problem.Remedy)
		}
	}
}
