package source

import (
	"context"
	"errors"
	"iter"
)

// A Finder can look objects up by ID, alive or deleted.
type Finder interface {
	Source

	// Find yields for each of ids what is certain about it now: an Upsert if
	// it exists in scope, Left if it exists outside, Deleted if its tombstone
	// was seen. Of an ID about which nothing was found, it yields nothing:
	// that proves nothing. Errors are as for [Source].All; no Checkpoint
	// comes. Order and repeats are as for All.
	Find(ctx context.Context, ids []ID) iter.Seq2[Event, error]
}

// Find looks ids up in src. It yields [errors.ErrUnsupported] if src can't.
func Find(ctx context.Context, src Source, ids []ID) iter.Seq2[Event, error] {
	if f, ok := src.(Finder); ok {
		return f.Find(ctx, ids)
	}
	return func(yield func(Event, error) bool) { yield(Event{}, errors.ErrUnsupported) }
}
