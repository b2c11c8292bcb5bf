package plan

import (
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/target"
)

// An Effect is what a budget counts: something that is harmless for a few
// people and a disaster for everybody.
type Effect string

const (
	// Removals: accounts deleted, or disabled because their object left.
	Removals Effect = "removals"

	// Disables: accounts that can't sign in any more, since the source says so
	// (in Active Directory: userAccountControl).
	Disables Effect = "disables"

	// UPNChanges: people who have to sign in under another name.
	UPNChanges Effect = "upn-changes"

	// AddressChanges: people whose primary address becomes another one.
	AddressChanges Effect = "address-changes"

	// LeavesScope: of the removals, those whose object left the scope.
	LeavesScope Effect = "leaving"

	// Rescoped: of those, the ones that left since the scope's configuration was
	// changed.
	Rescoped Effect = "rescoped"

	// Restores: accounts brought back from the bin.
	Restores Effect = "restores"

	// PutBacks: accounts of which values that others wrote are overwritten, and
	// memberships that others added or removed.
	PutBacks Effect = "put-backs"
)

// ReasonDrift is the Reason of a change that puts back what others wrote.
const ReasonDrift = "changed at the target"

// clears is what the effect of clearing an attribute begins with; each
// attribute is counted for itself.
const clears = "clears:"

// Clears is the effect of clearing attr.
func Clears(attr string) Effect { return Effect(clears + attr) }

// Cleared returns the attribute that e clears; "" if that isn't what e is.
func (e Effect) Cleared() string {
	attr, ok := strings.CutPrefix(string(e), clears)
	if !ok {
		return ""
	}
	return attr
}

// Effects are what c counts for. A step aside within a cycle counts for the names
// that it is for, whatever it has in between, and the step that follows it no more.
func (c *Change) Effects() []Effect {
	if c.Refer != nil {
		return c.refers()
	}
	var all []Effect
	switch {
	case c.Removal:
		all = append(all, Removals)
		if c.Crossing == Leaves {
			all = append(all, LeavesScope)
			if c.Rescoped {
				all = append(all, Rescoped)
			}
		}
	case c.Op == target.Disable:
		all = append(all, Disables)
	case c.Op == target.Restore:
		all = append(all, Restores)
	case c.Op == target.Delete: // of an account that an undone run had made
		all = append(all, Removals)
	}
	if c.Op == target.Create {
		return all
	}
	if c.Reason == ReasonDrift {
		all = append(all, PutBacks)
	}
	named := c.names()
	if c.Again {
		named = c.Then
	}
	for _, e := range named {
		if !slices.Contains(c.Counted, e) {
			all = append(all, e)
		}
	}
	for attr, v := range c.Set {
		if len(c.Before[attr]) > 0 && len(v) == 0 {
			all = append(all, Clears(attr))
		}
	}
	return all
}

// names are the effects of c on names.
func (c *Change) names() (all []Effect) {
	for _, n := range []struct {
		attr string
		is   Effect
	}{{target.AttrUserPrincipalName, UPNChanges}, {target.AttrMail, AddressChanges}} {
		if len(c.Before[n.attr]) > 0 && len(c.Set[n.attr]) > 0 {
			all = append(all, n.is)
		}
	}
	return all
}

// A Tally counts effects, each kind of object for itself. The zero value counts
// nothing yet.
type Tally map[target.Kind]map[Effect]int

// Add counts the effects of c, n times: each member that is removed, or put back,
// for itself.
func (t *Tally) Add(c *Change, n int) {
	for _, e := range c.Effects() {
		kind, each := c.times(e)
		if *t == nil {
			*t = Tally{}
		}
		if (*t)[kind] == nil {
			(*t)[kind] = map[Effect]int{}
		}
		(*t)[kind][e] += n * each
	}
}

// Merge adds all that o has counted.
func (t *Tally) Merge(o Tally) {
	for kind, effects := range o {
		for e, n := range effects {
			if *t == nil {
				*t = Tally{}
			}
			if (*t)[kind] == nil {
				(*t)[kind] = map[Effect]int{}
			}
			(*t)[kind][e] += n
		}
	}
}

// Total is how often e was counted, over all kinds.
func (t Tally) Total(e Effect) (n int) {
	for _, effects := range t {
		n += effects[e]
	}
	return n
}
