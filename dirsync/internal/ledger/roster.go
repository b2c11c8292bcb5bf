package ledger

import (
	"context"
	"encoding/json"
	"iter"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A Roster is a group of the source by whose members the scope goes: one that it
// names, or one in such. Members are kept of these alone, apart from what is
// synchronized of groups.
type Roster struct {
	// DN and Parent are those of the group as it was last seen.
	DN     string    `json:"dn"`
	Parent source.ID `json:"parent,omitempty"`

	// Home is the source whose word about it counts, as for an Entry.
	Home string `json:"home,omitempty"`

	// State is "" while the source gives the group. In any other, its members
	// are those of its last word.
	State string `json:"state,omitempty"`

	// Whole says that all of its members were told since it was last given anew,
	// Known that they ever were.
	Whole bool `json:"whole,omitempty"`
	Known bool `json:"known,omitempty"`

	// Members is how many there are.
	Members int `json:"members,omitempty"`

	// Standing is what its members are by it, RosterIn or RosterHeld; Top is the
	// group of the scope that it is, or is in.
	Standing string    `json:"standing,omitempty"`
	Top      source.ID `json:"top,omitempty"`
}

// The states and the standings of a Roster.
const (
	RosterLeft       = "moved out of sight"
	RosterDeleted    = "deleted"
	RosterMissing    = "not given any more"
	RosterUnreadable = "unreadable"

	RosterIn   = "in"
	RosterHeld = "held" // a group on the way to the top isn't given, or not whole
)

// A Member says by which group somebody is in the scope.
type Member struct {
	// By is the group that holds them, "" for none.
	By source.ID `json:"by,omitempty"`

	// Top is the group of the scope that By is, or is in; without By, the one in
	// which they last were.
	Top source.ID `json:"top,omitempty"`
}

func (k keys) rosters() string                { return "roster/" + k.pair() + "/" }
func (k keys) roster(id source.ID) string     { return k.rosters() + string(id) }
func (k keys) rostered(g source.ID) string    { return "rostered/" + k.pair() + "/" + string(g) + "/" }
func (k keys) rosteredIn(id source.ID) string { return "rosterof/" + k.pair() + "/" + string(id) }
func (k keys) regroups() string               { return "regroup/" + k.pair() + "/" }

// Roster returns what is kept of the group id, nil if nothing is.
func (l *Ledger) Roster(ctx context.Context, id source.ID) (*Roster, error) {
	return load[Roster](ctx, l.Buffer, l.keys.roster(id))
}

// SetRoster keeps x; nil removes the record. Its members must be gone.
func (l *Ledger) SetRoster(id source.ID, x *Roster) error {
	if x == nil {
		l.Remove(l.keys.roster(id))
		return nil
	}
	return save(l.Buffer, l.keys.roster(id), x)
}

// Rosters yields all groups of which members are kept.
func (l *Ledger) Rosters(ctx context.Context) iter.Seq2[Keyed[Roster], error] {
	return list[Roster](ctx, l.Buffer, l.keys.rosters())
}

// Rostered yields the members of a group.
func (l *Ledger) Rostered(ctx context.Context, group source.ID) iter.Seq2[source.ID, error] {
	return l.ids(ctx, l.keys.rostered(group))
}

// RosteredIn are the groups that hold id, in ascending order.
func (l *Ledger) RosteredIn(ctx context.Context, id source.ID) ([]source.ID, error) {
	v, err := l.Get(ctx, l.keys.rosteredIn(id))
	if len(v) == 0 || err != nil {
		return nil, err
	}
	var ids []source.ID
	for g := range strings.SplitSeq(string(v), "/") {
		ids = append(ids, source.ID(g))
	}
	return ids, nil
}

// SetRostered keeps whether group holds id, and reports whether that is news.
func (l *Ledger) SetRostered(ctx context.Context, group, id source.ID, is bool) (news bool, err error) {
	groups, err := l.RosteredIn(ctx, id)
	if err != nil {
		return false, err
	}
	i, was := slices.BinarySearch(groups, group)
	if was == is {
		return false, nil
	}
	if key := l.keys.rostered(group) + string(id); is {
		groups = slices.Insert(groups, i, group)
		l.Put(key, []byte{1})
	} else {
		groups = slices.Delete(groups, i, i+1)
		l.Remove(key)
	}
	if len(groups) == 0 {
		l.Remove(l.keys.rosteredIn(id))
		return true, nil
	}
	var b strings.Builder
	for i, g := range groups {
		if i > 0 {
			b.WriteByte('/') // in no ID
		}
		b.WriteString(string(g))
	}
	l.Put(l.keys.rosteredIn(id), []byte(b.String()))
	return true, nil
}

// SetRegroup keeps that the groups of id, somebody or a group, are to be looked at
// again.
func (l *Ledger) SetRegroup(id source.ID) { l.Put(l.keys.regroups()+string(id), []byte("true")) }

// ClearRegroup says that they were.
func (l *Ledger) ClearRegroup(id source.ID) { l.Remove(l.keys.regroups() + string(id)) }

// Regroups yields those whose groups are to be looked at again.
func (l *Ledger) Regroups(ctx context.Context) iter.Seq2[Keyed[json.RawMessage], error] {
	return list[json.RawMessage](ctx, l.Buffer, l.keys.regroups())
}
