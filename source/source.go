package source

import (
	"context"
	"iter"
	"time"
)

// A Watermark says how far a reader has come. It is opaque text of at most
// 64 KiB that only the source which made it understands, valid UTF-8 without
// secrets. The empty Watermark means: from the beginning.
type Watermark string

// An Op says what an [Event] is about.
type Op int

const (
	// Upsert: Object exists, is in scope, and holds these values now. It may
	// come for an object that didn't change, and more than once for one object
	// in one read; the later one holds.
	Upsert Op = iota + 1

	// Left: the object Object.ID exists, seen by its ID, but is no longer (or
	// never was) in the source's scope. Object may hold no attributes.
	Left

	// Deleted: the object Object.ID is deleted; Evidence says how that is
	// known. Never inferred from absence.
	Deleted

	// Unreadable: there is an object that can't be read; Err says why, Object
	// holds what is known (perhaps only a DN). The read goes on and may still
	// be complete.
	Unreadable

	// Checkpoint: everything before it has been given. A later read may resume
	// from Watermark.
	Checkpoint

	// Refers: References is what Object (ID and Kind, perhaps more) says about
	// others. It comes only from sources that were asked for references, and
	// only for objects that are in scope; an object that left or was deleted
	// refers to nobody without a word.
	//
	// In a complete read every object that was given by an Upsert has its
	// references told whole, before the last Checkpoint and in any order with
	// the Upserts. In a delta they come with or without an Upsert of their
	// object. That an object which is pointed at was renamed, moved or deleted,
	// or came back ([Event].Revived), is no event of those that point at it.
	Refers
)

// String returns the name of the constant in lower case.
func (o Op) String() string {
	switch o {
	case Upsert:
		return "upsert"
	case Left:
		return "left"
	case Deleted:
		return "deleted"
	case Unreadable:
		return "unreadable"
	case Checkpoint:
		return "checkpoint"
	case Refers:
		return "refers"
	}
	return "no operation"
}

// An Event is one thing that a source says. Which fields are set depends on Op.
type Event struct {
	Op         Op
	Object     Object      // Upsert: all of it. Left, Deleted, Refers: ID and Kind, perhaps more
	Evidence   Evidence    // Deleted, Left
	Watermark  Watermark   // Checkpoint
	Err        error       // Unreadable
	References *References // Refers

	// Revived says of an Upsert, or of a Left, that the object was deleted
	// once and came back. Others may have lost their references to it by that without an
	// event of their own; a [Confirmer] tells which. A source sets it in
	// deltas, on every one of which it isn't certain that the object
	// wasn't deleted since the watermark, and may set it on those of any
	// object that ever came back. In a complete read it isn't needed.
	Revived bool
}

// Evidence says how a source knows that an object is gone or has left. It is
// kept with the change that it led to, for audit.
type Evidence struct {
	// Kind names the sort of proof: "tombstone", "recycled", "moved out of
	// scope", or a word of the connector's own.
	Kind string `json:"kind"`

	// Detail says where it was seen, for people: a tombstone's DN, a USN.
	Detail string `json:"detail,omitempty"`

	// Seen is when the source read it.
	Seen time.Time `json:"seen"`
}

// A Source reads objects from a directory. It never writes to it.
//
// A Source is used by one reader at a time: no two of its sequences are ranged
// over at once, and no other method is called while one is. It need not be safe
// for concurrent use beyond that.
type Source interface {
	// Name identifies the source and its scope, as text without '/' and
	// control characters. Links and watermarks are kept under it, so it must
	// stay the same from run to run.
	Name() string

	// All yields an Upsert for every object in scope, in any order, with a
	// Checkpoint wherever a later read may resume, one at the end at the
	// latest. The watermark was taken before the first object was read, so
	// that a delta from it repeats rather than loses what changes meanwhile.
	//
	// An error is yielded once, last, with the zero Event. A sequence that
	// ends without one is complete: the directory itself said so. Even so,
	// absence alone proves no deletion. A cancelled ctx ends the sequence
	// with an error that wraps ctx.Err(). Breaking out of the range releases
	// everything that the sequence holds.
	//
	// Events share no memory with the source: the caller may keep them.
	All(ctx context.Context) iter.Seq2[Event, error]
}

// A DeltaSource can also report only what changed.
type DeltaSource interface {
	Source

	// Since yields what changed after w, in the order in which the directory
	// gives it, with a Checkpoint wherever a later read may resume, one at
	// the end at the latest. Reading twice from one watermark gives what
	// changed since it twice; repeats are harmless.
	//
	// Errors and completeness are as for All. When the source isn't certain
	// that it can tell everything that changed since w (unknown or damaged
	// watermark, another or a restored domain controller, older than the
	// directory keeps its tombstones), it yields an error that wraps
	// [ErrWatermarkExpired]; the reader starts over with All.
	Since(ctx context.Context, w Watermark) iter.Seq2[Event, error]
}

// Read yields what changed since w and reports true, or, if src can't tell or w
// is empty, yields everything and reports false.
func Read(ctx context.Context, src Source, w Watermark) (events iter.Seq2[Event, error], delta bool) {
	if d, ok := src.(DeltaSource); ok && w != "" {
		return d.Since(ctx, w), true
	}
	return src.All(ctx), false
}
