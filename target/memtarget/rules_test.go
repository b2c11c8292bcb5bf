package memtarget_test

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// create is the change that makes a person.
func create(nick string) target.Change {
	return target.Change{Op: target.Create, Kind: target.User, Anchor: "anchor of " + nick, Set: target.Attributes{"displayName": {nick},
		"mailNickname": {nick}, "accountEnabled": {"true"}, "userPrincipalName": {nick + "@contoso.onmicrosoft.com"}}}
}

func change(op target.Op, id target.ID, set target.Attributes) target.Change {
	return target.Change{Op: op, Kind: target.User, ID: id, Set: set}
}

func apply(t *testing.T, tgt *memtarget.Target, c target.Change) target.Object {
	t.Helper()
	o, err := tgt.Apply(t.Context(), c)
	require.NoError(t, err)
	return o
}

func TestACreateNeedsWhatOffice365Requires(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	for name := range maps.Keys(create("ann").Set) {
		c := create("ann")
		delete(c.Set, name)
		_, err := tgt.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrInvalid)
		require.Equal(t, name, target.AttributeOf(err))
	}
	require.Zero(t, tgt.Len())
}

func TestValuesAreRefusedAsOffice365Does(t *testing.T) {
	tgt := memtarget.New("contoso", &memtarget.Options{Limits: memtarget.Office365Limits()})
	ann := apply(t, tgt, create("ann"))
	for _, tt := range []struct {
		name   string
		values []string
		want   error
	}{
		{"displayName", nil, target.ErrInvalid}, // can't be cleared
		{"mail", nil, target.ErrInvalid},
		{"usageLocation", nil, target.ErrInvalid},
		{"accountEnabled", []string{"yes"}, target.ErrInvalid},
		{"userPrincipalName", []string{"ann"}, target.ErrInvalid},
		{"userPrincipalName", []string{"@contoso.onmicrosoft.com"}, target.ErrInvalid},
		{"userPrincipalName", []string{"ann@corp.local"}, target.ErrDomainNotVerified},
		{"employeeId", []string{strings.Repeat("ü", 17)}, target.ErrInvalid}, // characters, not bytes
		{"employeeId", []string{strings.Repeat("ü", 16)}, nil},
		{"extensionAttribute1", []string{strings.Repeat("x", 1025)}, target.ErrInvalid},
		{"givenName", nil, nil},
		{"userPrincipalName", []string{"Ann@CONTOSO.onmicrosoft.com"}, nil},
	} {
		_, err := tgt.Apply(t.Context(), change(target.Update, ann.ID, target.Attributes{tt.name: tt.values}))
		require.ErrorIs(t, err, tt.want, "%s = %q", tt.name, tt.values)
		if tt.want != nil {
			require.Equal(t, tt.name, target.AttributeOf(err))
		}
	}
}

func TestTwoObjectsNeverHaveOneAnchor(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	apply(t, tgt, create("ann"))
	c := create("bob")
	c.Anchor = "anchor of ann"
	_, err := tgt.Apply(t.Context(), c)
	require.ErrorIs(t, err, target.ErrExists)
	require.Equal(t, "onPremisesImmutableId", target.AttributeOf(err))
}

func TestARestoreThatCollidesLeavesTheObjectInTheBin(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	ann := apply(t, tgt, create("ann"))
	apply(t, tgt, change(target.Delete, ann.ID, nil))
	other := create("ann")
	other.Anchor = "another"
	apply(t, tgt, other)

	_, err := tgt.Apply(t.Context(), change(target.Restore, ann.ID, nil))
	require.ErrorIs(t, err, target.ErrExists)
	binned, err := tgt.FindDeleted(t.Context(), target.User, ann.ID)
	require.NoError(t, err)
	require.True(t, binned.Deleted)

	back := apply(t, tgt, change(target.Restore, ann.ID, target.Attributes{"userPrincipalName": {"ann2@contoso.onmicrosoft.com"}}))
	require.Equal(t, ann.ID, back.ID)
	require.Equal(t, 2, tgt.Len())
	require.Len(t, tgt.Objects(), 2)
}

func TestAnObjectKeepsItsNameWhenTheDomainGoes(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	tgt.VerifyDomain("Contoso.com")
	c := create("ann")
	c.Set["userPrincipalName"] = []string{"ann@contoso.com"}
	ann := apply(t, tgt, c)
	tgt.RemoveDomain("contoso.com")
	apply(t, tgt, change(target.Update, ann.ID, target.Attributes{"jobTitle": {"Clerk"}}))
	apply(t, tgt, change(target.Delete, ann.ID, nil))
	_, err := tgt.Apply(t.Context(), change(target.Restore, ann.ID, nil))
	require.ErrorIs(t, err, target.ErrDomainNotVerified)
	tgt.AddDomain(target.Domain{Name: "contoso.com", Verified: true, Federated: true})
	apply(t, tgt, change(target.Restore, ann.ID, nil))

	domains, err := tgt.Domains(t.Context())
	require.NoError(t, err)
	require.Equal(t, []target.Domain{{Name: "contoso.com", Verified: true, Federated: true},
		{Name: "contoso.onmicrosoft.com", Verified: true, Initial: true, Default: true}}, domains)
}

