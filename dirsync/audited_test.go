package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
)

// audited gives the engine a sink in memory.
func audited(sink *audit.MemorySink) func(*world) {
	return func(w *world) { w.opt.Audit = []audit.Sink{sink} }
}

// intact sees that the records are one chain without a gap, up to what the
// engine knows.
func (w *world) intact(sink *audit.MemorySink) {
	w.t.Helper()
	r, out := io.Pipe()
	go func() {
		for _, rec := range sink.Records() {
			line, err := audit.Encode(&rec)
			if err != nil {
				out.CloseWithError(err)
				return
			}
			out.Write(line)
		}
		out.Close()
	}()
	delivered, head, err := w.eng.AuditHead(context.Background())
	require.NoError(w.t, err)
	require.Equal(w.t, delivered, head)
	_, err = audit.Verify(r, &audit.VerifyOptions{Until: &head})
	require.NoError(w.t, err)
}

func TestA18_EveryWriteHasAnAuditRecord(t *testing.T) {
	sink := &audit.MemorySink{}
	w := newWorld(t, few, audited(sink))
	ids := w.people(20)
	w.set(ids[0], "title", "Clerk")
	w.sync()
	w.set(ids[0], "title", "Boss")
	for _, id := range ids[1:7] {
		w.src.Remove(id)
	}
	w.approve(w.halted().Hash)
	hash := w.sync().PlanHash
	w.intact(sink)

	var writes []audit.Record
	events := map[audit.Event]int{}
	for _, r := range sink.Records() {
		events[r.Event]++
		if r.Event == audit.EventWrite {
			writes = append(writes, r)
		}
	}
	require.Equal(t, map[audit.Event]int{audit.EventWrite: 27, audit.EventHalted: 1, audit.EventApproved: 1}, events)
	for _, r := range writes {
		require.Equal(t, audit.OutcomeApplied, r.Outcome)
		require.NotEmpty(t, r.Source)
		require.NotEmpty(t, r.Target)
		require.NotEmpty(t, r.Reason)
		require.NotEmpty(t, r.Plan)
	}
	create, update, remove := writes[0], writes[20], writes[26]
	require.Equal(t, "create", create.Op)
	require.NotEmpty(t, create.Rules)
	require.Equal(t, "update", update.Op)
	require.Equal(t, []string{"Clerk"}, update.Before["jobTitle"])
	require.Equal(t, []string{"Boss"}, update.After["jobTitle"])
	require.Equal(t, "delete", remove.Op)
	require.Equal(t, "tombstone", remove.Evidence.Kind)
	require.Equal(t, "eve", remove.Approver)
	require.Equal(t, hash, remove.Plan)
}

func TestARefusedAndAnUnknownWriteAreAudited(t *testing.T) {
	sink := &audit.MemorySink{}
	w := newWorld(t, audited(sink), func(w *world) { w.opt.Parallel = 1 })
	w.people(2)
	ft := fault.NewTarget(w.tgt)
	ft.OnWrite(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrForbidden, RequestID: "r1"}})
	ft.OnWrite(2, fault.Fault{Done: true})
	_, err := w.engine(w.src, ft, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.NoError(t, w.again())
	w.intact(sink)
	var story []string
	for _, r := range sink.Records() {
		story = append(story, fmt.Sprint(r.Outcome, " ", r.Repeat, " ", r.RequestID == "r1"))
	}
	require.Equal(t, []string{"refused false true", "unknown false false", "applied true false", "applied false false"}, story)
}

// The log is complete and intact after a crash at any step, the sink's included.
func TestA18_TheAuditIsCompleteAfterACrashAtAnyStep(t *testing.T) {
	for _, sc := range scenarios {
		t.Run(sc.name, func(t *testing.T) {
			for n := 1; ; n++ {
				sink := &audit.MemorySink{}
				w := newWorld(t, audited(sink), func(w *world) { w.opt.Parallel, w.opt.Patience = 1, -1 })
				w.prepared(sc.people, sc.change)
				c := &crash{at: n, after: n%2 == 0}
				calls := &countingTarget{Target: crashTarget{w.tgt, c}}
				w.opt.Audit = []audit.Sink{crashSink{sink, c}}
				made := len(sink.Records())
				w.engine(w.src, calls, crashStore{w.store, c}).Sync(t.Context(), nil)
				if !c.dead {
					break
				}
				w.opt.Audit = []audit.Sink{sink}
				w.eng = w.engine(w.src, w.tgt, w.store)
				require.NoError(t, w.again())
				w.intact(sink)
				told := map[string]bool{}
				for _, r := range sink.Records()[made:] {
					told[r.Op+r.Anchor] = true
				}
				for _, call := range calls.made {
					require.True(t, told[call], "step %d: %s isn't told", n, call)
				}
			}
		})
	}
}

type crashSink struct {
	audit.Sink
	c *crash
}

func (s crashSink) Append(ctx context.Context, rs []audit.Record) (err error) {
	if e := s.c.step(func() { err = s.Sink.Append(ctx, rs) }); e != nil {
		return e
	}
	return err
}

