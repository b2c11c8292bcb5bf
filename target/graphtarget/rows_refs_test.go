package graphtarget_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// sales is the create of one of many groups.
func sales(n int) target.Change {
	return target.Change{Op: target.Create, Kind: target.Group, Anchor: fmt.Sprintf("ad-%d'/+%%", n), Set: target.Attributes{
		"displayName": {"Sales"}, "mailNickname": {fmt.Sprintf("sales.%d", n)}}}
}

func refer(o target.Object, attribute string, add, remove []target.ID) target.Change {
	return target.Change{Op: target.Refer, Kind: o.Kind, ID: o.ID, Anchor: o.Anchor,
		Refs: &target.Refs{Attribute: attribute, Add: add, Remove: remove}}
}

// A crowd is a tenant with a group and people that are seen by all.
type crowd struct {
	*graphsim.Tenant
	*graphtarget.Target
	t      *testing.T
	group  target.Object
	people []target.ID
}

func newCrowd(t *testing.T, people int, o graphsim.Options) *crowd {
	t.Helper()
	tn := contoso(o)
	w := &crowd{Tenant: tn, t: t, Target: open(t, tn, &graphtarget.Options{Groups: true, SettleTimeout: time.Second})}
	g, err := tn.AddGroup(map[string]any{"mailNickname": "sales", "uniqueName": "sales"})
	require.NoError(t, err)
	w.group = target.Object{ID: target.ID(g.ID), Kind: target.Group, Anchor: "sales"}
	for i := range people {
		u, err := tn.AddUser(map[string]any{"userPrincipalName": fmt.Sprintf("p%d@contoso.com", i)})
		require.NoError(t, err)
		w.people = append(w.people, target.ID(u.ID))
	}
	slices.Sort(w.people)
	return w
}

func (w *crowd) add(ids ...target.ID) error {
	_, err := w.Apply(w.t.Context(), refer(w.group, target.RefMembers, ids, nil))
	return err
}

func (w *crowd) members() (ids []target.ID) {
	w.t.Helper()
	for id, err := range w.Refs(w.t.Context(), target.Group, w.group.ID, target.RefMembers) {
		require.NoError(w.t, err)
		ids = append(ids, id)
	}
	return ids
}

// tried is how many writes were sent, refused ones included.
func (w *crowd) tried() (n int) {
	for kind, count := range w.Counts().Requests {
		if !strings.HasPrefix(kind, "GET ") && kind != "POST /$batch" {
			n += count
		}
	}
	return n
}

// TestT06_OneBadMemberOfTwentyCostsAFewWrites: Graph refuses all twenty because
// of one that is a member or doesn't exist, wherever it stands.
func TestT06_OneBadMemberOfTwentyCostsAFewWrites(t *testing.T) {
	const nobody = target.ID("00000000-0000-4000-8000-000000000000")
	for at := range 20 {
		w := newCrowd(t, 20, graphsim.Options{})
		require.NoError(t, w.SetReferences(string(w.group.ID), "members", string(w.people[at])))
		require.NoError(t, w.add(w.people...))
		require.ElementsMatch(t, w.people, w.members())
		require.LessOrEqual(t, w.tried(), 1+8, "a member at %d", at)

		for _, unnamed := range []bool{true, false} {
			w = newCrowd(t, 20, graphsim.Options{Switches: graphsim.Switches{UnnamedReferences: unnamed}})
			ids := slices.Clone(w.people)
			ids[at] = nobody
			err := w.add(ids...)
			some, ok := errors.AsType[*target.RefsError](err)
			require.True(t, ok, "%v", err)
			require.Len(t, some.Refused, 1)
			require.ErrorIs(t, some.Refused[nobody], target.ErrNotFound)
			require.Len(t, w.members(), 19)
			if unnamed {
				require.LessOrEqual(t, w.tried(), 1+8, "nobody at %d", at)
			} else {
				require.Equal(t, 2, w.tried(), "Graph names it")
			}
		}
	}
}

// TestT06_ManyMembersThatAreThereAreRead: beyond one, members are cheaper to
// read than to search for by writes.
func TestT06_ManyMembersThatAreThereAreRead(t *testing.T) {
	w := newCrowd(t, 20, graphsim.Options{})
	require.NoError(t, w.add(w.people...))
	w.ResetCounts()
	require.NoError(t, w.add(w.people...))
	require.LessOrEqual(t, w.tried(), 1+9)

	w.ResetCounts()
	again := refer(w.group, target.RefMembers, w.people, nil)
	again.Repeat = true // then that is what is to be expected
	_, err := w.Apply(t.Context(), again)
	require.NoError(t, err)
	require.Equal(t, 1, w.tried())
}

