package ldapsource_test

import (
	"testing"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/stretchr/testify/require"
)

// The evidence comes from the other ends of the links, without reading the
// attribute itself.
func TestS14_WhetherASetIsEmptyIsSeenAtItsOtherEnds(t *testing.T) {
	s := simulate(t, &adsim.Options{})
	ids := s.people(3)
	g, err := s.group(source.Object{Attributes: source.Attributes{"sAMAccountName": {"a(b)*"}, "displayName": {"A"}}})
	require.NoError(t, err)
	other, err := s.group(source.Object{Attributes: source.Attributes{"sAMAccountName": {"other"}, "displayName": {"Other"}}})
	require.NoError(t, err)
	src := s.source(everything)
	empty := func(id source.ID, attribute string) bool {
		ok, err := src.Empty(t.Context(), id, attribute)
		require.NoError(t, err)
		return ok
	}
	require.False(t, empty(ids[0], "manager"), "nobody shows any: perhaps the account may not read them")
	require.NoError(t, s.refer(g, "member", ids, nil))
	require.NoError(t, s.refer(g, "managedBy", ids[:1], nil))
	require.NoError(t, s.refer(ids[1], "manager", ids[:1], nil))
	require.False(t, empty(g, "member"))
	require.False(t, empty(g, "managedBy"))
	require.False(t, empty(ids[1], "manager"))
	require.True(t, empty(other, "member"))
	require.True(t, empty(other, "managedBy"))
	require.True(t, empty(ids[0], "manager"))
	require.True(t, empty("69f4d4fd-0000-4000-8000-000000000000", "member"), "nobody refers to nobody")
	require.True(t, empty("no ID", "member"))
	require.False(t, empty(other, "secretary"))
	require.NoError(t, s.refer(other, "member", ids[:1], nil))
	require.NoError(t, s.refer(g, "member", nil, ids))
	require.True(t, empty(g, "member"), "an honest group is empty")
}
