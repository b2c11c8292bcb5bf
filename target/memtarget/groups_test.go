package memtarget_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// group is the change that makes a group.
func group(nick string) target.Change {
	return target.Change{Op: target.Create, Kind: target.Group, Anchor: "anchor of " + nick, Set: target.Attributes{"displayName": {"Sales"},
		"mailNickname": {nick}}}
}

func refer(o target.Object, attribute string, add, remove []target.ID) target.Change {
	return target.Change{Op: target.Refer, Kind: o.Kind, ID: o.ID, Anchor: o.Anchor,
		Refs: &target.Refs{Attribute: attribute, Add: add, Remove: remove}}
}

// refs reads whom o refers to.
func refs(t *testing.T, tgt *memtarget.Target, o target.Object, attribute string) []target.ID {
	t.Helper()
	ids := []target.ID{}
	for id, err := range tgt.Refs(t.Context(), o.Kind, o.ID, attribute) {
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}

func TestAGroupIsKnownByItsUniqueNameAlone(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	require.Equal(t, []target.Kind{target.Group, target.User}, target.Kinds(tgt))
	one := apply(t, tgt, group("one"))
	apply(t, tgt, group("two")) // with the same displayName

	same := group("one")
	_, err := tgt.Apply(t.Context(), same)
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, target.AttrAnchor, target.AttributeOf(err))
	same.Repeat = true
	again := apply(t, tgt, same)
	require.Equal(t, one.ID, again.ID)

	found, err := tgt.Find(t.Context(), target.Group, []target.Key{{Anchor: one.Anchor}, {ID: one.ID}})
	require.NoError(t, err)
	require.Equal(t, one.ID, found[0][0].ID)
	require.Equal(t, target.Group, found[1][0].Kind)
	found, err = tgt.Find(t.Context(), target.User, []target.Key{{Anchor: one.Anchor}, {ID: one.ID}})
	require.NoError(t, err)
	require.Empty(t, append(found[0], found[1]...))
	require.Equal(t, 2, tgt.Len())
}

func TestGroupsAreRefusedAsOffice365Does(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	for name, spoil := range map[string]func(*target.Change){
		target.AttrAnchor:   func(c *target.Change) { c.Anchor = "" },
		"displayName":       func(c *target.Change) { delete(c.Set, "displayName") },
		"mailNickname":      func(c *target.Change) { c.Set["mailNickname"] = []string{"a b"} },
		"mailEnabled":       func(c *target.Change) { c.Set["mailEnabled"] = []string{"true"} },
		"securityEnabled":   func(c *target.Change) { c.Set["securityEnabled"] = []string{"yes"} },
		"userPrincipalName": func(c *target.Change) { c.Set["userPrincipalName"] = []string{"g@contoso.onmicrosoft.com"} },
	} {
		c := group("sales")
		spoil(&c)
		_, err := tgt.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrInvalid, name)
		require.Equal(t, name, target.AttributeOf(err))
	}
	g := apply(t, tgt, group("sales"))
	for _, op := range []target.Op{target.Disable, target.Enable} {
		_, err := tgt.Apply(t.Context(), target.Change{Op: op, Kind: target.Group, ID: g.ID})
		require.ErrorIs(t, err, target.ErrInvalid)
	}
	_, err := tgt.Apply(t.Context(), target.Change{Op: target.Delete, Kind: target.User, ID: g.ID})
	require.ErrorIs(t, err, target.ErrNotFound, "it is no user")
	_, err = tgt.Apply(t.Context(), target.Change{Op: target.Update, Kind: target.Group, ID: g.ID, Set: target.Attributes{"mail": {"g@contoso.com"}}})
	require.ErrorIs(t, err, target.ErrReadOnly)

	unified := group("team")
	unified.Set["groupTypes"], unified.Set["mailEnabled"] = []string{"Unified"}, []string{"true"}
	apply(t, tgt, unified)
	unified.Anchor = "another"
	_, err = tgt.Apply(t.Context(), unified)
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, "mailNickname", target.AttributeOf(err))
}

func TestReferencesAreAddedAndRemoved(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	ann, bob, g, h := apply(t, tgt, create("ann")), apply(t, tgt, create("bob")), apply(t, tgt, group("g")), apply(t, tgt, group("h"))
	for range 2 { // what is there is done
		apply(t, tgt, refer(g, target.RefMembers, []target.ID{ann.ID, h.ID}, []target.ID{bob.ID}))
		require.ElementsMatch(t, []target.ID{ann.ID, h.ID}, refs(t, tgt, g, target.RefMembers))
	}
	apply(t, tgt, refer(h, target.RefMembers, []target.ID{g.ID}, nil)) // a circle
	require.Equal(t, memtarget.Counts{Creates: 4, Refers: 3, RefsAdded: 3, RefReads: 2, RefsListed: 4}, tgt.ResetCounts())

	apply(t, tgt, refer(ann, target.RefManager, []target.ID{bob.ID}, nil))
	apply(t, tgt, refer(ann, target.RefManager, nil, []target.ID{ann.ID}))
	require.Equal(t, []target.ID{bob.ID}, refs(t, tgt, ann, target.RefManager), "who isn't the manager can't be removed")
	apply(t, tgt, refer(ann, target.RefManager, nil, []target.ID{bob.ID}))
	require.Empty(t, refs(t, tgt, ann, target.RefManager))

	apply(t, tgt, refer(g, target.RefOwners, []target.ID{ann.ID}, nil))
	_, err := tgt.Apply(t.Context(), refer(g, target.RefOwners, nil, []target.ID{ann.ID}))
	require.ErrorIs(t, err, target.ErrInvalid, "the last owner")
	apply(t, tgt, refer(g, target.RefOwners, []target.ID{bob.ID}, []target.ID{ann.ID}))
	require.Equal(t, []target.ID{bob.ID}, refs(t, tgt, g, target.RefOwners))
}

