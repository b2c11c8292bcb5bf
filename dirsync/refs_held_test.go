package dirsync_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// What somebody rejected stays undone, whatever becomes of the accounts at both
// ends, until the directory says something else.
func TestARejectedRemovalOfMembersOutlastsTheBin(t *testing.T) {
	for name, binned := range map[string]func(w *world, g source.ID) target.ID{
		"nothing":    nil,
		"the member": func(w *world, g source.ID) target.ID { return w.account("p000@contoso.com").ID },
		"the group":  func(w *world, g source.ID) target.ID { return w.idOf(g) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				ids := w.people(60)
				g := w.group("staff", ids...)
				w.sync()
				time.Sleep(time.Hour)
				w.sync()
				w.src.Unrefer(g, "member", ids[:40]...)
				_, err := w.eng.Sync(t.Context(), nil)
				h, ok := errors.AsType[*dirsync.HaltedError](err)
				require.True(t, ok, "%v", err)
				require.NoError(t, w.eng.Reject(t.Context(), h.Hash, "carol"))
				w.sync()
				require.Len(t, w.refs(g, target.RefMembers), 60)
				if binned != nil {
					w.tgt.Remove(binned(w, g)) // an administrator, by mistake
				}
				for range 3 {
					time.Sleep(time.Hour)
					require.Zero(t, w.sync(dirsync.Request{Full: true, Retry: true, Reconcile: true}).MembersRemoved)
				}
				require.Len(t, w.refs(g, target.RefMembers), 60)
				w.src.Refer(g, "member", ids[0])
				w.sync()
				w.src.Unrefer(g, "member", ids[0])
				require.Equal(t, 1, w.sync().MembersRemoved, "the directory said it anew")
				n, err := w.eng.Release(t.Context())
				require.NoError(t, err)
				require.Equal(t, 39, n)
			})
		})
	}
}

func TestAnUndoneMembershipStaysUndone(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	g := w.group("staff", ids[0])
	w.sync()
	w.src.Refer(g, "member", ids[1])
	p, err := w.eng.Undo(t.Context(), w.sync().Run)
	require.NoError(t, err)
	_, err = w.eng.Apply(t.Context(), p.Hash)
	require.NoError(t, err)
	require.Equal(t, pnames(0), w.refs(g, target.RefMembers))
	w.sync(dirsync.Request{Full: true, Retry: true})
	require.Equal(t, pnames(0), w.refs(g, target.RefMembers))
	w.tgt.Remove(w.account("p001@contoso.com").ID) // by mistake; a change finds that out and brings it back
	w.set(ids[1], "title", "x")
	w.sync()
	w.sync()
	require.NotEmpty(t, w.idOf(ids[1]))
	require.Equal(t, pnames(0), w.refs(g, target.RefMembers), "it was undone, and nobody released it")
	w.src.MoveOut(ids[1])
	w.sync()
	w.src.MoveIn(ids[1])
	w.sync(dirsync.Request{Full: true})
	require.Equal(t, pnames(0), w.refs(g, target.RefMembers))
	n, err := w.eng.Release(t.Context())
	require.NoError(t, err)
	require.NotZero(t, n)
	w.sync()
	require.Equal(t, pnames(0, 1), w.refs(g, target.RefMembers))
}
