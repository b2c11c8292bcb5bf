package dirsync_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

const sharedMail = "ann@contoso.com"

// A person has IDs that sort against the names of the directories, so that neither
// order helps by chance.
const (
	inCorp = source.ID("ffffffff-0000-0000-0000-000000000001")
	inEast = source.ID("00000000-0000-0000-0000-000000000002")
)

func newPersons(t *testing.T, edit ...func(*world)) *union {
	return newUnion(t, append(edit, func(w *world) { w.opt.Join = &mapping.Join{By: "mail"} })...)
}

// Two domains joined to one tenant, in both orders: the same result.
func TestJoinedSourcesGiveOneTenantInAnyOrder(t *testing.T) {
	var tenants, hashes []string
	for n := range uint64(16) {
		u := newPersons(t)
		u.corp.mixes, u.east.mixes = rand.New(rand.NewPCG(n, 1)), rand.New(rand.NewPCG(n, 2))
		order := rand.New(rand.NewPCG(n, 3)).Perm(12)
		for _, i := range order {
			mail := []string{"mail", fmt.Sprintf("p%d@contoso.com", i/2)}
			id := source.ID(fmt.Sprintf("%02x000000-0000-0000-0000-000000000000", i*91%256))
			if uac := "514"; i%3 == 0 {
				mail = append(mail, "userAccountControl", uac)
			}
			if i%4 == 1 {
				mail = append(mail, "msExchMailboxGuid", "x", "title", "of the mailbox")
			}
			in := u.corp
			if i%2 == 1 {
				in = u.east
			}
			u.hire(in, id, fmt.Sprint("login", i), mail...)
		}
		u.join(n%2 == 1)
		p, err := u.eng.Preview(t.Context(), nil)
		require.NoError(t, err)
		hashes = append(hashes, p.Hash)
		rep := u.sync()
		require.Equal(t, 6, rep.Created)
		require.Empty(t, rep.Problems)
		text := ""
		for o, err := range u.tgt.Current(t.Context()) {
			require.NoError(t, err)
			text += fmt.Sprintln(o.Anchor, o.Attributes)
		}
		tenants = append(tenants, sortedLines(text))
		u.mustRest()
	}
	for i := range tenants {
		require.Equal(t, tenants[0], tenants[i])
		require.Equal(t, hashes[0], hashes[i])
	}
}

// The enabled account says how to sign in, the mailbox what others see of it.
func TestAPersonHasTheValuesOfAllItsParts(t *testing.T) {
	for _, rule := range []string{"mail", mapping.ByMasterAccount} {
		u := newUnion(t, func(w *world) { w.opt.Join = &mapping.Join{By: rule} })
		u.hire(u.corp, inCorp, "ann", "mail", sharedMail, "objectSid", "c2lk", "title", "Clerk", "department", "Sales")
		u.hire(u.east, inEast, "mbx-ann", "mail", sharedMail, "userAccountControl", "514", "objectSid", "b3RoZXI=",
			"msExchMasterAccountSid", "c2lk", "msExchRecipientTypeDetails", "2", "mailNickname", "annie", "title", "Head of Sales")
		rep := u.sync()
		require.Equal(t, 1, rep.Created, rule)
		require.Empty(t, rep.Problems)
		o := u.account("ann@contoso.com")
		assert.Equal(t, "Head of Sales", o.Attributes.First("jobTitle"))
		assert.Equal(t, "annie", o.Attributes.First("mailNickname"))
		assert.Equal(t, "Sales", o.Attributes.First("department"))
		assert.Equal(t, "mbx-ann of east", o.Attributes.First("displayName"))
		assert.Equal(t, "true", o.Attributes.First("accountEnabled"))
		u.mustRest()

		// A value of a part is a change of the person.
		u.east.Edit(inEast, func(o *source.Object) { o.Attributes.Set("title", "CEO") })
		require.Equal(t, 1, u.sync().Updated)
		assert.Equal(t, "CEO", u.account("ann@contoso.com").Attributes.First("jobTitle"))
		u.corp.Edit(inCorp, func(o *source.Object) { o.Attributes.Set("userAccountControl", "514") })
		require.Equal(t, 1, u.sync().Disabled)
		u.mustRest()
	}
}

