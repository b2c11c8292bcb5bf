package ledger

import (
	"context"
	"encoding/json"
	"iter"
)

// SetRun keeps the record of run n, which the engine encodes as it likes.
func (l *Ledger) SetRun(n uint64, record any) error { return save(l.Buffer, l.keys.run(n), record) }

// Runs yields the records of past runs, the oldest first.
func (l *Ledger) Runs(ctx context.Context) iter.Seq2[json.RawMessage, error] {
	return func(yield func(json.RawMessage, error) bool) {
		for rec, err := range l.Scan(ctx, l.keys.runs()) {
			if !yield(rec.Value, err) || err != nil {
				return
			}
		}
	}
}

// DropRun removes the record of run n.
func (l *Ledger) DropRun(n uint64) { l.Remove(l.keys.run(n)) }
