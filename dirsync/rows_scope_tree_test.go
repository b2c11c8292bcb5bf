package dirsync_test

import (
	"context"
	"iter"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
)

// A scope that is the same in other words asks nobody anything.
func TestS07_TheSameScopeInOtherWords(t *testing.T) {
	e := estateOf(t, func(e *estate) { e.opt.Scope = &mapping.Scope{Include: []string{"OU=Sales," + root}} })
	e.staff(3, "s", e.sales)
	e.sync()
	e.scope(&mapping.Scope{Include: []string{"{" + strings.ToUpper(string(e.sales)) + "}"}})
	rep := e.sync()
	require.Zero(t, rep.Changed())
	require.Zero(t, rep.Unchanged, "nobody is looked at")
}

// S-07: a name that means nothing ends the run; a unit that is renamed or deleted
// later means what it meant.
func TestS07_NamesAreBoundOnce(t *testing.T) {
	e := estateOf(t, func(e *estate) { e.opt.Scope = &mapping.Scope{Exclude: []string{"OU=Nowhere," + root}} })
	ids := e.staff(2, "s", e.sales)
	_, err := e.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrScope)
	require.ErrorContains(t, err, "OU=Nowhere,"+root)
	require.Zero(t, e.tgt.Counts().Writes())

	e.scope(&mapping.Scope{Exclude: []string{"OU=Lab," + root}})
	require.Equal(t, 2, e.sync().Created)
	require.True(t, e.src.Rename(e.lab, "OU=Lab old,"+root))
	unit := e.unit("Lab", e.domain)
	require.True(t, e.src.Move(ids[0], unit))
	require.Zero(t, e.sync().Changed())
	require.True(t, e.src.Move(ids[0], e.lab))
	require.Equal(t, 1, e.sync().Disabled)

	// Deleted, it refuses nobody: they were deleted, or moved, one by one.
	require.True(t, e.src.Move(ids[0], unit))
	require.True(t, e.src.Remove(e.lab))
	rep := e.sync()
	require.Equal(t, 1, rep.Enabled)
	require.Equal(t, "scope-container-gone", rep.Warnings[0].Code)
	e.mustRest()
}

// S-08: a container of which nothing is known proves nothing. Who has an account
// keeps it as it is, and who has none gets none, until it can be seen.
func TestS08_AnUnknownContainerChangesNothing(t *testing.T) {
	e := estateOf(t, func(e *estate) { e.opt.Scope = &mapping.Scope{Include: []string{string(e.sales)}} })
	ids := e.staff(2, "s", e.sales)
	e.sync()
	dark := e.unit("Dark", e.sales)
	require.True(t, e.src.Hide(dark))
	require.True(t, e.src.Move(ids[0], dark))
	e.set(ids[0], "title", "Clerk")
	e.staff(1, "n", dark)
	for _, full := range []bool{false, true} {
		rep := e.sync(dirsync.Request{Full: full})
		require.Zero(t, rep.Changed())
		require.Equal(t, []string{mapping.CodeContainerUnknown}, codes(rep))
		require.Len(t, rep.Problems, 2)
		require.Equal(t, 2, e.enabled())
	}
	require.True(t, e.src.Show(dark))
	rep := e.sync()
	require.Equal(t, []int{1, 1}, []int{rep.Created, rep.Updated})
	require.Empty(t, codes(rep))
	e.mustRest()
}

// A container that a read doesn't give says nothing about those in it.
func TestS08_AHiddenContainerRemovesNobody(t *testing.T) {
	e := estateOf(t, byPlace)
	e.staff(20, "s", e.sales)
	e.sync()
	require.True(t, e.src.Hide(e.sales))
	rep := e.sync(dirsync.Request{Full: true})
	require.Zero(t, rep.Changed())
	require.Empty(t, codes(rep))
}

// S-07: a unit that is moved out of what the source reads takes those in it along,
// without a scope as well; the source tells nothing of them. It is under the
// budgets as ever.
func TestS07_AUnitMovedOutOfTheSourcesReach(t *testing.T) {
	e := estateOf(t, nil)
	e.staff(5, "s", e.inside)
	e.sync()
	require.True(t, e.src.MoveOut(e.sales))
	rep := e.sync()
	require.Equal(t, 5, rep.Disabled)
	require.True(t, e.src.MoveIn(e.sales))
	rep = e.sync()
	require.Equal(t, dirsync.Full, rep.Mode, "those in it may be told only by a complete read")
	require.Equal(t, 5, rep.Enabled)
	e.mustRest()
}

