package target

import (
	"context"
	"errors"
)

// A Restorer is a Target with a bin: deleted objects can come back as they were.
type Restorer interface {
	Target

	// FindDeleted returns the object in the bin that has this ID. If it isn't
	// there (any more), the error wraps [ErrNotFound]. Apply with Op [Restore]
	// brings it back under the same ID.
	FindDeleted(ctx context.Context, kind Kind, id ID) (Object, error)
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
