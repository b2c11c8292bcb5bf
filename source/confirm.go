package source

import (
	"context"
	"errors"
	"iter"
)

// A Confirmer can deny references that were told before.
//
// A directory that takes a deleted object out of what refers to it, and says
// nothing of those that did, must have this ability: when such an object comes
// back ([Event].Revived), it is the only way to learn who doesn't refer to it
// any more without reading everything.
type Confirmer interface {
	Source

	// Confirm yields, for each of holders that certainly doesn't refer to the
	// object to by attribute, one [Refers] event, a difference that removes
	// to. It is the holder's own word: the holder was seen, in scope, and not
	// to refer to it. Of a holder that refers to it, that isn't found, that is
	// out of scope, or whose references the account may not see, it yields
	// nothing. If to itself isn't found alive, nothing can be said: it yields
	// an error that wraps [ErrIncomplete].
	//
	// What it says is at least as new as w, a watermark of this source: a
	// domain controller that lags would deny what is new. If it can't be
	// certain of that, it yields an error that wraps [ErrWatermarkExpired].
	// Other errors are as for [Source].All; no Checkpoint comes. What it
	// yielded before an error holds. Order is of no matter; asking twice does no harm.
	Confirm(ctx context.Context, w Watermark, to ID, attribute string, holders []ID) iter.Seq2[Event, error]
}

// Confirm asks src which of holders refer to the object to no more. It yields
// [errors.ErrUnsupported] if src can't tell.
func Confirm(ctx context.Context, src Source, w Watermark, to ID, attribute string, holders []ID) iter.Seq2[Event, error] {
	if c, ok := src.(Confirmer); ok {
		return c.Confirm(ctx, w, to, attribute, holders)
	}
	return func(yield func(Event, error) bool) { yield(Event{}, errors.ErrUnsupported) }
}
