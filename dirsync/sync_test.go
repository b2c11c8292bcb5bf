package dirsync_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

func TestTheFirstRunIsCompleteAndTheNextBringsOnlyWhatChanged(t *testing.T) {
	w := newWorld(t)
	ids := w.people(50)
	rep := w.sync()
	require.Equal(t, dirsync.Full, rep.Mode)
	require.Equal(t, "first run", rep.FullReason)
	require.Equal(t, 50, rep.Read)
	require.Equal(t, 50, rep.Created)
	require.Equal(t, 50, rep.Writes)
	require.Empty(t, rep.Problems)
	require.NotEmpty(t, rep.Watermark)
	require.Equal(t, 50, w.tgt.Len())

	w.set(ids[7], "title", "Engineer")
	rep = w.sync()
	require.Equal(t, dirsync.Delta, rep.Mode)
	require.Equal(t, 1, rep.Read)
	require.Equal(t, 1, rep.Updated)
	require.Equal(t, []string{"Engineer"}, w.account("p007@contoso.com").Attributes["jobTitle"])
	w.mustRest()
}

func TestAChangeIsWrittenAsTheAttributesThatDiffer(t *testing.T) {
	var changes []plan.Change
	w := newWorld(t, func(w *world) {
		w.opt.OnEvent = func(e dirsync.Event) {
			if a, ok := e.(dirsync.Applied); ok {
				changes = append(changes, a.Change)
			}
		}
	})
	id := w.person("ann", "contoso.com", "title", "Clerk", "department", "Sales")
	w.sync()
	w.set(id, "title", "Director")
	w.set(id, "department")
	changes = nil
	w.sync()
	require.Len(t, changes, 1)
	require.Equal(t, target.Update, changes[0].Op)
	require.Equal(t, target.Attributes{"jobTitle": {"Director"}, "department": nil}, changes[0].Set)
	require.Equal(t, target.Attributes{"jobTitle": {"Clerk"}, "department": {"Sales"}}, changes[0].Before)
	require.Len(t, changes[0].Decisions, 2)
	w.mustRest()
}

func TestAnAccountFollowsItsObjectThroughDisableDeleteAndRestore(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID

	w.set(id, "userAccountControl", "514")
	rep := w.sync()
	require.Equal(t, 1, rep.Disabled)
	require.Equal(t, "false", w.account("ann@contoso.com").Attributes.First(target.AttrAccountEnabled))

	w.set(id, "userAccountControl", "512")
	rep = w.sync()
	require.Equal(t, 1, rep.Updated)
	require.Equal(t, 1, rep.Enabled)

	require.True(t, w.src.Remove(id))
	rep = w.sync()
	require.Equal(t, 1, rep.Deleted)
	require.Zero(t, w.tgt.Len())
	w.mustRest()

	require.True(t, w.src.Undelete(id))
	w.set(id, "title", "Back")
	rep = w.sync()
	require.Equal(t, 1, rep.Restored)
	require.Zero(t, rep.Created)
	back := w.account("ann@contoso.com")
	require.Equal(t, account, back.ID, "who comes back gets the old account")
	require.Equal(t, "Back", back.Attributes.First("jobTitle"))
	w.mustRest()
}

func TestAnAccountWhoseTimeInTheBinIsOverIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID
	w.src.Remove(id)
	w.sync()
	require.True(t, w.tgt.Purge(account))
	w.src.Undelete(id)
	rep := w.sync()
	require.Equal(t, 1, rep.Created)
	require.Empty(t, rep.Problems)
	require.NotEqual(t, account, w.account("ann@contoso.com").ID)
	w.mustRest()
}

func TestWhoLeavesTheScopeIsDisabledAndEnabledAgainOnReturn(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	require.True(t, w.src.MoveOut(id))
	rep := w.sync()
	require.Equal(t, 1, rep.Disabled)
	require.Equal(t, "false", w.account("ann@contoso.com").Attributes.First(target.AttrAccountEnabled))
	w.mustRest()
	require.True(t, w.src.MoveIn(id))
	rep = w.sync()
	require.Equal(t, 1, rep.Enabled)
	w.mustRest()
}

