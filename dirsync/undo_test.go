package dirsync_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// undo undoes run n, with approval, and returns what couldn't be undone.
func (w *world) undo(n uint64, apply bool) []string {
	w.t.Helper()
	writes := w.tgt.Counts().Writes()
	p, err := w.eng.Undo(w.t.Context(), n)
	require.NoError(w.t, err)
	require.Equal(w.t, writes, w.tgt.Counts().Writes(), "planning writes nothing")
	require.Equal(w.t, n, p.Undo)
	var cannot []string
	for _, x := range p.Report.Problems {
		if x.Code == "cannot-undo" {
			cannot = append(cannot, x.Message)
		}
	}
	if p.Counts.Total() == 0 {
		return cannot
	}
	w.approve(p.Hash)
	if apply {
		rep, err := w.eng.Apply(w.t.Context(), p.Hash)
		require.NoError(w.t, err)
		require.Equal(w.t, n, rep.Undid)
		require.Equal(w.t, p.Counts.Total(), rep.Changed())
	} else {
		rep := w.sync()
		require.Equal(w.t, n, rep.Undid)
	}
	require.Nil(w.t, w.waiting())
	return cannot
}

func TestUndoPutsEverythingBack(t *testing.T) {
	for _, apply := range []bool{true, false} {
		t.Run(fmt.Sprint("apply ", apply), func(t *testing.T) {
			w := newWorld(t)
			ids := w.people(12)
			w.set(ids[0], "title", "Clerk")
			w.set(ids[9], "mail", "a@contoso.com")
			w.set(ids[10], "mail", "b@contoso.com")
			w.sync()
			before := w.accounts()

			w.person("new", "contoso.com")
			w.set(ids[0], "title", "Boss")
			w.set(ids[1], "title", "Clerk") // had none
			w.set(ids[2], "userAccountControl", "514")
			w.src.Remove(ids[3])
			w.src.MoveOut(ids[4])
			w.set(ids[5], "userPrincipalName", "p006@contoso.com") // a swap
			w.set(ids[6], "userPrincipalName", "p005@contoso.com")
			w.set(ids[7], "userPrincipalName", "other@contoso.com") // a chain
			w.set(ids[8], "userPrincipalName", "p007@contoso.com")
			w.set(ids[9], "mail", "b@contoso.com") // a swap of addresses
			w.set(ids[10], "mail", "a@contoso.com")
			rep := w.sync()
			require.NotEqual(t, before, w.accounts())

			require.Empty(t, w.undo(rep.Run, apply))
			require.Equal(t, before, w.accounts())

			// The source doesn't know of it, and nothing is done again.
			rep = w.sync()
			require.Equal(t, []string{"held"}, codes(rep))
			w.mustRest()
			require.Equal(t, before, w.accounts())

			// What the source says anew is done.
			w.set(ids[0], "title", "Director")
			rep = w.sync()
			require.Equal(t, 1, rep.Updated, "%+v", rep)
			w.src.Undelete(ids[3])
			w.sync()
			w.src.Remove(ids[3])
			require.Equal(t, 1, w.sync().Deleted)

			_, err := w.eng.Release(t.Context())
			require.NoError(t, err)
			w.sync()
			require.Equal(t, "p006@contoso.com", w.account("p006@contoso.com").Attributes.First("userPrincipalName"))
			require.Equal(t, "Person p005", w.account("p006@contoso.com").Attributes.First("displayName"))
			w.mustRest()
		})
	}
}

func TestAnUndoneRunCanBeUndoneItself(t *testing.T) {
	w := newWorld(t)
	ids := w.people(5)
	w.sync()
	w.set(ids[0], "title", "Clerk")
	w.src.Remove(ids[1])
	rep := w.sync()
	after := w.accounts()
	require.Empty(t, w.undo(rep.Run, true))
	var last uint64
	for rec, err := range w.eng.Runs(t.Context()) {
		require.NoError(t, err)
		last = rec.Run
	}
	require.Empty(t, w.undo(last, true))
	require.Equal(t, after, w.accounts())
	require.Empty(t, codes(w.sync()), "the source agrees again")
	w.mustRest()
}

func TestUndoSaysWhatItCant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ids := w.people(6)
		w.set(ids[0], "title", "Clerk")
		w.sync()
		w.set(ids[0], "title", "Boss")
		w.src.Remove(ids[1])
		w.set(ids[2], "userPrincipalName", "other@contoso.com")
		w.set(ids[3], "mail", "p003@contoso.com") // can't be cleared
		w.src.MoveOut(ids[4])
		rep := w.sync()

		w.set(ids[0], "title", "Director")                       // changed again
		w.set(ids[5], "userPrincipalName", "p002@contoso.com")   // took the name
		w.src.Remove(ids[4])                                     // deleted meanwhile
		w.person("p001", "contoso.com", "mail", "p001@mail.com") // took the deleted one's name
		w.sync()
		cannot := w.undo(rep.Run, true)
		require.Len(t, cannot, 5)
		for i, part := range []string{"jobTitle was changed again since", "another account has its userPrincipalName now", "userPrincipalName from before", "mail had no value before", "the account is deleted"} {
			found := false
			for _, c := range cannot {
				found = found || strings.Contains(c, part)
			}
			require.True(t, found, "%d: %s in %v", i, part, cannot)
		}

		_, err := w.eng.Undo(t.Context(), 4711)
		require.ErrorContains(t, err, "4711")

		w2 := newWorld(t)
		id := w2.people(2)[0]
		w2.sync()
		w2.src.Remove(id)
		rep = w2.sync()
		time.Sleep(30 * 24 * time.Hour)
		require.Contains(t, w2.undo(rep.Run, true)[0], "30 days ago")
	})
}

// An undoing is a plan like any other: what changed meanwhile makes it stale.
func TestAnUndoingThatDoesntHoldIsntCarriedOut(t *testing.T) {
	w := newWorld(t, few)
	ids := w.people(20)
	w.sync()
	for _, id := range ids[:6] {
		w.src.Remove(id)
	}
	w.approve(w.halted().Hash)
	run := w.sync().Run
	p, err := w.eng.Undo(t.Context(), run)
	require.NoError(t, err)
	require.Equal(t, plan.Restores, p.Breaches[0].Effect, "six restores need approval")
	_, err = w.eng.Apply(t.Context(), p.Hash)
	require.ErrorIs(t, err, dirsync.ErrHalted)

	w.src.Undelete(ids[0])
	require.Equal(t, 1, w.sync().Restored)
	w.stale(p.Hash)
	require.Empty(t, w.upnsOf(ids[1:6]))
}

func (w *world) upnsOf(ids []source.ID) (live []string) {
	for _, id := range ids {
		o, _ := w.src.Get(id)
		for _, u := range w.upns() {
			if u == o.Attributes.First("userPrincipalName") {
				live = append(live, u)
			}
		}
	}
	return live
}
