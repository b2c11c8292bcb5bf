package dirsync_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
)

// doomed has ann deleted, the reply to the delete of her account lost, and ann back.
// meanwhile is what becomes of the account.
func doomed(t *testing.T, meanwhile func(w *world, account target.ID)) (w *world, account target.ID) {
	w = newWorld(t)
	ann := w.person("ann", "contoso.com")
	w.person("bob", "contoso.com")
	w.sync()
	time.Sleep(time.Hour)
	account = w.account("ann@contoso.com").ID
	w.src.Remove(ann)
	ft := fault.NewTarget(w.tgt)
	ft.LoseReplies(1)
	_, err := w.engine(w.src, ft, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	meanwhile(w, account)
	w.src.Undelete(ann)
	return w, account
}

func TestT02_AnAccountThatWeDeletedAndTheBinLostIsMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, account := doomed(t, func(w *world, account target.ID) { require.True(t, w.tgt.Purge(account)) })
		rep := w.sync()
		require.Contains(t, codes(rep), "missing-at-target", "what isn't seen may not show yet")
		require.Equal(t, []string{"bob@contoso.com"}, w.upns())
		time.Sleep(25 * time.Hour)
		rep = w.sync(dirsync.Request{Retry: true})
		require.Equal(t, 1, rep.Created)
		require.Empty(t, codes(rep))
		require.Equal(t, []string{"ann@contoso.com", "bob@contoso.com"}, w.upns())
		require.NotEqual(t, account, w.account("ann@contoso.com").ID)
		w.mustRest()
		time.Sleep(25 * time.Hour)
		w.mustRest()
	})
}

// That we sent a delete once says nothing of an account that was seen since.
func TestT02_AnAccountThatWasSeenAfterOurDeleteIsNotMadeAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, account := doomed(t, func(*world, target.ID) {})
		w.sync() // it is in the bin, and comes back
		require.Equal(t, account, w.account("ann@contoso.com").ID)
		time.Sleep(25 * time.Hour)
		require.True(t, w.tgt.Remove(account))
		require.True(t, w.tgt.Purge(account))
		for range 3 {
			w.sync(dirsync.Request{Full: true, Retry: true})
			time.Sleep(25 * time.Hour)
		}
		require.Equal(t, []string{"bob@contoso.com"}, w.upns())
		require.Equal(t, []string{"missing-at-target"}, codes(w.sync()))
	})
}
