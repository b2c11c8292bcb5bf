package dirsync_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// revived is a world in which one person was in two groups and the manager of
// another, was deleted, and came back, into the second group alone.
func revived(t *testing.T, between func(*world)) (w *world, person, other, a, b source.ID) {
	w = newWorld(t)
	ids := w.people(3)
	a, b = w.group("a", ids...), w.group("b", ids...)
	w.src.Refer(ids[1], "manager", ids[0])
	w.sync()
	w.src.Remove(ids[0])
	between(w)
	require.True(t, w.src.Undelete(ids[0]))
	w.src.Refer(b, "member", ids[0])
	return w, ids[0], ids[1], a, b
}

func TestS13_WhoComesBackFromATombstoneIsInTheGroupsThatSaySo(t *testing.T) {
	for name, between := range map[string]func(*world){
		"and nobody saw that it was deleted": func(*world) {},
		"after the account was deleted":      func(w *world) { w.sync() },
	} {
		t.Run(name, func(t *testing.T) {
			w, _, other, a, b := revived(t, between)
			rep := w.sync()
			require.Equal(t, dirsync.Delta, rep.Mode)
			require.Equal(t, pnames(1, 2), w.refs(a, target.RefMembers))
			require.Equal(t, pnames(0, 1, 2), w.refs(b, target.RefMembers))
			require.Empty(t, w.refs(other, target.RefManager))
			w.mustRest()
			require.Zero(t, w.sync(dirsync.Request{Full: true}).Changed())
		})
	}
}

func TestWhoCameBackIsAskedForUntilTheSourceAnswers(t *testing.T) {
	for _, err := range []error{source.ErrUnavailable, source.ErrIncomplete, source.ErrWatermarkExpired} {
		t.Run(fmt.Sprint(err), func(t *testing.T) {
			w, person, _, a, _ := revived(t, func(*world) {})
			src := fault.NewSource(w.src)
			w.eng = w.engine(src, w.tgt, w.store)
			src.OnConfirm(1, fault.Fault{Err: fmt.Errorf("no: %w", err)})
			rep, failed := w.eng.Sync(t.Context(), nil)
			if !errors.Is(err, source.ErrUnavailable) {
				require.NoError(t, failed, "it is asked again in the next run")
			} else {
				require.ErrorIs(t, failed, err)
				require.Zero(t, rep.Changed())
			}
			require.Equal(t, pnames(0, 1, 2), w.refs(a, target.RefMembers))
			w.eng = w.engine(src, w.tgt, w.store)
			rep = w.sync()
			require.Zero(t, rep.Read, "the watermark has passed it: the state remembers")
			require.Equal(t, pnames(1, 2), w.refs(a, target.RefMembers))
			w.mustRest()
			_ = person
		})
	}
}

// What the source denies counts as what groups say themselves, for budgets too.
func TestT07_DeniedMembersCountAsRemoved(t *testing.T) {
	w := newWorld(t)
	ids := w.people(5)
	for i := range 4 {
		w.group(fmt.Sprint("g", i), ids[0])
	}
	w.sync()
	w.src.Remove(ids[0])
	w.src.Undelete(ids[0])
	w.opt.Limits = plan.Limits{MemberRemovals: plan.Limit{Count: 3, Percent: -1}}
	w.eng = w.engine(w.src, w.tgt, w.store)
	halted := w.halted()
	require.Contains(t, halted.Error(), "member")
}

func TestADeletedPersonWhoseAccountStaysLeavesTheGroups(t *testing.T) {
	for name, tt := range map[string]struct {
		stay  func(*world, *fault.Target, target.ID)
		codes []string
	}{
		"it is an administrator's": {func(w *world, _ *fault.Target, id target.ID) { w.tgt.Protect(id, target.HoldsRole) }, []string{"protected"}},
		"the target refuses to delete": {func(_ *world, tgt *fault.Target, _ target.ID) {
			tgt.OnWrite(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrForbidden}})
		}, []string{"forbidden"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			tgt := fault.NewTarget(w.tgt)
			ids := w.people(3)
			a := w.group("a", ids...)
			w.src.Refer(ids[1], "manager", ids[0])
			w.sync()
			account := w.idOf(ids[0])
			w.eng = w.engine(w.src, tgt, w.store)
			tt.stay(w, tgt, account)
			w.src.Remove(ids[0])
			rep := w.sync()
			require.Zero(t, rep.Deleted)
			require.Equal(t, tt.codes, codes(rep))
			require.Equal(t, 1, rep.MembersRemoved, "in the same run")
			require.Equal(t, pnames(1, 2), w.refs(a, target.RefMembers))
			require.Empty(t, w.refs(ids[1], target.RefManager))
			w.tgt.ResetCounts()
			w.sync()
			require.Zero(t, w.tgt.Counts().Refers)

			// A group that says it again gets it back.
			w.src.Undelete(ids[0])
			w.src.Refer(a, "member", ids[0])
			w.sync(dirsync.Request{Retry: true})
			require.Equal(t, pnames(0, 1, 2), w.refs(a, target.RefMembers))
			require.Empty(t, w.refs(ids[1], target.RefManager))
		})
	}
}

func TestADeletedPersonWhoseRemovalIsWithheldStaysInTheGroups(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	a := w.group("a", ids...)
	w.sync()
	w.opt.Policy = plan.UpsertOnly
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.src.Remove(ids[0])
	require.Zero(t, w.sync().Changed())
	require.Equal(t, pnames(0, 1, 2), w.refs(a, target.RefMembers))
	w.opt.Policy = plan.SyncAll
	w.eng = w.engine(w.src, w.tgt, w.store)
	require.Equal(t, 1, w.sync().Deleted)
	require.Equal(t, pnames(1, 2), w.refs(a, target.RefMembers))
	w.mustRest()
}