func TestAbsenceFromACompleteReadRemovesNothing(t *testing.T) {
	w := newWorld(t)
	ids := w.people(20)
	w.sync()
	for _, id := range ids[:10] {
		require.True(t, w.src.Hide(id))
	}
	rep := w.sync(dirsync.Request{Full: true})
	require.Zero(t, rep.Changed())
	require.Equal(t, []string{"missing-in-source"}, codes(rep))
	require.Len(t, rep.Problems, 10)
	require.Equal(t, 20, w.tgt.Len())
	for _, id := range ids[:10] {
		require.True(t, w.src.Show(id))
	}
	rep = w.sync(dirsync.Request{Full: true})
	require.Zero(t, rep.Changed())
	require.Empty(t, rep.Problems)
	w.mustRest()
}

func TestADeletionMissedByTheDeltaIsFoundByItsTombstone(t *testing.T) {
	w := newWorld(t)
	ids := w.people(20)
	w.sync()
	w.src.Remove(ids[3])
	w.src.MoveOut(ids[4])
	w.src.Expire()
	rep := w.sync()
	require.Equal(t, dirsync.Full, rep.Mode)
	require.Contains(t, rep.FullReason, "watermark expired")
	require.Equal(t, 1, rep.Deleted)
	require.Equal(t, 1, rep.Disabled)
	require.Empty(t, rep.Problems)
	w.mustRest()
}

func TestATombstoneThatIsGoneLeavesTheAccount(t *testing.T) {
	w := newWorld(t)
	ids := w.people(20)
	w.sync()
	w.src.Remove(ids[3])
	w.src.PurgeTombstones()
	w.src.Expire()
	rep := w.sync()
	require.Zero(t, rep.Deleted)
	require.Equal(t, []string{"missing-in-source"}, codes(rep))
	require.Equal(t, 20, w.tgt.Len())
}

func TestOnlyOwnedAccountsAreTouched(t *testing.T) {
	w := newWorld(t)
	foreign := w.tgt.Add(target.Object{Kind: target.User, Anchor: "someone-elses", Attributes: target.Attributes{
		"userPrincipalName": {"boss@contoso.com"}, "displayName": {"The Boss"}, "accountEnabled": {"true"}, "mailNickname": {"boss"}}})
	boss := w.person("boss", "contoso.com")
	w.person("ann", "contoso.com")
	rep := w.sync()
	require.Equal(t, 1, rep.Created)
	require.Len(t, rep.Problems, 1)
	p := rep.Problems[0]
	require.Equal(t, boss, p.Object)
	require.Equal(t, "conflict-unowned", p.Code)
	require.Equal(t, string(foreign), p.Holder)
	before, _ := w.tgt.Get(foreign)
	require.Equal(t, "The Boss", before.Attributes.First("displayName"))
	writes := w.tgt.Counts().Writes()
	w.sync(dirsync.Request{Full: true, Retry: true})
	require.Equal(t, writes, w.tgt.Counts().Writes(), "a known conflict isn't tried again and again")

	// The way is free: the account comes.
	w.tgt.Remove(foreign)
	rep = w.sync(dirsync.Request{Retry: true})
	require.Equal(t, 1, rep.Created)
	require.Empty(t, rep.Problems)
}

func TestAnAccountWithOurAnchorButNoLinkIsNotTaken(t *testing.T) {
	w := newWorld(t)
	w.people(3)
	w.sync()
	accounts := w.upns()
	// The state is lost: everything starts from the beginning.
	fresh := newWorld(t, func(f *world) { f.src, f.tgt = w.src, w.tgt })
	writes := w.tgt.Counts().Writes()
	rep := fresh.sync()
	require.Zero(t, rep.Changed())
	require.Len(t, rep.Problems, 3, "one for each")
	require.Equal(t, []string{"anchor-unowned"}, codes(rep))
	require.Equal(t, writes, w.tgt.Counts().Writes())
	require.Equal(t, accounts, fresh.upns())
}

