package dirsync_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/source"
)

func TestACycleOfFiveCostsSixWrites(t *testing.T) {
	w := newWorld(t)
	ids := w.people(5)
	w.sync()
	for i, id := range ids {
		w.set(id, "userPrincipalName", "p00"+string(rune('0'+(i+1)%5))+"@contoso.com")
	}
	rep := w.sync()
	require.Equal(t, 6, rep.Writes)
}

// a loser who left keeps its claim
func TestALoserWhoLeavesGivesUpItsWish(t *testing.T) {
	w := newWorld(t)
	put := func(id, upn string) source.ID {
		return w.src.Put(source.Object{ID: source.ID(id), Kind: source.User, DN: "CN=" + id, Attributes: source.Attributes{
			"sAMAccountName": {id}, "userAccountControl": {"512"}, "userPrincipalName": {upn}, "displayName": {id}}})
	}
	a := put("1", "x@contoso.com")
	b := put("2", "x@contoso.com")
	w.sync()
	w.src.MoveOut(b)
	w.sync()
	w.set(a, "userPrincipalName", "y@contoso.com")
	w.sync()
	put("3", "x@contoso.com")
	rep := w.rest()
	t.Log(codes(rep), w.upns())
	require.Contains(t, w.upns(), "x@contoso.com")
}
