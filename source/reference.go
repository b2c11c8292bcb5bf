package source

import "context"

// References are what one object says about others by one attribute (member,
// manager, managedBy), as far as one event tells it. They never are among an
// object's Attributes: a group of 50,000 is no object of 50,000 values, and one
// member that is added is one event, not a group that is read again.
//
// A source tells them whole, as a difference, or both at different times; the
// reader ends up with the same set whichever it was.
//
// Whole: one or more events in a row, without another event about the same
// object and attribute in between. The first has First set, the last Last (one
// event may have both), and the Add of all of them is the set; Remove is empty.
// Until Last came, nothing is known to be gone: a set whose Last never comes adds
// what it named and removes nothing. An attribute that the object doesn't have
// is the empty set: First, Last and no Add.
//
// Difference: neither First nor Last. Add names what is new, Remove what is
// gone since the watermark; what is named in neither stays as it was. Repeats are
// harmless. Later events hold.
//
// They may come before the objects that they name, and name objects that the
// source never gives: which of them count is the engine's business.
type References struct {
	// Attribute is spelt as in Active Directory's schema: member.
	Attribute string

	First, Last bool

	// Add and Remove are the objects pointed at, by their IDs, in any order. In
	// one event an ID stands in one of them, once.
	Add, Remove []ID

	// Unidentified counts the values that the source can't identify (an object
	// of a domain that it doesn't know, a value that is damaged): they are in
	// neither, and the rest is good. Any of them may be whoever isn't named, so a
	// whole set with some adds what it names, and proves nothing to be gone.
	Unidentified int
}

// Whole reports whether r is all of a set in one event.
func (r *References) Whole() bool { return r.First && r.Last }

// An Emptier is a Source to which an attribute that it may not read looks like
// one without values.
type Emptier interface {
	Source

	// Empty reports whether the object id refers to nobody by attribute, by
	// evidence that doesn't need the right to read that attribute. False says
	// that it refers to somebody, or that there is no such evidence. An object
	// that isn't there refers to nobody. Errors are as for [Source].All.
	Empty(ctx context.Context, id ID, attribute string) (bool, error)
}

// Empty reports whether an object of src whose set was told whole and empty refers
// to nobody. What a source tells that is no [Emptier] is so.
func Empty(ctx context.Context, src Source, id ID, attribute string) (bool, error) {
	if e, ok := src.(Emptier); ok {
		return e.Empty(ctx, id, attribute)
	}
	return true, nil
}