func TestFallbackFollowsTheVerifiedDomains(t *testing.T) {
	w := newWorld(t)
	w.person("ann", "contoso.com")
	w.person("bob", "fabrikam.com")
	w.person("eve", "corp.local")
	w.sync()
	require.Equal(t, []string{"ann@contoso.com", "bob@contoso.onmicrosoft.com", "eve@contoso.onmicrosoft.com"}, w.upns())

	w.tgt.VerifyDomain("fabrikam.com")
	rep := w.sync()
	require.Equal(t, 0, rep.Read)
	require.Equal(t, 1, rep.Updated)
	require.Equal(t, []string{"ann@contoso.com", "bob@fabrikam.com", "eve@contoso.onmicrosoft.com"}, w.upns())
	w.mustRest()

	w.tgt.UnverifyDomain("contoso.com")
	rep = w.sync()
	require.Equal(t, 1, rep.Updated)
	require.Equal(t, []string{"ann@contoso.onmicrosoft.com", "bob@fabrikam.com", "eve@contoso.onmicrosoft.com"}, w.upns())
	w.mustRest()
}

func TestTwoOfOursWhoWantOneNameGetItByAStatedOrder(t *testing.T) {
	w := newWorld(t)
	own := w.person("ann", "contoso.onmicrosoft.com")
	other := w.person("ann", "corp.local", "sAMAccountName", "ann2") // falls back to the same name
	rep := w.sync()
	require.Equal(t, 2, rep.Created)
	require.Len(t, rep.Problems, 1)
	require.Equal(t, other, rep.Problems[0].Object, "who falls back loses to who has it as login ID")
	require.Equal(t, string(own), rep.Problems[0].Holder)
	upns := w.upns()
	require.Regexp(t, `^ann-[0-9a-f]{8}@contoso\.onmicrosoft\.com$`, upns[0])
	require.Equal(t, "ann@contoso.onmicrosoft.com", upns[1])
	w.mustRest()

	// The value returns to the loser in the run in which it is free.
	w.src.Remove(own)
	rep = w.sync()
	require.Equal(t, 1, rep.Deleted)
	require.Equal(t, 1, rep.Updated)
	require.Empty(t, rep.Problems)
	require.Equal(t, []string{"ann@contoso.onmicrosoft.com"}, w.upns())
	w.mustRest()
}

func TestNamesArePassedOnInOneRun(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.person("a", "contoso.com"), w.person("b", "contoso.com"), w.person("c", "contoso.com")
	w.sync()
	// a chain: a becomes x, b becomes a, c becomes b
	w.set(a, "userPrincipalName", "x@contoso.com")
	w.set(b, "userPrincipalName", "a@contoso.com")
	w.set(c, "userPrincipalName", "b@contoso.com")
	rep := w.sync()
	require.Empty(t, rep.Problems)
	require.Equal(t, 3, rep.Updated)
	require.Equal(t, "Person c", w.account("b@contoso.com").Attributes.First("displayName"))
	w.mustRest()

	// a new account takes the name of a deleted one
	w.src.Remove(c)
	w.person("b", "contoso.com", "displayName", "Another b")
	rep = w.sync()
	require.Equal(t, 1, rep.Deleted)
	require.Equal(t, 1, rep.Created)
	require.Empty(t, rep.Problems)
	require.Equal(t, "Another b", w.account("b@contoso.com").Attributes.First("displayName"))
	w.mustRest()
}

func TestNamesAreSwappedInACycleWithOneTemporaryName(t *testing.T) {
	for _, n := range []int{2, 3, 5} {
		w := newWorld(t)
		ids := w.people(n)
		w.sync()
		for i, id := range ids {
			w.set(id, "userPrincipalName", "p00"+string(rune('0'+(i+1)%n))+"@contoso.com")
		}
		rep := w.sync()
		require.Empty(t, rep.Problems, "a cycle of %d", n)
		require.Equal(t, n+1, rep.Updated)
		for i := range ids {
			require.Equal(t, "Person p00"+string(rune('0'+i)),
				w.account("p00"+string(rune('0'+(i+1)%n))+"@contoso.com").Attributes.First("displayName"))
		}
		w.mustRest()
	}
}

