package dirsync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// sensitiveChanges are what a directory can do to an account so that somebody
// gets hold of it, or is locked out.
var sensitiveChanges = map[string]func(w *world, id source.ID){
	"a new name":    func(w *world, id source.ID) { w.set(id, "userPrincipalName", "other@contoso.com") },
	"disabled":      func(w *world, id source.ID) { w.set(id, "userAccountControl", "514") },
	"deleted":       func(w *world, id source.ID) { w.src.Remove(id) },
	"a new address": func(w *world, id source.ID) { w.set(id, "mail", "other@contoso.com") },
	"a new phone":   func(w *world, id source.ID) { w.set(id, "mobile", "+49 1") },
}

func TestA03_AnAccountThatGainsARoleIsNotWrittenAnyMore(t *testing.T) {
	changes := map[string]func(w *world, id source.ID){"a title": func(w *world, id source.ID) { w.set(id, "title", "Boss") }}
	for name, change := range sensitiveChanges {
		changes[name] = change
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.people(3)
			w.sync()
			admin := w.account("p000@contoso.com")
			w.tgt.Protect(admin.ID, target.EligibleForRole)
			change(w, ids[0])
			w.set(ids[1], "title", "Clerk")
			w.tgt.ResetCounts()
			rep := w.sync()
			require.Equal(t, 1, rep.Changed(), "the others go on")
			require.Equal(t, 1, w.tgt.Counts().Writes(), "nothing was even tried")
			require.Equal(t, []string{"protected"}, codes(rep))
			require.Contains(t, rep.Problems[0].Message, "is eligible for a directory role")
			require.Equal(t, string(admin.ID), rep.Problems[0].Holder)
			require.Equal(t, admin, w.account("p000@contoso.com"))

			rep = w.sync(dirsync.Request{Retry: true, Full: true})
			require.Equal(t, []string{"protected"}, codes(rep), "it stays reported")
			w.tgt.Protect(admin.ID, "")
			rep = w.sync(dirsync.Request{Retry: true})
			require.Equal(t, 1, rep.Changed(), "and is done once nothing protects it: %+v", rep)
			require.Empty(t, rep.Problems)
			w.mustRest()
		})
	}
}

func TestA03_ARoleThatIsGrantedBetweenPlanAndWriteIsSeen(t *testing.T) {
	for name, change := range sensitiveChanges {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.people(3)
			w.sync()
			admin := w.account("p000@contoso.com")
			log := &audit.MemorySink{}
			w.opt.Audit = []audit.Sink{log}
			w.opt.OnEvent = func(e dirsync.Event) {
				if p, ok := e.(dirsync.Planned); ok && p.Round == 0 {
					w.tgt.Protect(admin.ID, target.HoldsRole)
				}
			}
			w.eng = w.engine(w.src, w.tgt, w.store)
			change(w, ids[0])
			w.set(ids[1], "mail", "p001@contoso.com")
			w.tgt.ResetCounts()
			rep := w.sync()
			require.Equal(t, 1, w.tgt.Counts().Writes())
			require.Equal(t, []string{"protected"}, codes(rep))
			require.Equal(t, admin, w.account("p000@contoso.com"))
			refused := 0
			for _, rec := range log.Records() {
				if rec.Outcome == audit.OutcomeRefused {
					refused++
					require.Contains(t, rec.Error, "holds a directory role")
				}
			}
			require.Equal(t, 1, refused, "on record")
		})
	}
}

func TestA03_WhatCannotBeToldCountsAsProtected(t *testing.T) {
	w := newWorld(t)
	tgt := fault.NewTarget(w.tgt)
	ids := w.people(2)
	w.sync()
	w.eng = w.engine(w.src, tgt, w.store)
	forbidden := fault.Fault{Err: &target.Error{Sentinel: target.ErrForbidden}}

	tgt.OnProtected(1, forbidden)
	w.set(ids[0], "title", "Clerk")
	w.person("new", "contoso.com")
	rep := w.sync()
	require.Equal(t, 1, rep.Created, "new accounts are nobody's yet")
	require.Zero(t, rep.Updated)
	require.Equal(t, []string{"protection-unknown"}, codes(rep))
	require.Len(t, rep.Warnings, 1)
	require.Equal(t, "protection-unknown", rep.Warnings[0].Code)

	require.Equal(t, 1, w.sync(dirsync.Request{Retry: true}).Updated)
	w.src.Remove(ids[0])
	tgt.OnProtected(2, forbidden) // the second look, right before the call
	rep = w.sync()
	require.Zero(t, rep.Deleted)
	require.Equal(t, []string{"protection-unknown"}, codes(rep))

	w.opt.IgnoreRoles = true
	w.eng = w.engine(w.src, tgt, w.store)
	tgt.OnProtected(1, forbidden)
	require.Equal(t, 1, w.sync(dirsync.Request{Retry: true}).Deleted, "only if it is said on purpose")
}

