package dirsync_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/target"
)

// Simulation seed 80000377: who steps aside while something is put back has a second
// change in the same run, which overwrites nothing of others.
func TestT03_OnlyWhatOverwritesOthersCountsAsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reasons []string
		w := newWorld(t, func(w *world) {
			w.opt.OnEvent = func(e dirsync.Event) {
				if a, ok := e.(dirsync.Applied); ok && a.Change.Op == target.Update {
					reasons = append(reasons, a.Change.Reason)
				}
			}
		})
		a, b := w.person("a", "contoso.com", "title", "Clerk"), w.person("b", "contoso.com", "title", "Clerk")
		w.sync()
		time.Sleep(time.Hour)
		w.sync()
		w.edit(w.account("a@contoso.com").ID, "jobTitle", "Boss")
		w.edit(w.account("b@contoso.com").ID, "jobTitle", "Boss")
		w.set(a, "userPrincipalName", "b@contoso.com")
		w.set(b, "userPrincipalName", "a@contoso.com")
		w.sync()
		require.Len(t, reasons, 3, "one of the two steps aside first")
		var drift int
		for _, r := range reasons {
			if r == "changed at the target" {
				drift++
			}
		}
		require.Equal(t, 2, drift, reasons)
		require.Equal(t, []string{"Clerk"}, w.holds(w.account("a@contoso.com").ID, "jobTitle"))
		w.mustRest()
	})
}
