package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// SetRun keeps the record of run n, which the engine encodes as it likes.
func (l *Ledger) SetRun(n uint64, record any) error { return save(l.Buffer, l.keys.run(n), record) }

// Run decodes the record of run n into record; false if there is none.
func (l *Ledger) Run(ctx context.Context, n uint64, record any) (bool, error) {
	v, err := l.Get(ctx, l.keys.run(n))
	if v == nil || err != nil {
		return false, err
	}
	if err := json.Unmarshal(v, record); err != nil {
		return false, fmt.Errorf("record of run %d: %w", n, err)
	}
	return true, nil
}

// DropRun removes all that is kept of run n.
func (l *Ledger) DropRun(ctx context.Context, n uint64) error {
	l.Remove(l.keys.run(n))
	return l.clear(ctx, l.keys.journal(n))
}

// A Spent is what one run took out of the budgets, as far as nobody approved it.
type Spent struct {
	Time    time.Time           `json:"time"`
	Tally   plan.Tally          `json:"tally"`
	Deleted map[target.Kind]int `json:"deleted,omitempty"` // accounts, of the removals
}

// Add counts c.
func (s *Spent) Add(c *plan.Change) {
	s.Tally.Add(c, 1)
	if c.Op == target.Delete {
		if s.Deleted == nil {
			s.Deleted = map[target.Kind]int{}
		}
		s.Deleted[c.Kind]++
	}
}

// SetSpent keeps what run n has spent.
func (l *Ledger) SetSpent(n uint64, s *Spent) error { return save(l.Buffer, l.keys.spent(n), s) }

// ClearSpent forgets what run n has spent.
func (l *Ledger) ClearSpent(n uint64) { l.Remove(l.keys.spent(n)) }

// Spents yields what runs have spent, the oldest first.
func (l *Ledger) Spents(ctx context.Context) iter.Seq2[Numbered[Spent], error] {
	return numbered[Spent](ctx, l, l.keys.spents())
}

// A Step is one change that the target accepted, with what its undoing needs. Of
// a new account the values don't matter for that.
type Step struct {
	Round  int               `json:"round"`
	Wave   int               `json:"wave"`
	Phase  int               `json:"phase"`
	Op     target.Op         `json:"op"`
	Kind   target.Kind       `json:"kind"`
	ID     target.ID         `json:"id"`
	Source source.ID         `json:"source"`
	Before target.Attributes `json:"before,omitempty"`
	After  target.Attributes `json:"after,omitempty"`

	// Of a change of references.
	Part  int         `json:"part,omitempty"`
	Refer *plan.Refer `json:"refer,omitempty"`
}

// SetStep keeps what run n did.
func (l *Ledger) SetStep(n uint64, s Step) error { return save(l.Buffer, l.keys.step(n, s), s) }

// Steps yields what run n did, in the order in which it was planned.
func (l *Ledger) Steps(ctx context.Context, n uint64) iter.Seq2[Keyed[Step], error] {
	return list[Step](ctx, l.Buffer, l.keys.journal(n))
}

// A Numbered is a record's content with the number at the end of its key.
type Numbered[T any] struct {
	N     uint64
	Value T
}

func numbered[T any](ctx context.Context, l *Ledger, prefix string) iter.Seq2[Numbered[T], error] {
	return func(yield func(Numbered[T], error) bool) {
		for rec, err := range l.Scan(ctx, prefix) {
			var x Numbered[T]
			if err == nil {
				x.N, err = strconv.ParseUint(strings.TrimPrefix(rec.Key, prefix), 10, 64)
			}
			if err == nil {
				err = json.Unmarshal(rec.Value, &x.Value)
			}
			if err != nil {
				yield(x, fmt.Errorf("record %q: %w", rec.Key, err))
				return
			}
			if !yield(x, nil) {
				return
			}
		}
	}
}
