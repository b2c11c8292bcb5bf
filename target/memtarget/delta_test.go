package memtarget_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func TestChangesTellsEachObjectOnceAndHandsToo(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	start, err := tgt.Latest(t.Context(), target.User)
	require.NoError(t, err)
	kept, gone := tgt.Add(target.Object{}), tgt.Add(target.Object{})
	for range 1000 { // the history doesn't grow with the changes
		tgt.Edit(kept, func(o *target.Object) { o.Attributes["city"] = []string{"Graz"} })
	}
	tgt.Remove(gone)
	tgt.Purge(gone)
	ops := map[target.ID]target.DeltaOp{}
	var next target.Token
	for ev, err := range tgt.Changes(t.Context(), target.User, start) {
		require.NoError(t, err)
		require.Zero(t, ops[ev.Object.ID])
		ops[ev.Object.ID], next = ev.Op, ev.Token
	}
	require.Equal(t, map[target.ID]target.DeltaOp{kept: target.Changed, gone: target.Purged, "": target.Checkpoint}, ops)
	require.Equal(t, 2, tgt.Counts().Events)

	tgt.ExpireTokens()
	for _, err := range tgt.Changes(t.Context(), target.User, next) {
		require.True(t, errors.Is(err, target.ErrTokenExpired))
	}
}
