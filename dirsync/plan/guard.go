package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Limit is how much of one effect may happen within the window without
// somebody's approval. Both of its bounds hold.
type Limit struct {
	// Count is the most objects. Zero means the effect's default, negative no
	// bound.
	Count int

	// Percent is the most of all owned accounts, in percent. Zero means the
	// effect's default, negative no bound. It holds once more than From accounts
	// are owned; zero means 100, of the members of one group 20.
	Percent float64
	From    int
}

// NoLimit lets everything through.
var NoLimit = Limit{Count: -1, Percent: -1}

// Limits are what may happen without approval: for each effect a budget, which
// is spent by the changes of all runs within a sliding window. What was
// approved spends nothing. Each kind of object has budgets of its own.
type Limits struct {
	Removals       Limit // default 500 (as Entra Connect has it) and 20 %
	Disables       Limit // default 500 and 20 %
	UPNChanges     Limit // default 1000 and 50 %
	AddressChanges Limit // default 1000 and 50 %
	Clears         Limit // of one attribute; default 500 and 20 %
	Restores       Limit // default 500 and 20 %
	PutBacks       Limit // default 500 and 20 %, of memberships apart

	// Leaving is for those of the removals whose object left the scope. It has no
	// bounds by default: they count as removals in any case.
	Leaving Limit

	// Rescoped is for those of them who left since the scope's configuration was
	// changed. By default none may go without approval.
	Rescoped Limit

	// MemberRemovals are members that groups lose, in all; percent is of all
	// memberships that are ours. Default 1000 and 20 %.
	//
	// GroupMemberRemovals are those of one group, percent of its members once
	// there are more than 20. Default 500 and 50 %.
	MemberRemovals      Limit
	GroupMemberRemovals Limit

	// Flagged are the groups whose new members somebody wants to see: how many
	// may be added without approval, by the source's ID. Zero means none.
	Flagged map[source.ID]int

	// Window is how far back runs count. Defaults to 24 hours.
	//
	// WindowRuns is how many runs that changed something count however long ago
	// they were: a clock that jumps ahead empties no window. Defaults to 8.
	Window     time.Duration
	WindowRuns int
}

// Unlimited lets everything through.
func Unlimited() Limits {
	return Limits{Removals: NoLimit, Disables: NoLimit, UPNChanges: NoLimit, AddressChanges: NoLimit, Clears: NoLimit, Restores: NoLimit,
		PutBacks: NoLimit, Leaving: NoLimit, Rescoped: NoLimit, MemberRemovals: NoLimit, GroupMemberRemovals: NoLimit}
}

// of returns the limit for e, defaults filled in.
func (l Limits) of(e Effect) Limit {
	x, count, percent, from := Limit{}, 500, 20.0, 100
	switch e {
	case Removals:
		x = l.Removals
	case Disables:
		x = l.Disables
	case UPNChanges:
		x, count, percent = l.UPNChanges, 1000, 50
	case AddressChanges:
		x, count, percent = l.AddressChanges, 1000, 50
	case Restores:
		x = l.Restores
	case PutBacks:
		x = l.PutBacks
	case LeavesScope:
		x, count, percent = l.Leaving, -1, -1
	case Rescoped:
		x, count, percent = l.Rescoped, 0, -1
	case MemberRemovals:
		x, count = l.MemberRemovals, 1000
	case GroupMemberRemovals:
		x, percent, from = l.GroupMemberRemovals, 50, 20
	default:
		x = l.Clears
	}
	return Limit{Count: cmp.Or(x.Count, count), Percent: cmp.Or(x.Percent, percent), From: cmp.Or(x.From, from)}
}

// InWindow reports whether what a run spent still counts: runs is how many runs
// that changed something came after it, age how long ago it was by the clock.
// A run of the future counts; the clock was set back since.
func (l Limits) InWindow(runs int, age time.Duration) bool {
	return runs < cmp.Or(l.WindowRuns, 8) || age < cmp.Or(l.Window, 24*time.Hour)
}

// A Breach is a budget that a plan exceeds.
type Breach struct {
	Kind   target.Kind `json:"kind"`
	Effect Effect      `json:"effect"`
	Bound  string      `json:"bound"` // ByCount, ByPercent or Unproven

	// Group is the one group that it is about, "" for all others.
	Group source.ID `json:"group,omitempty"`

	Planned int `json:"planned"` // of the plan
	Spent   int `json:"spent"`   // by the runs in the window
	Owned   int `json:"owned"`   // accounts that are ours, with those that the window removed
	Allowed int `json:"allowed"` // the most that may be planned and spent
}

// String says how much is planned, and how much would be let through.
func (b Breach) String() string {
	what := map[Effect]string{Removals: "removals", Disables: "accounts to disable", UPNChanges: "changes of userPrincipalName",
		AddressChanges: "changes of the primary address", Restores: "accounts to restore", PutBacks: "accounts to put back as they were",
		LeavesScope: "accounts whose object left the scope", Rescoped: "accounts whose object the changed scope leaves out",
		MemberRemovals: "members to remove from groups", GroupMemberRemovals: "members to remove from the group " + string(b.Group),
		FlaggedAdditions: "members to add to the flagged group " + string(b.Group)}[b.Effect]
	if b.Effect == PutBacks && b.Kind == Memberships {
		what = "memberships to put back as they were"
	}
	if what == "" {
		what = "accounts that lose their " + b.Effect.Cleared()
	}
	s := fmt.Sprintf("%d %s", b.Planned, what)
	if b.Bound == Unproven {
		return s + ", and no run has proven this configuration yet"
	}
	if b.Spent > 0 {
		s += fmt.Sprintf(" after %d in the runs before", b.Spent)
	}
	s += fmt.Sprintf(", and %d may go without approval", b.Allowed)
	if b.Bound == ByPercent {
		what := "accounts"
		switch {
		case b.Kind == Memberships:
			what = "memberships"
		case b.Effect == GroupMemberRemovals:
			what = "members"
		}
		s += fmt.Sprintf(" of %d %s", b.Owned, what)
	}
	return s
}

// The bounds that a plan can exceed.
const (
	ByCount   = "count"
	ByPercent = "percent"

	// Unproven: no run has proven the configuration yet, and so each removal
	// needs approval.
	Unproven = "unproven"
)

// Check returns the budgets that planned exceeds after spent, by kind and
// effect. owned are how many accounts are ours, with those that were removed
// within the window.
func (l Limits) Check(planned, spent Tally, owned map[target.Kind]int) []Breach {
	var out []Breach
	for _, kind := range slices.Sorted(maps.Keys(planned)) {
		for _, e := range slices.Sorted(maps.Keys(planned[kind])) {
			b := Breach{Kind: kind, Effect: e, Planned: planned[kind][e], Spent: spent[kind][e], Owned: owned[kind]}
			if b.Planned == 0 {
				continue
			}
			lim, n := l.of(e), b.Planned+b.Spent
			if lim.Count >= 0 && n > lim.Count {
				b.Bound, b.Allowed = ByCount, lim.Count
				out = append(out, b)
			}
			if lim.Percent >= 0 && b.Owned > lim.From && float64(n)*100 > lim.Percent*float64(b.Owned) {
				b.Bound, b.Allowed = ByPercent, int(lim.Percent*float64(b.Owned)/100)
				out = append(out, b)
			}
		}
	}
	return out
}
