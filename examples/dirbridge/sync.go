package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
)

// do makes one run, prints its report, and returns the exit code. A report is
// printed also when the run failed on the way; with -o json also when it could
// not begin.
func (cmd *syncCommand) do(ctx context.Context, p *program) int {
	if cmd.DryRun {
		return p.dryRun(ctx, cmd)
	}
	r := &dirsync.Report{Problems: []dirsync.Problem{}}
	var halted *story
	x, err := p.open(ctx, cmd.Config, purpose{use: running, onEvent: newProgress(p.stderr).take})
	if err == nil {
		r, err = cmd.run(ctx, p, x)
		halted = whyHalted(ctx, x.engine, err)
		err = errors.Join(err, x.close())
	}
	var steps []step
	if halted != nil {
		steps = guide{cmd.Config}.halted(halted.Hash)
	}
	if cmd.json() {
		d := reportDocument(r, err)
		d.Plan, d.GoOn = halted, steps
		err = errors.Join(err, writeDocument(p.stdout, d, nil))
	} else if r.Run > 0 {
		w := p.printer()
		w.problems(r.Problems)
		w.warnings(r.Warnings)
		w.summary(r)
		if halted != nil {
			fmt.Fprintln(w, "halted by the guard, nothing was written; the plan waits:")
			w.story(halted)
			w.steps(steps)
		}
		err = errors.Join(err, w.flush())
	}
	p.report(err)
	return outcome(r, err)
}

func (cmd *syncCommand) run(ctx context.Context, p *program, x *parts) (*dirsync.Report, error) {
	r := &dirsync.Report{Problems: []dirsync.Problem{}}
	var approved *dirsync.Plan
	var err error
	if cmd.Approved {
		if approved, err = approvedPlan(ctx, x.engine, guide{cmd.Config}); err != nil {
			return r, err
		}
	}
	if err := x.check(ctx, p.stderr); err != nil {
		return r, err
	}
	if approved != nil {
		return x.engine.Apply(ctx, approved.Hash)
	}
	req, err := cmd.request(ctx, x)
	if err != nil {
		return r, err
	}
	return x.engine.Sync(ctx, req)
}

// request is what was asked for. Somebody asked: what failed before is tried
// again now.
func (cmd *syncCommand) request(ctx context.Context, x *parts) (*dirsync.Request, error) {
	req := &dirsync.Request{Full: cmd.Full, Reconcile: cmd.Reconcile, Retry: true}
	for _, name := range cmd.Only {
		id, err := resolve(ctx, x, name)
		if err != nil {
			return nil, err
		}
		req.Only = append(req.Only, id)
	}
	return req, nil
}

// resolve asks the directories which object a name means. Who has been deleted has
// no names there any more, but the objectGUID.
func resolve(ctx context.Context, x *parts, name string) (source.ID, error) {
	found, err := x.called(ctx, name)
	if err != nil {
		return "", err
	}
	if id := objectGUID(name); len(found) == 0 && id != "" {
		return id, nil
	}
	return one(found, name, "nobody under the base DNs is called %s; give objectGUID, DN, userPrincipalName, sAMAccountName or mail, and the objectGUID of somebody who was deleted")
}

// approvedPlan is the plan that waits, if it may be carried out.
func approvedPlan(ctx context.Context, engine *dirsync.Engine, g guide) (*dirsync.Plan, error) {
	made, err := engine.Waiting(ctx)
	switch {
	case err != nil:
		return nil, err
	case made == nil:
		return nil, fmt.Errorf("no plan waits: it was carried out, or nobody's word was needed any more; %s makes one", g.command("plan"))
	case made.Approval == nil:
		return nil, fmt.Errorf("nobody has approved the plan %.12s that waits; %s approves it", made.Hash, g.command("approve", short(made.Hash)))
	case !time.Now().Before(made.Approval.Until):
		return nil, fmt.Errorf("the approval of the plan %.12s by %s was good until %s; %s approves it again",
			made.Hash, made.Approval.By, made.Approval.Until.Format(time.RFC3339), g.command("approve", short(made.Hash)))
	}
	return made, nil
}

// whyHalted tells of the plan for which a run was halted, if it was.
func whyHalted(ctx context.Context, engine *dirsync.Engine, err error) *story {
	h, ok := errors.AsType[*dirsync.HaltedError](err)
	if !ok {
		return nil
	}
	s := &story{Hash: h.Hash, Counts: h.Counts, Breaches: h.Breaches, Effects: []effect{}}
	if made, err := engine.Waiting(context.WithoutCancel(ctx)); err == nil && made != nil && made.Hash == h.Hash {
		if told, err := tell(context.WithoutCancel(ctx), made); err == nil {
			return told
		}
	}
	return s
}
