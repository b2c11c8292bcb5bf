package dirsync_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// Overwriting what others wrote has a budget: it may be a mistake of ours, or of
// the target's.
func TestT09_PuttingBackStaysWithinItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.people(120)
		w.sync()
		time.Sleep(time.Hour)
		w.sync()
		for i, o := range w.tgt.Objects() {
			if i < 25 {
				w.edit(o.ID, "displayName", "X")
			}
		}
		w.tgt.ResetCounts()
		_, err := w.eng.Sync(t.Context(), nil)
		var halted *dirsync.HaltedError
		require.ErrorAs(t, err, &halted)
		require.Len(t, halted.Breaches, 1)
		require.Equal(t, plan.PutBacks, halted.Breaches[0].Effect)
		require.Equal(t, 25, halted.Breaches[0].Planned)
		require.Zero(t, w.tgt.Counts().Writes())
		p, err := w.eng.Waiting(t.Context())
		require.NoError(t, err)
		require.NoError(t, w.eng.Approve(t.Context(), p.Hash, "ann", time.Now().Add(time.Hour)))
		require.Equal(t, 25, w.sync().Updated)
	})
}

// When many are gone, the bin is listed, not asked for each.
func TestT13_ManyDeletedAccountsAreFoundByListingTheBin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(w *world) { w.opt.Limits = plan.Unlimited() })
		w.people(60)
		w.sync()
		time.Sleep(time.Hour)
		w.sync()
		var gone []target.ID
		for _, o := range w.tgt.Objects()[:40] {
			w.tgt.Remove(o.ID)
			gone = append(gone, o.ID)
		}
		w.tgt.Purge(gone[0])
		w.tgt.ExpireTokens()
		w.tgt.ResetCounts()
		rep := w.sync()
		require.Equal(t, 39, rep.Restored)
		require.Equal(t, []string{"missing-at-target"}, codes(rep))
		require.Equal(t, 2, w.tgt.Counts().BinReads, "the list, and the one that isn't in it")
	})
}
