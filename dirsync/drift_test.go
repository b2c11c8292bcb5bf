package dirsync_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// settled is a world with ann and bob, whose accounts are an hour old.
func settled(t *testing.T, edit ...func(*world)) (w *world, ann source.ID, account target.ID) {
	t.Helper()
	w = newWorld(t, edit...)
	ann = w.person("ann", "contoso.com", "title", "Clerk", "mail", "ann@contoso.com")
	w.person("bob", "contoso.com", "title", "Clerk")
	require.Equal(t, 2, w.sync().Created)
	time.Sleep(time.Hour)
	w.sync()
	account = w.account("ann@contoso.com").ID
	w.tgt.ResetCounts()
	return w, ann, account
}

// edit changes values of a live account, as an administrator does.
func (w *world) edit(id target.ID, name string, values ...string) {
	w.t.Helper()
	require.True(w.t, w.tgt.Edit(id, func(o *target.Object) { o.Attributes[name] = values }))
}

func (w *world) holds(id target.ID, name string) []string {
	w.t.Helper()
	o, ok := w.tgt.Get(id)
	require.True(w.t, ok)
	return o.Attributes[name]
}

// changes are those of a plan that isn't kept.
func (w *world) changes() (all []*dirsync.Change) {
	w.t.Helper()
	p, err := w.eng.Preview(w.t.Context(), nil)
	require.NoError(w.t, err)
	for c, err := range p.Changes(w.t.Context()) {
		require.NoError(w.t, err)
		all = append(all, c)
	}
	return all
}

func TestT09_WhatSomebodyChangedIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		w.edit(id, "jobTitle", "Boss")
		w.edit(id, "displayName", "Not Ann")
		w.edit(id, "mail", "other@contoso.com")
		w.edit(id, "userPrincipalName", "other@contoso.com")
		w.edit(id, "city", "Graz") // of which the directory says nothing

		cs := w.changes()
		require.Len(t, cs, 1)
		require.Equal(t, "changed at the target", cs[0].Reason)
		require.Equal(t, target.Attributes{"jobTitle": {"Boss"}, "displayName": {"Not Ann"}, "mail": {"other@contoso.com"},
			"userPrincipalName": {"other@contoso.com"}}, cs[0].Before)

		rep := w.sync()
		require.Equal(t, 1, rep.Drifted)
		require.Equal(t, 1, rep.Updated)
		require.Empty(t, rep.Problems)
		require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"))
		require.Equal(t, []string{"ann@contoso.com"}, w.holds(id, "mail"))
		require.Equal(t, []string{"ann@contoso.com"}, w.holds(id, "userPrincipalName"))
		require.Equal(t, []string{"Graz"}, w.holds(id, "city"))
		w.mustRest()
		time.Sleep(time.Hour)
		w.mustRest()
	})
}

func TestT09_WhatSomebodyClearedIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		w.edit(id, "jobTitle")
		w.edit(id, "mail")
		require.Equal(t, 1, w.sync().Updated)
		require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"))
		require.Equal(t, []string{"ann@contoso.com"}, w.holds(id, "mail"))
		w.mustRest()
	})
}

func TestT09_AnIdleRunReadsADeltaOfEachKindAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, _ := settled(t)
		rep := w.sync()
		require.Zero(t, rep.Drifted)
		require.Equal(t, memtarget.Counts{Deltas: 2, DomainReads: 1}, w.tgt.Counts())
		foreign := w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"x@contoso.com"}}})
		w.edit(foreign, "jobTitle", "theirs")
		w.tgt.ResetCounts()
		w.sync()
		require.Equal(t, memtarget.Counts{Deltas: 2, Events: 1, DomainReads: 1}, w.tgt.Counts(), "others' objects cost nothing")
	})
}

func TestT09_ADeletedAccountIsRestoredAndNotMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		w.tgt.Remove(id)
		cs := w.changes()
		require.Len(t, cs, 1)
		require.Equal(t, target.Restore, cs[0].Op)
		require.Equal(t, "deleted at the target", cs[0].Reason)
		rep := w.sync()
		require.Equal(t, 1, rep.Restored)
		require.Zero(t, rep.Created)
		require.Equal(t, id, w.account("ann@contoso.com").ID)
		time.Sleep(time.Hour)
		w.mustRest()
	})
}

func TestT09_RestoresStayWithinTheirBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t, func(w *world) { w.opt.Limits = plan.Limits{Restores: plan.Limit{Count: -1, Percent: 0}} })
		w.opt.Limits.Restores = plan.Limit{Count: 1, Percent: -1}
		w.eng = w.engine(w.src, w.tgt, w.store)
		w.tgt.Remove(id)
		w.tgt.Remove(w.account("bob@contoso.com").ID)
		_, err := w.eng.Sync(t.Context(), nil)
		require.ErrorIs(t, err, dirsync.ErrHalted)
		require.Zero(t, w.tgt.Counts().Writes())
		p, err := w.eng.Waiting(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.eng.Approve(t.Context(), p.Hash, "ann", time.Now().Add(time.Hour)))
		require.Equal(t, 2, w.sync().Restored)
	})
}

func TestT09_APurgedAccountIsReportedAndNotMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t)
		w.tgt.Remove(id)
		w.tgt.Purge(id)
		for range 3 {
			rep := w.sync()
			require.Equal(t, []string{"missing-at-target"}, codes(rep))
			require.Zero(t, w.tgt.Counts().Writes())
			time.Sleep(25 * time.Hour)
		}
		w.set(ann, "title", "Boss") // what is to be written shows it in the same words
		require.Equal(t, []string{"missing-at-target"}, codes(w.sync()))
		require.Equal(t, 1, w.tgt.Len())
	})
}

func TestT09_AReportWritesNothingAndEndsWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t, func(w *world) { w.opt.Drift = dirsync.ReportDrift })
		bob := w.account("bob@contoso.com").ID
		w.edit(id, "jobTitle", "Boss")
		w.tgt.Remove(bob)
		rep := w.sync()
		require.Equal(t, 2, rep.Drifted)
		require.Len(t, rep.Problems, 2)
		require.ElementsMatch(t, []string{"jobTitle", ""}, []string{rep.Problems[0].Attribute, rep.Problems[1].Attribute})
		require.Equal(t, []string{"drift"}, codes(rep))
		rep = w.sync(dirsync.Request{Reconcile: true, Full: true, Retry: true})
		require.Zero(t, rep.Drifted, "it is known")
		require.Len(t, rep.Problems, 2)
		require.Zero(t, w.tgt.Counts().Writes())

		w.set(ann, "givenName", "Ann") // something else of hers is written
		rep = w.sync()
		require.Equal(t, 1, rep.Updated)
		require.Len(t, rep.Problems, 2)
		require.Equal(t, []string{"Boss"}, w.holds(id, "jobTitle"))

		w.tgt.Unbin(bob)
		w.edit(id, "jobTitle", "Clerk")
		time.Sleep(time.Hour)
		require.Empty(t, w.sync().Problems)

		w.edit(id, "jobTitle", "Boss") // and when the source has another value, that is written
		require.Equal(t, []string{"drift"}, codes(w.sync()))
		w.set(ann, "title", "Chief")
		require.Empty(t, w.sync().Problems)
		require.Equal(t, []string{"Chief"}, w.holds(id, "jobTitle"))
	})
}

func TestT09_AnotherPolicyLooksAtEverythingOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t, func(w *world) { w.opt.Drift = dirsync.IgnoreDrift })
		w.edit(id, "jobTitle", "Boss")
		require.Empty(t, w.sync().Problems)
		require.Zero(t, w.tgt.Counts().Deltas)
		w.opt.Drift = dirsync.ReportDrift
		w.eng = w.engine(w.src, w.tgt, w.store)
		require.Equal(t, []string{"drift"}, codes(w.sync()))
		w.opt.Drift = dirsync.IgnoreDrift
		w.eng = w.engine(w.src, w.tgt, w.store)
		require.Empty(t, w.sync().Problems)
		w.opt.Drift = dirsync.PutBack
		w.eng = w.engine(w.src, w.tgt, w.store)
		rep := w.sync()
		require.Equal(t, 1, rep.Updated)
		require.Equal(t, "it is the first time", rep.Reconciled)
		w.opt.Drift = "other"
		_, err := dirsync.New(w.src, w.tgt, w.store, &w.opt)
		require.Error(t, err)
	})
}