func TestWhoHasNoKeyIsNotSynchronized(t *testing.T) {
	u := newPersons(t)
	u.hire(u.corp, "", "ann")
	rep := u.sync()
	require.Equal(t, []int{0, 1}, []int{rep.Created, rep.Skipped})
	u = newUnion(t, func(w *world) { w.opt.Join = &mapping.Join{By: mapping.ByMasterAccount} })
	u.hire(u.corp, "", "ann")
	require.Equal(t, 1, u.sync().Created, "it is a person of its own")
}

// The account stays as long as a part of the person does, and goes with the last.
func TestAPersonLivesAsLongAsAPartOfIt(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprint(first), func(t *testing.T) {
			u := newPersons(t)
			u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
			if first { // corp's part carries the account, else east's, by its ID
				u.sync()
			}
			u.hire(u.east, inEast, "ann", "mail", sharedMail)
			u.sync()
			account := u.account("ann@contoso.com")
			carrier, heir, one, other := inCorp, inEast, u.corp, u.east
			if !first {
				carrier, heir, one, other = inEast, inCorp, u.east, u.corp
			}
			one.Remove(carrier)
			rep := u.sync()
			require.Zero(t, rep.Deleted+rep.Created+rep.Disabled)
			require.Equal(t, account.ID, u.account("ann@contoso.com").ID)
			require.Equal(t, account.Anchor, u.account("ann@contoso.com").Anchor)
			require.Equal(t, "ann of "+other.Name(), u.shown("ann@contoso.com"))
			u.mustRest()
			other.Edit(heir, func(o *source.Object) { o.Attributes.Set("displayName", "Later") })
			require.Equal(t, 1, u.sync().Updated)
			require.Equal(t, "Later", u.shown("ann@contoso.com"))
			one.Expire()
			other.Expire()
			require.Zero(t, u.sync().Changed())

			other.Remove(heir)
			rep = u.sync()
			require.Equal(t, 1, rep.Deleted)
			require.Empty(t, u.upns())
			require.Zero(t, u.sync().Changed())
		})
	}
}

// The part that makes no account costs nothing when it goes.
func TestAPartWithoutTheAccountGoes(t *testing.T) {
	u := newPersons(t)
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
	u.sync()
	u.hire(u.east, inEast, "ann", "mail", sharedMail, "title", "Clerk")
	require.Equal(t, 1, u.sync().Updated)
	u.east.Remove(inEast)
	rep := u.sync()
	require.Equal(t, []int{0, 1}, []int{rep.Deleted, rep.Updated})
	require.Empty(t, u.account("ann@contoso.com").Attributes["jobTitle"])
	u.mustRest()

	// Out of sight isn't gone.
	u.hire(u.east, inEast, "ann", "mail", sharedMail, "title", "Clerk")
	u.sync()
	u.east.Hide(inEast)
	u.east.Expire()
	require.Zero(t, u.sync().Changed())
	u.corp.Remove(inCorp)
	rep = u.sync()
	require.Zero(t, rep.Deleted+rep.Disabled, "a part may be there")
	require.Equal(t, []string{"missing-in-source"}, codes(rep))
	u.east.Show(inEast)
	u.east.Expire()
	rep = u.sync()
	require.Zero(t, rep.Deleted)
	require.Empty(t, rep.Problems)
	require.Equal(t, "Clerk", u.account("ann@contoso.com").Attributes.First("jobTitle"))
}

// Who comes after a person is gone is somebody else, whatever they are called.
func TestAnAddressIsNotInheritedWithTheAccount(t *testing.T) {
	u := newPersons(t, func(w *world) { w.opt.MoveWait = time.Hour })
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
	u.sync()
	account := u.account("ann@contoso.com").ID
	u.corp.Remove(inCorp)
	u.hire(u.east, inEast, "anna", "mail", sharedMail)
	rep := u.sync()
	require.Equal(t, []string{"conflict", "removal-waits"}, codes(rep))
	require.NotEqual(t, account, u.account("anna@contoso.com").ID)
	require.Equal(t, account, u.account("ann@contoso.com").ID, "it waits for its removal")
	u.opt.MoveWait = -1
	u.join(true)
	require.Equal(t, 1, u.sync(dirsync.Request{Retry: true}).Deleted)
	require.Equal(t, sharedMail, u.account("anna@contoso.com").Attributes.First("mail"))
	u.mustRest()
}

