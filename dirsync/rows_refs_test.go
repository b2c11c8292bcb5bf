package dirsync_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A countingStore counts what an engine does with its store.
type countingStore struct {
	state.Store
	gets, scanned, written int
}

func (s *countingStore) Get(ctx context.Context, key string) (state.Record, error) {
	s.gets++
	return s.Store.Get(ctx, key)
}

func (s *countingStore) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		for rec, err := range s.Store.Scan(ctx, prefix) {
			s.scanned++
			if !yield(rec, err) {
				return
			}
		}
	}
}

func (s *countingStore) Commit(ctx context.Context, writes ...state.Write) error {
	s.written += len(writes)
	return s.Store.Commit(ctx, writes...)
}

func TestS14_OneMemberIsOneWriteWhateverTheSizeOfTheGroup(t *testing.T) {
	work := func(size int) countingStore {
		w := newWorld(t)
		ids := w.people(size)
		a := w.group("a", ids...)
		late := w.person("late", "contoso.com")
		w.sync()
		w.sync() // the target tells of all that the first run made
		require.Len(t, w.tgt.RefsOf(w.idOf(a), target.RefMembers), size)
		w.sync() // our own writes come back as what changed at the target
		w.src.Refer(a, "member", late)
		before := w.tgt.Counts()
		counted := countingStore{Store: w.store}
		rep, err := w.engine(w.src, w.tgt, &counted).Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, 1, rep.MembersAdded)
		after := w.tgt.Counts()
		require.Equal(t, 1, after.Writes()-before.Writes())
		require.Equal(t, before.RefsListed, after.RefsListed, "no group is read")
		w.src.Unrefer(a, "member", late)
		rep, err = w.engine(w.src, w.tgt, &counted).Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, 1, rep.MembersRemoved)
		require.Equal(t, 1, rep.Writes)
		counted.Store = nil
		return counted
	}
	small, large := work(25), work(2500)
	require.Equal(t, small, large, "the work doesn't grow with the group")
}

func TestS14_ACompleteReadInWhichNothingChangedWritesNothingOfGroups(t *testing.T) {
	w := newWorld(t, func(w *world) { w.src = memsource.New("corp", &memsource.Options{MaxReferences: 10}) })
	a := w.group("a", w.people(64)...)
	w.sync()
	counted := countingStore{Store: w.store}
	_, err := w.engine(w.src, w.tgt, &counted).Sync(t.Context(), &dirsync.Request{Full: true})
	require.NoError(t, err)
	require.Less(t, counted.written, 20)
	require.Len(t, w.refs(a, target.RefMembers), 64)
}

func TestS14_ASetThatIsCutOffRemovesNobody(t *testing.T) {
	for name, end := range map[string]error{"the read breaks off": source.ErrIncomplete, "the set doesn't end": nil} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(w *world) {
				w.src = memsource.New("corp", &memsource.Options{MaxReferences: 10, CheckpointEvery: 1})
				w.opt.Limits = plan.Unlimited()
			})
			ids := w.people(40)
			a := w.group("a", ids[:35]...)
			w.sync()
			w.src.SetRefs(a, "member", ids[5:40]...)
			n := 0
			cut := &partReader{w.src, func(ev source.Event) (bool, error) {
				if ev.Object.ID != a {
					return false, nil
				}
				n++
				return n > 2, map[bool]error{true: end}[n > 2]
			}}
			_, err := w.engine(cut, w.tgt, w.store).Sync(t.Context(), &dirsync.Request{Full: true})
			require.ErrorIs(t, err, end)
			require.Equal(t, 3, min(n, 3))
			require.Subset(t, w.refs(a, target.RefMembers), pnames(0, 1, 2, 3, 4), "absence removes nobody")
			w.sync(dirsync.Request{Full: true})
			require.Len(t, w.refs(a, target.RefMembers), 35)
			require.NotContains(t, w.refs(a, target.RefMembers), "p000")
			w.mustRest()
		})
	}
}

