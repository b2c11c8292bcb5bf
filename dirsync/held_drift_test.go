package dirsync_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// What somebody doesn't want stays undone, also while what others changed at the
// same account is put back.
func TestUndoWhatWasUndoneStaysSoWhenOthersChangeTheAccount(t *testing.T) {
	for name, meddle := range map[string]func(w *world){
		"another value": func(w *world) { w.edit(w.account("ann@contoso.com").ID, "displayName", "Not Ann") },
		"deleted":       func(w *world) { w.tgt.Remove(w.account("ann@contoso.com").ID) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, ann, id := settled(t)
				w.set(ann, "title", "Chief")
				p, err := w.eng.Undo(t.Context(), w.sync().Run)
				require.NoError(t, err)
				rep, err := w.eng.Apply(t.Context(), p.Hash)
				require.NoError(t, err)
				require.Equal(t, []string{"held"}, codes(rep))
				time.Sleep(time.Hour)
				w.sync()
				meddle(w)
				for range 3 {
					rep = w.sync()
					require.Equal(t, []string{"held"}, codes(rep))
					require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"))
					require.Equal(t, []string{"Person ann"}, w.holds(id, "displayName"), "and that is put back")
					require.False(t, mustGet(w, id).Deleted)
					time.Sleep(time.Hour)
				}
				w.set(ann, "title", "Boss")
				require.Empty(t, w.sync().Problems)
				require.Equal(t, []string{"Boss"}, w.holds(id, "jobTitle"))
			})
		})
	}
}