// S-07: turned on for a state that knows of no containers, the scope has
// everything read, and takes nobody for lost.
func TestS07_AScopeTurnedOnLater(t *testing.T) {
	e := estateOf(t, nil)
	e.staff(3, "s", e.sales)
	e.staff(3, "l", e.lab)
	e.sync()
	l := e.ledger()
	require.NoError(t, l.SetScope(&ledger.Scope{}))
	require.NoError(t, l.Flush(t.Context()))
	e.scope(&mapping.Scope{Exclude: []string{string(e.lab)}})
	h := e.halted()
	require.Equal(t, 3, h.Counts.Leave)
	e.approve(h.Hash)
	require.Equal(t, 3, e.sync().Disabled)
	e.mustRest()
	e.scope(nil)
	require.Equal(t, 3, e.sync().Enabled, "who enters needs nobody's word")
	e.mustRest()
}

// What happens to those who leave is a choice, and their budget is one of its own.
func TestS07_LeavingHasItsOwnPolicyAndBudget(t *testing.T) {
	e := estateOf(t, byPlace)
	e.opt.Leaving, e.opt.Limits.Leaving = plan.DeleteOnLeave, plan.Limit{Count: 1, Percent: -1}
	e.scope(e.opt.Scope)
	ids := e.staff(4, "s", e.sales)
	e.sync()
	require.True(t, e.src.Move(ids[0], e.lab))
	require.Equal(t, 1, e.sync().Deleted)
	require.True(t, e.src.Remove(ids[1]))
	require.Equal(t, 1, e.sync().Deleted, "a deletion isn't a leaving")
	require.True(t, e.src.Move(ids[2], e.lab))
	h := e.halted()
	require.Equal(t, plan.LeavesScope, h.Breaches[0].Effect)

	e.opt.Leaving = plan.KeepOnLeave
	e.scope(e.opt.Scope)
	require.Zero(t, e.sync().Changed())
	require.True(t, e.src.Move(ids[0], e.sales))
	require.Equal(t, 1, e.sync().Restored)
	require.True(t, e.src.Move(ids[2], e.sales))
	require.Zero(t, e.sync().Changed())
	e.mustRest()
}

// A crash at any step of the run that finds a unit elsewhere costs nobody the
// looking at: neither those right in it nor those deeper.
func TestS08_ACrashWhileAUnitMoves(t *testing.T) {
	moved := func() *estate {
		e := estateOf(t, byPlace)
		e.opt.Parallel = 1
		e.scope(e.opt.Scope)
		deep := e.unit("Deep", e.unit("Middle", e.lab))
		e.staff(4, "l", e.lab)
		e.staff(4, "d", deep)
		e.staff(4, "s", e.sales)
		e.sync()
		require.True(t, e.src.Move(e.lab, e.sales))
		return e
	}
	want := moved()
	calm := &crash{}
	_, err := want.engine(want.src, crashTarget{want.tgt, calm}, crashStore{want.store, calm}).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 12, want.enabled())
	for n := 1; n <= calm.steps; n++ {
		e := moved()
		c := &crash{at: n, after: n%2 == 0}
		_, err := e.engine(e.src, crashTarget{e.tgt, c}, crashStore{e.store, c}).Sync(t.Context(), nil)
		require.Error(t, err, "step %d", n)
		require.NoError(t, e.again())
		require.Equal(t, want.accounts(), e.accounts(), "crash at step %d", n)
	}
	t.Logf("%d steps", calm.steps)
}

// S-08: a complete read that doesn't give a unit has it looked up: it may have
// been moved out of what the source reads, and comes back without a word of those
// in it.
func TestS08_AUnitThatACompleteReadDoesntGive(t *testing.T) {
	e := estateOf(t, nil)
	ids := e.staff(3, "s", e.sales)
	e.sync()
	require.True(t, e.src.MoveOut(e.sales))
	for _, id := range ids {
		require.True(t, e.src.MoveOut(id))
	}
	e.src.Expire()
	require.Equal(t, 3, e.sync().Disabled)
	require.True(t, e.src.MoveIn(e.sales))
	quiet := &sourceOf{e.src, 0}
	e.eng = e.engine(quiet, e.tgt, e.store)
	e.sync()
	require.Equal(t, 1, quiet.complete, "nobody else would tell of them")
}

// sourceOf counts the complete reads.
type sourceOf struct {
	*memsource.Source
	complete int
}

func (s *sourceOf) All(ctx context.Context) iter.Seq2[source.Event, error] {
	s.complete++
	return s.Source.All(ctx)
}

// A unit that is named by the scope and wasn't told is looked for once by a
// complete read.
func TestS07_AnUnknownNameIsSoughtOnce(t *testing.T) {
	e := estateOf(t, nil)
	e.staff(3, "s", e.sales)
	counted := &sourceOf{e.src, 0}
	e.opt.Scope = &mapping.Scope{Exclude: []string{"OU=Later," + root}}
	e.eng = e.engine(counted, e.tgt, e.store)
	for range 4 {
		_, err := e.eng.Sync(t.Context(), nil)
		require.ErrorIs(t, err, dirsync.ErrScope)
	}
	require.Equal(t, 1, counted.complete)
	e.unit("Later", e.domain)
	require.Equal(t, 3, e.sync().Created)
}
