package dirsync

import (
	"context"
	"iter"
)

// A RunRecord is what is remembered of a run: its report without the lists.
type RunRecord struct {
	Report

	// ProblemCount is how many problems there were.
	ProblemCount int `json:"problemCount"`

	// Error is why the run failed, "" if it didn't.
	Error string `json:"error,omitempty"`
}

// Runs yields the runs that are remembered, the oldest first: the last 200, and
// those of the last month. A run that made no change can't be undone.
func (e *Engine) Runs(ctx context.Context) iter.Seq2[RunRecord, error] {
	return func(yield func(RunRecord, error) bool) {
		if !e.running.TryLock() {
			yield(RunRecord{}, ErrRunning)
			return
		}
		defer e.running.Unlock()
		l := e.newRun(e.store, nil).l
		facts, err := l.Facts(ctx)
		if err != nil {
			yield(RunRecord{}, err)
			return
		}
		for n := max(facts.Oldest, 1); n <= facts.Runs; n++ {
			var rec RunRecord
			found, err := l.Run(ctx, n, &rec)
			if err != nil {
				yield(RunRecord{}, err)
				return
			}
			if found && !yield(rec, nil) {
				return
			}
		}
	}
}

func (r *run) record(err error) RunRecord {
	rec := RunRecord{Report: *r.report, ProblemCount: len(r.report.Problems)}
	rec.Problems, rec.Watermark = nil, "" // kept elsewhere
	if err != nil {
		rec.Error = err.Error()
	}
	return rec
}
