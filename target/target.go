package target

import (
	"context"
	"iter"
)

// A Target holds objects that the engine keeps in step with a source.
//
// All methods, those of the optional abilities included, are safe for
// concurrent use. Concurrent changes are always for different objects.
type Target interface {
	// Name identifies the target, as text without '/' and control characters
	// (for Office 365 the tenant). Links are kept under it, so it must stay
	// the same from run to run.
	Name() string

	// Current yields every live object of the target, in any order, ours and
	// others'; an object in the bin isn't yielded.
	//
	// An error is yielded once, last, with the zero Object. A sequence that
	// ends without one is complete; a cancelled ctx ends it with an error that
	// wraps ctx.Err(). Breaking out of the range releases
	// everything that the sequence holds. A target may lag behind its own
	// writes: an object missing here isn't proven to be absent.
	Current(ctx context.Context) iter.Seq2[Object, error]

	// Apply carries out one change and returns the object as the target holds
	// it after that, as far as it knows (see [Object]). A nil error means that
	// the target accepted the change.
	//
	// An error wraps one of this package's sentinels, which say whether the
	// change was made; an error that wraps none counts as [ErrUnknownOutcome].
	// Applying a change again after an unknown outcome converges: a create
	// never makes a second object (the target looks the anchor up, see
	// [Change.Repeat]), an update writes the same values again, a delete of
	// what is gone is done, a restore of what is live is done.
	//
	// What is returned for a Delete says no more than its ID. A cancelled ctx
	// ends the call with an error that wraps ctx.Err(); what was on the wire
	// has an unknown outcome.
	Apply(ctx context.Context, c Change) (Object, error)
}
