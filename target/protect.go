package target

import "context"

// A Protection says in words why an object is out of bounds: "holds a directory
// role".
type Protection string

// The protections that the engine's messages are written for. A target may
// have others.
const (
	HoldsRole            Protection = "holds a directory role"
	EligibleForRole      Protection = "is eligible for a directory role"
	InRoleGroup          Protection = "is a member of a role-assignable group"
	EligibleForRoleGroup Protection = "is eligible for a role-assignable group"
	OwnsRoleGroup        Protection = "owns a role-assignable group"
	RoleGroup            Protection = "is a role-assignable group"
	InRestrictedUnit     Protection = "is in a restricted management administrative unit"
)

// A Protector is a Target that knows which of its objects have power over
// others. Whoever writes these from a directory gives that directory's
// administrators this power, so the engine neither adopts nor writes them.
type Protector interface {
	Target

	// Protected returns every object that is protected, with the reason (one of
	// them, if there are several): those of this kind, and the groups, if the
	// target takes any. It asks anew each time: the
	// engine calls it once when a run has something to write, and again right
	// before a sensitive write.
	//
	// The answer is whole or there is none: with an error, the engine takes
	// every user for protected. It asks about users alone: a group that can
	// hold roles is [Object.Foreign]. One that wraps [ErrForbidden] says in its
	// text which permission is missing.
	Protected(ctx context.Context, kind Kind) (map[ID]Protection, error)
}

// Protected returns who is protected in t. supported is false for a target that
// protects nobody.
func Protected(ctx context.Context, t Target, kind Kind) (who map[ID]Protection, supported bool, err error) {
	p, ok := t.(Protector)
	if !ok {
		return nil, false, nil
	}
	who, err = p.Protected(ctx, kind)
	return who, true, err
}
