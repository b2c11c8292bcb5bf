package dirsync_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A team is a world with a group of four people, and a fifth who isn't in it, an
// hour after it was made. Guest is an account that isn't ours.
type team struct {
	*world
	people []source.ID
	group  source.ID
	at     target.ID // the group's account
	guest  target.ID
}

func settledTeam(t *testing.T, edit ...func(*world)) *team {
	t.Helper()
	w := newWorld(t, edit...)
	x := &team{world: w, people: w.people(5)}
	x.group = w.group("staff", x.people[:4]...)
	x.guest = w.tgt.Add(target.Object{Kind: target.User, Attributes: target.Attributes{
		"userPrincipalName": {"guest@contoso.com"}, "displayName": {"Guest"}, "mailNickname": {"guest"}, "accountEnabled": {"true"}}})
	w.sync()
	time.Sleep(time.Hour)
	w.sync()
	x.at = w.idOf(x.group)
	w.mustRest()
	w.tgt.ResetCounts()
	return x
}

// meddle sets the members of the group behind our back.
func (x *team) meddle(ids ...target.ID) {
	x.t.Helper()
	require.True(x.t, x.tgt.SetRefs(x.at, target.RefMembers, ids...))
}

// ids are the accounts of people by number.
func (x *team) ids(numbers ...int) (all []target.ID) {
	for _, n := range numbers {
		all = append(all, x.idOf(x.people[n]))
	}
	return all
}

// members are those of the group, by name.
func (x *team) members() []string { return x.refs(x.group, target.RefMembers) }

func TestT09_MembersThatSomebodyRemovedComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.meddle(x.ids(0, 3)...)
		cs := x.changes()
		require.Len(t, cs, 1)
		require.Equal(t, plan.ReasonDrift, cs[0].Reason)
		require.ElementsMatch(t, x.people[1:3], cs[0].Refer.Add)
		require.Empty(t, cs[0].Refer.Remove)

		x.tgt.ResetCounts()
		rep := x.sync()
		require.Equal(t, 2, rep.RefsDrifted)
		require.Equal(t, 2, rep.MembersAdded)
		require.Empty(t, rep.Problems)
		require.Equal(t, pnames(0, 1, 2, 3), x.members())
		got := x.tgt.Counts()
		require.Equal(t, 1, got.Refers)
		require.Zero(t, got.RefReads, "nobody reads the group")
		require.Equal(t, 1, got.RefFinds)
		x.mustRest()
		time.Sleep(time.Hour)
		require.Zero(t, x.sync().RefsDrifted, "what comes back by the delta is ours")
		x.mustRest()
	})
}

func TestT09_WhoSomebodyAddedIsRemovedGuestsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.meddle(append(x.ids(0, 1, 2, 3, 4), x.guest)...)
		rep := x.sync()
		require.Equal(t, 2, rep.RefsDrifted)
		require.Equal(t, 2, rep.MembersRemoved)
		require.Equal(t, pnames(0, 1, 2, 3), x.members())
		_, there := x.tgt.Get(x.guest)
		require.True(t, there, "the account itself isn't ours to touch")
		time.Sleep(time.Hour)
		x.mustRest()

		back, err := x.eng.Undo(t.Context(), rep.Run)
		require.NoError(t, err)
		_, err = x.eng.Apply(t.Context(), back.Hash)
		require.NoError(t, err)
		require.Len(t, x.members(), 6)
		time.Sleep(time.Hour)
		x.mustRest()
		require.Contains(t, codes(x.sync()), "reference-held", "and what was undone stays so")
	})
}

func TestT09_OwnersAreLookedAtInTheLookAtEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		require.True(t, x.tgt.SetRefs(x.at, target.RefOwners, x.guest))
		require.Zero(t, x.sync(dirsync.Request{Reconcile: true}).RefsDrifted, "the source names none")
		x.src.Refer(x.group, "managedBy", x.people[0])
		x.sync(dirsync.Request{Full: true})
		time.Sleep(time.Hour)
		x.sync()
		require.True(t, x.tgt.SetRefs(x.at, target.RefOwners, append(x.ids(4), x.guest)...))
		rep := x.sync(dirsync.Request{Reconcile: true})
		require.Equal(t, 3, rep.RefsDrifted)
		require.Equal(t, pnames(0), x.refs(x.group, target.RefOwners))
		x.mustRest()
	})
}

func TestT09_AManagerThatSomebodyChangedIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.src.Refer(x.people[1], "manager", x.people[0])
		x.sync()
		time.Sleep(time.Hour)
		x.sync()
		require.True(t, x.tgt.SetRefs(x.ids(1)[0], target.RefManager, x.guest))
		require.True(t, x.tgt.SetRefs(x.ids(2)[0], target.RefManager, x.guest))
		require.Equal(t, 1, x.sync().RefsChanged)
		require.Equal(t, pnames(0), x.refs(x.people[1], target.RefManager))
		require.Equal(t, []string{"Guest"}, x.refs(x.people[2], target.RefManager), "of whom the source says nothing")
		time.Sleep(time.Hour)
		x.mustRest()
	})
}

