package main

import (
	"context"
	"errors"

	"github.com/dirbridge/dirbridge/dirsync"
)

// sync makes one run, prints its report, and returns the exit code. A report is
// printed also when the run failed on the way; with -o json also when it could not begin.
func (p *program) sync(ctx context.Context, cmd *syncCommand) int {
	r := &dirsync.Report{Problems: []dirsync.Problem{}}
	x, err := p.open(cmd.Config, purpose{onEvent: newProgress(p.stderr).take})
	if err == nil {
		if err = x.check(ctx, p.stderr); err == nil {
			// Somebody asked: what failed before is tried again now.
			r, err = x.engine.Sync(ctx, &dirsync.Request{Full: cmd.Full, Retry: true})
		}
		err = errors.Join(err, x.close())
	}
	if cmd.Output == "json" {
		d := reportDocument(r, err)
		err = errors.Join(err, writeDocument(p.stdout, d, nil))
	} else if r.Run > 0 {
		w := p.printer()
		w.problems(r.Problems)
		w.summary(r)
		err = errors.Join(err, w.flush())
	}
	p.report(err)
	return outcome(r, err)
}
