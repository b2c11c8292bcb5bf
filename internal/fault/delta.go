package fault

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/target"
)

// Latest returns the inner target's token.
func (t *Target) Latest(ctx context.Context, kind target.Kind) (token target.Token, err error) {
	lost, fault := t.deltas.do(ctx, func() { token, err = t.inner.Latest(ctx, kind) })
	if lost {
		return "", fault
	}
	return token, err
}

// Changes yields the inner target's changes. While something is hidden, what
// happened to it isn't told, and the next call begins at the same token.
func (t *Target) Changes(ctx context.Context, kind target.Kind, token target.Token) iter.Seq2[target.DeltaEvent, error] {
	return func(yield func(target.DeltaEvent, error) bool) {
		var events iter.Seq2[target.DeltaEvent, error]
		if lost, err := t.deltas.do(ctx, func() { events = t.inner.Changes(ctx, kind, token) }); lost {
			yield(target.DeltaEvent{}, err)
			return
		}
		left := false
		for ev, err := range events {
			if err == nil && t.isHidden(ev.Object.ID) {
				left = true
				continue
			}
			if left && ev.Op == target.Checkpoint {
				ev.Token = token
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}
