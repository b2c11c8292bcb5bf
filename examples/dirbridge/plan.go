package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
)

// do makes a plan that waits, and prints it.
func (cmd *planCommand) do(ctx context.Context, p *program) int {
	x, err := p.open(ctx, cmd.Config, purpose{use: running})
	var made *dirsync.Plan
	if err == nil {
		if err = x.check(ctx, p.stderr); err == nil {
			// As sync does: what failed before is tried again.
			made, err = x.engine.Plan(ctx, &dirsync.Request{Full: cmd.Full, Retry: true})
		}
	}
	if err == nil && cmd.Out != "" {
		err = writePlan(ctx, cmd.Out, made)
	}
	code := p.show(ctx, made, cmd.outputFlag, guide{cmd.Config}, func(r *dirsync.Report, err error) int {
		if cmd.ExitCode && err == nil && made.Counts.Total() > 0 {
			return exitPending
		}
		return outcome(r, err)
	}, err)
	return p.left(x, code)
}

// left closes the parts; if that fails where all else went well, the code says
// so.
func (p *program) left(x *parts, code int) int {
	if x == nil {
		return code
	}
	if failed := p.report(x.close()); failed != exitDone && code == exitDone {
		return failed
	}
	return code
}

// show prints a plan that waits and how to go on, or, without one, why there is
// none. It returns the code that end gives.
func (p *program) show(ctx context.Context, made *dirsync.Plan, o outputFlag, g guide, end func(*dirsync.Report, error) int, err error) int {
	r := &dirsync.Report{Problems: []dirsync.Problem{}}
	var s *story
	var steps []step
	if made != nil {
		r = wouldBe(made)
		var e error
		s, e = tell(ctx, made)
		err = errors.Join(err, e)
		steps = g.planned(s)
	}
	if o.json() {
		d := reportDocument(r, err)
		d.Plan, d.GoOn, d.ExitCode = s, steps, end(r, err)
		if made != nil {
			d.Breaches = made.Breaches
		}
		w := bufio.NewWriter(p.stdout)
		err = errors.Join(err, writeDocument(w, d, changes(ctx, made)), w.Flush())
	} else if made != nil {
		err = errors.Join(err, p.printKept(ctx, made, r, s, steps))
	}
	p.report(err)
	return end(r, err)
}

// printKept prints a plan that waits.
func (p *program) printKept(ctx context.Context, made *dirsync.Plan, r *dirsync.Report, s *story, steps []step) error {
	w := p.printer()
	for c, err := range made.Changes(ctx) {
		if err != nil {
			return errors.Join(fmt.Errorf("read the plan: %w", err), w.flush())
		}
		w.change(c)
		w.precondition(c)
	}
	w.problems(r.Problems)
	w.warnings(r.Warnings)
	if made.Undo == 0 {
		fmt.Fprintf(w, "planned, nothing is written to the tenant: %s\n", counts(r))
	} else {
		fmt.Fprintf(w, "planned, nothing is written to the tenant: the undoing of run %d\n", made.Undo)
	}
	if made.Counts.Total() == 0 {
		fmt.Fprintln(w, "there is nothing to do")
		return w.flush()
	}
	w.story(s)
	fmt.Fprintf(w, "    hash: %s\n", made.Hash)
	if a := made.Approval; a != nil {
		fmt.Fprintf(w, "    approved by %s until %s\n", plain(a.By), a.Until.Format(time.RFC3339))
	}
	w.steps(steps)
	return w.flush()
}

// writePlan writes the canonical encoding of the plan to a file that nobody else
// may read: one change a line, so that the file's SHA-256 is the plan's hash.
func writePlan(ctx context.Context, path string, made *dirsync.Plan) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".dirbridge-plan-*") // 0600
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write the plan: %w", err), f.Close(), os.Remove(f.Name()))
		}
	}()
	sum, buffer := sha256.New(), bufio.NewWriter(f)
	w := io.MultiWriter(sum, buffer)
	for c, err := range made.Changes(ctx) {
		if err != nil {
			return err
		}
		line, err := plan.Encode(c)
		if err == nil {
			_, err = w.Write(line)
		}
		if err != nil {
			return err
		}
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != made.Hash {
		return fmt.Errorf("what was written has the hash %s and not %s", got, made.Hash)
	}
	if err := errors.Join(buffer.Flush(), f.Sync()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
