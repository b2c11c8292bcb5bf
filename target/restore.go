package target

import (
	"context"
	"errors"
	"iter"
)

// A Restorer is a Target with a bin: deleted objects can come back as they were.
type Restorer interface {
	Target

	// FindDeleted returns the object in the bin that has this ID. If it isn't
	// there (any more), the error wraps [ErrNotFound]. Apply with Op [Restore]
	// brings it back under the same ID.
	FindDeleted(ctx context.Context, kind Kind, id ID) (Object, error)
}

// A BinLister is a Restorer that can list what is in its bin: the engine finds
// there the account of which it doesn't know the ID, since the reply to its
// create got lost and somebody deleted it since.
type BinLister interface {
	Restorer

	// Deleted yields every object of kind in the bin, in any order, ours and
	// others', each with Deleted set and the name that it would come back
	// with. Errors, ctx and breaking out are as with [Target.Current].
	Deleted(ctx context.Context, kind Kind) iter.Seq2[Object, error]
}

// CanRestore reports whether t has a bin.
func CanRestore(t Target) bool {
	_, ok := t.(Restorer)
	return ok
}

// FindDeleted looks into t's bin. It returns [errors.ErrUnsupported] if t has
// none.
func FindDeleted(ctx context.Context, t Target, kind Kind, id ID) (Object, error) {
	if r, ok := t.(Restorer); ok {
		return r.FindDeleted(ctx, kind, id)
	}
	return Object{}, errors.ErrUnsupported
}

// Deleted lists t's bin. It yields nothing if t has none, or can't list it.
func Deleted(ctx context.Context, t Target, kind Kind) iter.Seq2[Object, error] {
	if l, ok := t.(BinLister); ok {
		return l.Deleted(ctx, kind)
	}
	return func(func(Object, error) bool) {}
}
