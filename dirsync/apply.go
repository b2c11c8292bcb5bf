package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A job is one batch of changes on the wire.
type job struct {
	intents []*ledger.Intent
	repeat  bool
	done    chan []target.Result // gets the results once
}

// An applier carries changes out: intents durable first, several batches on the
// wire, outcomes settled in plan order by the run's goroutine.
type applier struct {
	r      *run
	wire   context.Context // of the calls: outlives the run's by the grace
	cancel context.CancelFunc
	jobs   []*job
}

func (r *run) newApplier(ctx context.Context) *applier {
	wire, cancel := context.WithCancel(context.WithoutCancel(ctx))
	grace := max(r.opt.Grace, 0)
	context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(wire, func() { t.Stop() })
	})
	r.wire = wire
	return &applier{r: r, wire: wire, cancel: cancel}
}

// carryOut carries out the plan of this round, and drops the plan that waited if
// that was it.
func (r *run) carryOut(ctx context.Context) error {
	err := r.send(ctx)
	if e := r.answeredRefs(context.WithoutCancel(ctx)); e != nil {
		return errors.Join(err, e)
	}
	if err != nil {
		return err
	}
	return r.finished(ctx)
}

// send sends the plan out. What one wave frees is free before the next one
// begins.
func (r *run) send(ctx context.Context) error {
	if r.counts.Total() == 0 {
		return nil
	}
	a := r.newApplier(ctx)
	defer a.cancel()
	most := target.MaxBatch(r.tgt)
	wave := 0
	var batch []*ledger.Intent
	for c, err := range r.l.Plan(ctx, r.area) {
		if err != nil {
			return errors.Join(err, a.drain(ctx))
		}
		if c.Wave != wave {
			if err := a.send(ctx, batch, false); err != nil {
				return errors.Join(err, a.drain(ctx))
			}
			if err := a.drain(ctx); err != nil {
				return err
			}
			wave, batch = c.Wave, nil
		}
		if r.stop != nil || ctx.Err() != nil {
			break
		}
		if r.noCreate != nil && c.Op == target.Create {
			continue
		}
		if r.kept != nil && r.area == r.kept.Area {
			// A crash may have left a call of this plan with an unknown
			// outcome: it isn't made again as if it were new.
			if in, err := r.l.Intent(ctx, c.Source); err != nil {
				return errors.Join(err, a.drain(ctx))
			} else if in != nil {
				continue
			}
		}
		if c.Op == target.Refer {
			send, err := a.follow(ctx, c, &batch)
			if err != nil {
				return errors.Join(err, a.drain(ctx))
			}
			if !send {
				continue
			}
		}
		if batch = append(batch, r.intent(c)); len(batch) == most {
			if err := a.send(ctx, batch, false); err != nil {
				return errors.Join(err, a.drain(ctx))
			}
			batch = nil
		}
	}
	if r.stop == nil && ctx.Err() == nil {
		if err := a.send(ctx, batch, false); err != nil {
			return errors.Join(err, a.drain(ctx))
		}
	}
	if err := a.drain(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.stop
}

// intent is what has to be durable before c goes out.
func (r *run) intent(c *plan.Change) *ledger.Intent {
	in := &ledger.Intent{Change: *c, Run: r.report.Run, Round: r.round, Since: time.Now().UTC(), Plan: r.hash, Undo: r.undoing}
	switch {
	case r.approval != nil:
		in.Approver = r.approval.By
		if c.Again {
			if r.covered == nil {
				r.covered = map[source.ID]bool{}
			}
			r.covered[c.Source] = true
		}
	case r.covered[c.Source] && !c.Removal:
		in.Approver = r.report.Approver
	}
	return in
}

// send makes the intents of a batch durable, together with what was settled
// before, and puts the batch on the wire. When enough is on the wire, it
// settles the oldest first.
func (a *applier) send(ctx context.Context, batch []*ledger.Intent, repeat bool) error {
	r := a.r
	if len(batch) == 0 {
		return nil
	}
	for len(a.jobs) >= r.opt.Parallel {
		if err := a.settleOldest(ctx); err != nil {
			return err
		}
	}
	if r.stop != nil || ctx.Err() != nil {
		return nil
	}
	if !repeat {
		var err error
		if batch, err = r.recheck(ctx, batch); len(batch) == 0 || err != nil {
			return err
		}
	}
	ctx = context.WithoutCancel(ctx) // an intent that is written is followed by its call
	if !repeat {
		for _, in := range batch {
			if err := r.setIntent(in); err != nil {
				return err
			}
		}
	}
	if r.outbox > maxOutbox {
		if err := r.deliver(ctx); err != nil {
			return err
		}
	}
	if err := r.l.Flush(ctx); err != nil {
		return fmt.Errorf("make intents durable: %w", err)
	}
	j := &job{intents: batch, repeat: repeat, done: make(chan []target.Result, 1)}
	changes := make([]target.Change, len(batch))
	for i, in := range batch {
		c := &in.Change
		changes[i] = c.Change
		changes[i].Repeat = repeat
		changes[i].Linked = c.Linked
		if changes[i].Linked.IsZero() && c.Op != target.Create || c.Op == target.Restore {
			e, err := r.l.Entry(ctx, c.Source)
			if err != nil {
				return err
			}
			if e != nil && e.Link != nil {
				changes[i].Linked, changes[i].Binned = e.Link.Since, e.Link.Binned
			}
		}
	}
	go func() { j.done <- callTarget(a.wire, r.tgt, changes) }()
	a.jobs = append(a.jobs, j)
	r.report.Writes += len(batch)
	return nil
}

// callTarget calls the target; a panic in it is an unknown outcome of the batch.
func callTarget(ctx context.Context, t target.Target, cs []target.Change) (out []target.Result) {
	defer func() {
		if p := recover(); p != nil {
			out = make([]target.Result, len(cs))
			for i := range out {
				out[i].Err = &target.Error{Sentinel: target.ErrUnknownOutcome, Err: fmt.Errorf("the target panicked (%T)", p)}
			}
		}
	}()
	out = target.ApplyAll(ctx, t, cs)
	for len(out) < len(cs) { // a target that breaks its contract
		out = append(out, target.Result{Err: &target.Error{Sentinel: target.ErrUnknownOutcome, Err: errors.New("the target gave no result")}})
	}
	return out
}

// settleOldest waits for the oldest batch and settles its outcomes.
func (a *applier) settleOldest(ctx context.Context) error {
	j := a.jobs[0]
	a.jobs = a.jobs[1:]
	keep := context.WithoutCancel(ctx) // what happened is remembered, come what may
	var errs error
	for i, res := range <-j.done {
		err := a.r.unit(keep, func() error { return a.r.settle(keep, j.intents[i], res, j.repeat) })
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("settle object %s: %w", j.intents[i].Change.Source, err))
		}
	}
	return errs
}

// drain settles everything that is on the wire and makes it durable.
func (a *applier) drain(ctx context.Context) error {
	var errs error
	for len(a.jobs) > 0 {
		if err := a.settleOldest(ctx); err != nil {
			errs = errors.Join(errs, err)
		}
	}
	return errors.Join(errs, a.r.l.Flush(context.WithoutCancel(ctx)))
}
