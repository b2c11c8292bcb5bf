package graphtarget_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func TestT03_WhatWasMadeJustNowIsNotYetThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newCrowd(t, 2, graphsim.Options{Lag: time.Minute})
		ann, err := w.Apply(t.Context(), ann(1))
		require.NoError(t, err)
		err = w.add(w.people[0], ann.ID, w.people[1])
		some, ok := errors.AsType[*target.RefsError](err)
		require.True(t, ok)
		require.ErrorIs(t, some.Refused[ann.ID], target.ErrNotYet)
		require.Len(t, w.members(), 2)

		g, err := w.Apply(t.Context(), sales(1))
		require.NoError(t, err)
		for _, c := range []target.Change{refer(g, target.RefMembers, w.people, nil), refer(g, target.RefMembers, nil, w.people),
			refer(ann, target.RefManager, w.people[:1], nil), refer(ann, target.RefManager, nil, w.people[:1])} {
			_, err = w.Apply(t.Context(), c)
			require.ErrorIs(t, err, target.ErrNotYet, c.Refs)
			_, some := errors.AsType[*target.RefsError](err)
			require.False(t, some)
		}
		time.Sleep(time.Minute)
		require.NoError(t, w.add(ann.ID))
		_, err = w.Apply(t.Context(), refer(g, target.RefMembers, w.people, nil))
		require.NoError(t, err)
	})
}

// TestT02_ALostReplyMakesNoSecondGroup: also where Graph doesn't show the group
// for a while, and across a repeat.
func TestT02_ALostReplyMakesNoSecondGroup(t *testing.T) {
	for _, lag := range []time.Duration{0, 20 * time.Second, 2 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			tn := contoso(graphsim.Options{Lag: lag})
			tg := open(t, tn, &graphtarget.Options{Groups: true})
			var writes atomic.Int64
			tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
				if op.Write && writes.Add(1) <= 2 {
					return graphsim.ReplyLost()
				}
				return nil
			})
			o, err := tg.Apply(t.Context(), sales(1))
			if lag > time.Minute {
				require.True(t, target.OutcomeUnknown(err), "%v", err)
				time.Sleep(lag)
				again := sales(1)
				again.Repeat = true
				o, err = tg.Apply(t.Context(), again)
			}
			require.NoError(t, err)
			require.Len(t, tn.Groups(), 1)
			require.Equal(t, tn.Groups()[0].ID, string(o.ID))
			require.Equal(t, sales(1).Anchor, tn.Groups()[0].Get("uniqueName"))
		})
	}
}

// TestT02_AnUpsertTakesNobodysGroup: a group that has the name isn't written to.
func TestT02_AnUpsertTakesNobodysGroup(t *testing.T) {
	w := newCrowd(t, 0, graphsim.Options{})
	c := sales(1)
	c.Anchor = "sales"
	_, err := w.Apply(t.Context(), c)
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, target.AttrAnchor, target.AttributeOf(err))
	require.Zero(t, w.tried())

	// Where Graph doesn't show it, the upsert says that it didn't create.
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{Lag: 10 * time.Second})
		one, two := open(t, tn, &graphtarget.Options{Groups: true}), open(t, tn, &graphtarget.Options{Groups: true})
		_, err := one.Apply(t.Context(), sales(1))
		require.NoError(t, err)
		_, err = two.Apply(t.Context(), sales(1))
		require.ErrorIs(t, err, target.ErrExists)
		require.Len(t, tn.Groups(), 1)
	})
}

// TestT08_DeletedGroupsMayBeGone: whether Graph keeps security groups isn't
// documented beyond doubt; both are told as they are.
func TestT08_DeletedGroupsMayBeGone(t *testing.T) {
	for _, purged := range []bool{false, true} {
		w := newCrowd(t, 1, graphsim.Options{Switches: graphsim.Switches{SecurityGroupsPurged: purged}})
		require.NoError(t, w.add(w.people...))
		del := target.Change{Op: target.Delete, Kind: target.Group, ID: w.group.ID, Anchor: "sales"}
		for range 2 {
			_, err := w.Apply(t.Context(), del)
			require.NoError(t, err)
		}
		del.Op = target.Restore
		_, err := w.FindDeleted(t.Context(), target.Group, w.group.ID)
		o, restored := w.Apply(t.Context(), del)
		if purged {
			require.ErrorIs(t, err, target.ErrNotFound)
			require.ErrorIs(t, restored, target.ErrNotFound)
			continue
		}
		require.NoError(t, errors.Join(err, restored))
		require.Equal(t, target.Group, o.Kind)
		require.Equal(t, w.people, w.members())
	}
}

