package ldapsource

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// Attributes of groups and containers that are read when these are asked for,
// beside those that they have in common with people. People are given none of
// them, unless Options.Attributes names it.
var (
	groupAttributes     = []string{"groupType", "description"}
	containerAttributes = []string{"ou", "description"}
)

// kindFilters find the objects of a kind in a full read.
var kindFilters = map[source.Kind]string{
	source.User:      peopleFilter,
	source.Group:     "(objectClass=group)",
	source.Container: containerFilter,
}

const containerFilter = "(|(objectClass=organizationalUnit)(objectClass=container)(objectClass=builtinDomain)(objectClass=domainDNS))"

// kinds are what a source was asked to give.
type kinds struct {
	users, groups, containers bool

	refs    []reference
	primary bool                     // who has a group as the primary one is told as its member
	own     map[string][]source.Kind // attributes that only these kinds are given
}

// A reference is an attribute that is told as [source.Refers].
type reference struct {
	name string
	kind source.Kind // whose
}

// knownReferences are those that a source can tell.
var knownReferences = []reference{{"member", source.Group}, {"managedBy", source.Group}, {"manager", source.User}}

// newKinds checks Options.Kinds and Options.References.
func newKinds(o *Options) (kinds, error) {
	k := kinds{users: len(o.Kinds) == 0, own: map[string][]source.Kind{}}
	var errs []error
	for _, kind := range o.Kinds {
		switch kind {
		case source.User:
			k.users = true
		case source.Group:
			k.groups = true
		case source.Container:
			k.containers = true
		default:
			errs = append(errs, fmt.Errorf("Options.Kinds %q: want %q, %q or %q", kind, source.User, source.Group, source.Container))
		}
	}
	for _, name := range o.References {
		i := slices.IndexFunc(knownReferences, func(r reference) bool { return strings.EqualFold(r.name, name) })
		switch {
		case i < 0:
			errs = append(errs, fmt.Errorf("Options.References %q: want member, managedBy or manager", name))
		case !k.wants(knownReferences[i].kind):
			errs = append(errs, fmt.Errorf("Options.References %q: it is what a %s says, and Options.Kinds has none", name, knownReferences[i].kind))
		case slices.Contains(k.refs, knownReferences[i]):
		default:
			k.refs = append(k.refs, knownReferences[i])
		}
	}
	if k.primary = o.PrimaryGroups; k.primary {
		if !k.users || !slices.ContainsFunc(k.refs, func(r reference) bool { return r.name == "member" }) {
			errs = append(errs, errors.New("Options.PrimaryGroups: it needs users among Options.Kinds, and member among Options.References"))
		}
		for _, name := range primaryAttributes {
			if !slices.ContainsFunc(slices.Concat(o.Attributes, o.BinaryAttributes), func(a string) bool { return strings.EqualFold(a, name) }) {
				k.own[name] = nil // of no kind
			}
		}
	}
	slices.SortFunc(k.refs, func(a, b reference) int { return strings.Compare(a.name, b.name) })
	for _, name := range slices.Concat(o.Attributes, o.BinaryAttributes) {
		if slices.ContainsFunc(k.refs, func(r reference) bool { return strings.EqualFold(r.name, name) }) {
			errs = append(errs, fmt.Errorf("attribute %q: it is among Options.References, and never an object's attribute then", name))
		}
	}
	for kind, names := range map[source.Kind][]string{source.Group: groupAttributes, source.Container: containerAttributes} {
		for _, name := range names {
			if k.wants(kind) && !slices.ContainsFunc(o.Attributes, func(a string) bool { return strings.EqualFold(a, name) }) {
				k.own[name] = append(k.own[name], kind)
			}
		}
	}
	return k, errors.Join(errs...)
}

func (k kinds) wants(kind source.Kind) bool {
	switch kind {
	case source.User:
		return k.users
	case source.Group:
		return k.groups
	case source.Container:
		return k.containers
	}
	return false
}

// peopleOnly reports whether nothing but people was asked for.
func (k kinds) peopleOnly() bool { return k.users && !k.groups && !k.containers }

// attributes are the names to be asked for because of the kinds.
func (k kinds) attributes() []string {
	var names []string
	if k.groups {
		names = append(names, groupAttributes...)
	}
	if k.containers {
		names = append(names, containerAttributes...)
	}
	if k.primary {
		names = append(names, primaryAttributes...)
	}
	return names
}

// filter finds the objects of the kinds, alive.
func (k kinds) filter() string {
	if k.peopleOnly() {
		return peopleFilter
	}
	f := "(|"
	for _, kind := range []source.Kind{source.User, source.Group, source.Container} {
		if k.wants(kind) {
			f += kindFilters[kind]
		}
	}
	return f + ")"
}

// deltaFilter finds what a delta must know of. Classes alone, since they
// survive on tombstones, and objectCategory doesn't. Containers come even when
// they weren't asked for, because those within them don't when they are moved;
// deleted ones have nothing to tell then.
func (k kinds) deltaFilter() string {
	f := "(|"
	if k.users {
		f += "(&(objectClass=user)(!(objectClass=computer)))"
	}
	if k.groups {
		f += "(objectClass=group)"
	}
	if k.containers {
		return f + containerFilter + ")"
	}
	return f + "(&(|(objectClass=organizationalUnit)(objectClass=container))(!(isDeleted=TRUE))))"
}

// strings are what a watermark's hash depends on: nothing if people alone are
// given, so that watermarks from before there was a choice hold.
func (k kinds) strings() []string {
	var parts []string
	if !k.peopleOnly() {
		parts = append(parts, "kinds", k.filter())
	}
	for _, r := range k.refs {
		parts = append(parts, "reference", r.name)
	}
	if k.primary {
		parts = append(parts, "primary groups")
	}
	return parts
}

// kind is what an entry of this class is given as, ok if it is asked for.
func (k kinds) kind(c class) (kind source.Kind, ok bool) {
	switch c {
	case person:
		kind = source.User
	case group:
		kind = source.Group
	case container:
		kind = source.Container
	default:
		return source.User, false
	}
	return kind, k.wants(kind)
}

// likely is the kind of an object of which only its DN is known.
func (k kinds) likely(dn string) source.Kind {
	switch {
	case k.containers && strings.HasPrefix(strings.ToUpper(dn), "OU="):
		return source.Container
	case k.users:
		return source.User
	}
	return source.Group
}
