package dirsync_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

func TestT09_AnAdoptedAccountWithoutAnchorIsNoDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := settled(t)
		eve := w.person("eve", "contoso.com")
		id := w.existing("eve@contoso.com", "")
		require.Equal(t, dirsync.AdoptDone, w.adopt(pairsOf(w.match(anyName))...)[0].Outcome)
		w.tgt.Protect(id, target.HoldsRole) // so that it gets no anchor yet
		for range 3 {
			rep := w.sync(dirsync.Request{Reconcile: true, Retry: true})
			require.Equal(t, []string{"protected"}, codes(rep))
			require.Zero(t, rep.Drifted)
			time.Sleep(time.Hour)
		}
		w.tgt.Protect(id, "")
		// Somebody else's anchor isn't overwritten.
		require.True(t, w.tgt.Edit(id, func(o *target.Object) { o.Anchor = "AAAA" }))
		rep := w.sync(dirsync.Request{Retry: true})
		require.Equal(t, []string{"drift"}, codes(rep))
		require.Equal(t, "AAAA", mustGet(w, id).Anchor)
		require.True(t, w.tgt.Edit(id, func(o *target.Object) { o.Anchor = w.sourceAnchor(eve) }))
		time.Sleep(time.Hour)
		require.Empty(t, w.sync(dirsync.Request{Retry: true}).Problems)
	})
}

func TestT09_AProtectedAccountThatDriftsIsNotWrittenUntilItIsNotProtected(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		w.tgt.Protect(id, target.HoldsRole)
		w.edit(id, "jobTitle", "Boss")
		for range 3 {
			require.Equal(t, []string{"protected"}, codes(w.sync(dirsync.Request{Retry: true, Reconcile: true})))
			require.Equal(t, []string{"Boss"}, w.holds(id, "jobTitle"))
			time.Sleep(time.Hour)
		}
		w.tgt.Protect(id, "")
		time.Sleep(24 * time.Hour) // until it is tried again
		cs := w.changes()
		require.Len(t, cs, 1)
		require.Contains(t, cs[0].Effects(), plan.PutBacks, "it counts as what it is")
		require.Equal(t, 1, w.sync(dirsync.Request{Retry: true}).Updated)
		require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"))
		time.Sleep(time.Hour)
		require.Empty(t, w.sync().Problems)
	})
}

func TestT09_WhoIsOutOfScopeAndRestoredOnPurposeIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := estateOf(t, func(e *estate) { byPlace(e); e.opt.Leaving = plan.DeleteOnLeave })
		ids := e.staff(2, "p", e.sales)
		e.sync()
		id := e.account("p0000@contoso.com").ID
		lab := e.dn(e.lab)
		require.True(t, e.src.Edit(ids[0], func(o *source.Object) { o.DN, o.Parent = "CN=p0000,"+lab, e.lab }))
		require.Equal(t, 1, e.sync().Deleted)
		time.Sleep(time.Hour)
		e.sync()
		require.True(t, e.tgt.Unbin(id))
		rep := e.sync()
		require.Zero(t, rep.Deleted)
		require.Equal(t, []string{"drift"}, codes(rep))
	})
}

func TestUndoLeavesWhatOthersWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t, func(w *world) { w.opt.Drift = dirsync.ReportDrift })
		w.set(ann, "title", "Chief")
		run := w.sync().Run
		time.Sleep(time.Hour)
		w.sync()
		w.edit(id, "jobTitle", "Boss")
		require.Equal(t, []string{"drift"}, codes(w.sync()))
		p, err := w.eng.Undo(t.Context(), run)
		require.NoError(t, err)
		require.Zero(t, p.Counts.Total())
		require.Contains(t, codes(p.Report), "cannot-undo")
	})
}

func TestT09_WhoFollowedAChangedScopeIsDisabledAgainWithoutAnotherWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := estateOf(t, byPlace)
		e.staff(2, "p", e.sales)
		e.sync()
		id := e.account("p0000@contoso.com").ID
		narrow, wide := &mapping.Scope{Include: []string{string(e.lab)}}, e.opt.Scope
		word := func() {
			_, err := e.eng.Sync(t.Context(), nil)
			halted, ok := errors.AsType[*dirsync.HaltedError](err)
			require.True(t, ok, err)
			require.NoError(t, e.eng.Approve(t.Context(), halted.Hash, "eve", time.Now().Add(time.Hour)))
			require.Equal(t, 2, e.sync().Disabled)
			time.Sleep(time.Hour)
			e.sync()
		}
		e.scope(narrow)
		word()
		e.edit(id, "accountEnabled", "true")
		require.Equal(t, 1, e.sync().Disabled, "nothing is new about that")
		time.Sleep(time.Hour)
		e.sync()

		e.scope(wide) // who is found in again and leaves once more needs another word
		require.Equal(t, 2, e.sync().Enabled)
		e.scope(narrow)
		word()
	})
}

func TestAnUndoDoesNotOverwriteWhatNobodyHasSeenYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t)
		w.set(ann, "title", "Chief")
		run := w.sync().Run
		time.Sleep(time.Hour)
		w.sync()
		p, err := w.eng.Undo(t.Context(), run)
		require.NoError(t, err)
		require.Equal(t, 1, p.Counts.Total())
		w.edit(id, "jobTitle", "Boss")
		_, err = w.eng.Apply(t.Context(), p.Hash)
		require.ErrorIs(t, err, dirsync.ErrPlanStale)
		require.Equal(t, []string{"Boss"}, w.holds(id, "jobTitle"))
		w.sync()
		require.Equal(t, []string{"Chief"}, w.holds(id, "jobTitle"), "it is put back, as ever")
		time.Sleep(time.Hour)
		w.sync()
		p, err = w.eng.Undo(t.Context(), run)
		require.NoError(t, err)
		_, err = w.eng.Apply(t.Context(), p.Hash)
		require.NoError(t, err)
		require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"))
	})
}