func TestTwoObjectsOfOneSourceAreAmbiguous(t *testing.T) {
	u := newPersons(t)
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
	u.hire(u.corp, "", "bob", "mail", "bob@contoso.com")
	u.sync()
	twin := u.hire(u.corp, "", "twin", "mail", "ANN@contoso.com")
	u.corp.Edit(inCorp, func(o *source.Object) { o.Attributes.Set("userAccountControl", "514") })
	rep := u.sync()
	require.Zero(t, rep.Changed())
	require.Equal(t, []string{mapping.CodeAmbiguousJoin}, codes(rep))
	require.Len(t, rep.Problems, 2)
	for _, p := range rep.Problems {
		require.Contains(t, p.Message, string(inCorp))
		require.Contains(t, p.Message, string(twin))
	}
	u.mustRest()
	u.set(twin, "mail", "twin@contoso.com")
	rep = u.sync()
	require.Equal(t, []int{1, 1}, []int{rep.Created, rep.Disabled})
	require.Empty(t, rep.Problems)
	u.mustRest()
}

func TestTwoAccountsAreNotJoined(t *testing.T) {
	u := newPersons(t)
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
	u.hire(u.east, inEast, "eve", "mail", "eve@contoso.com")
	u.sync()
	u.east.Edit(inEast, func(o *source.Object) {
		o.Attributes.Set("mail", sharedMail)
		o.Attributes.Set("userAccountControl", "514")
	})
	rep := u.sync()
	require.Zero(t, rep.Changed())
	require.Equal(t, []string{mapping.CodeJoinConflict}, codes(rep))
	require.Len(t, rep.Problems, 2)
	u.mustRest()
	u.east.Remove(inEast)
	rep = u.sync()
	require.Equal(t, 1, rep.Deleted, "its own account, by its own tombstone")
	require.Empty(t, rep.Problems)
	require.Equal(t, []string{"ann@contoso.com"}, u.upns())
	u.mustRest()
}

// Who leaves a person is one of their own, and nobody loses an account by that.
func TestAPartLeavesItsPerson(t *testing.T) {
	u := newPersons(t)
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
	u.sync()
	u.hire(u.east, inEast, "eve", "mail", sharedMail)
	u.sync()
	require.Len(t, u.upns(), 1)
	u.east.Edit(inEast, func(o *source.Object) { o.Attributes.Set("mail", "eve@contoso.com") })
	rep := u.sync()
	require.Equal(t, []int{1, 0, 0}, []int{rep.Created, rep.Deleted, rep.Disabled})
	require.Equal(t, []string{"ann@contoso.com", "eve@contoso.com"}, u.upns())
	u.mustRest()
}

// A rule that is set, changed or given up later goes through the same doors.
func TestTheJoinRuleIsChanged(t *testing.T) {
	u := newUnion(t)
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail, "employeeID", "1")
	u.hire(u.east, inEast, "eve", "employeeID", "2")
	u.sync()
	require.Len(t, u.upns(), 2)
	u.opt.Join = &mapping.Join{By: "mail"}
	u.join(true)
	rep := u.sync()
	require.Equal(t, 1, rep.Disabled, "eve has no address, and leaves by rule")
	u.opt.Join = &mapping.Join{By: "employeeID"}
	u.join(false)
	require.Equal(t, 1, u.sync().Enabled)
	u.hire(u.east, inEast, "eve", "mail", sharedMail, "employeeID", "1")
	require.Equal(t, []string{mapping.CodeJoinConflict}, codes(u.sync()))
	u.opt.Join = nil
	u.join(true)
	rep = u.sync()
	require.NotContains(t, codes(rep), mapping.CodeJoinConflict)
	u.mustRest()
	u.opt.Sources, u.opt.Join = nil, &mapping.Join{By: "mail"}
	_, err := dirsync.New(u.corp, u.tgt, u.store, &u.opt)
	require.Error(t, err)
}

// One part's source that is down takes nobody's account.
func TestAPersonWaitsForAPartThatIsUnread(t *testing.T) {
	u := newPersons(t)
	u.hire(u.corp, inCorp, "ann", "mail", sharedMail)
	u.sync()
	u.hire(u.east, inEast, "ann", "mail", sharedMail)
	u.sync()
	u.east.down = source.ErrUnavailable
	u.corp.Remove(inCorp)
	rep, err := u.try()
	require.ErrorIs(t, err, source.ErrUnavailable)
	require.Zero(t, rep.Deleted+rep.Disabled)
	u.east.Remove(inEast)
	rep, err = u.try()
	require.Error(t, err)
	require.Zero(t, rep.Deleted)
	u.east.down = nil
	require.Equal(t, 1, u.sync().Deleted)
}
