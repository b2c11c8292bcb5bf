package dirsync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// foreign has another tool begin, or end, to synchronize an account.
func (w *world) foreign(id target.ID, is bool) {
	w.t.Helper()
	require.True(w.t, w.tgt.Edit(id, func(o *target.Object) { o.Foreign = is }))
}

func TestA01_WhatAnotherToolTookOverIsNotWrittenAnyMore(t *testing.T) {
	changes := map[string]func(w *world, ids []source.ID){
		"a title":    func(w *world, ids []source.ID) { w.set(ids[0], "title", "Boss") },
		"a manager":  func(w *world, ids []source.ID) { w.src.SetRefs(ids[0], "manager", ids[1]) },
		"left":       func(w *world, ids []source.ID) { w.src.MoveOut(ids[0]) },
		"taken name": func(w *world, ids []source.ID) { w.set(ids[0], "userPrincipalName", "q@contoso.com") },
	}
	for name, change := range sensitiveChanges {
		changes[name] = func(w *world, ids []source.ID) { change(w, ids[0]) }
	}
	for name, change := range changes {
		for _, req := range []dirsync.Request{{}, {Reconcile: true}} {
			t.Run(name, func(t *testing.T) {
				w := newWorld(t)
				ids := w.people(3)
				w.sync()
				w.sync()
				taken := w.account("p000@contoso.com")
				w.foreign(taken.ID, true)
				change(w, ids)
				w.set(ids[2], "title", "Clerk")
				w.tgt.ResetCounts()
				rep := w.sync(req)
				require.Equal(t, 1, w.tgt.Counts().Writes(), "nothing of it was even tried, and the others go on: %v", rep.Problems)
				require.NotEmpty(t, rep.Problems)
				for _, p := range rep.Problems {
					require.Equal(t, ids[0], p.Object)
					require.Contains(t, p.Message, "another tool synchronizes")
				}
				rep = w.sync(dirsync.Request{Retry: true, Full: true})
				require.Equal(t, 1, w.tgt.Counts().Writes())
				require.NotEmpty(t, rep.Problems, "it stays reported")

				w.foreign(taken.ID, false)
				rep = w.sync(dirsync.Request{Retry: true})
				require.Equal(t, 2, w.tgt.Counts().Writes(), "and is done once the other tool has ended: %v", rep.Problems)
				require.Empty(t, rep.Problems)
				w.mustRest()
			})
		}
	}
}

// Who doesn't ask for drift isn't told: sensitive changes are asked about, and any
// other is refused once.
func TestA01_WhatAnotherToolTookOverIsFoundWithoutDrift(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opt.Drift = dirsync.IgnoreDrift })
	ids := w.people(2)
	w.sync()
	taken := w.account("p000@contoso.com")
	w.foreign(taken.ID, true)
	w.src.Remove(ids[0])
	w.tgt.ResetCounts()
	require.Equal(t, []string{"synchronized-by-others"}, codes(w.sync()))
	require.Zero(t, w.tgt.Counts().Writes())

	other := w.account("p001@contoso.com")
	w.foreign(other.ID, true)
	w.set(ids[1], "title", "Boss")
	require.Equal(t, []string{"synchronized-by-others"}, codes(w.sync()))
	require.Equal(t, 1, w.tgt.Counts().Writes(), "nothing could tell")
	require.Equal(t, []string{"synchronized-by-others"}, codes(w.sync(dirsync.Request{Retry: true})))
	require.Equal(t, 1, w.tgt.Counts().Writes(), "it is known from then on")

	w.foreign(taken.ID, false)
	w.foreign(other.ID, false)
	rep := w.sync(dirsync.Request{Retry: true})
	require.Equal(t, 1, rep.Deleted)
	require.Equal(t, 1, rep.Updated)
	require.Empty(t, rep.Problems)
}

func TestA01_AGroupThatAnotherToolTookOverIsRefusedOnce(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	g := w.group("staff", ids[0])
	w.sync()
	w.foreign(w.idOf(g), true)
	w.tgt.ResetCounts()
	w.src.Refer(g, "member", ids[1])
	w.sync()
	w.src.Refer(g, "member", ids[2])
	w.set(g, "description", "x")
	rep := w.sync(dirsync.Request{Retry: true})
	require.LessOrEqual(t, w.tgt.Counts().Writes(), 1)
	require.Contains(t, codes(rep), "synchronized-by-others")
	require.Len(t, w.refs(g, target.RefMembers), 1)

	w.foreign(w.idOf(g), false)
	w.sync(dirsync.Request{Retry: true})
	require.Empty(t, w.sync(dirsync.Request{Retry: true}).Problems)
	require.Len(t, w.refs(g, target.RefMembers), 3)
}

func TestA01_NothingIsUndoneAtAnAccountOfAnotherTool(t *testing.T) {
	for _, told := range []bool{true, false} {
		w := newWorld(t, func(w *world) {
			if !told {
				w.opt.Drift = dirsync.IgnoreDrift
			}
		})
		ids := w.people(2)
		w.sync()
		w.set(ids[0], "title", "Boss")
		run := w.sync().Run
		w.foreign(w.account("p000@contoso.com").ID, true)
		w.sync()
		w.tgt.ResetCounts()
		p, err := w.eng.Undo(t.Context(), run)
		require.NoError(t, err)
		if p.Counts.Total() > 0 {
			_, err = w.eng.Apply(t.Context(), p.Hash)
			require.NoError(t, err)
		}
		require.Zero(t, w.tgt.Counts().Writes())
	}
}

// Simulation seed 2081. What a write finds in the bin is looked at there.
func TestA01_WhatAnotherToolDeletedIsNotRestored(t *testing.T) {
	for _, known := range []bool{true, false} {
		w := newWorld(t)
		ids := w.people(2)
		w.sync()
		taken := w.account("p000@contoso.com").ID
		w.foreign(taken, true)
		if known {
			w.sync()
		}
		w.tgt.Remove(taken)
		w.set(ids[0], "title", "Boss")
		w.tgt.ResetCounts()
		rep := w.sync()
		require.Contains(t, codes(rep), "synchronized-by-others")
		require.Zero(t, rep.Restored)
		rep = w.sync(dirsync.Request{Retry: true, Reconcile: true})
		require.Zero(t, rep.Restored)
		require.LessOrEqual(t, w.tgt.Counts().Writes(), 1)
		require.True(t, mustGet(w, taken).Deleted)
	}
}
