package target

import (
	"maps"
	"slices"
	"time"
)

// An ID identifies an object within its target. Only the target gives it a
// meaning.
type ID string

// A Kind says what an object is.
type Kind string

// The kinds that the engine knows.
const (
	User  Kind = "user"
	Group Kind = "group"
)

// Attributes are values by attribute name. The names are the target's; the
// mapping rules and the target agree on them. A boolean is "true" or "false".
// In a [Change], a name with no values asks for the attribute to be cleared; in
// an [Object], an attribute without values may be missing or empty, which mean
// the same. The values of a multi-valued attribute are a set: they are kept in
// ascending order.
type Attributes map[string][]string

// First returns the first value of name, or "".
func (a Attributes) First(name string) string {
	if v := a[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Clone returns a copy that shares nothing with a.
func (a Attributes) Clone() Attributes {
	c := make(Attributes, len(a))
	for k, v := range a {
		c[k] = slices.Clone(v)
	}
	return c
}

// Names returns the attribute names in ascending order.
func (a Attributes) Names() []string { return slices.Sorted(maps.Keys(a)) }

// The attributes that the engine itself has to know by name. A target that
// calls them otherwise translates.
const (
	AttrUserPrincipalName = "userPrincipalName"
	AttrMail              = "mail"
	AttrAccountEnabled    = "accountEnabled"

	// AttrAnchor stands for [Change.Anchor] in an [Error], and in the Set of an
	// update by which an object that we adopted, and that carries no anchor, gets
	// its own. It is never among an Object's Attributes.
	AttrAnchor = "onPremisesImmutableId"

	// AttrMailNickname is what a group's address begins with. No two Microsoft
	// 365 groups have the same; other groups and people may.
	AttrMailNickname = "mailNickname"

	// AttrGroupTypes says what sort of group it is, see [Attributes.Microsoft365].
	AttrGroupTypes = "groupTypes"
)

// Microsoft365 reports whether these are the values of a Microsoft 365 group.
func (a Attributes) Microsoft365() bool { return slices.Contains(a[AttrGroupTypes], "Unified") }

// An Object is what the target holds.
type Object struct {
	ID     ID
	Kind   Kind
	Anchor string // "" if it has none

	// Attributes are the values that the target was able to give. An object
	// returned by [Target.Apply] may hold none but those that it knows without
	// asking again: the engine takes what it asked for as applied.
	Attributes Attributes

	// Deleted says that the object is in the target's bin, restorable.
	Deleted bool

	// Created is when the target says that it was created; zero if unknown.
	Created time.Time

	// Foreign says that another system of record owns the object (in Office
	// 365: onPremisesSyncEnabled). It is never written to.
	Foreign bool

	// ForeignWhy says in words why it is Foreign: "directory roles can be
	// assigned to it". "" is that another system of record owns it.
	ForeignWhy string

	// RequestID is the target's own id of the call that gave this object, for
	// the audit and the target's support: of a change, the call that Apply took
	// as its success (the last one, if it took several). "" if the target gives
	// none, and for objects that weren't returned by Apply.
	RequestID string

	// ClientRequestID is the id that we gave the same call, where the target
	// takes one. It is known also when no reply came; see [Error].
	ClientRequestID string
}