func TestA03_AnOpenChangeOfWhoGainedARoleIsNotRepeated(t *testing.T) {
	w := newWorld(t)
	tgt := fault.NewTarget(w.tgt)
	w.eng = w.engine(w.src, tgt, w.store)
	ids := w.people(1)
	w.sync()
	tgt.OnWrite(1, fault.Fault{}) // not made, and nobody knows
	w.set(ids[0], "userPrincipalName", "other@contoso.com")
	require.Equal(t, []string{"outcome-unknown"}, codes(w.sync()))
	w.tgt.Protect(w.account("p000@contoso.com").ID, target.InRoleGroup)
	w.tgt.ResetCounts()
	require.Equal(t, []string{"protected"}, codes(w.sync()))
	require.Zero(t, w.tgt.Counts().Writes())
	w.tgt.Protect(w.account("p000@contoso.com").ID, "")
	w.sync(dirsync.Request{Retry: true})
	require.Equal(t, []string{"other@contoso.com"}, w.upns())
}

func TestA03_AnUndoingLeavesAlone(t *testing.T) {
	w := newWorld(t)
	ids := w.people(2)
	w.sync()
	w.set(ids[0], "title", "Boss")
	w.set(ids[1], "title", "Boss")
	run := w.sync().Run
	p, err := w.eng.Undo(t.Context(), run)
	require.NoError(t, err)
	admin := w.account("p000@contoso.com")
	w.tgt.Protect(admin.ID, target.HoldsRole)
	rep, err := w.eng.Apply(t.Context(), p.Hash)
	require.NoError(t, err)
	require.Equal(t, 1, rep.Updated)
	require.Equal(t, "Boss", w.account("p000@contoso.com").Attributes.First("jobTitle"))
	require.Contains(t, codes(rep), "protected")
}

func TestA03_NobodyWaitsForTheNameOfAProtectedAccountInVain(t *testing.T) {
	w := newWorld(t)
	ids := w.people(2)
	w.sync()
	w.tgt.Protect(w.account("p000@contoso.com").ID, target.HoldsRole)
	w.set(ids[0], "userPrincipalName", "boss@contoso.com")
	w.set(ids[1], "userPrincipalName", "p000@contoso.com")
	rep := w.sync()
	require.Zero(t, w.tgt.Counts().Refused, "the name isn't even asked for: %+v", rep)
	require.Contains(t, codes(rep), "protected")
	require.Contains(t, w.upns(), "p000@contoso.com")
}

func TestA05_AccountsForEmergenciesAreNeverTouched(t *testing.T) {
	for name, listed := range map[string]func(target.Object) string{
		"by ID":   func(o target.Object) string { return string(o.ID) },
		"by name": func(target.Object) string { return "P000@Contoso.com" },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ids := w.people(2)
			w.sync()
			glass := w.account("p000@contoso.com")
			w.opt.Protected, w.opt.IgnoreRoles = []string{listed(glass), "nobody@contoso.com"}, true
			w.eng = w.engine(w.src, w.tgt, w.store)
			w.src.Remove(ids[0])
			w.set(ids[1], "title", "Clerk")
			rep := w.sync()
			require.Equal(t, 1, rep.Changed())
			require.Equal(t, []string{"protected"}, codes(rep))
			require.Equal(t, glass, w.account("p000@contoso.com"))
			require.Equal(t, "protected-not-found", rep.Warnings[0].Code, "a mistyped name protects nobody, and that is told")
		})
	}
}

func TestAnUnchangedDirectoryAsksNobodyWhoIsProtected(t *testing.T) {
	w := newWorld(t)
	w.people(3)
	w.sync()
	w.tgt.ResetCounts()
	w.mustRest()
	counts := w.tgt.Counts()
	counts.Deltas, counts.Events = 0, 0 // the look for drift
	require.Equal(t, memtarget.Counts{DomainReads: 2}, counts)
}