// A countingTarget remembers what it was asked for.
type countingTarget struct {
	target.Target
	made []string
}

func (t *countingTarget) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	t.made = append(t.made, string(c.Op)+c.Anchor)
	return t.Target.Apply(ctx, c)
}

func TestNothingIsWrittenWhileTheAuditCantBe(t *testing.T) {
	bad := &brokenSink{err: errors.New("disk full")}
	w := newWorld(t, func(w *world) { w.opt.Audit = []audit.Sink{bad} })
	w.people(3)
	_, err := w.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrAudit)
	require.Equal(t, 3, w.tgt.Len(), "it broke after the first look at it")
	w.person("late", "contoso.com")
	_, err = w.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrAudit)
	require.Equal(t, 3, w.tgt.Len(), "now it is known to be broken")
	bad.err = nil
	require.Equal(t, 1, w.sync().Created)
	require.Len(t, bad.Records(), 4, "nothing is lost")
}

type brokenSink struct {
	audit.MemorySink
	err error
}

func (s *brokenSink) Append(ctx context.Context, rs []audit.Record) error {
	if s.err != nil {
		return s.err
	}
	return s.MemorySink.Append(ctx, rs)
}

// The audit is ahead of a state that was lost or put back: everything is read
// anew, nothing is removed, and what is found by its anchor is proposed.
func TestE02_AStateBehindTheAuditIsNoticed(t *testing.T) {
	for _, name := range []string{"put back", "lost"} {
		t.Run(name, func(t *testing.T) { stateBehind(t, name) })
	}
}

func stateBehind(t *testing.T, name string) {
	sink := &audit.MemorySink{}
	w := newWorld(t, audited(sink))
	ids := w.people(5)
	w.sync()
	backup := copied(w.store)
	w.person("late", "contoso.com")
	w.sync()
	w.src.Remove(ids[0])
	// What the old state can't know: a value that was changed twice since, an
	// account that was deleted and one that was disabled and is wanted as ever.
	w.set(ids[1], "title", "Boss")
	w.set(ids[2], "userAccountControl", "514")
	w.src.Remove(ids[3])
	w.sync()
	w.set(ids[1], "title")
	w.set(ids[2], "userAccountControl", "512")
	if name == "put back" {
		w.src.Undelete(ids[3])
	}

	if w.store = backup; name == "lost" {
		w.store = memstate.New()
	}
	w.eng = w.engine(w.src, w.tgt, w.store)
	before := w.accounts()
	rep := w.sync()
	require.Equal(t, dirsync.Full, rep.Mode)
	require.Equal(t, "state-behind", rep.Warnings[0].Code)
	if name == "lost" {
		require.Equal(t, 4, rep.Proposed)
		require.Equal(t, "state-lost", rep.Warnings[1].Code)
		require.Zero(t, rep.Changed())
		require.Equal(t, before, w.accounts())
	} else {
		require.Equal(t, 1, rep.Proposed)
		require.Equal(t, 2, rep.Updated)
		require.Equal(t, 1, rep.Restored)
		require.Equal(t, "true", w.account("p002@contoso.com").Attributes.First("accountEnabled"))
		require.Empty(t, w.account("p001@contoso.com").Attributes["jobTitle"])
		w.mustRest()
	}
	w.intact(sink)
	require.Empty(t, func() (all []string) {
		for _, x := range w.sync().Warnings {
			if x.Code == "state-behind" {
				all = append(all, x.Code)
			}
		}
		return all
	}(), "it is told once")
}

// An approval that a copy of the state brings along may have been used.
func TestE02_AnApprovalFromABackupIsNotUsedASecondTime(t *testing.T) {
	sink := &audit.MemorySink{}
	w := newWorld(t, audited(sink), func(w *world) {
		w.opt.Limits = plan.Unlimited()
		w.opt.Limits.Removals = plan.Limit{Count: 5, Percent: -1}
	})
	ids := w.people(20)
	w.sync()
	for _, id := range ids[:6] {
		w.src.Remove(id)
	}
	hash := w.halted().Hash
	require.NoError(t, w.eng.Approve(t.Context(), hash, "eve", time.Now().Add(time.Hour)))
	backup := copied(w.store)
	require.Equal(t, 6, w.sync().Deleted)
	for _, id := range ids[:6] {
		w.src.Undelete(id)
	}
	require.Equal(t, 6, w.sync().Restored)
	for _, id := range ids[:6] {
		w.src.Remove(id)
	}
	w.store = backup
	w.eng = w.engine(w.src, w.tgt, w.store)
	rep := w.sync()
	require.Zero(t, rep.Deleted, "nobody approved that")
	require.Equal(t, 6, rep.HeldBack)
	w.intact(sink)

	require.NoError(t, w.eng.Approve(t.Context(), w.plan().Hash, "eve", time.Now().Add(time.Hour)))
	require.Equal(t, 6, w.sync().Deleted)
}
