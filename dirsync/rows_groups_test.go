package dirsync_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// unifiedBy makes Microsoft 365 groups of those whose description says so.
func unifiedBy(version string) func(*world) {
	return func(w *world) {
		rules, err := mapping.New(&mapping.Options{Version: version, Microsoft365: func(o source.Object) bool {
			return strings.Contains(o.Attributes.First("description"), "team")
		}})
		if err != nil {
			panic(err)
		}
		w.opt.Mapper = rules
	}
}

// team puts a group into the directory of which a Microsoft 365 group comes.
func (w *world) team(name, nickname string) source.ID {
	id := w.group(name)
	w.set(id, "description", "a team")
	w.set(id, "mailNickname", nickname)
	return id
}

func (w *world) nickname(id source.ID) string {
	w.t.Helper()
	found, err := w.tgt.Find(w.t.Context(), target.Group, []target.Key{{ID: w.idOf(id)}})
	require.NoError(w.t, err)
	require.Len(w.t, found[0], 1)
	return found[0][0].Attributes.First("mailNickname")
}

func problemOf(rep *dirsync.Report, id source.ID, code string) *plan.Problem {
	for i, p := range rep.Problems {
		if p.Object == id && p.Code == code {
			return &rep.Problems[i]
		}
	}
	return nil
}

func TestANicknameOfMicrosoft365GroupsHasOneHolder(t *testing.T) {
	w := newWorld(t, unifiedBy("1"))
	first, second := w.team("one", "sales"), w.team("two", "Sales")
	if second < first {
		first, second = second, first
	}
	security := w.group("three")
	w.set(security, "mailNickname", "sales")
	w.person("sales", "contoso.com")
	rep := w.sync()
	require.Equal(t, []string{"conflict"}, codes(rep))
	require.True(t, strings.EqualFold("sales", w.nickname(first)))
	require.Equal(t, "sales", w.nickname(security), "a security group's may be anybody's")
	require.Regexp(t, `^(?i)sales-[0-9a-f]{8}$`, w.nickname(second))
	p := problemOf(rep, second, "conflict")
	require.NotNil(t, p)
	require.Equal(t, []string{"mailNickname", string(first)}, []string{p.Attribute, p.Holder})
	require.Contains(t, p.Message, w.nickname(second))
	w.mustRest()

	w.set(first, "mailNickname", "market")
	rep = w.sync()
	require.Equal(t, 2, rep.Updated, "it returns in the run in which it is free")
	require.Empty(t, rep.Problems)
	require.True(t, strings.EqualFold("sales", w.nickname(second)))
	w.mustRest()

	w.set(first, "mailNickname", "sales")
	w.set(second, "mailNickname", "market")
	rep = w.sync()
	require.Empty(t, rep.Problems)
	require.LessOrEqual(t, rep.Updated, 3, "a swap takes one value for a moment")
	require.Equal(t, []string{"sales", "market"}, []string{w.nickname(first), w.nickname(second)})
	w.mustRest()

	w.src.Remove(first)
	w.set(second, "mailNickname", "sales")
	w.sync()
	require.Equal(t, "sales", w.nickname(second))
	require.Empty(t, w.sync().Problems)
}

func TestANicknameThatSomebodyElseHoldsIsNamedAndNothingIsMade(t *testing.T) {
	w := newWorld(t, unifiedBy("1"))
	theirs := w.tgt.Add(target.Object{Kind: target.Group, Attributes: target.Attributes{
		"displayName": {"Sales"}, "mailNickname": {"sales"}, "groupTypes": {"Unified"}, "mailEnabled": {"true"}, "securityEnabled": {"false"}}})
	id := w.team("one", "Sales")
	rep := w.sync()
	require.Equal(t, []string{"conflict-unowned"}, codes(rep))
	require.Equal(t, string(theirs), rep.Problems[0].Holder)
	require.Zero(t, rep.Writes)
	w.set(id, "mailNickname", "other")
	require.Equal(t, 1, w.sync().Created)

	w.set(id, "mailNickname", "sales") // ours by now, and the name is still theirs
	rep = w.sync()
	require.NotEmpty(t, rep.Problems)
	require.Equal(t, string(theirs), rep.Problems[0].Holder)
	require.Equal(t, "other", w.nickname(id))
	require.True(t, w.tgt.Edit(theirs, func(o *target.Object) { o.Attributes["mailNickname"] = []string{"free"} }))
	require.Empty(t, w.sync(dirsync.Request{Retry: true}).Problems)
	require.Equal(t, "sales", w.nickname(id))
}

func TestAnAddressIsUniqueOverAllKinds(t *testing.T) {
	w := newWorld(t)
	theirs := w.tgt.Add(target.Object{Kind: target.Group, Attributes: target.Attributes{
		"displayName": {"Sales"}, "mailNickname": {"sales"}, "mail": {"sales@contoso.com"}, "groupTypes": {"Unified"}, "mailEnabled": {"true"}, "securityEnabled": {"false"}}})
	w.person("ann", "contoso.com", "mail", "Sales@contoso.com")
	rep := w.sync()
	require.Equal(t, []string{"conflict-unowned"}, codes(rep))
	require.Equal(t, string(theirs), rep.Problems[0].Holder)
	require.Zero(t, rep.Writes)
}