func TestGroupsOfOthersAreForeign(t *testing.T) {
	w := newCrowd(t, 1, graphsim.Options{Permissions: []string{"Group.ReadWrite.All", "User.ReadWrite.All"}})
	for _, p := range []map[string]any{
		{"mailNickname": "synced", "onPremisesSyncEnabled": true},
		{"mailNickname": "list", "mailEnabled": true, "securityEnabled": false},
		{"mailNickname": "security", "mailEnabled": true},
		{"mailNickname": "roles", "isAssignableToRole": true},
	} {
		g, err := w.AddGroup(p)
		require.NoError(t, err)
		o := target.Object{ID: target.ID(g.ID), Kind: target.Group}
		for _, c := range []target.Change{on(o, target.Delete, nil), on(o, target.Update, target.Attributes{"displayName": {"x"}}),
			refer(o, target.RefMembers, w.people, nil)} {
			c.Kind = target.Group
			_, err := w.Apply(t.Context(), c)
			require.Error(t, err, p)
			require.False(t, target.OutcomeUnknown(err))
			_, some := errors.AsType[*target.RefsError](err)
			require.False(t, some, "it is about the group")
		}
	}
	team := sales(9)
	team.Set["groupTypes"] = []string{"Unified"}
	_, err := w.Apply(t.Context(), team)
	require.NoError(t, err)
	foreign := map[string]bool{}
	for _, o := range all(t, w.Target) {
		if o.Kind == target.Group {
			foreign[o.Attributes.First("mailNickname")] = o.Foreign
		}
	}
	require.Equal(t, map[string]bool{"sales": false, "synced": true, "list": true, "security": true, "roles": true, "sales.9": false}, foreign)
	require.Equal(t, "sales.9@contoso.onmicrosoft.com", w.Groups()[len(w.Groups())-1].Get("mail"))
}

func TestGroupsThatGraphCantMakeAreRefusedUnsent(t *testing.T) {
	w := newCrowd(t, 0, graphsim.Options{})
	for name, value := range map[string]string{"mailEnabled": "true", "securityEnabled": "false", "visibility": "", "jobTitle": "x", "mail": "x@contoso.com"} {
		c := sales(1)
		c.Set[name] = []string{value}
		_, err := w.Apply(t.Context(), c)
		require.Equal(t, name, target.AttributeOf(err), "%v", err)
	}
	none := sales(1)
	none.Anchor = ""
	_, err := w.Apply(t.Context(), none)
	require.ErrorIs(t, err, target.ErrInvalid)
	require.Zero(t, w.Counts().HTTP)

	users := open(t, w.Tenant, nil) // without Options.Groups
	require.Equal(t, []target.Kind{target.User}, users.Kinds())
	_, err = users.Apply(t.Context(), sales(1))
	require.ErrorIs(t, err, target.ErrInvalid)
	add, _ := users.RefBatch(target.Group, target.RefMembers)
	require.Zero(t, add)
	require.Empty(t, all(t, users))
	require.Zero(t, w.tried())
}

// TestNestingThatGraphRefusesIsToldOneByOne: a Microsoft 365 group is in no group.
func TestNestingThatGraphRefusesIsToldOneByOne(t *testing.T) {
	w := newCrowd(t, 3, graphsim.Options{})
	team := sales(1)
	team.Set["groupTypes"] = []string{"Unified"}
	m365, err := w.Apply(t.Context(), team)
	require.NoError(t, err)
	err = w.add(w.people[0], w.people[1], m365.ID, w.people[2])
	some, ok := errors.AsType[*target.RefsError](err)
	require.True(t, ok)
	require.Len(t, some.Refused, 1)
	require.ErrorIs(t, some.Refused[m365.ID], target.ErrInvalid)
	require.ElementsMatch(t, w.people, w.members())
}

// TestAThrottleInTheMiddleLeavesTheRestOpen: what was made is made, the rest is
// said not to be.
func TestAThrottleInTheMiddleLeavesTheRestOpen(t *testing.T) {
	w := newCrowd(t, 4, graphsim.Options{})
	w.Target = open(t, w.Tenant, &graphtarget.Options{Groups: true, MaxThrottleWait: -1})
	writes := 0
	w.SetFault(func(op graphsim.Op) *graphsim.Fault {
		if op.Write {
			writes++
		}
		if writes > 2 {
			return &graphsim.Fault{Status: http.StatusTooManyRequests}
		}
		return nil
	})
	require.NoError(t, w.SetReferences(string(w.group.ID), "members", string(w.people[3])))
	err := w.add(w.people...) // refused; two are added; then no more
	require.ErrorIs(t, err, target.ErrThrottled)
	some, ok := errors.AsType[*target.RefsError](err)
	require.True(t, ok, "%v", err)
	require.Len(t, some.Refused, 2)
	require.Len(t, w.References(string(w.group.ID), "members"), 3)
}

// TestMembersAreReadByPages: of a large group, two pages at most are held.
func TestMembersAreReadByPages(t *testing.T) {
	tn := contoso(graphsim.Options{})
	g, err := tn.AddGroup(map[string]any{"mailNickname": "sales"})
	require.NoError(t, err)
	var ids []string
	for i := range 2500 {
		u, err := tn.AddUser(map[string]any{"userPrincipalName": fmt.Sprintf("p%d@contoso.com", i)})
		require.NoError(t, err)
		ids = append(ids, u.ID)
	}
	require.NoError(t, tn.SetReferences(g.ID, "members", ids...))
	tg := openBy(t, tn, contract.Transport(t, tn.Transport()), &graphtarget.Options{Groups: true})
	var got []string
	for id, err := range tg.Refs(t.Context(), target.Group, target.ID(g.ID), target.RefMembers) {
		require.NoError(t, err)
		got = append(got, string(id))
	}
	require.Equal(t, ids, got)
	require.Equal(t, 3, tn.Counts().HTTP)
	tn.ResetCounts()
	for range tg.Refs(t.Context(), target.Group, target.ID(g.ID), target.RefMembers) {
		break
	}
	require.LessOrEqual(t, tn.Counts().HTTP, 2)
}
