package dirsync_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// That an administrator deleted an account is found by the run that looks, or by
// the write of a change that the directory has meanwhile. What is left deleted by
// policy isn't brought back by either.
func TestT09_AReportedDeletionIsUndoneByNoChange(t *testing.T) {
	changes := map[string]func(w *world, ann, bob, g source.ID){
		"a title":      func(w *world, ann, _, _ source.ID) { w.set(ann, "title", "Boss") },
		"a name":       func(w *world, ann, _, _ source.ID) { w.set(ann, "userPrincipalName", "ann2@contoso.com") },
		"a membership": func(w *world, ann, _, g source.ID) { w.src.Refer(g, "member", ann) },
		"a manager":    func(w *world, ann, bob, _ source.ID) { w.src.SetRefs(ann, "manager", bob) },
	}
	for name, change := range changes {
		for _, policy := range []dirsync.DriftPolicy{dirsync.ReportDrift, dirsync.IgnoreDrift} {
			for _, seen := range []bool{true, false} {
				t.Run(name+" "+string(policy), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						w := newWorld(t, func(w *world) { w.opt.Drift = policy })
						ids := w.people(3)
						g := w.group("staff", ids[2])
						w.sync()
						time.Sleep(time.Hour)
						w.sync()
						id := w.account("p000@contoso.com").ID
						w.tgt.Remove(id)
						if seen {
							time.Sleep(time.Hour)
							w.sync()
						}
						change(w, ids[0], ids[1], g)
						for range 3 {
							rep := w.sync(dirsync.Request{Retry: true})
							require.Zero(t, rep.Restored)
							require.True(t, mustGet(w, id).Deleted, "nothing is written because of it")
							require.NotEmpty(t, rep.Problems, "and somebody is told")
							time.Sleep(time.Hour)
						}
						require.True(t, w.tgt.Unbin(id)) // the administrator thinks better of it
						time.Sleep(time.Hour)
						w.sync(dirsync.Request{Retry: true})
						rep := w.sync(dirsync.Request{Retry: true})
						require.Empty(t, rep.Problems, "then the change is made")
						w.mustRest()
					})
				})
			}
		}
	}
}

func TestT09_AReportedDeletionOfAGroupIsUndoneByNoMember(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opt.Drift = dirsync.ReportDrift })
	ids := w.people(2)
	g := w.group("staff", ids[0])
	w.sync()
	id := w.idOf(g)
	w.tgt.Remove(id)
	w.src.Refer(g, "member", ids[1])
	w.set(g, "description", "x")
	require.Contains(t, codes(w.sync()), "deleted-at-target")
	w.sync(dirsync.Request{Retry: true})
	require.True(t, mustGet(w, id).Deleted)
	w.tgt.Unbin(id)
	w.sync(dirsync.Request{Retry: true})
	w.sync(dirsync.Request{Retry: true})
	require.Len(t, w.refs(g, target.RefMembers), 2)
}