// TestWhoWinsANicknameDoesntDependOnTheOrder: as for people, see shuffle_test.go.
func TestWhoWinsANicknameDoesntDependOnTheOrder(t *testing.T) {
	shuffles := 1000
	if testing.Short() {
		shuffles = 50
	}
	r := rand.New(rand.NewPCG(5, 6))
	all := crowded(10)
	for i := range 12 {
		id := fmt.Sprintf("%08d-0000-4000-9000-000000000000", i)
		all = append(all, source.Object{ID: source.ID(id), Kind: source.Group, DN: "CN=" + id, Attributes: source.Attributes{
			"sAMAccountName": {fmt.Sprint("g", i)}, "groupType": {"-2147483646"}, "displayName": {id},
			"mailNickname": {fmt.Sprint("Nick", i%3)}, "description": {[]string{"team", "plain"}[i/9]}}})
	}
	w := &world{}
	unifiedBy("1")(w)
	first := ""
	for i := range shuffles {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		src := memsource.New("corp", nil)
		for _, o := range all {
			src.Put(o)
		}
		eng, err := dirsync.New(src, tenant(), memstate.New(), &w.opt)
		require.NoError(t, err)
		p, err := eng.Preview(t.Context(), nil)
		require.NoError(t, err)
		if first == "" {
			first = p.Hash
			require.Equal(t, len(all), p.Counts.Create)
		}
		require.Equal(t, first, p.Hash, "shuffle %d", i)
	}
}

func TestARuleThatMakesAnotherSortOfAGroupIsAProblemAndNoWrite(t *testing.T) {
	w := newWorld(t, unifiedBy("1"))
	a, b := w.team("team", "team"), w.group("plain")
	ann := w.person("ann", "contoso.com")
	w.sync()
	teamID, plainID := w.idOf(a), w.idOf(b)
	w.set(a, "description", "plain by now")
	w.set(b, "description", "a team by now")
	w.set(b, "displayName", "Renamed")
	w.src.Refer(b, "member", ann)
	rep := w.sync()
	require.Equal(t, []string{"group-type"}, codes(rep))
	require.Len(t, rep.Problems, 2)
	require.Equal(t, []int{0, 0, 2, 1}, []int{rep.Created, rep.Deleted, rep.Updated, rep.MembersAdded}, "the rest goes on")
	require.Equal(t, []target.ID{teamID, plainID}, []target.ID{w.idOf(a), w.idOf(b)})
	w.mustRest()
	w.set(a, "description", "a team")
	w.set(b, "description", "plain")
	require.Empty(t, w.sync().Problems)
	w.mustRest()
}

func TestMicrosoft365GroupsAreFlat(t *testing.T) {
	w := newWorld(t, unifiedBy("1"))
	ann, bob := w.person("ann", "contoso.com"), w.person("bob", "contoso.com")
	inner := w.group("inner", ann)
	team, other := w.team("team", "team"), w.team("other", "other")
	outer := w.group("outer", team, inner)
	w.src.Refer(team, "member", bob, inner, other)
	rep := w.sync()
	require.Empty(t, rep.Problems)
	require.Equal(t, 3, rep.ReferencesDropped)
	require.Equal(t, []string{"bob"}, w.refs(team, target.RefMembers))
	require.Equal(t, []string{"inner"}, w.refs(outer, target.RefMembers))
	w.mustRest()
	late := w.group("late")
	w.src.Refer(team, "member", late)
	require.Equal(t, 4, w.sync().ReferencesDropped)
	w.src.Unrefer(team, "member", inner, late, other)
	require.Equal(t, 1, w.sync().ReferencesDropped)
	w.mustRest()
}

func TestALimitOfMembersIsKeptAndSaid(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.tgt = memtarget.New("contoso", &memtarget.Options{MaxMembers: 25})
		w.tgt.VerifyDomain("contoso.com")
	})
	ids := w.people(30)
	g, small := w.group("g", ids...), w.group("small", ids[:3]...)
	rep := w.sync()
	require.Equal(t, []string{"reference-limit"}, codes(rep))
	p := problemOf(rep, g, "reference-limit")
	require.NotNil(t, p)
	require.Contains(t, p.Message, "30 members are wanted")
	require.Contains(t, p.Message, "at most 25: 5 are left out")
	require.Len(t, w.refs(g, target.RefMembers), 25)
	require.Len(t, w.refs(small, target.RefMembers), 3, "others go on")
	w.mustRest()
	require.Equal(t, []string{"reference-limit"}, codes(w.sync()))

	in := map[string]bool{}
	for _, name := range w.refs(g, target.RefMembers) {
		in[name] = true
	}
	gone := 0
	for i, id := range ids { // three who are in leave, three who wait come in at once
		if in[fmt.Sprintf("p%03d", i)] && gone < 3 {
			gone++
			w.src.Unrefer(g, "member", id)
		}
	}
	rep = w.sync()
	require.Equal(t, []int{3, 3}, []int{rep.MembersRemoved, rep.MembersAdded})
	require.Contains(t, problemOf(rep, g, "reference-limit").Message, "2 are left out")
	w.src.Remove(ids[29])
	w.src.Remove(ids[28])
	w.src.Remove(ids[27])
	w.sync()
	require.Empty(t, w.sync(dirsync.Request{Retry: true}).Problems)
	require.Len(t, w.refs(g, target.RefMembers), 24)
}

func TestMoreThan100OwnersAreNotTried(t *testing.T) {
	w := newWorld(t)
	ids := w.people(101)
	g := w.group("g")
	w.src.Refer(g, "managedBy", ids...)
	rep := w.sync()
	require.Equal(t, []string{"reference-limit"}, codes(rep))
	require.Len(t, w.refs(g, target.RefOwners), 100)
	w.mustRest()
}
