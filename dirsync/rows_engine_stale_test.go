package dirsync_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A backup may hold intents of long ago. What they say was right then: whom to
// delete, disable or create an account for. The directory has gone on, and it is
// the directory that decides, not the intent.
func TestE02_AnIntentFromABackupIsHeldAgainstTheDirectory(t *testing.T) {
	for n := 1; ; n++ {
		c := newCompany(t, smallBatches(dirsync.Options{Parallel: 1, Patience: -1}))
		old := &backedUp{Store: c.store, n: n}
		c.live(old)
		if old.backup == nil {
			break
		}
		j := newJudge(c, old.backup)
		c.eng = c.engine(c.src, j, old.backup)
		require.NoError(t, c.again())
		if len(j.stale) > 0 {
			t.Errorf("commit %d: %v", n, j.stale)
		}
	}
}

// The same without a backup: the process died with a removal on the wire, the
// person came back before it was started again. While the directory can't be
// reached, nobody knows better, so nobody is removed.
func TestI02_ARemovalIsNotRepeatedOnYesterdaysEvidence(t *testing.T) {
	for name, leave := range map[string]func(w *world, id source.ID) (back func()){
		"deleted":   func(w *world, id source.ID) func() { w.src.Remove(id); return func() { w.src.Undelete(id) } },
		"moved out": func(w *world, id source.ID) func() { w.src.MoveOut(id); return func() { w.src.MoveIn(id) } },
	} {
		for _, reachable := range []bool{true, false} {
			w := newWorld(t)
			id := w.people(1)[0]
			w.sync()
			back := leave(w, id)
			// The call doesn't arrive, and the process dies.
			lost := &onceTarget{Target: w.tgt, at: 1, err: &target.Error{Sentinel: target.ErrUnknownOutcome}}
			_, err := w.engine(w.src, lost, w.store).Sync(t.Context(), nil)
			require.NoError(t, err)
			back()

			src := fault.NewSource(w.src)
			if !reachable {
				src.Cut(0, errors.New("no domain controller answers"))
			}
			counts := w.tgt.Counts()
			_, err = w.engine(src, w.tgt, w.store).Sync(t.Context(), nil)
			require.Equal(t, reachable, err == nil)
			after := w.tgt.Counts()
			if after.Deletes > counts.Deletes || after.Disables > counts.Disables {
				t.Errorf("%s and back again, the directory reachable: %v: removed all the same; the tenant has %v", name, reachable, w.upns())
			}
		}
	}
}