func TestNamesAndAddressesAreSwappedTogether(t *testing.T) {
	for _, n := range []int{2, 4} {
		w := newWorld(t)
		var ids []source.ID
		for i := range n {
			login := string(rune('a' + i))
			ids = append(ids, w.person(login, "contoso.com", "mail", login+"@contoso.com"))
		}
		w.sync()
		for i, id := range ids {
			next := string(rune('a' + (i+1)%n))
			w.set(id, "userPrincipalName", next+"@contoso.com")
			w.set(id, "mail", next+"@contoso.com")
			w.set(id, "title", "Swapped")
		}
		rep := w.sync()
		require.Empty(t, rep.Problems, "a cycle of %d", n)
		require.Equal(t, n+1, rep.Updated)
		for i := range ids {
			o := w.account(string(rune('a'+(i+1)%n)) + "@contoso.com")
			require.Equal(t, "Person "+string(rune('a'+i)), o.Attributes.First("displayName"))
			require.Equal(t, string(rune('a'+(i+1)%n))+"@contoso.com", o.Attributes.First("mail"))
			require.Equal(t, "Swapped", o.Attributes.First("jobTitle"))
		}
		w.mustRest()
	}
	// addresses alone
	w := newWorld(t)
	a, b := w.person("a", "contoso.com", "mail", "a@contoso.com"), w.person("b", "contoso.com", "mail", "b@contoso.com")
	w.sync()
	w.set(a, "mail", "b@contoso.com")
	w.set(b, "mail", "a@contoso.com")
	rep := w.sync()
	require.Empty(t, rep.Problems)
	require.Equal(t, 3, rep.Updated)
	require.Equal(t, "b@contoso.com", w.account("a@contoso.com").Attributes.First("mail"))
	w.mustRest()
}

func TestTheGuardHaltsBeforeAnythingIsWritten(t *testing.T) {
	w := newWorld(t)
	ids := w.people(120)
	w.sync()
	for _, id := range ids[:25] {
		w.src.Remove(id)
	}
	w.set(ids[100], "title", "Not written either")
	writes := w.tgt.Counts().Writes()
	rep, err := w.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrHalted)
	var halted *dirsync.HaltedError
	require.ErrorAs(t, err, &halted)
	require.Equal(t, 25, halted.Counts.Removals)
	require.Equal(t, plan.Breach{Kind: target.User, Effect: plan.Removals, Bound: plan.ByPercent, Planned: 25, Owned: 120, Allowed: 24}, halted.Breaches[0])
	require.Zero(t, rep.Changed())
	require.Equal(t, writes, w.tgt.Counts().Writes())

	// It halts again: what was read isn't forgotten.
	_, err = w.eng.Sync(t.Context(), nil)
	require.ErrorIs(t, err, dirsync.ErrHalted)
	p, err := w.eng.Preview(t.Context(), nil)
	require.NoError(t, err)
	require.Len(t, p.Breaches, 1)

	// Two come back: 23 of 120 are let through.
	w.src.Undelete(ids[0])
	w.src.Undelete(ids[1])
	rep = w.sync()
	require.Equal(t, 23, rep.Deleted)
	require.Equal(t, 1, rep.Updated)
	w.mustRest()
}

func TestAPreviewWritesNothingAndSaysWhatTheRunDoes(t *testing.T) {
	w := newWorld(t)
	ids := w.people(10)
	p, err := w.eng.Preview(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 10, p.Counts.Create)
	require.Zero(t, w.tgt.Counts().Writes())
	rep := w.sync()
	require.Equal(t, p.Hash, rep.PlanHash)
	require.Equal(t, dirsync.Full, rep.Mode, "a preview moves no watermark")

	w.set(ids[0], "title", "Engineer")
	w.src.Remove(ids[1])
	for range 2 {
		p, err = w.eng.Preview(t.Context(), nil)
		require.NoError(t, err)
		var ops []target.Op
		for c, err := range p.Changes(t.Context()) {
			require.NoError(t, err)
			ops = append(ops, c.Op)
		}
		require.Equal(t, []target.Op{target.Update, target.Delete}, ops)
	}
	rep = w.sync()
	require.Equal(t, p.Hash, rep.PlanHash)
	require.Equal(t, 1, rep.Deleted)
}