// TestT06_ALostReplyIsFoundOutByReading: the second try meets the first.
func TestT06_ALostReplyIsFoundOutByReading(t *testing.T) {
	w := newCrowd(t, 20, graphsim.Options{})
	w.Target = openBy(t, w.Tenant, w.Transport(), &graphtarget.Options{Groups: true}) // parts that are missing break the contract, on purpose
	var lose atomic.Int64
	w.SetFault(func(op graphsim.Op) *graphsim.Fault {
		if op.Write && lose.Add(-1) >= 0 {
			return graphsim.ReplyLost()
		}
		return nil
	})
	lose.Store(1)
	require.NoError(t, w.add(w.people...))
	require.Len(t, w.members(), 20)
	require.Equal(t, 2, w.tried())
	lose.Store(3)
	_, err := w.Apply(t.Context(), refer(w.group, target.RefMembers, nil, w.people))
	require.NoError(t, err)
	require.Empty(t, w.members())
}

// TestT05_RemovalsOfOneGroupWaitForEachOther: they go in one batch, and a
// non-member among them stops none.
func TestT05_RemovalsOfOneGroupWaitForEachOther(t *testing.T) {
	for _, answer := range []bool{false, true} {
		w := newCrowd(t, 20, graphsim.Options{Switches: graphsim.Switches{BatchCollides: true, NonMemberAs400: answer}})
		require.NoError(t, w.add(slices.Concat(w.people[:7], w.people[8:])...))
		w.ResetCounts()
		_, err := w.Apply(t.Context(), refer(w.group, target.RefMembers, nil, w.people))
		require.NoError(t, err)
		require.Empty(t, w.members())
		require.Equal(t, 2, w.Counts().Requests["POST /$batch"], "the second for those behind the non-member")
	}
}

func TestT05_ChangesOfManyGroupsShareBatches(t *testing.T) {
	w := newCrowd(t, 20, graphsim.Options{Switches: graphsim.Switches{BatchCollides: true}})
	var cs []target.Change
	for n := range 20 {
		cs = append(cs, sales(n))
	}
	var changes []target.Change
	for _, r := range w.ApplyBatch(t.Context(), cs) {
		require.NoError(t, r.Err)
		changes = append(changes, refer(r.Object, target.RefMembers, w.people, nil))
	}
	w.ResetCounts()
	for _, r := range w.ApplyBatch(t.Context(), changes) {
		require.NoError(t, r.Err)
	}
	require.Equal(t, 1, w.Counts().HTTP, "400 members by one request")
	require.Equal(t, 20, w.tried(), "and 20 writes")
	for i := range changes {
		changes[i].Refs = &target.Refs{Attribute: target.RefMembers, Remove: w.people[:3]}
	}
	for _, r := range w.ApplyBatch(t.Context(), changes) {
		require.NoError(t, r.Err)
	}
	require.Len(t, w.References(string(changes[7].ID), "members"), 17)
}

// TestT05_ChangesOfOneGroupWaitForEachOther, though they are in one call.
func TestT05_ChangesOfOneGroupWaitForEachOther(t *testing.T) {
	w := newCrowd(t, 60, graphsim.Options{Switches: graphsim.Switches{BatchCollides: true}})
	other, err := w.Apply(t.Context(), sales(1))
	require.NoError(t, err)
	var cs []target.Change
	for _, g := range []target.Object{w.group, other} {
		for part := range slices.Chunk(w.people, 20) {
			cs = append(cs, refer(g, target.RefMembers, part, nil))
		}
	}
	w.ResetCounts()
	for _, r := range w.ApplyBatch(t.Context(), cs) {
		require.NoError(t, r.Err)
	}
	require.Equal(t, 3, w.Counts().HTTP)
	require.Len(t, w.members(), 60)
	require.Len(t, w.References(string(other.ID), "members"), 60)
}

// TestT04_MembersThatCostSevenWritesPassInTheEnd: our pace counts one write for
// twenty members. Where Graph counts seven, its 429s set the pace.
func TestT04_MembersThatCostSevenWritesPassInTheEnd(t *testing.T) {
	for _, thirds := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const people, groups = 200, 60 // 600 changes
			w := newCrowd(t, people, graphsim.Options{Limits: graphsim.MicrosoftLimits(), Switches: graphsim.Switches{BindsCostThirds: thirds}})
			var changes []target.Change
			for n := range groups {
				g, err := w.AddGroup(map[string]any{"mailNickname": fmt.Sprint("g", n)})
				require.NoError(t, err)
				for part := range slices.Chunk(w.people, 20) {
					changes = append(changes, refer(target.Object{ID: target.ID(g.ID), Kind: target.Group}, target.RefMembers, part, nil))
				}
			}
			w.ResetCounts()
			start := time.Now()
			for _, r := range target.ApplyAll(t.Context(), w.Target, changes) {
				require.NoError(t, r.Err)
			}
			for _, g := range w.Groups()[1:] {
				require.Len(t, w.References(g.ID, "members"), people)
			}
			require.Equal(t, thirds, w.Counts().Throttled > 0)
			require.Equal(t, len(changes), w.Counts().Writes["PATCH /groups/{id}"])
			t.Logf("12,000 memberships at the quota's pace (a third of a write each: %t): %s, %d HTTP requests, %d parts refused with 429",
				thirds, time.Since(start).Round(time.Second), w.Counts().HTTP, w.Counts().Throttled)
		})
	}
}