func TestA03_TheManagerOfAProtectedAccountIsNotWritten(t *testing.T) {
	for _, when := range []string{"before the plan", "between plan and write"} {
		t.Run(when, func(t *testing.T) {
			grant := func() {}
			w := newWorld(t, func(w *world) {
				w.opt.OnEvent = func(e dirsync.Event) {
					if _, ok := e.(dirsync.Planned); ok && when != "before the plan" {
						grant()
					}
				}
			})
			ids := w.people(3)
			w.sync()
			admin := w.account("p000@contoso.com")
			grant = func() { w.tgt.Protect(admin.ID, target.HoldsRole) }
			if when == "before the plan" {
				grant()
			}
			w.src.Refer(ids[0], "manager", ids[2])
			w.src.Refer(ids[1], "manager", ids[2])
			w.tgt.ResetCounts()
			rep := w.sync()
			require.Equal(t, 1, w.tgt.Counts().Writes(), "nothing was even tried")
			require.Len(t, w.refs(ids[1], target.RefManager), 1, "the others go on")
			require.Equal(t, []string{"reference-refused"}, codes(rep))
			require.Contains(t, rep.Problems[0].Message, "holds a directory role")
			require.Equal(t, []string{"reference-refused"}, codes(w.sync(dirsync.Request{Full: true})), "it stays reported")

			grant = func() {}
			w.tgt.Protect(admin.ID, "")
			require.Empty(t, w.sync(dirsync.Request{Retry: true}).Problems)
			require.Len(t, w.refs(ids[0], target.RefManager), 1)
			w.mustRest()
		})
	}
}

// TestA04_GroupsDontWaitForTheReadingOfRoles: which accounts are administrators'
// says nothing about a group.
func TestA04_GroupsDontWaitForTheReadingOfRoles(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	g := w.group("a", ids[:2]...)
	w.sync()
	tgt := fault.NewTarget(w.tgt)
	tgt.OnProtected(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrForbidden}})
	w.src.Refer(g, "member", ids[2])
	rep, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Empty(t, rep.Problems)
	require.Len(t, w.refs(g, target.RefMembers), 3)
}

// A group on the list keeps its members, too, and nobody is told that it is
// mistyped.
func TestA05_AGroupOnTheListKeepsItsMembers(t *testing.T) {
	w := newWorld(t)
	ids := w.people(2)
	g := w.group("staff", ids[0])
	w.sync()
	w.opt.Protected = []string{string(w.idOf(g))}
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.tgt.ResetCounts()
	w.set(g, "description", "x")
	w.src.Refer(g, "member", ids[1])
	for range 2 {
		rep := w.sync(dirsync.Request{Retry: true, Full: true})
		require.Zero(t, w.tgt.Counts().Writes())
		require.Contains(t, codes(rep), "protected")
		require.Empty(t, rep.Warnings)
	}
	w.src.Unrefer(g, "member", ids[0], ids[1])
	w.sync(dirsync.Request{Retry: true})
	require.Zero(t, w.tgt.Counts().Writes())
	w.opt.Protected = nil
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.sync(dirsync.Request{Retry: true})
	require.Empty(t, w.refs(g, target.RefMembers))
	w.mustRest()
}

// The members of a group that was put on the list meanwhile aren't put back by an
// undoing.
func TestA05_NothingIsUndoneAtAGroupOnTheList(t *testing.T) {
	w := newWorld(t)
	ids := w.people(2)
	g := w.group("staff", ids[0])
	w.sync()
	w.src.Refer(g, "member", ids[1])
	run := w.sync().Run
	w.opt.Protected = []string{string(w.idOf(g))}
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.tgt.ResetCounts()
	p, err := w.eng.Undo(t.Context(), run)
	require.NoError(t, err)
	require.NotZero(t, p.Counts.Total())
	_, err = w.eng.Apply(t.Context(), p.Hash)
	require.NoError(t, err)
	require.Zero(t, w.tgt.Counts().Writes())
}

// A list of which the look-up broke off isn't the list: whoever has one of its
// names by now is protected from the next batch on as well.
func TestA05_AListThatWasLookedUpInPartIsLookedUpAgain(t *testing.T) {
	for _, upn := range []string{"p000@contoso.com", "p001@contoso.com"} { // whichever is second
		w := newWorld(t, func(w *world) {
			w.tgt = memtarget.New("contoso", &memtarget.Options{MaxBatch: 1})
			w.tgt.VerifyDomain("contoso.com")
			w.opt.Drift, w.opt.Protected, w.opt.Parallel = dirsync.IgnoreDrift, []string{"boss@contoso.com"}, 1
		})
		ids := w.people(2)
		w.sync()
		w.set(ids[0], "title", "Clerk")
		w.set(ids[1], "title", "Clerk")
		run := w.sync().Run
		id := w.account(upn).ID
		w.edit(id, target.AttrUserPrincipalName, "boss@contoso.com")
		tgt := fault.NewTarget(w.tgt)
		tgt.OnFind(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrForbidden}})
		eng := w.engine(w.src, tgt, w.store)
		p, err := eng.Undo(t.Context(), run)
		require.NoError(t, err)
		_, err = eng.Apply(t.Context(), p.Hash)
		require.NoError(t, err)
		require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"), "who has the name on the list by now")
	}
}
