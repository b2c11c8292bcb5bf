package ldapsource_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

// churn makes n mixed changes and returns the operations by object.
func (b *testbed) churn(t testing.TB, n int) map[source.ID][]string {
	t.Helper()
	out, err := exec.Command(b.script, "churn", b.dir, fmt.Sprint(n)).Output()
	require.NoError(t, err)
	var result struct{ Log string }
	require.NoError(t, json.Unmarshal(out, &result))
	log, err := os.ReadFile(result.Log)
	require.NoError(t, err)
	ops := map[source.ID][]string{}
	for l := range strings.Lines(string(log)) {
		var op struct {
			Op   string
			GUID source.ID
		}
		require.NoError(t, json.Unmarshal([]byte(l), &op))
		ops[op.GUID] = append(ops[op.GUID], op.Op)
	}
	return ops
}

// TestDeltasFollowTenRoundsOfChurn keeps three readers up to date by deltas and
// compares what they know with a full read after each round: every value, DN
// and name of everybody.
func TestDeltasFollowTenRoundsOfChurn(t *testing.T) {
	bed := dc(t)
	type follower struct {
		who        string
		mode       ldapsource.DeltaMode
		sawDeletes bool
		src        *ldapsource.Source
		known      map[source.ID]source.Object
		mark       source.Watermark
	}
	followers := []*follower{
		{who: "SYNC", mode: ldapsource.DeltaAuto, sawDeletes: true},
		{who: "SYNC", mode: ldapsource.DeltaUSN, sawDeletes: true},
		{who: "READER", mode: ldapsource.DeltaAuto}, // ordinary: sees no deletion
	}
	for _, f := range followers {
		f.src = bed.source(t, f.who, func(o *ldapsource.Options) { o.Delta = f.mode; o.PageSize = 100 })
		all := read(f.src.All(t.Context()))
		require.NoError(t, all.err)
		f.known, f.mark = all.upserts, all.mark()
	}
	require.Contains(t, followers[0].mark, `"mode":"dirsync"`)
	require.Contains(t, followers[2].mark, `"mode":"usn"`, "an account without the right polls by USN")
	rounds := 10
	if testing.Short() {
		rounds = 3
	}
	for round := range rounds {
		ops := bed.churn(t, 60)
		truth := read(bed.source(t, "BIND").All(t.Context()))
		require.NoError(t, truth.err)
		for _, f := range followers {
			delta := read(f.src.Since(t.Context(), f.mark))
			if !f.sawDeletes && errors.Is(delta.err, source.ErrWatermarkExpired) {
				// Its witness was deleted, which to this account looks like a
				// restored domain controller.
				delta = read(f.src.All(t.Context()))
				f.known = map[source.ID]source.Object{}
				delta.events = 0
			}
			require.NoError(t, delta.err)
			f.mark = delta.mark()
			delta.apply(f.known)
			require.Less(t, delta.events, 2*60, "a delta costs what changed")
			for id, e := range delta.deleted {
				require.Contains(t, ops[id], "delete", "round %d", round)
				require.Equal(t, "tombstone", e.Evidence.Kind)
			}
			require.Empty(t, delta.left)
			if !f.sawDeletes {
				require.Empty(t, delta.deleted)
				maps.DeleteFunc(f.known, func(id source.ID, _ source.Object) bool { _, ok := truth.upserts[id]; return !ok })
			}
			require.Equal(t, truth.upserts, f.known, "round %d as %s %s", round, f.who, f.mode)
		}
	}
}

func TestS08_ContainersThatMoveTakeTheirPeopleAlong(t *testing.T) {
	bed := dc(t)
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		t.Run(string(mode), func(t *testing.T) {
			h := newHands(t, bed)
			sub := "OU=Sub," + h.in()
			require.NoError(t, h.add(sub, map[string][]string{"objectClass": {"organizationalUnit"}}))
			require.NoError(t, h.add("CN=Ann,"+sub, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {h.unique("ann")}}))
			ann, ou := h.id("CN=Ann,"+sub), h.id(sub)
			src := bed.scoped(t, "SYNC", h.in(), func(o *ldapsource.Options) { o.Delta = mode })
			r := read(src.All(t.Context()))
			require.NoError(t, r.err)
			step := func(rdn, parent string) {
				require.NoError(t, h.conn.ModifyDN(newMove(h.read(guidDN(ou), "1.1").DN, rdn, parent)))
				r = read(src.Since(t.Context(), r.mark()))
				require.NoError(t, r.err)
			}
			step("OU=New name", h.in())
			require.Equal(t, "CN=Ann,OU=New name,"+h.in(), r.upserts[ann].DN, "a new name of the container is one of its people's too")
			step("OU=New name", h.out())
			require.Equal(t, "moved out of scope", r.left[ann].Evidence.Kind)
			require.Empty(t, r.deleted)
			step("OU=New name", h.in())
			require.Contains(t, r.upserts, ann, "who comes into scope with a container comes")
		})
	}
}

func TestMachinesAreNotPeople(t *testing.T) {
	bed := dc(t)
	h := newHands(t, bed)
	src := bed.scoped(t, "SYNC", h.in())
	r := read(src.All(t.Context()))
	require.NoError(t, r.err)
	require.NoError(t, h.add("CN=PC,"+h.in(), map[string][]string{"objectClass": {"computer"}, "sAMAccountName": {h.unique("p") + "$"}, "userAccountControl": {"4096"}}))
	require.NoError(t, h.add("CN=Mail,"+h.in(), map[string][]string{"objectClass": {"contact"}}))
	require.NoError(t, h.add("CN=Ann,"+h.in(), map[string][]string{"objectClass": {"inetOrgPerson"}, "sAMAccountName": {h.unique("ann")}}))
	ann := h.id("CN=Ann," + h.in())
	for _, r := range []reading{read(src.Since(t.Context(), r.mark())), read(src.All(t.Context()))} {
		require.NoError(t, r.err)
		require.Len(t, r.upserts, 1)
		require.Contains(t, r.upserts, ann)
	}
	pc := h.id("CN=PC," + h.in())
	found := read(src.Find(t.Context(), []source.ID{pc, ann, "no GUID"}))
	require.NoError(t, found.err)
	require.Equal(t, "not a person", found.left[pc].Evidence.Kind)
}
