package mapping

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// A Membership is what is known of somebody and the groups of a scope.
type Membership struct {
	// In says that somebody is a member of one of the groups, by the source's
	// last word. Who never was told to be one isn't.
	In bool

	// Group is the group that holds them, one of the scope or one in such; Top is
	// the one of the scope. If they aren't In, Top is the one in which they last
	// were, "" for none. Both are DNs, for people.
	Group, Top string

	// Held says that the source doesn't give one of the groups from Group to Top
	// any more: what is known of their members stays, and makes nobody enter.
	Held bool

	// Unknown is a group in those of the scope whose members were never told, ""
	// for none: it may hold whoever isn't In.
	Unknown string

	// Stays says that they are synchronized as it is.
	Stays bool
}

// ByGroup reports whether b asks for members of groups.
func (b *BoundScope) ByGroup() bool { return len(b.groups) > 0 }

// Names reports whether b names the group.
func (b *BoundScope) Names(group source.ID) bool { return b.groups[group] }

// Groups are the groups that b names, in ascending order.
func (b *BoundScope) Groups() []source.ID { return slices.Sorted(maps.Keys(b.groups)) }

// Nested reports whether members of groups in those that b names are meant, too.
func (b *BoundScope) Nested() bool { return b.nested }

// Among says what b makes of o by its place and its groups: at is what
// [BoundScope.At] says, m what is known of its membership.
func (b *BoundScope) Among(o *source.Object, at Verdict, m Membership) Verdict {
	if !b.ByGroup() || o.Kind != source.User || at.Answer == OutOfScope {
		return at
	}
	switch {
	case !m.In && m.Stays && m.Unknown != "":
		return unknownGroup(m.Unknown)
	case !m.In && m.Top != "":
		return verdict(OutOfScope, "no longer a member of "+m.Top)
	case !m.In:
		return verdict(OutOfScope, "not a member of a group of the scope")
	case at.Answer == Undecided:
		return at
	case m.Held && !m.Stays:
		return unknownGroup(m.Top)
	case m.Group != m.Top:
		return verdict(InScope, "a member of "+m.Group+", which is in "+m.Top)
	}
	return verdict(InScope, "a member of "+m.Top)
}

func unknownGroup(group string) Verdict {
	v := verdict(Undecided, "the members of "+group+" aren't known")
	v.Problem = &Problem{
		Code: CodeGroupUnknown,
		Message: fmt.Sprintf("whether this object is in scope can't be told, since the source doesn't give %s, or a group between, with all of its members; nothing is changed for it",
			group),
		Remedy: "see that the sync account may read the group, and that it lies below the base DNs; if it is gone for good, take it out of the scope",
		Fatal:  true,
	}
	return v
}