// A watermark amid a set would lose what is gone: the next delta tells no set.
func TestS14_NoWatermarkPassesAmidASet(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opt.Limits = plan.Unlimited() })
	ids := w.people(6)
	a := w.group("a", ids...)
	w.sync()
	rest := w.sync().Watermark
	other := source.Event{Op: source.Checkpoint, Watermark: rest + "x"}
	o := source.Object{ID: a, Kind: source.Group}
	amid := &scripted{w.src, []source.Event{
		{Op: source.Refers, Object: o, References: &source.References{Attribute: "member", First: true, Add: ids[:1]}},
		other,
	}, source.ErrIncomplete}
	_, err := w.engine(amid, w.tgt, w.store).Sync(t.Context(), nil)
	require.ErrorIs(t, err, source.ErrIncomplete)
	w.src.Unrefer(a, "member", ids[5])
	rep := w.sync()
	require.Equal(t, dirsync.Delta, rep.Mode, "the watermark is where it was")
	require.Equal(t, 1, rep.MembersRemoved)

	// With its last part it passes, and what wasn't told is gone.
	amid.events = append(amid.events, source.Event{Op: source.Refers, Object: o,
		References: &source.References{Attribute: "member", Last: true, Add: ids[1:3]}}, source.Event{Op: source.Checkpoint, Watermark: rest})
	amid.err = nil
	rep, err = w.engine(amid, w.tgt, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 2, rep.MembersRemoved)
	require.Equal(t, pnames(0, 1, 2), w.refs(a, target.RefMembers))
}

// A scripted source gives fixed events as its delta.
type scripted struct {
	*memsource.Source
	events []source.Event
	err    error
}

func (s *scripted) Since(context.Context, source.Watermark) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for _, ev := range s.events {
			if !yield(ev, nil) {
				return
			}
		}
		if s.err != nil {
			yield(source.Event{}, s.err)
		}
	}
}

func TestT06_WhatIsRefusedIsTriedForItselfAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, whatIsRefusedIsTriedForItself)
}

func whatIsRefusedIsTriedForItself(t *testing.T) {
	w := newWorld(t)
	ids := w.people(50)
	w.sync()
	time.Sleep(time.Hour) // a new account isn't shown at once
	lost := w.idOf(ids[7])
	w.tgt.Remove(lost) // behind our back, and out of the bin
	w.tgt.Purge(lost)
	a := w.group("a", ids...)
	rep := w.sync()
	require.Equal(t, 49, rep.MembersAdded)
	require.Equal(t, 1+3, rep.Writes)
	require.Equal(t, []string{"missing-at-target", "reference-refused"}, codes(rep))
	require.Len(t, w.refs(a, target.RefMembers), 49)
	rep = w.sync()
	require.Zero(t, rep.Writes, "not again and again")
	require.Contains(t, codes(rep), "reference-refused")
	rep = w.sync(dirsync.Request{Retry: true})
	require.Equal(t, 1, rep.Writes, "what is proven isn't sent again")
	w.src.Unrefer(a, "member", ids[7])
	rep = w.sync()
	require.Zero(t, rep.Writes)
	require.NotContains(t, codes(rep), "reference-refused")
}

func TestT06_AMemberInTheBinComesBackAndIsAddedInTheSameRun(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	w.sync()
	w.tgt.Remove(w.idOf(ids[1]))
	a := w.group("a", ids...)
	rep := w.sync(dirsync.Request{Retry: true})
	require.Equal(t, 1, rep.Restored)
	w.sync(dirsync.Request{Retry: true})
	require.Equal(t, pnames(0, 1, 2), w.refs(a, target.RefMembers))
	w.mustRest()
}

