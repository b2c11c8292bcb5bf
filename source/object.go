package source

import (
	"slices"
	"strings"
)

// An ID identifies an object for good within its source. It is text without
// '/' and without control characters, compared byte by byte. Active Directory's
// is objectGUID in lower-case text form, "b9ab2ef7-091b-50bf-845c-72bb8a00e909".
type ID string

// A Kind says what an object is.
type Kind string

// The kinds that the engine knows. A source gives users, and of the others what
// it was asked for.
const (
	User  Kind = "user"
	Group Kind = "group" // whom it holds comes as [References], attribute member

	// Container: what other objects lie in, an organizational unit or the
	// domain itself. It is never synchronized; it tells where others are.
	Container Kind = "container"
)

// Attributes are an object's values by attribute name. Names are spelt as in
// Active Directory's schema (givenName, sAMAccountName, userAccountControl),
// whatever the directory behind a source is: they are the vocabulary that
// mapping rules use. An attribute without values isn't in the map.
//
// Every value is valid UTF-8 text. Binary attributes (objectGUID,
// mS-DS-ConsistencyGuid) are given as base64 (RFC 4648, standard alphabet, with
// padding) of the raw bytes. The values of one attribute are in ascending byte
// order, since directories don't order them: equal objects compare equal.
type Attributes map[string][]string

// First returns the first value of name, or "".
func (a Attributes) First(name string) string {
	if v := a[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Set gives name these values, in the order that [Attributes] demands. Without
// values it removes name.
func (a Attributes) Set(name string, values ...string) {
	if len(values) == 0 {
		delete(a, name)
		return
	}
	values = slices.Clone(values)
	slices.Sort(values)
	a[name] = values
}

// Clone returns a copy that shares nothing with a.
func (a Attributes) Clone() Attributes {
	c := make(Attributes, len(a))
	for k, v := range a {
		c[k] = slices.Clone(v)
	}
	return c
}

// An Object is one directory entry as the source holds it now.
type Object struct {
	// ID identifies the object. Never empty, except in an [Unreadable] event.
	ID ID

	// Kind says what it is.
	Kind Kind

	// DN is where the object is now. It is for people to read; nothing is
	// looked up by it.
	DN string

	// Parent is the container in which the object lies, "" if the source was
	// not asked for containers or doesn't know, and of a container that is the
	// top of what is read. A container that is renamed or
	// moved is one event, of the container alone: what lies in it has another
	// DN from then on, and no event tells.
	Parent ID

	// Attributes are all the values that the source was asked to read, not
	// just those that changed.
	Attributes Attributes

	// Faults are the values that could not be read as text. They are left out
	// of Attributes; the rest of the object is good.
	Faults []Fault
}

// A Fault is one attribute whose value the source can't give.
type Fault struct {
	Attribute string
	Reason    string // in words, without the value
}

// CompareAttributeNames orders attribute names without regard to case, as LDAP
// compares them (RFC 4512, 2.5).
func CompareAttributeNames(a, b string) int {
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}