func TestT09_TheLookAtEverythingFindsWhatNoDeltaTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.tgt.ExpireTokens()
		x.meddle(append(x.ids(1, 2, 3, 4), x.guest)...)
		rep := x.sync()
		require.NotEmpty(t, rep.Reconciled)
		require.Equal(t, 3, rep.RefsDrifted)
		require.Equal(t, pnames(0, 1, 2, 3), x.members())
		time.Sleep(time.Hour)
		x.sync()
		x.tgt.ResetCounts()
		rep = x.sync(dirsync.Request{Reconcile: true})
		require.Zero(t, rep.RefsDrifted)
		require.Equal(t, 2, x.tgt.Counts().RefReads, "members and owners of the group, once")
		require.Zero(t, x.tgt.Counts().RefFinds)
	})
}

func TestT09_AGroupThatSomebodyDeletedIsRestoredAndChangedIsPutBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.edit(x.at, "displayName", "Not staff")
		require.Equal(t, 1, x.sync().Updated)
		require.Equal(t, []string{"staff"}, x.holds(x.at, "displayName"))
		time.Sleep(time.Hour)
		x.sync()
		require.True(t, x.tgt.Remove(x.at))
		rep := x.sync()
		require.Equal(t, 1, rep.Restored)
		require.Zero(t, rep.Created)
		require.Equal(t, x.at, x.idOf(x.group))
		require.Equal(t, pnames(0, 1, 2, 3), x.members())
		time.Sleep(time.Hour)
		x.sync()
		x.mustRest()
	})
}

// What somebody did to a group before it was deleted, no delta may have told.
func TestT09_AGroupOutOfTheBinIsSwept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.meddle(append(x.ids(0, 1, 2, 3), x.guest)...)
		require.True(t, x.tgt.Remove(x.at))
		require.Equal(t, 1, x.sync().Restored)
		require.Len(t, x.members(), 5, "the bin brings the guest along")
		time.Sleep(time.Hour)
		require.Equal(t, 1, x.sync().MembersRemoved)
		require.Equal(t, pnames(0, 1, 2, 3), x.members())
		time.Sleep(time.Hour)
		x.mustRest()
	})
}

func TestT09_AGroupThatIsGoneForGoodIsMadeAnewAndNotForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t, func(w *world) {
			w.tgt = memtarget.New("contoso", &memtarget.Options{NoGroupBin: true})
			w.tgt.VerifyDomain("contoso.com")
		})
		for n := range 3 {
			old := x.idOf(x.group)
			require.True(t, x.tgt.Remove(old))
			rep := x.sync()
			require.Equal(t, 1, rep.Created, "time %d: %+v", n, rep.Problems)
			require.NotEqual(t, old, x.idOf(x.group))
			require.Equal(t, pnames(0, 1, 2, 3), x.members())
			time.Sleep(time.Hour)
			x.sync()
			x.mustRest()
		}
		require.True(t, x.tgt.Remove(x.idOf(x.group)))
		require.Zero(t, x.sync().Created, "who insists wins")
		require.Contains(t, codes(x.sync()), "missing-at-target")
	})
}

func TestT09_AReportOfMembersWritesNothingAndEndsWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t, func(w *world) { w.opt.Drift = dirsync.ReportDrift })
		x.meddle(append(x.ids(1, 2, 3, 4), x.guest)...)
		rep := x.sync()
		require.Zero(t, rep.Changed())
		require.Equal(t, 3, rep.RefsDrifted)
		require.Equal(t, []string{"reference-drift"}, codes(rep))
		require.Contains(t, rep.Problems[0].Message, "2 were added and 1 removed")
		require.Contains(t, rep.Problems[0].Message, string(x.guest))
		time.Sleep(time.Hour)
		rep = x.sync(dirsync.Request{Reconcile: true})
		require.Zero(t, rep.RefsDrifted, "it is known")
		require.Equal(t, []string{"reference-drift"}, codes(rep))

		x.src.SetRefs(x.group, "member", x.people[1:5]...) // the source says the same of two of them now
		rep = x.sync()
		require.Contains(t, rep.Problems[0].Message, "1 were added and 0 removed")
		x.meddle(x.ids(1, 2, 3, 4)...)
		time.Sleep(time.Hour)
		require.Empty(t, x.sync().Problems)

		x.meddle(x.ids(1, 2)...)
		x.sync()
		x.opt.Drift = dirsync.PutBack
		x.eng = x.engine(x.src, x.tgt, x.store)
		time.Sleep(time.Hour)
		rep = x.sync()
		require.Equal(t, 2, rep.MembersAdded, "another policy")
		require.Empty(t, rep.Problems)
		x.meddle(x.ids(1, 2)...)
		x.opt.Drift = dirsync.IgnoreDrift
		x.eng = x.engine(x.src, x.tgt, x.store)
		x.tgt.ResetCounts()
		rep = x.sync()
		require.Zero(t, rep.Changed()+len(rep.Problems))
		require.Zero(t, x.tgt.Counts().Deltas)
	})
}

