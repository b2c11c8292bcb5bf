package target

import (
	"context"
	"errors"
	"iter"
)

// A Token stands for a moment in a target's history. It is opaque text that only
// the target understands; "" is none.
type Token string

// ErrTokenExpired: the target doesn't know the token (any more), so that it can't
// say what changed since. Whoever asks looks at everything and takes a new one.
var ErrTokenExpired = errors.New("the target doesn't know what changed since")

// A DeltaOp says what a [DeltaEvent] is about.
type DeltaOp int

const (
	Changed    DeltaOp = iota + 1 // Object is live, and was made or changed, or nothing happened to it
	Binned                        // the object with Object.ID is in the bin
	Purged                        // the object with Object.ID is gone for good
	Checkpoint                    // all that Changes had to say before Token was said
	Referred                      // Refs alone; of Object no more is told than Kind and ID
)

// A DeltaEvent is something that happened at a target, whoever did it.
type DeltaEvent struct {
	Op     DeltaOp
	Object Object // of Binned and Purged no more than Kind and ID
	Token  Token  // of Checkpoint

	// Refs, of Changed and Referred, are references of Object to which something
	// happened: those to add to a copy of the target, and those to remove. They
	// may be any part of what happened, as many as there are, in any order; what
	// isn't named may be as it was or not.
	Refs []Refs
}

// A Deltaer can tell what changed since a moment, its own writes included.
type Deltaer interface {
	Target

	// Latest returns the token of this moment: Changes from there tells of
	// everything that happens after the call began. Each kind has tokens of its
	// own. Of a kind of which the target can't tell, the error wraps
	// [errors.ErrUnsupported].
	Latest(ctx context.Context, kind Kind) (Token, error)

	// Changes yields what happened to objects of a kind since token, in any
	// order, ours and others', and at its end one Checkpoint, from whose token
	// the next call goes on.
	//
	// An event tells how an object is, not what was done to it; several changes
	// may come as one. It may be repeated, in this call and in later ones, and
	// it may be as old as the target's replication takes: the values from
	// before a change can come after it. What isn't visible yet comes with a
	// later call; nothing is left out for good. What an event says is a reason
	// to look at the object, no proof.
	//
	// References are told by value: who was added to a group of 50,000 is one ID
	// in Refs. That holds for the members of groups, if the target is a
	// [Referrer]; other references it may leave out. What an object takes along
	// into the bin, and what takes it along, needn't be told as references.
	//
	// An error is yielded once, last, with the zero event; it wraps
	// [ErrTokenExpired] if the token is of no use any more. Only a sequence that
	// ends with a Checkpoint is complete. A cancelled ctx ends it with an error
	// that wraps ctx.Err(). Breaking out of the range releases everything that
	// the sequence holds.
	Changes(ctx context.Context, kind Kind, token Token) iter.Seq2[DeltaEvent, error]
}

// CanTellChanges reports whether t is a [Deltaer].
func CanTellChanges(t Target) bool {
	_, ok := t.(Deltaer)
	return ok
}

// Latest returns t's token of this moment. supported is false for a target that
// can't tell what changed, or not of this kind.
func Latest(ctx context.Context, t Target, kind Kind) (token Token, supported bool, err error) {
	d, ok := t.(Deltaer)
	if !ok {
		return "", false, nil
	}
	token, err = d.Latest(ctx, kind)
	if errors.Is(err, errors.ErrUnsupported) {
		return "", false, nil
	}
	return token, true, err
}

// Changes returns what happened in t since token. For a target that can't tell
// (any more, or without a token) the sequence is an error that wraps
// [ErrTokenExpired].
func Changes(ctx context.Context, t Target, kind Kind, token Token) iter.Seq2[DeltaEvent, error] {
	if d, ok := t.(Deltaer); ok && token != "" {
		return d.Changes(ctx, kind, token)
	}
	return func(yield func(DeltaEvent, error) bool) { yield(DeltaEvent{}, ErrTokenExpired) }
}
