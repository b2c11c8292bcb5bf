package target

import (
	"context"
	"errors"
)

// A Batcher is a Target that can carry several changes in one call.
type Batcher interface {
	Target

	// MaxBatch is the most changes that one call can carry, at least 1.
	MaxBatch() int

	// ApplyBatch carries out cs, all for different objects, and returns one
	// Result for each, in the same order. Each has an outcome of its own, as
	// from Apply: one that fails doesn't stop the others. The order in which
	// they are carried out is the target's.
	ApplyBatch(ctx context.Context, cs []Change) []Result
}

// MaxBatch is the most changes that t takes in one call: 1 if it has no batches.
func MaxBatch(t Target) int {
	if b, ok := t.(Batcher); ok {
		return max(1, b.MaxBatch())
	}
	return 1
}

// ApplyAll applies cs and returns one Result for each, in the same order. It
// cuts them into batches that t can carry, one after the other. Once ctx is
// cancelled, the rest isn't tried and gets ctx's error with [ErrNotApplied].
func ApplyAll(ctx context.Context, t Target, cs []Change) []Result {
	out := make([]Result, 0, len(cs))
	b, batches := t.(Batcher)
	n := MaxBatch(t)
	for len(out) < len(cs) {
		if err := ctx.Err(); err != nil {
			out = append(out, Result{Err: &Error{Sentinel: ErrNotApplied, Err: err}})
			continue
		}
		if !batches {
			o, err := t.Apply(ctx, cs[len(out)])
			out = append(out, Result{Object: o, Err: err})
			continue
		}
		part := cs[len(out):min(len(out)+n, len(cs))]
		results := b.ApplyBatch(ctx, part)
		for i := range part {
			if i < len(results) {
				out = append(out, results[i])
			} else { // a target that breaks its contract
				out = append(out, Result{Err: &Error{Sentinel: ErrUnknownOutcome, Err: errors.New("the target gave no result")}})
			}
		}
	}
	return out
}
