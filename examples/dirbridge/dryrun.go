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
	x, err := p.open(ctx, cmd.Config, purpose{use: looking})
	r := &dirsync.Report{Problems: []dirsync.Problem{}}
	var made *dirsync.Plan
	if err == nil {
		if err = x.check(ctx, p.stderr); err == nil {
			var req *dirsync.Request
			if req, err = cmd.request(ctx, x); err == nil {
				made, err = x.engine.Preview(ctx, req)
			}
			if err == nil {
				r = wouldBe(made)
				err = halts(made)
			}
		}
	}
	switch {
	case cmd.json():
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
	r.MembersAdded, r.MembersRemoved = n.MembersAdded, n.MembersRemoved
	return &r
}

// halts is the error with which the guard would halt the run.
func halts(made *dirsync.Plan) error {
	if len(made.Breaches) == 0 {
		return nil
	}
	return &dirsync.HaltedError{Hash: made.Hash, Counts: made.Counts, Breaches: made.Breaches}
}

// printPlan prints the diff of every object in apply order, what is wrong, and
// last what would be done in all.
func (p *program) printPlan(ctx context.Context, made *dirsync.Plan, r *dirsync.Report) error {
	w, s := p.printer(), &story{}
	for c, err := range made.Changes(ctx) {
		if err != nil {
			return errors.Join(fmt.Errorf("read the plan: %w", err), w.flush())
		}
		w.change(c)
		s.cross(c)
	}
	w.problems(r.Problems)
	w.warnings(r.Warnings)
	w.crossings("enter", s.Enters)
	w.crossings("leave", s.Leaves)
	for _, b := range made.Breaches {
		fmt.Fprintf(w, "would be halted by the guard: %s\n", plain(b.String()))
	}
	fmt.Fprintf(w, "dry run, nothing is written: %s\n", counts(r))
	return w.flush()
}
