package dirsync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
)

// bin are the objects in the tenant's bin.
func (w *world) bin() (all []target.Object) {
	for o, err := range w.tgt.Deleted(w.t.Context(), target.User) {
		require.NoError(w.t, err)
		all = append(all, o)
	}
	return all
}

// inDoubt makes ann's account, loses the reply, and has an administrator delete it.
func inDoubt(t *testing.T) (w *world, ann source.ID, account target.ID) {
	w = newWorld(t)
	ann = w.person("ann", "contoso.com", "mail", "ann@contoso.com")
	ft := fault.NewTarget(w.tgt)
	ft.LoseReplies(1)
	_, err := w.engine(w.src, ft, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	account = w.account("ann@contoso.com").ID
	require.True(t, w.tgt.Remove(account))
	return w, ann, account
}

// Simulation seeds 28334, 20011364, 30085384, 30099746.
func TestT02_ACreateInDoubtWhoseAccountLiesInTheBinIsRestored(t *testing.T) {
	for name, tt := range map[string]struct {
		meanwhile func(w *world)
		upn, mail string
	}{
		"nothing else happened": {func(*world) {}, "ann@contoso.com", "ann@contoso.com"},
		"its domain was dropped": {func(w *world) { w.tgt.RemoveDomain("contoso.com") },
			"ann@contoso.onmicrosoft.com", "ann@contoso.com"},
		"somebody took its name": {func(w *world) {
			w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"ann@contoso.com"}, "displayName": {"X"}}})
		}, "", "ann@contoso.com"},
		"one of ours took its address": {func(w *world) {
			w.person("abe", "contoso.com", "mail", "ann@contoso.com")
		}, "ann@contoso.com", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, _, account := inDoubt(t)
			tt.meanwhile(w)
			for range 3 {
				w.sync(dirsync.Request{Retry: true})
			}
			for o, err := range w.tgt.Current(t.Context()) {
				require.NoError(t, err)
				require.True(t, o.ID == account || o.Anchor == "" || o.Attributes.First("displayName") == "Person abe", "a second account")
			}
			o, found := w.tgt.Get(account)
			require.True(t, found)
			if tt.upn == "" { // not ours to take: it stays where it is, and is reported
				require.True(t, o.Deleted)
				require.Contains(t, codes(w.sync()), "conflict-unowned")
				return
			}
			require.False(t, o.Deleted)
			require.Equal(t, tt.upn, o.Attributes.First("userPrincipalName"))
			if tt.mail != "" {
				require.Equal(t, tt.mail, o.Attributes.First("mail"))
			}
			require.Empty(t, w.bin())
			w.mustRest()
		})
	}
}

func TestT02_ACreateInDoubtOfSomebodyWhoLeftIsFoundInTheBin(t *testing.T) {
	w, ann, account := inDoubt(t)
	w.src.MoveOut(ann)
	require.Zero(t, w.sync().Changed()-1) // that it was created is all that there is to tell
	require.Len(t, w.bin(), 1)
	w.mustRest()
	w.src.MoveIn(ann)
	require.Equal(t, 1, w.sync().Restored)
	require.Equal(t, account, w.account("ann@contoso.com").ID)
	w.mustRest()
}

// Simulation seed 33137, and a lost state.
func TestE01_WhoHasAnAccountInTheBinThatNobodyKnowsGetsNoSecondOne(t *testing.T) {
	w := newWorld(t)
	ann := w.person("ann", "contoso.com")
	w.person("bob", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID
	w.tgt.Remove(account)
	w.store = memstate.New()
	w.eng = w.engine(w.src, w.tgt, w.store)
	rep := w.sync()
	require.Zero(t, rep.Changed())
	require.Equal(t, 2, rep.Proposed)
	for _, p := range rep.Problems {
		if p.Object == ann {
			require.Equal(t, "anchor-unowned", p.Code)
			require.Equal(t, string(account), p.Holder)
			require.Contains(t, p.Message, "bin")
		}
	}
	w.mustRest()
	w.tgt.Purge(account)
	require.Equal(t, 1, w.sync(dirsync.Request{Retry: true}).Created)
	w.mustRest()
}

func TestNothingIsCreatedWhileTheBinMayNotBeRead(t *testing.T) {
	forbidden := fault.Fault{Err: &target.Error{Sentinel: target.ErrForbidden}}
	w, _, account := inDoubt(t)
	w.person("bob", "contoso.com")
	ft := fault.NewTarget(w.tgt)
	ft.OnDeleted(1, forbidden)
	eng := w.engine(w.src, ft, w.store)
	rep, err := eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, rep.Changed())
	require.Len(t, rep.Warnings, 1)
	require.Equal(t, "bin-forbidden", rep.Warnings[0].Code)
	w.tgt.Purge(account)

	rep, err = eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 2, rep.Created)
	ft.OnDeleted(1, fault.Fault{Err: target.ErrUnavailable})
	w.person("cy", "contoso.com")
	_, err = eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, target.ErrUnavailable)
	require.Equal(t, 2, w.tgt.Len())
}

// Simulation seed 40024728.
func TestAValueInDoubtThatIsNotWantedAnyMoreIsCleared(t *testing.T) {
	w := newWorld(t)
	ann := w.person("ann", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID
	w.set(ann, "title", "Clerk")
	ft := fault.NewTarget(w.tgt)
	ft.LoseReplies(1)
	_, err := w.engine(w.src, ft, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	w.set(ann, "title")
	w.tgt.Remove(account)
	require.Equal(t, 1, w.sync().Restored)
	require.Empty(t, w.account("ann@contoso.com").Attributes.First("jobTitle"))
	w.mustRest()
}

// Nobody is told to destroy what can be had back.
func TestE01_WhatLiesInTheBinIsListedRestoredAndAdopted(t *testing.T) {
	w := newWorld(t)
	ann := w.person("ann", "contoso.com")
	account := w.existing("ann@contoso.com", w.sourceAnchor(ann))
	w.tgt.Remove(account)
	rep := w.sync()
	require.Len(t, rep.Problems, 1)
	require.Contains(t, rep.Problems[0].Remedy, "restore it in the tenant, then adopt it")
	require.NotContains(t, rep.Problems[0].Remedy, "delete")

	list := w.match(anyName)
	require.Len(t, list, 1)
	require.Equal(t, account, list[0].Account)
	require.Len(t, list[0].Conflicts, 1)
	require.Equal(t, dirsync.ConflictBinned, list[0].Conflicts[0].Code)
	require.Equal(t, dirsync.AdoptRefused, w.adopt(list[0].Pair)[0].Outcome)

	w.tgt.Unbin(account)
	list = w.match(nil)
	require.Empty(t, list[0].Conflicts)
	require.Equal(t, dirsync.AdoptDone, w.adopt(list[0].Pair)[0].Outcome)
	w.sync()
	w.mustRest()
}
