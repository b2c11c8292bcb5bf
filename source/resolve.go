package source

import (
	"context"
	"errors"
)

// A Resolver can find objects by what people call them.
type Resolver interface {
	Source
	// Resolve returns the IDs of the objects in scope that name means, in
	// ascending order: one if it is unique, several if it is ambiguous, none
	// if it is nobody's. A name is an ID, a DN, or a value of userPrincipalName,
	// sAMAccountName or mail; an implementation may understand more. It is
	// compared whole, without regard to case, and taken literally: nothing in
	// it is a pattern. Errors are as for [Source].All.
	Resolve(ctx context.Context, name string) ([]ID, error)
}

// Resolve returns the IDs of the objects in src that name means. It returns
// [errors.ErrUnsupported] if src can't tell.
func Resolve(ctx context.Context, src Source, name string) ([]ID, error) {
	if r, ok := src.(Resolver); ok {
		return r.Resolve(ctx, name)
	}
	return nil, errors.ErrUnsupported
}
