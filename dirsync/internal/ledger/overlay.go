package ledger

import (
	"context"
	"errors"
	"iter"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
)

// An Overlay is a Store that keeps its writes in memory over another store,
// which it never changes. A dry run works on one. Safe for concurrent use.
type Overlay struct {
	base state.Store
	over *memstate.Store // values behind one byte: kept or removed
}

const (
	kept    = 'k'
	removed = 'r'
)

// NewOverlay returns an Overlay over base.
func NewOverlay(base state.Store) *Overlay {
	return &Overlay{base: base, over: memstate.New()}
}

// Get returns the record as it would be.
func (o *Overlay) Get(ctx context.Context, key string) (state.Record, error) {
	rec, err := o.over.Get(ctx, key)
	if errors.Is(err, state.ErrNotFound) {
		return o.base.Get(ctx, key)
	}
	if err != nil {
		return state.Record{}, err
	}
	if rec.Value[0] == removed {
		return state.Record{}, state.ErrNotFound
	}
	rec.Value = rec.Value[1:]
	return rec, nil
}

// Scan merges what is here with what is below.
func (o *Overlay) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		next, stop := iter.Pull2(o.over.Scan(ctx, prefix))
		defer stop()
		mine, err, more := next()
		emit := func() bool {
			if err != nil {
				yield(state.Record{}, err)
				return false
			}
			rec := mine
			mine, err, more = next()
			if rec.Value[0] == removed {
				return true
			}
			rec.Value = rec.Value[1:]
			return yield(rec, nil)
		}
		for rec, berr := range o.base.Scan(ctx, prefix) {
			if berr != nil {
				yield(state.Record{}, berr)
				return
			}
			for more && (err != nil || mine.Key < rec.Key) {
				if !emit() {
					return
				}
			}
			if more && mine.Key == rec.Key {
				if !emit() {
					return
				}
				continue
			}
			// The body of the range may have written this key meanwhile.
			now, gerr := o.Get(ctx, rec.Key)
			if errors.Is(gerr, state.ErrNotFound) {
				continue
			}
			if gerr != nil {
				yield(state.Record{}, gerr)
				return
			}
			if !yield(now, nil) {
				return
			}
		}
		for more {
			if !emit() {
				return
			}
		}
	}
}

// Commit keeps the writes here. An overlay serves one run, which checks no
// revisions: conditional writes are refused.
func (o *Overlay) Commit(ctx context.Context, writes ...state.Write) error {
	top := make([]state.Write, len(writes))
	for i, w := range writes {
		switch {
		case w.Check:
			return errors.New("an overlay takes no conditional writes")
		case w.Delete:
			top[i] = state.Put(w.Key, []byte{removed})
		default:
			top[i] = state.Put(w.Key, append([]byte{kept}, w.Value...))
		}
	}
	return o.over.Commit(ctx, top...)
}