func TestOneRefusedReferenceStopsNoOther(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	ann, g := apply(t, tgt, create("ann")), apply(t, tgt, group("g"))
	team := group("team")
	team.Set["groupTypes"] = []string{"Unified"}
	m365 := apply(t, tgt, team)

	_, err := tgt.Apply(t.Context(), refer(g, target.RefMembers, []target.ID{ann.ID, "nobody", m365.ID}, nil))
	some, ok := errors.AsType[*target.RefsError](err)
	require.True(t, ok)
	require.Len(t, some.Refused, 2)
	require.ErrorIs(t, some.Refused["nobody"], target.ErrNotFound)
	require.ErrorIs(t, some.Refused[m365.ID], target.ErrInvalid)
	require.Equal(t, []target.ID{ann.ID}, refs(t, tgt, g, target.RefMembers))
	_, err = tgt.Apply(t.Context(), refer(m365, target.RefMembers, []target.ID{g.ID}, nil))
	require.ErrorIs(t, err, target.ErrInvalid)
	require.Equal(t, 3, tgt.Counts().RefsRefused)
	require.Zero(t, tgt.Counts().Refused)
}

func TestAReferThatMakesNoSenseIsRefusedWhole(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	ann, g := apply(t, tgt, create("ann")), apply(t, tgt, group("g"))
	var many []target.ID
	for i := range 21 {
		many = append(many, apply(t, tgt, create(fmt.Sprint("u", i))).ID)
	}
	none := refer(g, target.RefMembers, nil, nil)
	none.Refs = nil
	for _, c := range []target.Change{none, refer(g, target.RefMembers, many, nil), refer(g, target.RefMembers, nil, many),
		refer(g, target.RefManager, many[:1], nil), refer(ann, target.RefMembers, many[:1], nil), refer(ann, target.RefManager, many[:2], nil),
		refer(g, target.RefMembers, many[:1], many[:1])} {
		_, err := tgt.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrInvalid)
		_, some := errors.AsType[*target.RefsError](err)
		require.False(t, some)
	}
	add, remove := target.RefBatch(tgt, target.Group, target.RefMembers)
	require.Equal(t, []int{20, 20}, []int{add, remove})
	add, remove = target.RefBatch(tgt, target.User, target.RefManager)
	require.Equal(t, []int{1, 1}, []int{add, remove})
	foreign := tgt.Add(target.Object{Kind: target.Group, Foreign: true})
	_, err := tgt.Apply(t.Context(), refer(target.Object{ID: foreign, Kind: target.Group}, target.RefMembers, many[:1], nil))
	require.ErrorIs(t, err, target.ErrReadOnly)

	for id, err := range tgt.Refs(t.Context(), target.Group, "nobody", target.RefMembers) {
		require.ErrorIs(t, err, target.ErrNotFound)
		require.Empty(t, id)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range tgt.Refs(ctx, target.Group, g.ID, target.RefMembers) {
		require.ErrorIs(t, err, context.Canceled)
	}
}

func TestTheBinKeepsReferences(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	ann, bob, g := apply(t, tgt, create("ann")), apply(t, tgt, create("bob")), apply(t, tgt, group("g"))
	apply(t, tgt, refer(g, target.RefMembers, []target.ID{ann.ID, bob.ID}, nil))
	apply(t, tgt, refer(bob, target.RefManager, []target.ID{ann.ID}, nil))

	apply(t, tgt, change(target.Delete, ann.ID, nil))
	require.Equal(t, []target.ID{bob.ID}, refs(t, tgt, g, target.RefMembers))
	require.Empty(t, refs(t, tgt, bob, target.RefManager))
	_, err := tgt.Apply(t.Context(), refer(g, target.RefMembers, []target.ID{ann.ID}, nil))
	require.ErrorIs(t, err, target.ErrNotFound)
	apply(t, tgt, refer(g, target.RefMembers, nil, []target.ID{ann.ID})) // isn't there: done
	apply(t, tgt, change(target.Restore, ann.ID, nil))
	require.Len(t, refs(t, tgt, g, target.RefMembers), 2)
	require.Equal(t, []target.ID{ann.ID}, refs(t, tgt, bob, target.RefManager))

	del := target.Change{Op: target.Delete, Kind: target.Group, ID: g.ID}
	apply(t, tgt, del)
	binned, err := tgt.FindDeleted(t.Context(), target.Group, g.ID)
	require.NoError(t, err)
	require.Equal(t, target.Group, binned.Kind)
	apply(t, tgt, target.Change{Op: target.Restore, Kind: target.Group, ID: g.ID})
	require.Len(t, refs(t, tgt, g, target.RefMembers), 2)

	apply(t, tgt, change(target.Delete, ann.ID, nil))
	require.True(t, tgt.Purge(ann.ID)) // for good
	require.Equal(t, []target.ID{bob.ID}, tgt.RefsOf(g.ID, target.RefMembers))
	require.True(t, tgt.SetRefs(g.ID, target.RefMembers))
	require.Empty(t, tgt.RefsOf(g.ID, target.RefMembers))
	require.False(t, tgt.SetRefs("nobody", target.RefMembers))

	hard := memtarget.New("contoso", &memtarget.Options{NoGroupBin: true})
	g = apply(t, hard, group("g"))
	del.ID = g.ID
	apply(t, hard, del)
	_, err = hard.Apply(t.Context(), target.Change{Op: target.Restore, Kind: target.Group, ID: g.ID})
	require.ErrorIs(t, err, target.ErrNotFound)
}
