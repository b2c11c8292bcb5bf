package dirsync

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// end completes the report, keeps the record of the run, and tells.
func (r *run) end(ctx context.Context, err error) (*Report, error) {
	r.report.Finished = time.Now().UTC()
	keep := context.WithoutCancel(ctx)
	if e := r.close(keep, err); e != nil {
		err = errors.Join(err, e)
	}
	if r.facts != nil && !errors.Is(err, ErrAudit) {
		if e := r.deliver(keep); e != nil {
			err = errors.Join(err, e)
		}
	}
	r.log(err)
	r.emit(Finished{Report: r.report, Err: err})
	return r.report, err
}

// close gathers what is still wrong and commits what the run remembers.
func (r *run) close(ctx context.Context, runErr error) error {
	if r.facts == nil {
		return nil
	}
	for k, err := range r.l.Problems(ctx) {
		if err != nil {
			return err
		}
		for _, p := range k.Value {
			if p.Code == "anchor-unowned" {
				r.report.Proposed++
			}
			if !p.Once || !p.Since.Before(r.report.Started) {
				r.report.Problems = append(r.report.Problems, p)
			}
		}
	}
	r.propose()
	if err := r.reportMarks(ctx); err != nil {
		return err
	}
	r.report.ReferencesWaiting, r.report.ReferencesDropped = r.facts.RefsWaiting, r.facts.RefsDropped
	if r.dry {
		return nil
	}
	if runErr == nil {
		r.facts.Finished = r.report.Finished
		if r.only == nil && !r.keeping && r.report.Mode != Undo {
			r.facts.Policy = r.opt.Policy
		}
	}
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	if err := r.l.SetRun(r.report.Run, r.record(runErr)); err != nil {
		return err
	}
	if err := r.dropRuns(ctx); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// propose says what accounts with our anchors that aren't ours may mean.
func (r *run) propose() {
	if r.report.Proposed == 0 || r.facts.Owned >= r.report.Proposed {
		return
	}
	r.warn(Warning{Code: "state-lost",
		Message: fmt.Sprintf("%d accounts at the target carry the source anchors of objects in scope, and this state knows of none of these that they are ours (it knows %d others). The state may have been lost, or another tool has made them; none is touched", r.report.Proposed, r.facts.Owned),
		Remedy:  "put back a copy of the state if there is one; each problem anchor-unowned proposes one pair of object and account"})
}

// What is remembered of past runs: the last ones, and all of the last month (as
// long as a bin keeps what they deleted), within reason.
const (
	keptRuns    = 200
	keptTime    = 31 * 24 * time.Hour
	mostRuns    = 20_000
	dropsPerRun = 20
)

// dropRuns forgets the oldest runs.
func (r *run) dropRuns(ctx context.Context) error {
	for range dropsPerRun {
		n := max(r.facts.Oldest, 1)
		if n+keptRuns > r.report.Run {
			return nil
		}
		var rec RunRecord
		found, err := r.l.Run(ctx, n, &rec)
		if err != nil {
			return err
		}
		if found && n+mostRuns > r.report.Run && r.report.Started.Sub(rec.Started) < keptTime {
			return nil
		}
		if found {
			if err := r.l.DropRun(ctx, n); err != nil {
				return err
			}
		}
		r.facts.Oldest = n + 1
		if err := r.l.SetFacts(r.facts); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) emit(e Event) {
	if r.opt.OnEvent == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			r.opt.Logger.Error("a listener panicked", "event", fmt.Sprintf("%T", e), "panic", fmt.Sprintf("%T", p))
		}
	}()
	r.opt.OnEvent(e)
}

func (r *run) log(err error) {
	l := r.opt.Logger.With("run", r.report.Run, "mode", string(r.report.Mode), "dry", r.dry,
		"read", r.report.Read, "created", r.report.Created, "updated", r.report.Updated,
		"disabled", r.report.Disabled, "deleted", r.report.Deleted, "restored", r.report.Restored,
		"unchanged", r.report.Unchanged, "drifted", r.report.Drifted, "problems", len(r.report.Problems),
		"duration", r.report.Finished.Sub(r.report.Started))
	if err != nil {
		l.Error("run failed", "error", err)
		return
	}
	l.Info("run finished")
}
