package dirsync_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

var anyGroup = &dirsync.MatchPolicy{Mail: true, MailNickname: true, DisplayName: true}

// existingGroup puts a group into the tenant that isn't ours.
func (w *world) existingGroup(name string, edit func(*target.Object), members ...target.ID) target.ID {
	o := target.Object{Kind: target.Group, Attributes: target.Attributes{
		"displayName": {name}, "mailNickname": {name}, "mailEnabled": {"false"}, "securityEnabled": {"true"}}}
	if edit != nil {
		edit(&o)
	}
	id := w.tgt.Add(o)
	w.tgt.SetRefs(id, target.RefMembers, members...)
	return id
}

func TestGroupsAreProposedByTheKeysOfThePolicyAndAdoptedOnce(t *testing.T) {
	log := &audit.MemorySink{}
	w := newWorld(t, unifiedBy("1"), func(w *world) { w.opt.Audit = []audit.Sink{log} })
	byAnchor, byName, byNick := w.group("a"), w.group("b"), w.group("c")
	byMail := w.team("d", "dd")
	w.set(byMail, "mail", "Team@contoso.com")
	w.set(byName, "displayName", "Board")
	w.set(byNick, "mailNickname", "crew")
	anchored := w.existingGroup("x", func(o *target.Object) { o.Anchor = "dirbridge-" + string(byAnchor) })
	named := w.existingGroup("y", func(o *target.Object) { o.Attributes["displayName"] = []string{"BOARD"} })
	nicked := w.existingGroup("crew", nil)
	mailed := w.existingGroup("zz", func(o *target.Object) {
		o.Attributes["groupTypes"], o.Attributes["mail"] = []string{"Unified"}, []string{"team@contoso.com"}
		o.Attributes["mailEnabled"], o.Attributes["securityEnabled"] = []string{"true"}, []string{"false"}
	})

	list := w.match(nil)
	require.Len(t, list, 1, "by default, only what carries the unique name is proposed")
	require.Equal(t, anchored, list[0].Account)
	require.Equal(t, target.Group, list[0].Kind)
	list = w.match(anyGroup)
	got := map[source.ID]dirsync.Pair{}
	for _, m := range list {
		require.Empty(t, m.Conflicts, "%+v", m)
		require.NotContains(t, m.After, target.AttrAnchor, "a group's unique name is set when it is made")
		got[m.Object] = m.Pair
	}
	require.Equal(t, map[source.ID]dirsync.Pair{
		byAnchor: {Object: byAnchor, Account: anchored, By: dirsync.ByAnchor, Anchor: "dirbridge-" + string(byAnchor)},
		byName:   {Object: byName, Account: named, By: dirsync.ByDisplayName},
		byNick:   {Object: byNick, Account: nicked, By: dirsync.ByMailNickname},
		byMail:   {Object: byMail, Account: mailed, By: dirsync.ByMail},
	}, got)

	for _, a := range w.adopt(pairsOf(list)...) {
		require.Equal(t, dirsync.AdoptDone, a.Outcome, a.Reason)
		require.Equal(t, target.Group, a.Kind)
	}
	for _, a := range w.adopt(pairsOf(list)...) {
		require.Equal(t, dirsync.AdoptAlready, a.Outcome)
	}
	groups := w.tgt.Len()
	rep := w.sync()
	require.Empty(t, rep.Problems)
	require.Zero(t, rep.Created, "no second one is made")
	require.Equal(t, groups, w.tgt.Len())
	found, err := w.tgt.Find(t.Context(), target.Group, []target.Key{{ID: named}})
	require.NoError(t, err)
	require.Equal(t, "Board", found[0][0].Attributes.First("displayName"))
	require.Empty(t, found[0][0].Anchor, "it never gets one")
	w.mustRest()
	rep = w.sync(dirsync.Request{Reconcile: true})
	require.Empty(t, rep.Problems, "that it has no anchor is no drift")
	var kinds []string
	for _, rec := range log.Records() {
		if rec.Event == audit.EventAdopted {
			kinds = append(kinds, rec.Kind)
		}
	}
	require.Equal(t, []string{"group", "group", "group", "group"}, kinds, "once each")
}

func TestGroupsThatArentOursToWriteAreNeverAdopted(t *testing.T) {
	w := newWorld(t, unifiedBy("1"))
	for _, name := range []string{"roles", "restricted", "synced", "dynamic", "exchange", "team", "person"} {
		w.group(name)
	}
	foreign := func(why string) func(*target.Object) {
		return func(o *target.Object) { o.Foreign, o.ForeignWhy = true, why }
	}
	w.existingGroup("synced", foreign(""))
	w.existingGroup("dynamic", foreign("its members follow a rule of the tenant (dynamic membership)"))
	w.existingGroup("exchange", foreign("it is Exchange's"))
	w.existingGroup("team", func(o *target.Object) {
		o.Attributes["groupTypes"], o.Attributes["mailEnabled"] = []string{"Unified"}, []string{"true"}
	})
	w.existing("person@contoso.com", "", "mailNickname", "person", "displayName", "person")
	require.True(t, w.tgt.Protect(w.existingGroup("roles", nil), target.RoleGroup))
	require.True(t, w.tgt.Protect(w.existingGroup("restricted", nil), target.InRestrictedUnit))
	list := w.match(anyGroup)
	got := map[string][]string{}
	for _, m := range list {
		got[m.DisplayName] = conflicts(m)
	}
	require.Equal(t, map[string][]string{
		"roles": {"protected"}, "restricted": {"protected"}, "synced": {"synchronized-by-others"},
		"dynamic": {"synchronized-by-others"}, "exchange": {"synchronized-by-others"}, "team": {"other-kind"},
	}, got, "a person's account isn't proposed for a group")
	for _, a := range w.adopt(pairsOf(list)...) { // whoever doesn't care for conflicts
		require.Equal(t, dirsync.AdoptRefused, a.Outcome, "%s: %s", a.Name, a.Reason)
	}
	rep := w.sync()
	require.Zero(t, rep.Updated+rep.MembersAdded)
	require.Equal(t, 7, rep.Created, "made anew: security groups may share all their names")
}

