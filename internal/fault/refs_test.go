package fault_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func TestWhatIsHiddenIsNobodysMemberYet(t *testing.T) {
	tgt := fault.NewTarget(memtarget.New("contoso", nil))
	old, err := tgt.Apply(t.Context(), create(1))
	require.NoError(t, err)
	group, err := tgt.Apply(t.Context(), target.Change{Op: target.Create, Kind: target.Group, Anchor: "g",
		Set: target.Attributes{"displayName": {"G"}, "mailNickname": {"g"}}})
	require.NoError(t, err)
	tgt.HideNew(true)
	hidden, err := tgt.Apply(t.Context(), create(2))
	require.NoError(t, err)

	c := target.Change{Op: target.Refer, Kind: target.Group, ID: group.ID,
		Refs: &target.Refs{Attribute: target.RefMembers, Add: []target.ID{old.ID, hidden.ID, "nobody"}}}
	_, err = tgt.Apply(t.Context(), c)
	some, ok := errors.AsType[*target.RefsError](err)
	require.True(t, ok)
	require.Len(t, some.Refused, 2)
	require.ErrorIs(t, some.Refused[hidden.ID], target.ErrNotYet)
	require.ErrorIs(t, some.Refused["nobody"], target.ErrNotFound)
	require.Equal(t, []target.ID{old.ID}, members(t, tgt, group.ID))

	tgt.HideNew(false)
	c.Refs.Add = []target.ID{old.ID, hidden.ID}
	tgt.OnWrite(1, fault.Fault{Done: true})
	_, err = tgt.Apply(t.Context(), c)
	require.True(t, target.OutcomeUnknown(err))
	require.Len(t, members(t, tgt, group.ID), 2)

	boom := errors.New("boom")
	tgt.OnRefs(1, fault.Fault{Err: boom})
	for _, err := range tgt.Refs(t.Context(), target.Group, group.ID, target.RefMembers) {
		require.ErrorIs(t, err, boom)
	}
}

func members(t *testing.T, tgt *fault.Target, id target.ID) (ids []target.ID) {
	for id, err := range tgt.Refs(t.Context(), target.Group, id, target.RefMembers) {
		require.NoError(t, err)
		ids = append(ids, id)
	}
	return ids
}