func TestHandsActBehindTheEnginesBack(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	boss := tgt.Add(target.Object{Foreign: true, Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"}, "mail": {"boss@contoso.com"}}})
	_, err := tgt.Apply(t.Context(), change(target.Update, boss, target.Attributes{"jobTitle": {"Clerk"}}))
	require.ErrorIs(t, err, target.ErrReadOnly)
	_, err = tgt.Apply(t.Context(), change(target.Delete, boss, nil))
	require.ErrorIs(t, err, target.ErrReadOnly)
	require.Panics(t, func() { tgt.Add(target.Object{Attributes: target.Attributes{"mail": {"BOSS@contoso.com"}}}) })

	require.True(t, tgt.Edit(boss, func(o *target.Object) { o.Attributes["mail"] = []string{"chief@contoso.com"}; o.ID = "x" }))
	found, err := tgt.Find(t.Context(), target.User, []target.Key{{Mail: "boss@contoso.com"}, {Mail: "chief@contoso.com"}})
	require.NoError(t, err)
	require.Empty(t, found[0])
	require.Equal(t, boss, found[1][0].ID)

	require.False(t, tgt.Purge(boss), "it isn't in the bin")
	require.True(t, tgt.Remove(boss))
	require.False(t, tgt.Remove(boss))
	o, ok := tgt.Get(boss)
	require.True(t, ok)
	require.True(t, o.Deleted)
	require.True(t, tgt.Purge(boss))
	_, ok = tgt.Get(boss)
	require.False(t, ok)
	require.Zero(t, tgt.Counts().Updates)
}

func TestCallsAreCounted(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	ctx := t.Context()
	ann := apply(t, tgt, create("ann"))
	apply(t, tgt, change(target.Update, ann.ID, nil))
	apply(t, tgt, change(target.Disable, ann.ID, nil))
	require.Equal(t, "false", tgt.Objects()[0].Attributes.First("accountEnabled"))
	apply(t, tgt, change(target.Enable, ann.ID, nil))
	apply(t, tgt, change(target.Delete, ann.ID, nil))
	apply(t, tgt, change(target.Restore, ann.ID, nil))
	tgt.ApplyBatch(ctx, []target.Change{create("bob"), create("bob")})
	for _, err := range tgt.Current(ctx) {
		require.NoError(t, err)
	}
	_, err := tgt.Find(ctx, target.User, []target.Key{{ID: ann.ID}, {ID: "x"}})
	require.NoError(t, err)
	_, err = tgt.FindDeleted(ctx, target.User, "x")
	require.ErrorIs(t, err, target.ErrNotFound)
	_, err = tgt.Domains(ctx)
	require.NoError(t, err)
	want := memtarget.Counts{Creates: 2, Updates: 1, Disables: 1, Enables: 1, Deletes: 1, Restores: 1, Refused: 1, Batches: 1,
		Lists: 1, Listed: 2, Finds: 1, Keys: 2, BinReads: 1, DomainReads: 1}
	require.Equal(t, want, tgt.ResetCounts())
	require.Equal(t, 8, want.Writes())
	require.Equal(t, 4, want.Reads())
	require.Zero(t, tgt.Counts())
}

func TestABatchThatIsTooLargeIsRefusedWhole(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	var cs []target.Change
	for i := range tgt.MaxBatch() + 1 {
		cs = append(cs, create(fmt.Sprint("u", i)))
	}
	for _, r := range tgt.ApplyBatch(t.Context(), cs) {
		require.ErrorIs(t, r.Err, target.ErrNotApplied)
	}
	require.Zero(t, tgt.Len())
	for _, r := range target.ApplyAll(t.Context(), tgt, cs) {
		require.NoError(t, r.Err)
	}
	require.Equal(t, len(cs), tgt.Len())
}

func TestWrongChangesAreRefused(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	contact := create("contact")
	contact.Kind = "contact"
	withID := create("ann")
	withID.ID = "x"
	for _, c := range []target.Change{contact, withID, change(target.Update, "", nil), change("merge", "x", nil)} {
		_, err := tgt.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrInvalid, "%s of %q", c.Op, c.ID)
	}
}

// Objects come once in the order of creation, however many are deleted, restored
// and created between and during lists.
func TestListsStayInOrderThroughChange(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	var ids []target.ID
	for i := range 300 {
		ids = append(ids, apply(t, tgt, create(fmt.Sprint("u", i))).ID)
	}
	var seen []target.ID
	for o, err := range tgt.Current(t.Context()) {
		require.NoError(t, err)
		seen = append(seen, o.ID)
		if len(seen) == 1 {
			for _, id := range ids[100:] {
				apply(t, tgt, change(target.Delete, id, nil))
			}
			for i := range 300 {
				apply(t, tgt, create(fmt.Sprint("v", i)))
			}
		}
	}
	require.Equal(t, ids[:100], seen)
	for _, id := range ids[100:110] {
		apply(t, tgt, change(target.Restore, id, nil))
	}
	got := map[target.ID]int{}
	for _, o := range tgt.Objects() {
		got[o.ID]++
	}
	require.Len(t, got, 410)
	for id, n := range got {
		require.Equal(t, 1, n, id)
	}
}

func TestTenantIsSafeForConcurrentUse(t *testing.T) {
	tgt := memtarget.New("contoso", nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for w := range 4 {
		wg.Go(func() {
			for i := range 100 {
				o, err := tgt.Apply(t.Context(), create(fmt.Sprintf("u%d-%d", w, i)))
				if err == nil && i%3 == 0 {
					_, err = tgt.Apply(t.Context(), change(target.Delete, o.ID, nil))
				}
				for _, e := range tgt.Current(t.Context()) {
					err = errors.Join(err, e)
				}
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	require.NoError(t, errors.Join(errs...))
	require.Equal(t, 400-4*34, tgt.Len())
}
