package dirsync_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// staffed is a company of which n people are in scope by an attribute.
func staffed(t *testing.T, n int) (*world, []source.ID) {
	w := newWorld(t, func(w *world) {
		w.opt.Scope = &mapping.Scope{Conditions: []mapping.Condition{{Attribute: "employeeType", Operator: mapping.OneOf, Values: []string{"staff"}}}}
	})
	var ids []source.ID
	for i := range n {
		ids = append(ids, w.person(fmt.Sprintf("p%03d", i), "contoso.com", "employeeType", "staff"))
	}
	require.Equal(t, n, w.sync().Created)
	return w, ids
}

func TestS10_AConditionWhoseValuesVanishRemovesNobodyUnseen(t *testing.T) {
	for _, full := range []bool{true, false} {
		w, ids := staffed(t, 90)
		for _, id := range ids {
			w.set(id, "employeeType") // the sync account may not read it any more
		}
		w.tgt.ResetCounts()
		_, err := w.eng.Sync(t.Context(), &dirsync.Request{Full: full})
		var halted *dirsync.HaltedError
		require.ErrorAs(t, err, &halted)
		require.Contains(t, err.Error(), "no value any more")
		require.Zero(t, w.tgt.Counts().Writes())
		for _, id := range ids { // it may again
			w.set(id, "employeeType", "staff")
		}
		require.Zero(t, w.sync(dirsync.Request{Full: true}).Changed())
	}
}

func TestS10_AFewWhoseValueVanishesLeaveAndManyOverRunsDoNot(t *testing.T) {
	w, ids := staffed(t, 90)
	w.set(ids[0], "employeeType")
	w.set(ids[1], "employeeType", "guest") // another value is a word
	rep := w.sync()
	require.Equal(t, 2, rep.Disabled)
	n := 1
	for i := 2; i < 90; i++ { // one by one
		w.set(ids[i], "employeeType")
		if _, err := w.eng.Sync(t.Context(), nil); err != nil {
			require.ErrorIs(t, err, dirsync.ErrHalted)
			break
		}
		n++
	}
	require.Equal(t, 9, n, "10 %")
}

func TestS10_PeopleWhoGetAnotherValueCountAsRemovalsAlone(t *testing.T) {
	w, ids := staffed(t, 90)
	for _, id := range ids[:30] {
		w.set(id, "employeeType", "guest")
	}
	require.Equal(t, 30, w.sync().Disabled)
	require.Contains(t, plan.Breach{Effect: plan.Vanished, Planned: 3}.String(), "3 accounts whose object has no value any more")
}
