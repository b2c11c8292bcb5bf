package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// A Kept is the plan that waits for somebody's word: its changes stand in one of
// the two plan areas. As they are carried out they leave it.
type Kept struct {
	Area     int           `json:"area"`
	Hash     string        `json:"hash"`
	Run      uint64        `json:"run"` // that made it
	Made     time.Time     `json:"made"`
	Counts   plan.Counts   `json:"counts"`
	Breaches []plan.Breach `json:"breaches,omitempty"`

	// Undo is the run that the plan undoes, 0 for a plan of a synchronization.
	Undo uint64 `json:"undo,omitempty"`

	// Approval lets it through; nil while nobody has said so.
	Approval *Approval `json:"approval,omitempty"`

	// Begun says that carrying it out has begun: the changes that are left no
	// longer have its hash.
	Begun bool `json:"begun,omitempty"`
}

// An Approval is somebody's word.
type Approval struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
}

// A Hold keeps back one change that somebody doesn't want, whenever it would be
// just that change, until the source says something else.
type Hold struct {
	// Deed is the change's, "" until the next planning says what it would be.
	// State is what the source said when it was last just that change, "" for
	// a hold whose Deed isn't known yet and doesn't depend on that.
	Deed  string `json:"deed,omitempty"`
	State string `json:"state,omitempty"`

	// Change is the deed of the change that was rejected, as it was to be made:
	// with what had become of its names. Deed is that of the wish behind it.
	Change string `json:"change,omitempty"`

	Why string    `json:"why"` // "rejected" or "undone"
	Of  string    `json:"of"`  // the plan's hash, or the run's number
	By  string    `json:"by,omitempty"`
	At  time.Time `json:"at"`
}

// Kept returns the plan that waits, nil if none does.
func (l *Ledger) Kept(ctx context.Context) (*Kept, error) {
	return load[Kept](ctx, l.Buffer, l.keys.kept())
}

// SetKept keeps k.
func (l *Ledger) SetKept(k *Kept) error { return save(l.Buffer, l.keys.kept(), k) }

// ClearKept says that no plan waits any more. Its changes stay until the area is
// cleared.
func (l *Ledger) ClearKept() { l.Remove(l.keys.kept()) }

// SetChange puts c into the plan of area.
func (l *Ledger) SetChange(area int, c *plan.Change) error {
	return save(l.Buffer, l.keys.change(area, c), c)
}

// ClearChange takes c out of the plan of area.
func (l *Ledger) ClearChange(area int, c *plan.Change) {
	l.Remove(l.keys.change(area, c))
}

// Change returns the change of area that stands where c does, nil if none.
func (l *Ledger) Change(ctx context.Context, area int, c *plan.Change) (*plan.Change, error) {
	return load[plan.Change](ctx, l.Buffer, l.keys.change(area, c))
}

// Plan yields the changes of area in apply order.
func (l *Ledger) Plan(ctx context.Context, area int) iter.Seq2[*plan.Change, error] {
	return func(yield func(*plan.Change, error) bool) {
		for rec, err := range l.Scan(ctx, l.keys.plan(area)) {
			c := new(plan.Change)
			if err == nil {
				if err = json.Unmarshal(rec.Value, c); err != nil {
					err = fmt.Errorf("record %q: %w", rec.Key, err)
				}
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// ClearPlan empties area.
func (l *Ledger) ClearPlan(ctx context.Context, area int) error {
	return l.clear(ctx, l.keys.plan(area))
}

// clear removes everything under prefix.
func (l *Ledger) clear(ctx context.Context, prefix string) error {
	for rec, err := range l.Scan(ctx, prefix) {
		if err != nil {
			return err
		}
		err := l.Unit(ctx, func() error {
			l.Remove(rec.Key)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Hold returns the hold on id, nil if there is none.
func (l *Ledger) Hold(ctx context.Context, id source.ID) (*Hold, error) {
	return load[Hold](ctx, l.Buffer, l.keys.hold(id))
}

// Holds yields all holds, by ID.
func (l *Ledger) Holds(ctx context.Context) iter.Seq2[Keyed[Hold], error] {
	return list[Hold](ctx, l.Buffer, l.keys.holds())
}

// SetHold keeps h.
func (l *Ledger) SetHold(id source.ID, h Hold) error { return save(l.Buffer, l.keys.hold(id), h) }

// ClearHold ends the hold on id.
func (l *Ledger) ClearHold(id source.ID) { l.Remove(l.keys.hold(id)) }
