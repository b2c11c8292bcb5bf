package graphsim

import "math"

// Switches choose among behaviours that no document settles. Each field's zero
// value is what the simulator does by default; each is one item of the
// reference's list of uncertain facts (or, where it says so, of the failure
// catalogue), and each has a test for both sides.
type Switches struct {
	// DuplicateAnchor is the answer to a second user with the same
	// onPremisesImmutableId. Default: refused like a duplicate UPN.
	DuplicateAnchor DuplicateAnchor

	// DeletedAnchorBlocks: a soft-deleted user's onPremisesImmutableId counts as
	// taken. Default: it is free.
	DeletedAnchorBlocks bool

	// AnchorFilterIgnoresCase: a $filter on onPremisesImmutableId also finds an
	// anchor that differs in letter case only. Default: exact.
	AnchorFilterIgnoresCase bool

	// NullAnchorRefused: PATCH onPremisesImmutableId null is refused. Default:
	// it clears the anchor.
	NullAnchorRefused bool

	// NullMailAccepted, NullUsageLocationAccepted and NullAccountEnabledAccepted:
	// PATCH with null clears (for accountEnabled: the account reads as null).
	// Default: refused as an invalid value.
	NullMailAccepted           bool
	NullUsageLocationAccepted  bool
	NullAccountEnabledAccepted bool

	// UPNCaseSensitive: "Ann@x" and "ann@x" may both exist. Default: they
	// conflict. Looking up follows the same rule.
	UPNCaseSensitive bool

	// ProxyCaseSensitive: the same for addresses. Default: they conflict.
	ProxyCaseSensitive bool

	// NoConflictingObjects: the refusal of a duplicate address has no second
	// detail ConflictingObjects. Default: it has.
	NoConflictingObjects bool

	// ReadOnly is the answer to writing a read-only property. Default: refused
	// by name.
	ReadOnly ReadOnlyAnswer

	// DeletedUPNKept: a soft-deleted user keeps its userPrincipalName. Default:
	// it is prefixed with the object id without dashes.
	DeletedUPNKept bool

	// DeletedUPNBlocks: the name that a soft-deleted user had counts as taken
	// until the user is purged (failure catalogue T-12). Default: it is free.
	DeletedUPNBlocks bool

	// DeletedCountsInQuota: soft-deleted users count in full in
	// [Options.ObjectQuota]. Default: a quarter each.
	DeletedCountsInQuota bool

	// SyncedDeleteAllowed: a user with onPremisesSyncEnabled can be deleted.
	// Default: refused like an update.
	SyncedDeleteAllowed bool

	// ProtectedWholly: a protected administrator refuses every update. Default:
	// only sensitive properties and deletion.
	ProtectedWholly bool

	// DeleteRestoreRefused: the permission User.DeleteRestore.All isn't enough
	// for deleting, restoring and purging users. Default: it is.
	DeleteRestoreRefused bool

	// NoRetryAfter: a 429 carries no Retry-After. Default: whole seconds.
	NoRetryAfter bool

	// FractionalRetryAfter: Retry-After is like "2.128". Default: whole seconds.
	FractionalRetryAfter bool

	// ThrottleCode is the error code of a 429. Default: "TooManyRequests".
	ThrottleCode string

	// FreeRejections: requests that are refused with 429 use up no quota.
	// Default: they do, so hammering keeps the bucket empty.
	FreeRejections bool

	// UnauthenticatedCode is the error code of a 401. Default:
	// "InvalidAuthenticationToken".
	UnauthenticatedCode string

	// PageTokenGone: an expired $skiptoken is answered with 410. Default: 400.
	PageTokenGone bool

	// DeltaTokenRefused: an expired delta token is answered with 400
	// syncStateNotFound. Default: 410 with the URL to start from.
	DeltaTokenRefused bool

	// DeltaReplays: a delta query tells the last changes of the round before
	// once more. Default: each once, except in a page that is asked for again.
	DeltaReplays bool

	// MaxFilterClauses is the most comparisons in a $filter, each value of an
	// "in" counted. Default: 15. Negative means no limit.
	MaxFilterClauses int

	// SecurityIdentifierByDefault: securityIdentifier belongs to the default
	// property set. Default: only with $select.
	SecurityIdentifierByDefault bool

	// BatchInOrder: the parts of a $batch are carried out and answered in the
	// order of the request. Default: both orders are shuffled, dependsOn kept.
	BatchInOrder bool

	// LagDeletes: a deletion, too, becomes visible only after [Options.Lag].
	// Default: at once.
	LagDeletes bool

	// LagUpdates: for [Options.Lag] after an update, reads show the old values.
	// Default: the new ones at once.
	LagUpdates bool

	// SecurityGroupsPurged: a deleted security group is gone for good; older
	// pages say so. Default: it is restorable like a Microsoft 365 group.
	SecurityGroupsPurged bool

	// BindsCostThirds: a PATCH that binds members costs one write for each three
	// of them, so that twenty cost seven. Default: one write.
	BindsCostThirds bool

	// UnnamedReferences: the refusal of a reference to what isn't there names
	// the changed object and not the missing one. Default: the missing one.
	UnnamedReferences bool

	// NonMemberAs400: removing who isn't a member is answered with 400. Default:
	// 404.
	NonMemberAs400 bool

	// BatchCollides: of two writes to one group in a $batch, one without a
	// dependsOn on the other, the later is answered with 409 (a caller is told
	// not to count on anything). Default: both are carried out.
	BatchCollides bool

	// TrimsValues: the service cuts white space off both ends of string values
	// (failure catalogue T-15). Default: values are kept as sent.
	TrimsValues bool
}

func (s *Switches) maxClauses() int {
	switch {
	case s.MaxFilterClauses == 0:
		return 15
	case s.MaxFilterClauses < 0:
		return math.MaxInt
	}
	return s.MaxFilterClauses
}

// DuplicateAnchor says what a second user with the same onPremisesImmutableId
// meets.
type DuplicateAnchor int

const (
	DuplicateAnchorRefused DuplicateAnchor = iota // 400 ObjectConflict
	DuplicateAnchorAs500                          // 500, as in 2017
	DuplicateAnchorAllowed                        // both live
)

// ReadOnlyAnswer says what writing a read-only property meets.
type ReadOnlyAnswer int

const (
	ReadOnlyNamed   ReadOnlyAnswer = iota // "Property 'x' is read-only and cannot be set."
	ReadOnlyGeneric                       // "One or more properties contains invalid values."
	ReadOnlyIgnored                       // dropped without a word
)
