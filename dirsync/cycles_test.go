package dirsync_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/fault"
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

// fixed puts an object with this ID into the directory; IDs decide who steps aside.
func (w *world) fixed(id, upn string, more ...string) source.ID {
	a := source.Attributes{"sAMAccountName": {"s" + id}, "userAccountControl": {"512"}, "userPrincipalName": {upn}, "displayName": {id}}
	for i := 0; i+1 < len(more); i += 2 {
		a.Set(more[i], more[i+1])
	}
	return w.src.Put(source.Object{ID: source.ID(id), Kind: source.User, DN: "CN=" + id, Attributes: a})
}

// A change is made whole or not at all: who waits for one name of somebody waits
// for whatever that one's other name waits for.
func TestWhoWaitsForANameWaitsForTheWholeChangeOfItsHolder(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(w *world)
		writes        int
	}{
		"in a chain of addresses, then a name": {
			func(w *world) {
				w.fixed("3", "x@contoso.com")
				w.fixed("4", "four@contoso.com", "mail", "m@contoso.com")
			},
			func(w *world) {
				w.src.Remove("4")
				w.set("3", "userPrincipalName", "y@contoso.com")
				w.set("3", "mail", "m@contoso.com")
				w.fixed("1", "x@contoso.com")
			}, 3},
		"in a cycle of names, then an address": {
			func(w *world) {
				w.fixed("2", "x@contoso.com", "mail", "m@contoso.com")
				w.fixed("1", "y@contoso.com")
			},
			func(w *world) {
				w.set("1", "userPrincipalName", "x@contoso.com")
				w.set("2", "userPrincipalName", "y@contoso.com")
				w.set("2", "mail", "n@contoso.com")
				w.fixed("3", "z@contoso.com", "mail", "m@contoso.com")
			}, 4},
		"for an address of who steps aside in a cycle of names": {
			func(w *world) {
				w.fixed("1", "x@contoso.com", "mail", "m@contoso.com")
				w.fixed("2", "y@contoso.com", "mail", "n@contoso.com")
				w.fixed("3", "z@contoso.com", "mail", "o@contoso.com")
			},
			func(w *world) {
				w.set("1", "userPrincipalName", "y@contoso.com")
				w.set("1", "mail", "n@contoso.com")
				w.set("2", "userPrincipalName", "x@contoso.com")
				w.set("2", "mail", "p@contoso.com")
				w.set("3", "mail", "m@contoso.com")
			}, 4},
		"in a cycle across names and addresses": {
			func(w *world) {
				w.fixed("1", "x@contoso.com", "mail", "m@contoso.com")
				w.fixed("2", "y@contoso.com", "mail", "n@contoso.com")
			},
			func(w *world) {
				w.set("1", "userPrincipalName", "y@contoso.com")
				w.set("1", "mail", "o@contoso.com")
				w.set("2", "userPrincipalName", "z@contoso.com")
				w.set("2", "mail", "m@contoso.com")
			}, 3},
		"in two cycles that share somebody": {
			func(w *world) {
				w.fixed("1", "x@contoso.com", "mail", "m@contoso.com")
				w.fixed("2", "y@contoso.com", "mail", "n@contoso.com")
				w.fixed("3", "z@contoso.com", "mail", "o@contoso.com")
			},
			func(w *world) {
				w.set("1", "userPrincipalName", "y@contoso.com")
				w.set("2", "userPrincipalName", "x@contoso.com")
				w.set("2", "mail", "o@contoso.com")
				w.set("3", "mail", "n@contoso.com")
			}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.before(w)
			w.sync()
			w.opt.OnEvent = func(e dirsync.Event) {
				if a, ok := e.(dirsync.Applied); ok {
					t.Log(a.Change.Source, a.Change.Wave, a.Change.Op, a.Change.Set, a.Err)
					require.NoError(t, a.Err, "no write comes before the one that it waits for")
				}
			}
			w.eng = w.engine(w.src, w.tgt, w.store)
			c.after(w)
			rep := w.sync()
			require.Empty(t, rep.Problems)
			require.Equal(t, c.writes, rep.Writes)
			w.mustRest()
		})
	}
}

// Who gets no account at all, since another has its anchor, wins no name: not
// even until its turn in the planning comes.
func TestWhoGetsNoAccountDoesntStopASwap(t *testing.T) {
	w := newWorld(t)
	anchor := []string{"mS-DS-ConsistencyGuid", "MDEyMzQ1Njc4OWFiY2RlZg=="}
	w.fixed("2", "a@corp.local", "mail", "a@contoso.com")
	w.fixed("9", "b@contoso.com", append(anchor, "mail", "b@contoso.com")...)
	w.sync()
	w.fixed("5", "c@contoso.com", append(anchor, "mail", "b@contoso.com")...) // a better right than 2 has
	require.Equal(t, []string{"anchor-twice", "conflict"}, codes(w.sync()))
	w.set("2", "mail", "b@contoso.com")
	w.set("9", "mail", "a@contoso.com")
	w.set("5", "title", "So that its claim is looked at again")
	rep := w.sync()
	require.NotContains(t, codes(rep), "conflict-at-target")
	require.Equal(t, 3, rep.Writes)
	require.Equal(t, "b@contoso.com", w.account("a@contoso.onmicrosoft.com").Attributes.First("mail"))
	require.Equal(t, "a@contoso.com", w.account("b@contoso.com").Attributes.First("mail"))
	w.mustRest()
}

// Whoever leaves with a rename in doubt gets no further write: which name the
// account has is looked up, and nobody is kept from the one that it gave up.
func TestALeaverWithARenameInDoubtKeepsTheNameThatItHas(t *testing.T) {
	for name, c := range map[string]struct {
		before func(w *world, id source.ID)
		after  func(w *world)
	}{
		"the repeat is refused": {
			func(w *world, id source.ID) {},
			func(w *world) { w.tgt.RemoveDomain("contoso.com") }},
		"there is no repeat, since it would enable a leaver": {
			func(w *world, id source.ID) {
				w.set(id, "userAccountControl", "514")
				w.sync()
				w.set(id, "userAccountControl", "512")
			},
			func(w *world) {}},
	} {
		for _, done := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, made %v", name, done), func(t *testing.T) {
				w := newWorld(t)
				id := w.fixed("2", "ann@contoso.onmicrosoft.com")
				w.sync()
				c.before(w, id)
				w.set(id, "userPrincipalName", "lee@contoso.com")
				tgt := fault.NewTarget(w.tgt)
				tgt.OnWrite(1, fault.Fault{Done: done})
				rep, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
				require.NoError(t, err)
				require.Equal(t, []string{"outcome-unknown"}, codes(rep))
				w.src.MoveOut(id)
				c.after(w)
				w.fixed("5", "ann@corp.local")
				rep = w.sync()
				require.Equal(t, 1, rep.Created)
				require.Equal(t, 1, rep.Disabled)
				if done {
					require.Empty(t, rep.Problems)
					require.Equal(t, "5", w.account("ann@contoso.onmicrosoft.com").Attributes.First("displayName"))
				} else {
					require.Equal(t, []string{"conflict"}, codes(rep))
					require.Equal(t, "2", w.account("ann@contoso.onmicrosoft.com").Attributes.First("displayName"))
				}
				w.mustRest()
			})
		}
	}
}
