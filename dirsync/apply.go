package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// A job is one batch of changes on the wire.
type job struct {
	changes []*plan.Change
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

// apply carries the plan out. What one wave frees is free before the next one
// begins.
func (r *run) apply(ctx context.Context) error {
	if r.counts.Total() == 0 {
		return nil
	}
	a := r.newApplier(ctx)
	defer a.cancel()
	most := target.MaxBatch(r.tgt)
	wave := 0
	var batch []*plan.Change
	for c, err := range r.l.Plan(ctx) {
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
		if batch = append(batch, c); len(batch) == most {
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

// settleOpenIntents repeats what was on the wire when an earlier run ended
// without knowing the outcome. A create finds its object by the anchor, since
// the anchor was free before the first call; the others write the same again.
func (r *run) settleOpenIntents(ctx context.Context) error {
	if r.dry {
		return nil
	}
	a := r.newApplier(ctx)
	defer a.cancel()
	var open []*plan.Change
	for k, err := range r.l.Intents(ctx) {
		if err != nil {
			return err
		}
		open = append(open, &k.Value.Change)
	}
	most := target.MaxBatch(r.tgt)
	for len(open) > 0 && r.stop == nil && ctx.Err() == nil {
		n := min(most, len(open))
		if err := a.send(ctx, open[:n], true); err != nil {
			return errors.Join(err, a.drain(ctx))
		}
		open = open[n:]
	}
	if err := a.drain(ctx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return r.stop
}

// send makes the intents of a batch durable, together with what was settled
// before, and puts the batch on the wire. When enough is on the wire, it
// settles the oldest first.
func (a *applier) send(ctx context.Context, batch []*plan.Change, repeat bool) error {
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
	ctx = context.WithoutCancel(ctx) // an intent that is written is followed by its call
	if !repeat {
		for _, c := range batch {
			if err := r.l.SetIntent(ledger.Intent{Change: *c, Run: r.report.Run, Since: time.Now().UTC()}); err != nil {
				return err
			}
		}
	}
	if err := r.l.Flush(ctx); err != nil {
		return fmt.Errorf("make intents durable: %w", err)
	}
	j := &job{changes: batch, repeat: repeat, done: make(chan []target.Result, 1)}
	changes := make([]target.Change, len(batch))
	for i, c := range batch {
		changes[i] = c.Change
		changes[i].Repeat = repeat
		changes[i].Linked = c.Linked
		if changes[i].Linked.IsZero() && c.Op != target.Create {
			e, err := r.l.Entry(ctx, c.Source)
			if err != nil {
				return err
			}
			if e != nil && e.Link != nil {
				changes[i].Linked = e.Link.Since
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
		err := a.r.l.Unit(keep, func() error { return a.r.settle(keep, j.changes[i], res, j.repeat) })
		if err != nil {
			errs = errors.Join(errs, fmt.Errorf("settle object %s: %w", j.changes[i].Source, err))
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
