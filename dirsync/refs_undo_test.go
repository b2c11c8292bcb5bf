package dirsync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// A crash with a change of references on the wire, then an undoing: each call has
// its record, whenever somebody dies, and what may have been made is looked at.
func TestAnUndoingSettlesReferencesThatACrashLeftOpen(t *testing.T) {
	tried := false
	for at := 1; at < 60; at++ {
		log := &audit.MemorySink{}
		w := newWorld(t, func(w *world) { w.opt.Audit, w.opt.Limits = []audit.Sink{log}, plan.Unlimited() })
		ids := w.people(45)
		g := w.group("staff", ids[:1]...)
		w.sync()
		w.src.Refer(g, "member", ids...)
		c := &crash{at: at, after: true}
		if _, err := w.engine(w.src, crashTarget{w.tgt, c}, crashStore{w.store, c}).Sync(t.Context(), nil); err == nil {
			break
		}
		open := 0
		for _, err := range ledger.New(w.store, w.src.Name(), w.tgt.Name()).RefIntents(t.Context()) {
			require.NoError(t, err)
			open++
		}
		e := w.engine(w.src, w.tgt, w.store)
		p, err := e.Undo(t.Context(), 2)
		if err != nil || p.Counts.Refer == 0 || open == 0 {
			continue
		}
		tried = true
		_, err = e.Apply(t.Context(), p.Hash)
		require.NoError(t, err)
		_, err = e.Sync(t.Context(), nil)
		require.NoError(t, err)
		interrupted := 0
		for _, r := range log.Records() {
			if r.Outcome == audit.OutcomeInterrupted {
				interrupted++
			}
		}
		require.Equal(t, open, interrupted, "crash at %d: a call that was on the wire has no record", at)
		_, err = e.Release(t.Context())
		require.NoError(t, err)
		_, err = e.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Len(t, w.refs(g, target.RefMembers), 45)
	}
	require.True(t, tried)
}
