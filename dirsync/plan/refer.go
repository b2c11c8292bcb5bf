package plan

import (
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Refer is what a change of references adds and removes, by the IDs of the
// source's objects: some of them get their accounts by the same plan. The
// target's IDs are filled in when the change is sent.
type Refer struct {
	Attribute string `json:"attribute"` // target.RefMembers, ...

	// Add and Remove are in ascending order. Of target.RefManager, what Add
	// replaces is in Remove.
	Add    []source.ID `json:"add,omitempty"`
	Remove []source.ID `json:"remove,omitempty"`
}

// ReferWave is the wave of changes of references: behind all changes of objects,
// and the last that the keys of a plan have room for.
const ReferWave = 9999

// Memberships is as what the members of groups are counted in a [Tally]: their
// budgets are apart from those of the groups.
const Memberships target.Kind = "membership"

const (
	// MemberRemovals: members that groups lose.
	MemberRemovals Effect = "member-removals"

	// GroupMemberRemovals: the same, for one group.
	GroupMemberRemovals Effect = "group-member-removals"

	// FlaggedAdditions: members that a flagged group gets.
	FlaggedAdditions Effect = "flagged-additions"
)

// Stranger stands for an object of the target that isn't ours, where references
// are named by the IDs of the source's objects: others have added it. No ID of a
// source begins with '/'.
func Stranger(id target.ID) source.ID { return source.ID("/" + id) }

// StrangerID is the opposite of [Stranger].
func StrangerID(id source.ID) (account target.ID, is bool) {
	s, is := strings.CutPrefix(string(id), "/")
	if !is {
		return "", false
	}
	return target.ID(s), true
}

// refers are the effects of a change of references.
func (c *Change) refers() (all []Effect) {
	switch {
	case len(c.Refer.Remove) == 0:
	case c.Refer.Attribute == target.RefMembers:
		all = append(all, MemberRemovals)
	case len(c.Refer.Add) == 0:
		all = append(all, Clears(c.Refer.Attribute))
	}
	if c.Reason == ReasonDrift {
		all = append(all, PutBacks)
	}
	return all
}

// times is how often, and as what, an effect of c counts: members each for
// itself.
func (c *Change) times(e Effect) (kind target.Kind, n int) {
	added, removed := c.Members()
	switch {
	case added+removed == 0:
		return c.Kind, 1
	case e == PutBacks:
		return Memberships, added + removed
	case e == MemberRemovals:
		return Memberships, removed
	}
	return c.Kind, 1
}

// Members is how many members c adds to a group and removes from it.
func (c *Change) Members() (added, removed int) {
	if c.Refer == nil || c.Refer.Attribute != target.RefMembers {
		return 0, 0
	}
	return len(c.Refer.Add), len(c.Refer.Remove)
}

// A GroupTally is what a plan does to the members of one group.
type GroupTally struct{ Added, Removed int }

// CheckGroup returns the budgets of one group that planned exceeds after spent.
// size is how many members it has, with those that were removed within the
// window.
func (l Limits) CheckGroup(id source.ID, planned, spent GroupTally, size int) []Breach {
	var out []Breach
	b := Breach{Kind: target.Group, Effect: GroupMemberRemovals, Group: id, Planned: planned.Removed, Spent: spent.Removed, Owned: size}
	lim, n := l.of(GroupMemberRemovals), b.Planned+b.Spent
	if b.Planned > 0 && lim.Count >= 0 && n > lim.Count {
		b.Bound, b.Allowed = ByCount, lim.Count
		out = append(out, b)
	}
	if b.Planned > 0 && lim.Percent >= 0 && size > lim.From && float64(n)*100 > lim.Percent*float64(size) {
		b.Bound, b.Allowed = ByPercent, int(lim.Percent*float64(size)/100)
		out = append(out, b)
	}
	if most, flagged := l.Flagged[id]; flagged && planned.Added > 0 && planned.Added+spent.Added > most {
		out = append(out, Breach{Kind: target.Group, Effect: FlaggedAdditions, Group: id, Bound: ByCount,
			Planned: planned.Added, Spent: spent.Added, Owned: size, Allowed: most})
	}
	return out
}