func TestWhatAnAdoptedGroupHasIsPlannedAndBudgeted(t *testing.T) {
	w := newWorld(t)
	people := w.people(30)
	g := w.group("g", people[:4]...)
	w.opt.Limits = plan.Limits{}
	w.tgt.VerifyDomain("contoso.com")
	// People are ours before the group is.
	w.src.Hide(g)
	w.sync()
	w.src.Show(g)
	w.src.Refer(g, "member", people[:4]...)
	guest := w.existing("guest@else.com", "")
	var ids []target.ID
	for _, p := range people[2:8] {
		ids = append(ids, w.idOf(p))
	}
	there := w.existingGroup("g", nil, append(slices.Clone(ids), guest)...)
	list := w.match(anyGroup)
	require.Len(t, list, 1)
	require.Empty(t, list[0].Conflicts)
	w.adopt(list[0].Pair)
	require.Len(t, w.tgt.RefsOf(there, target.RefMembers), 7)

	p, err := w.eng.Preview(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []int{2, 4}, []int{p.Counts.MembersAdded, p.Counts.MembersRemoved}, "in the plan before anything is written")
	rep := w.sync()
	require.Equal(t, []int{2, 4}, []int{rep.MembersAdded, rep.MembersRemoved})
	want := []target.ID{guest}
	for _, p := range people[:4] {
		want = append(want, w.idOf(p))
	}
	slices.Sort(want)
	require.Equal(t, want, w.tgt.RefsOf(there, target.RefMembers), "who isn't ours is there still")
	w.mustRest()
}

func TestAnAdoptedGroupIsntEmptiedPastTheBudgetNorOnSilence(t *testing.T) {
	w := newWorld(t)
	people := w.people(40)
	w.sync()
	var ids []target.ID
	for _, p := range people {
		ids = append(ids, w.idOf(p))
	}
	g := w.group("g", people[:3]...)
	there := w.existingGroup("g", nil, ids...)
	w.adopt(w.match(anyGroup)[0].Pair)
	_, err := w.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrHalted, "37 of 40 is more than half of the group")
	require.Len(t, w.tgt.RefsOf(there, target.RefMembers), 40)
	w.src.SetRefs(g, "member", people[:30]...)
	rep := w.sync()
	require.Equal(t, 10, rep.MembersRemoved)
	w.mustRest()
}

func TestAGroupOfOursThatIsProtectedLaterIsntWritten(t *testing.T) {
	w := newWorld(t)
	ann := w.person("ann", "contoso.com")
	g := w.group("g")
	w.sync()
	require.True(t, w.tgt.Protect(w.idOf(g), target.InRestrictedUnit))
	w.src.Refer(g, "member", ann)
	w.set(g, "displayName", "Renamed")
	rep := w.sync()
	require.Equal(t, []string{"protected", "reference-refused"}, codes(rep))
	require.Zero(t, rep.Writes)
	w.src.Remove(g)
	require.Zero(t, w.sync(dirsync.Request{Retry: true}).Writes)
}

func TestWhoIsntOursInAnAdoptedGroupIsDrift(t *testing.T) {
	for _, policy := range []dirsync.DriftPolicy{dirsync.PutBack, dirsync.ReportDrift, dirsync.IgnoreDrift} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, func(w *world) { w.opt.Drift = policy })
			ann := w.person("ann", "contoso.com")
			w.sync()
			guest := w.existing("guest@else.com", "")
			w.group("g", ann)
			there := w.existingGroup("g", nil, guest, w.idOf(ann))
			w.adopt(w.match(anyGroup)[0].Pair)
			require.Zero(t, w.sync().MembersRemoved)
			require.Len(t, w.tgt.RefsOf(there, target.RefMembers), 2)
			time.Sleep(time.Hour)
			rep := w.sync()
			want := map[dirsync.DriftPolicy]int{dirsync.PutBack: 1}[policy]
			require.Equal(t, want, rep.MembersRemoved, policy)
			require.Len(t, w.tgt.RefsOf(there, target.RefMembers), 2-want)
			require.Equal(t, policy == dirsync.ReportDrift, len(rep.Problems) > 0, "%v", rep.Problems)
		})
	}
}
