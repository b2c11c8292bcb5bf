package dirsync_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// Found by the simulation: proposals and adoptions didn't ask the scope.
func TestS07_AnAccountIsNeitherProposedNorAdoptedForWhomTheScopeRefuses(t *testing.T) {
	for _, ran := range []bool{false, true} {
		e := estateOf(t, byPlace)
		in, out := e.staff(1, "in", e.sales)[0], e.staff(1, "out", e.lab)[0]
		if ran { // else the state has never met a container
			e.existing("other@contoso.com", "")
			e.sync()
			in, out = e.staff(1, "in1", e.sales)[0], e.staff(1, "out1", e.lab)[0]
		}
		mine, other := e.existing("mine@contoso.com", e.sourceAnchor(in)), e.existing("theirs@contoso.com", e.sourceAnchor(out))
		list := e.match(nil)
		require.Len(t, list, 1)
		require.Equal(t, in, list[0].Object)
		require.Equal(t, mine, list[0].Account)
		done := e.adopt(list[0].Pair, dirsync.Pair{Object: out, Account: other, By: dirsync.ByAnchor, Anchor: e.sourceAnchor(out)})
		require.Equal(t, dirsync.AdoptDone, done[0].Outcome, done[0].Reason)
		require.Equal(t, dirsync.AdoptRefused, done[1].Outcome)
		require.Contains(t, done[1].Reason, "isn't in scope")
		e.sync()
		require.Equal(t, "theirs@contoso.com", mustGet(e.world, other).Attributes.First("userPrincipalName"))
		e.mustRest()
	}
}

func TestS07_AnAdoptionAsksWhereItsObjectLiesNow(t *testing.T) {
	e := estateOf(t, byPlace)
	team := e.unit("Team", e.sales)
	e.sync()
	ann := e.staff(1, "ann", team)[0]
	e.existing("ann@contoso.com", e.sourceAnchor(ann))
	list := e.match(nil)
	require.Len(t, list, 1)
	lab := e.dn(e.lab)
	require.True(t, e.src.Edit(team, func(o *source.Object) { o.DN, o.Parent = "OU=Team,"+lab, e.lab }))
	done := e.adopt(list[0].Pair)
	require.Equal(t, dirsync.AdoptRefused, done[0].Outcome)
	rep := e.sync()
	require.Zero(t, rep.Changed())
}

// moveUnit moves a container.
func (e *estate) moveUnit(id, to source.ID) {
	e.t.Helper()
	dn := "OU=Team," + e.dn(to)
	require.True(e.t, e.src.Edit(id, func(o *source.Object) { o.DN, o.Parent = dn, to }))
}

// Simulation seeds 80014841, 80021970, 80029160, 80047043: the unit was moved while
// the reader didn't see it, and its old place counted.
func TestS07_WhoseContainerCannotBeSeenIsNotAdopted(t *testing.T) {
	e := estateOf(t, byPlace)
	team := e.unit("Team", e.sales)
	e.sync()
	ann := e.staff(1, "ann", team)[0]
	account := e.existing("ann@contoso.com", e.sourceAnchor(ann))
	list := e.match(nil)
	require.Len(t, list, 1)
	e.moveUnit(team, e.lab)
	require.True(t, e.src.Hide(team))
	done := e.adopt(list[0].Pair)
	require.Equal(t, dirsync.AdoptRefused, done[0].Outcome)
	require.Contains(t, done[0].Reason, "where the object lies can't be read")
	require.True(t, e.src.Show(team))
	e.moveUnit(team, e.sales)
	done = e.adopt(list[0].Pair)
	require.Equal(t, dirsync.AdoptDone, done[0].Outcome, done[0].Reason)
	require.Equal(t, account, done[0].Account)
}

// Simulation seed 80019996: the object from which an account was taken had only been
// where the reader saw no container.
func TestS16_WhoseContainerCannotBeSeenIsNotProvenGone(t *testing.T) {
	e := estateOf(t, byPlace)
	team := e.unit("Team", e.lab)
	ann := e.staff(1, "ann", e.sales)[0]
	e.sync()
	account := e.account("ann0000@contoso.com").ID
	moved := e.staff(1, "moved", e.sales, "mS-DS-ConsistencyGuid", e.sourceAnchor(ann))[0]
	pair := dirsync.Pair{Object: moved, Account: account, By: dirsync.ByRebind, Anchor: e.sourceAnchor(ann), From: ann}
	dn := "CN=ann," + e.dn(team)
	require.True(t, e.src.Edit(ann, func(o *source.Object) { o.DN, o.Parent = dn, team }))
	e.moveUnit(team, e.sales)
	require.True(t, e.src.Hide(team))
	done := e.adopt(pair)
	require.Equal(t, dirsync.AdoptRefused, done[0].Outcome)
	require.Contains(t, done[0].Reason, "isn't proven")
	require.True(t, e.src.Show(team))
	e.moveUnit(team, e.lab)
	done = e.adopt(pair)
	require.Equal(t, dirsync.AdoptRebound, done[0].Outcome, done[0].Reason)
}

func TestUndoOfLeavingAScopeIsHeldBack(t *testing.T) {
	e := estateOf(t, byPlace)
	ids := e.staff(3, "p", e.sales)
	e.sync()
	lab := e.dn(e.lab)
	require.True(t, e.src.Edit(ids[0], func(o *source.Object) { o.DN, o.Parent = "CN=p0000,"+lab, e.lab }))
	rep := e.sync()
	require.Equal(t, 1, rep.Disabled)
	p, err := e.eng.Undo(t.Context(), rep.Run)
	require.NoError(t, err)
	require.NoError(t, e.eng.Approve(t.Context(), p.Hash, "ann@contoso.com", time.Now().Add(time.Hour)))
	rep = e.sync()
	require.Equal(t, 1, rep.Enabled)
	require.Equal(t, []string{"held"}, codes(rep))
	rep = e.sync(dirsync.Request{Full: true, Retry: true})
	require.Zero(t, rep.Changed(), "what was undone isn't done again")
	require.Equal(t, 3, e.enabled())

	// Nor does a change of the scope that has nothing to do with it count less.
	e.scope(&mapping.Scope{Include: []string{string(e.inside)}})
	_, err = e.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrHalted)
}
