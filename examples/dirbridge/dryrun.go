package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
)

// dryRun prints what sync would do, and returns the exit code. It writes
// nothing, neither to the tenant nor to the state.
func (p *program) dryRun(ctx context.Context, cmd *syncCommand) int {
	x, err := p.open(cmd.Config, purpose{dryRun: true})
	r := &dirsync.Report{Problems: []dirsync.Problem{}}
	var made *dirsync.Plan
	if err == nil {
		if err = x.check(ctx, p.stderr); err == nil {
			if made, err = x.engine.Plan(ctx, &dirsync.Request{Full: cmd.Full, Retry: true}); err == nil {
				r = wouldBe(made)
				err = halts(made)
			}
		}
	}
	switch {
	case cmd.Output == "json":
		d := reportDocument(r, err)
		d.DryRun = true
		w := bufio.NewWriter(p.stdout)
		err = errors.Join(err, writeDocument(w, d, changes(ctx, made)), w.Flush())
	case made != nil:
		err = errors.Join(err, p.printPlan(ctx, made, r))
	}
	if x != nil {
		err = errors.Join(err, x.close())
	}
	p.report(err)
	return outcome(r, err)
}

// changes are those of the plan, none if there is no plan.
func changes(ctx context.Context, made *dirsync.Plan) iter.Seq2[*plan.Change, error] {
	if made == nil {
		return func(func(*plan.Change, error) bool) {}
	}
	return made.Changes(ctx)
}

// wouldBe is the report that the run would give if the target took everything.
func wouldBe(made *dirsync.Plan) *dirsync.Report {
	r := *made.Report
	n := made.Counts
	r.Created, r.Updated, r.Enabled, r.Disabled = n.Create, n.Update, n.Enable, n.Disable
	r.Deleted, r.Restored, r.Writes = n.Delete, n.Restore, n.Total()
	return &r
}

// halts is the error with which the guard would halt the run.
func halts(made *dirsync.Plan) error {
	if made.Counts.Removals == 0 || len(made.Breaches) == 0 {
		return nil
	}
	return &dirsync.HaltedError{Hash: made.Hash, Counts: made.Counts, Breaches: made.Breaches}
}

// printPlan prints the diff of every object in apply order, what is wrong, and
// last what would be done in all.
func (p *program) printPlan(ctx context.Context, made *dirsync.Plan, r *dirsync.Report) error {
	w := p.printer()
	for c, err := range made.Changes(ctx) {
		if err != nil {
			return errors.Join(fmt.Errorf("read the plan: %w", err), w.flush())
		}
		w.change(c)
	}
	w.problems(r.Problems)
	for _, b := range made.Breaches {
		fmt.Fprintf(w, "would be halted by the guard: %d of %d owned accounts would be removed, %d at most may go in one run (%s)\n",
			b.Removals, b.Owned, b.Allowed, b.Limit)
	}
	fmt.Fprintf(w, "dry run, nothing is written: %s\n", counts(r))
	return w.flush()
}