func TestAnObjectThatFailsHoldsNothingBack(t *testing.T) {
	w := newWorld(t)
	w.people(30)
	bad := w.person("bad", "contoso.com", "title", longText(200))
	rep := w.sync()
	require.Equal(t, 31, rep.Created)
	require.Len(t, rep.Problems, 1)
	require.Equal(t, bad, rep.Problems[0].Object)
	require.Equal(t, "value-too-long", rep.Problems[0].Code)
	require.Equal(t, "jobTitle", rep.Problems[0].Attribute)
	w.mustRest()

	// Still open, with the time when it was first seen.
	again := w.sync()
	require.Equal(t, rep.Problems, again.Problems)
	w.set(bad, "title", "Short")
	rep = w.sync()
	require.Empty(t, rep.Problems)
	require.Equal(t, 1, rep.Updated)
}

func TestAValueThatCannotBeClearedIsReportedOnce(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com", "mail", "ann@contoso.com")
	w.sync()
	w.set(id, "mail")
	rep := w.sync()
	require.Equal(t, []string{"cannot-clear"}, codes(rep))
	require.Zero(t, rep.Updated)
	rep = w.sync(dirsync.Request{Full: true})
	require.Empty(t, rep.Problems)
	require.Equal(t, "ann@contoso.com", w.account("ann@contoso.com").Attributes.First("mail"))
	w.mustRest()
}

func TestAnAccountThatSomebodyDeletedIsRestoredByTheNextChange(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID
	require.True(t, w.tgt.Remove(account))
	w.set(id, "title", "Engineer")
	rep := w.sync()
	require.Equal(t, 1, rep.Restored)
	require.Empty(t, rep.Problems)
	require.Equal(t, account, w.account("ann@contoso.com").ID)
	require.Equal(t, "Engineer", w.account("ann@contoso.com").Attributes.First("jobTitle"))
	w.mustRest()
}

func TestAnAccountThatIsNowhereIsReportedAndNotMadeAgain(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID
	w.tgt.Remove(account)
	w.tgt.Purge(account)
	w.set(id, "title", "Engineer")
	rep := w.sync()
	require.Zero(t, rep.Changed())
	require.Equal(t, []string{"missing-at-target"}, codes(rep))
	require.Zero(t, w.tgt.Len())
}

func TestAnUnreadableObjectIsReportedAndKept(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	w.sync()
	w.src.Spoil(ids[1], errors.New("access denied"))
	rep := w.sync(dirsync.Request{Full: true})
	require.Equal(t, []string{"unreadable"}, codes(rep))
	require.Equal(t, 3, w.tgt.Len())
	w.src.Spoil(ids[1], nil)
	rep = w.sync(dirsync.Request{Full: true})
	require.Empty(t, rep.Problems)
	w.mustRest()
}

func TestTwoRunsAtOnceAreRefused(t *testing.T) {
	w := newWorld(t)
	w.people(1)
	var inner error
	w.opt.OnEvent = func(e dirsync.Event) {
		if _, ok := e.(dirsync.Read); ok {
			_, inner = w.eng.Sync(t.Context(), nil)
		}
	}
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.sync()
	require.ErrorIs(t, inner, dirsync.ErrRunning)
}

func TestAPanickingListenerDoesNotStopTheRun(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opt.OnEvent = func(dirsync.Event) { panic("listener") } })
	w.people(3)
	require.Equal(t, 3, w.sync().Created)
}

func TestPollAsksTheTargetNothing(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	changed, err := w.eng.Poll(t.Context())
	require.NoError(t, err)
	require.True(t, changed, "nothing is known yet")
	w.sync()
	calls := w.tgt.Counts()
	changed, err = w.eng.Poll(t.Context())
	require.NoError(t, err)
	require.False(t, changed)
	w.set(ids[0], "title", "x")
	changed, err = w.eng.Poll(t.Context())
	require.NoError(t, err)
	require.True(t, changed)
	require.Equal(t, calls, w.tgt.Counts())
}

func TestTheReportSaysWhenTheRunWas(t *testing.T) {
	w := newWorld(t)
	rep := w.sync()
	require.EqualValues(t, 1, rep.Run)
	require.WithinDuration(t, time.Now(), rep.Finished, time.Minute)
	require.False(t, rep.Finished.Before(rep.Started))
	require.EqualValues(t, 2, w.sync().Run)
}

func longText(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

var _ = source.User