func TestT02_ALostReplyMakesNoSecondGroupAndLosesNoMember(t *testing.T) {
	for n := 1; n <= 6; n++ {
		for _, done := range []bool{false, true} {
			var tgt *fault.Target
			w := newWorld(t, func(w *world) { w.opt.Patience, w.opt.Parallel = -1, 1 })
			tgt = fault.NewTarget(w.tgt)
			w.eng = w.engine(w.src, tgt, w.store)
			ids := w.people(3)
			a := w.group("a", ids...)
			w.src.Refer(ids[0], "manager", ids[1])
			tgt.OnWrite(n, fault.Fault{Done: done})
			_, _ = w.eng.Sync(t.Context(), nil)
			require.NoError(t, w.again())
			require.Len(t, w.accounts(), 4)
			require.Equal(t, pnames(0, 1, 2), w.refs(a, target.RefMembers))
			require.Equal(t, pnames(1), w.refs(ids[0], target.RefManager))
			w.mustRest()
		}
	}
}

func TestAMemberThatTheTargetDoesntShowYetIsAddedInTheSameRun(t *testing.T) {
	w := newWorld(t)
	tgt := fault.NewTarget(w.tgt)
	w.eng = w.engine(w.src, tgt, w.store)
	ids := w.people(2)
	a := w.group("a", ids...)
	tgt.HideNew(true)
	time.AfterFunc(300*time.Millisecond, func() { tgt.HideNew(false) })
	rep := w.sync()
	require.Equal(t, 2, rep.MembersAdded)
	require.Empty(t, rep.Problems)
	require.Equal(t, pnames(0, 1), w.refs(a, target.RefMembers))
	w.mustRest()
}

func TestT07_RemovedMembersHaveBudgetsOfTheirOwn(t *testing.T) {
	limits := func(edit func(*plan.Limits)) func(*world) {
		return func(w *world) {
			w.opt.Limits = plan.Limits{MemberRemovals: plan.NoLimit, GroupMemberRemovals: plan.NoLimit}
			edit(&w.opt.Limits)
		}
	}
	cases := map[string]struct {
		limit  func(*plan.Limits)
		effect plan.Effect
	}{
		"in all":            {func(l *plan.Limits) { l.MemberRemovals = plan.Limit{Count: 5, Percent: -1} }, plan.MemberRemovals},
		"in all, percent":   {func(l *plan.Limits) { l.MemberRemovals = plan.Limit{Count: -1, Percent: 10, From: 1} }, plan.MemberRemovals},
		"one group":         {func(l *plan.Limits) { l.GroupMemberRemovals = plan.Limit{Count: 5, Percent: -1} }, plan.GroupMemberRemovals},
		"one group percent": {func(l *plan.Limits) { l.GroupMemberRemovals = plan.Limit{Count: -1, Percent: 10, From: 20} }, plan.GroupMemberRemovals},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, limits(c.limit))
			ids := w.people(50)
			a := w.group("a", ids...)
			w.sync()
			// Split over runs, it is one event.
			w.src.Unrefer(a, "member", ids[:3]...)
			require.Equal(t, 3, w.sync().MembersRemoved)
			w.src.Unrefer(a, "member", ids[3:6]...)
			writes := w.tgt.Counts().Writes()
			_, err := w.eng.Sync(t.Context(), nil)
			var halted *dirsync.HaltedError
			require.ErrorAs(t, err, &halted)
			require.Equal(t, c.effect, halted.Breaches[0].Effect)
			require.Equal(t, 3, halted.Breaches[0].Planned)
			require.Equal(t, 3, halted.Breaches[0].Spent)
			require.Equal(t, writes, w.tgt.Counts().Writes(), "nothing was written")

			// An approval is good for these, however the group changes meanwhile.
			require.NoError(t, w.eng.Approve(t.Context(), halted.Hash, "ann", time.Now().Add(time.Hour)))
			w.src.Refer(a, "member", ids[0])
			rep := w.sync()
			require.Equal(t, 3, rep.MembersRemoved)
			require.Equal(t, 1, rep.MembersAdded)
			require.Equal(t, "ann", rep.Approver)
			w.mustRest()
		})
	}
}