func TestT09_WhoInsistsOnAMemberIsReportedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		for n := range 3 {
			x.meddle(x.ids(0, 1, 2)...)
			require.Equal(t, 1, x.sync().MembersAdded, "time %d", n)
			time.Sleep(time.Hour)
			x.sync() // sees that it is there
		}
		x.meddle(x.ids(0, 1, 2)...)
		rep := x.sync()
		require.Zero(t, rep.Changed())
		require.Equal(t, []string{"reference-drift-persists"}, codes(rep))
		x.mustRest()
		x.meddle(x.ids(0, 1, 2, 3)...) // they think better of it
		x.sync()
		require.Empty(t, x.sync().Problems)
	})
}

func TestT09_AMemberThatIsProtectedIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.tgt.Protect(x.guest, "holds a role")
		x.tgt.Protect(x.ids(0)[0], "holds a role")
		x.meddle(append(x.ids(1, 2, 3), x.guest)...)
		rep := x.sync()
		require.Zero(t, rep.Changed())
		require.Equal(t, []string{"reference-drift"}, codes(rep))
		require.Contains(t, rep.Problems[0].Message, "protected")
		x.tgt.Protect(x.guest, "")
		x.tgt.Protect(x.ids(0)[0], "")
		time.Sleep(time.Hour)
		rep = x.sync(dirsync.Request{Reconcile: true})
		require.Equal(t, 2, rep.Changed())
		require.Empty(t, rep.Problems)
		require.Equal(t, pnames(0, 1, 2, 3), x.members())
	})
}

func TestT07_PuttingMembersBackStaysWithinItsBudgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t, func(w *world) { w.opt.Limits.PutBacks.Count = 2 })
		x.meddle(x.ids(0)...)
		_, err := x.eng.Sync(t.Context(), nil)
		var halted *dirsync.HaltedError
		require.ErrorAs(t, err, &halted)
		require.Equal(t, plan.Memberships, halted.Breaches[0].Kind)
		require.Equal(t, plan.PutBacks, halted.Breaches[0].Effect)
		require.Contains(t, halted.Breaches[0].String(), "3 memberships to put back")
		p, err := x.eng.Waiting(t.Context())
		require.NoError(t, err)
		require.NoError(t, x.eng.Approve(t.Context(), p.Hash, "ann", time.Now().Add(time.Hour)))
		require.Equal(t, 3, x.sync().MembersAdded)
	})
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t, func(w *world) { w.opt.Limits.GroupMemberRemovals.Count = 1 })
		x.meddle(append(x.ids(0, 1, 2, 3, 4), x.guest)...)
		_, err := x.eng.Sync(t.Context(), nil)
		require.ErrorContains(t, err, "members to remove")
	})
}

func TestT03_OurOwnMembersAreNoDriftWhileTheTargetLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := settledTeam(t)
		x.src.SetRefs(x.group, "member", x.people[1:5]...)
		x.sync()
		// What somebody does just after us is looked at when what is shown must be
		// newer than what we wrote.
		x.meddle(x.ids(1, 2, 3)...)
		require.Zero(t, x.sync().RefsDrifted)
		time.Sleep(20 * time.Minute)
		rep := x.sync()
		require.Equal(t, 1, rep.RefsDrifted)
		require.Equal(t, pnames(1, 2, 3, 4), x.members())
	})
}

// One member of a large group is one look and one write.
func TestS14_OneStrangerInALargeGroupIsOneLookAndOneWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		people := w.people(400)
		id := w.group("all", people...)
		w.sync()
		time.Sleep(time.Hour)
		w.sync()
		at := w.idOf(id)
		require.True(t, w.tgt.SetRefs(at, target.RefMembers, w.tgt.RefsOf(at, target.RefMembers)[1:]...))
		w.sync() // SetRefs made them all anew
		time.Sleep(time.Hour)
		w.sync()
		w.tgt.ResetCounts()
		gone := w.tgt.RefsOf(at, target.RefMembers)[7]
		_, err := w.tgt.Apply(t.Context(), target.Change{Op: target.Refer, Kind: target.Group, ID: at,
			Refs: &target.Refs{Attribute: target.RefMembers, Remove: []target.ID{gone}}})
		require.NoError(t, err)
		w.tgt.ResetCounts()
		require.Equal(t, 1, w.sync().MembersAdded)
		got := w.tgt.Counts()
		require.Equal(t, []int{1, 1, 0, 1}, []int{got.RefFinds, got.RefKeys, got.RefReads, got.RefsAdded}, fmt.Sprintf("%+v", got))
	})
}
