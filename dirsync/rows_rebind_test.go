package dirsync_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

func TestS11_DeletedAndMadeAnewUnderOneNameIsTwoIdentities(t *testing.T) {
	w := newWorld(t)
	old := w.person("ann", "contoso.com")
	w.sync()
	first := w.account("ann@contoso.com").ID
	w.src.Remove(old)
	again := w.person("ann", "contoso.com")
	rep := w.sync()
	require.Equal(t, 1, rep.Deleted)
	w.sync(dirsync.Request{Retry: true})
	second := w.account("ann@contoso.com")
	require.NotEqual(t, first, second.ID)
	require.Equal(t, w.sourceAnchor(again), second.Anchor)
	require.True(t, mustGet(w, first).Deleted)
	require.Empty(t, w.match(anyName), "the old account is nobody's to take")
	done := w.adopt(dirsync.Pair{Object: again, Account: first, By: dirsync.ByUserPrincipalName})
	require.Equal(t, dirsync.AdoptRefused, done[0].Outcome)
	w.mustRest()
}

func TestS16_AMoveToAnotherForestIsAnApprovedRebind(t *testing.T) {
	for name, leave := range map[string]func(w *world, id source.ID){
		"deleted, the account in the bin": func(w *world, id source.ID) { w.src.Remove(id) },
		"left, the account disabled":      func(w *world, id source.ID) { w.src.MoveOut(id) },
	} {
		for _, seen := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				log := &audit.MemorySink{}
				w := newWorld(t, func(w *world) { w.opt.Audit = []audit.Sink{log} })
				guid := "AQIDBAUGBwgJCgsMDQ4PEA=="
				old := w.person("ann", "contoso.com", "mS-DS-ConsistencyGuid", guid)
				w.sync()
				account := w.account("ann@contoso.com")
				moved := w.person("ann2", "contoso.com", "mS-DS-ConsistencyGuid", guid)
				rep := w.sync()
				require.Equal(t, []string{"anchor-twice"}, codes(rep))
				list := w.match(nil)
				require.Equal(t, []string{dirsync.ConflictAnchorTwice}, conflicts(list[0]))
				require.Equal(t, dirsync.AdoptRefused, w.adopt(list[0].Pair)[0].Outcome, "the old one is still there")

				leave(w, old)
				if seen {
					require.Equal(t, 1, w.sync().Changed())
				}
				require.Equal(t, []string{"anchor-twice"}, codes(w.sync()), "no takeover by itself")
				list = w.match(nil)
				require.Equal(t, dirsync.Pair{Object: moved, Account: account.ID, By: dirsync.ByRebind, Anchor: account.Anchor, From: old}, list[0].Pair)
				require.Empty(t, list[0].Conflicts)
				require.Equal(t, dirsync.AdoptRebound, w.adopt(list[0].Pair)[0].Outcome)
				require.Equal(t, dirsync.AdoptAlready, w.adopt(list[0].Pair)[0].Outcome)
				rep = w.sync()
				require.Equal(t, 1, rep.Changed(), "%+v", rep)
				require.Empty(t, rep.Problems)
				now := w.account("ann2@contoso.com")
				require.Equal(t, account.ID, now.ID)
				require.Equal(t, account.Anchor, now.Anchor)
				require.Equal(t, "true", now.Attributes.First("accountEnabled"))
				w.mustRest()
				rebound := slices.IndexFunc(log.Records(), func(r audit.Record) bool { return r.Event == audit.EventRebound })
				require.GreaterOrEqual(t, rebound, 0)
				require.Contains(t, log.Records()[rebound].Detail, string(old))
			})
		}
	}
}

// Found by the simulation: absence is no proof that the account is free to move.
func TestS16_WhoCannotBeFoundKeepsTheAccount(t *testing.T) {
	w := newWorld(t)
	old := w.person("ann", "contoso.com")
	w.sync()
	w.src.Hide(old)
	w.sync(dirsync.Request{Full: true})
	thief := w.person("thief", "contoso.com", "mS-DS-ConsistencyGuid", w.sourceAnchor(old))
	list := w.match(nil)
	require.Equal(t, []string{dirsync.ConflictNotGone}, conflicts(list[0]))
	require.Equal(t, thief, list[0].Object)
	require.Equal(t, dirsync.AdoptRefused, w.adopt(list[0].Pair)[0].Outcome)
}

// Found by the simulation: what was proven earlier may have been undone since.
func TestS16_AnOldProofIsNoneWhenTheObjectCannotBeFoundNow(t *testing.T) {
	w := newWorld(t)
	old := w.person("ann", "contoso.com")
	w.sync()
	anchor := w.sourceAnchor(old)
	w.src.Remove(old)
	require.Equal(t, 1, w.sync().Deleted)
	require.True(t, w.src.Undelete(old))
	require.True(t, w.src.Hide(old))
	w.person("ann2", "contoso.com", "mS-DS-ConsistencyGuid", anchor)
	done := w.adopt(w.match(nil)[0].Pair)
	require.Equal(t, dirsync.AdoptRefused, done[0].Outcome)
	require.Contains(t, done[0].Reason, "isn't proven")
}

// What the account had follows it: the groups that the old object was in don't
// hold the account for ever, and those of the new one take it as it is.
func TestS16_ARebindTakesReferencesAlong(t *testing.T) {
	for name, leave := range map[string]func(w *world, id source.ID){
		"the account in the bin":   func(w *world, id source.ID) { w.src.Remove(id) },
		"the account disabled":     func(w *world, id source.ID) { w.src.MoveOut(id) },
		"left, and it stays there": nil,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			guid := "AQIDBAUGBwgJCgsMDQ4PEA=="
			old, boss, report := w.person("ann", "contoso.com", "mS-DS-ConsistencyGuid", guid), w.person("boss", "contoso.com"), w.person("eve", "contoso.com")
			secret, both := w.group("secret", old), w.group("both", old)
			w.src.SetRefs(old, "manager", boss)
			w.src.SetRefs(report, "manager", old)
			w.sync()
			require.Len(t, w.refs(secret, target.RefMembers), 1)
			account := w.account("ann@contoso.com").ID
			stays := leave == nil
			if stays {
				leave = func(w *world, id source.ID) { w.src.MoveOut(id) }
			}
			leave(w, old)
			w.sync()
			moved := w.person("ann2", "contoso.com", "mS-DS-ConsistencyGuid", guid)
			w.src.Refer(both, "member", moved)
			require.Equal(t, dirsync.AdoptRebound, w.adopt(w.match(nil)[0].Pair)[0].Outcome)
			w.sync()
			if !stays {
				w.src.Unrefer(secret, "member", old)
				w.src.Unrefer(both, "member", old)
				w.src.SetRefs(report, "manager")
			}
			for range 2 {
				w.sync(dirsync.Request{Full: true, Retry: true})
			}
			require.Empty(t, w.tgt.RefsOf(w.idOf(secret), target.RefMembers), "the directory has nobody in it, and we put her in")
			require.Equal(t, []target.ID{account}, w.tgt.RefsOf(w.idOf(both), target.RefMembers))
			require.Empty(t, w.tgt.RefsOf(w.idOf(report), target.RefManager))
			require.Empty(t, w.tgt.RefsOf(account, target.RefManager))
			w.mustRest()
		})
	}
}