func TestT07_AFlaggedGroupGetsNobodyUnseen(t *testing.T) {
	w := newWorld(t)
	ids := w.people(5)
	a, b := w.group("admins", ids[0]), w.group("b", ids...)
	w.opt.Limits.Flagged = map[source.ID]int{a: 1}
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.sync()
	w.src.Refer(a, "member", ids[1])
	w.src.Unrefer(b, "member", ids[1])
	_, err := w.eng.Sync(t.Context(), nil)
	var halted *dirsync.HaltedError
	require.ErrorAs(t, err, &halted)
	require.Equal(t, plan.FlaggedAdditions, halted.Breaches[0].Effect)
	require.Equal(t, a, halted.Breaches[0].Group)

	require.NoError(t, w.eng.Reject(t.Context(), halted.Hash, "ann"))
	rep := w.sync()
	require.Equal(t, 1, rep.MembersRemoved, "the rest goes on")
	require.Equal(t, []string{"reference-held"}, codes(rep))
	require.Equal(t, pnames(0), w.refs(a, target.RefMembers))
	w.mustRest()

	n, err := w.eng.Release(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = w.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrHalted)

	// What isn't wanted any more needs nobody's word.
	w.src.Unrefer(a, "member", ids[1])
	require.Empty(t, w.sync().Problems)
	w.mustRest()
}

func TestUndoTakesMembersBackAndHoldsThem(t *testing.T) {
	w := newWorld(t)
	ids := w.people(6)
	a := w.group("a", ids[:4]...)
	w.src.Refer(ids[0], "manager", ids[1])
	w.sync()
	w.src.Refer(a, "member", ids[4])
	w.src.Unrefer(a, "member", ids[0])
	w.src.SetRefs(ids[0], "manager", ids[2])
	rep := w.sync()
	p, err := w.eng.Undo(t.Context(), rep.Run)
	require.NoError(t, err)
	require.Equal(t, 3, p.Counts.Refer)
	rep, err = w.eng.Apply(t.Context(), p.Hash)
	require.NoError(t, err)
	require.Equal(t, pnames(0, 1, 2, 3), w.refs(a, target.RefMembers))
	require.Equal(t, pnames(1), w.refs(ids[0], target.RefManager))
	require.Equal(t, 3, rep.Changed())
	w.mustRest()
	rep = w.sync()
	require.Equal(t, []string{"reference-held"}, codes(rep))
	w.src.Unrefer(a, "member", ids[4]) // the source says something else
	w.src.Refer(a, "member", ids[0])
	w.sync()
	require.Equal(t, pnames(0, 1, 2, 3), w.refs(a, target.RefMembers))
	w.src.Refer(a, "member", ids[4])
	require.Equal(t, 1, w.sync().MembersAdded)
	w.mustRest()
}

func TestATargetWithoutGroupsSkipsThem(t *testing.T) {
	w := newWorld(t)
	w.eng = w.engine(w.src, plain{w.tgt}, w.store)
	ids := w.people(2)
	w.group("a", ids...)
	rep := w.sync()
	require.Equal(t, 2, rep.Created)
	require.Equal(t, 1, rep.Skipped)
	require.Empty(t, rep.Problems)
	w.mustRest()
}

// A plain target takes people, and no references.
type plain struct{ t *memtarget.Target }

func (p plain) Name() string { return p.t.Name() }
func (p plain) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return p.t.Current(ctx)
}
func (p plain) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	if c.Kind != target.User {
		return target.Object{}, errors.New("a group")
	}
	return p.t.Apply(ctx, c)
}

// A rejected group that has no account yet is released with its members
// (simulation seed 19377).
func TestReleasingARejectedGroupReleasesItsMembers(t *testing.T) {
	w := newWorld(t)
	ids := w.people(2)
	g := w.group("a", ids...)
	p, err := w.eng.Plan(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, w.eng.Reject(t.Context(), p.Hash, "ann"))
	require.Zero(t, w.sync().Writes)
	_, err = w.eng.Release(t.Context())
	require.NoError(t, err)
	require.Empty(t, w.sync().Problems)
	require.Len(t, w.refs(g, target.RefMembers), 2)
	w.mustRest()
}
