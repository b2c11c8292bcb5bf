package target

import (
	"context"
	"errors"
	"iter"
	"maps"
	"slices"
)

// The references that the engine knows: what they are called at the target.
const (
	RefMembers = "members" // of a group
	RefOwners  = "owners"  // of a group
	RefManager = "manager" // of a user; one at most
)

// Refs are references of one object to others that a change adds and removes.
// They are never among an object's Attributes.
type Refs struct {
	Attribute string `json:"attribute"` // RefMembers, RefOwners, RefManager

	// Add and Remove are objects of the target, in ascending order, each in one
	// of them, once. Of RefManager, Add replaces whoever it was.
	Add    []ID `json:"add,omitempty"`
	Remove []ID `json:"remove,omitempty"`
}

// A Referrer is a Target whose objects refer to others. Apply takes changes with
// Op [Refer] then:
//
// To add what is there already, and to remove what isn't, is done. A nil error
// means that everything is as asked. A [*RefsError] says which of the references
// were refused, each for a reason of its own; all others are as asked. Any other
// error is about the whole change, as for all changes; after an unknown outcome
// any part of it may have been made, and applying it again converges.
type Referrer interface {
	Target

	// RefBatch is the most references of this attribute that one change may add,
	// and the most that it may remove: what the target takes at the price of
	// few writes. 0 says that objects of this kind don't refer to others by
	// this attribute, or that it can't be written.
	RefBatch(kind Kind, attribute string) (add, remove int)

	// Refs yields the objects to which the object id of this kind refers, in
	// any order, without holding them all. Errors and completeness are as for
	// [Target.Current]; an object that isn't there is [ErrNotFound].
	Refs(ctx context.Context, kind Kind, id ID, attribute string) iter.Seq2[ID, error]
}

// A RefLimiter is a [Referrer] that says how many references an object may have.
type RefLimiter interface {
	Referrer

	// RefLimit is the most references of this attribute that one object of the
	// kind may have, 0 if there is no limit. The engine adds no more than that
	// and says so; it always returns the same.
	RefLimit(kind Kind, attribute string) int
}

// RefLimit is the most references of an attribute that one object of t may have,
// 0 if t names no limit.
func RefLimit(t Target, kind Kind, attribute string) int {
	if l, ok := t.(RefLimiter); ok {
		return l.RefLimit(kind, attribute)
	}
	return 0
}

// RefBatch is the most references that one change at t may add and remove, 0 if
// t takes none.
func RefBatch(t Target, kind Kind, attribute string) (add, remove int) {
	if r, ok := t.(Referrer); ok {
		return r.RefBatch(kind, attribute)
	}
	return 0, 0
}

// ReadRefs yields to whom an object of t refers. It yields
// [errors.ErrUnsupported] if t can't tell.
func ReadRefs(ctx context.Context, t Target, kind Kind, id ID, attribute string) iter.Seq2[ID, error] {
	if r, ok := t.(Referrer); ok {
		return r.Refs(ctx, kind, id, attribute)
	}
	return func(yield func(ID, error) bool) { yield("", errors.ErrUnsupported) }
}

// A RefFinder can tell of single references without reading all that an object
// has.
type RefFinder interface {
	Referrer

	// FindRefs reports for each of to, in their order, whether the object id of
	// this kind refers to it. It may be as old as the target's replication takes.
	// An object that isn't there is [ErrNotFound]; other errors are as for
	// [Referrer.Refs]. to has any length, and each ID once.
	FindRefs(ctx context.Context, kind Kind, id ID, attribute string, to []ID) ([]bool, error)
}

// FindRefs reports for each of to whether the object id of t refers to it. If t
// can't tell of single references, all of them are read. It returns
// [errors.ErrUnsupported] if t can't tell at all.
func FindRefs(ctx context.Context, t Target, kind Kind, id ID, attribute string, to []ID) ([]bool, error) {
	if f, ok := t.(RefFinder); ok {
		return f.FindRefs(ctx, kind, id, attribute, to)
	}
	at := make(map[ID]int, len(to))
	for i, one := range to {
		at[one] = i
	}
	is := make([]bool, len(to))
	for one, err := range ReadRefs(ctx, t, kind, id, attribute) {
		if err != nil {
			return nil, err
		}
		if i, asked := at[one]; asked {
			is[i] = true
		}
	}
	return is, nil
}

// A RefsError says which references of a [Refer] were refused. All others of the
// change are as asked.
type RefsError struct {
	// Refused holds for each the error, which wraps one of this package's
	// sentinels: [ErrNotFound] or [ErrNotYet] (the object pointed at isn't
	// there), [ErrForbidden], [ErrInvalid]. With [ErrUnknownOutcome] it may have
	// been made. [ErrThrottled], [ErrUnavailable] and [ErrUnauthenticated] say
	// nothing of the reference: it wasn't made since the target could be written
	// no more amid the change. The engine ends the run's writing, as after such
	// an error of a whole change.
	Refused map[ID]error
}

// Error counts them and gives the first one's reason. It names no object.
func (e *RefsError) Error() string {
	ids := slices.Sorted(maps.Keys(e.Refused))
	if len(ids) == 0 {
		return "no reference was refused"
	}
	return "some references were refused, the first because: " + e.Refused[ids[0]].Error()
}

// A Kinder says which kinds of objects it takes.
type Kinder interface {
	Target

	// Kinds are the kinds of objects that it takes, in ascending order. Current
	// yields objects of these kinds.
	Kinds() []Kind
}

// Kinds are the kinds of objects that t takes: users alone if it doesn't say.
func Kinds(t Target) []Kind {
	if k, ok := t.(Kinder); ok {
		return k.Kinds()
	}
	return []Kind{User}
}

// Unwrap gives the reasons to errors.Is and errors.As.
func (e *RefsError) Unwrap() []error {
	var errs []error
	for _, id := range slices.Sorted(maps.Keys(e.Refused)) {
		errs = append(errs, e.Refused[id])
	}
	return errs
}
