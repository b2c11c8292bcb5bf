package dirsync_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func (w *world) rest() *dirsync.Report {
	var rep *dirsync.Report
	for range 8 {
		rep, _ = w.eng.Sync(context.Background(), &dirsync.Request{Retry: true})
	}
	return rep
}

func TestAFailedLookUpAfterAFullReadLosesNoDeletion(t *testing.T) {
	w := newWorld(t)
	ids := w.people(20)
	w.sync()
	w.src.Remove(ids[3])
	w.src.Expire()
	fs := fault.NewSource(w.src)
	fs.OnFind(1, fault.Fault{Err: source.ErrUnavailable})
	_, err := w.engine(fs, w.tgt, w.store).Sync(t.Context(), nil)
	require.Error(t, err)
	for range 3 {
		w.sync()
	}
	require.Equal(t, 19, w.tgt.Len())
}

func TestACutFullReadWithCheckpointsLosesNoDeletion(t *testing.T) {
	w := newWorld(t, func(w *world) { w.src = memsource.New("corp", &memsource.Options{CheckpointEvery: 2}) })
	ids := w.people(20)
	w.sync()
	w.src.Remove(ids[3])
	for _, id := range ids[5:] {
		w.set(id, "title", "x")
	}
	fs := fault.NewSource(w.src)
	fs.Cut(12, source.ErrIncomplete)
	_, err := w.engine(fs, w.tgt, w.store).Sync(t.Context(), &dirsync.Request{Full: true})
	require.Error(t, err)
	for range 3 {
		w.sync()
	}
	require.Equal(t, 19, w.tgt.Len())
}

func TestALateNewcomerIsLookedForBeforeItIsCreated(t *testing.T) {
	w := newWorld(t)
	var applied []dirsync.Applied
	w.opt.OnEvent = func(e dirsync.Event) {
		if a, ok := e.(dirsync.Applied); ok {
			applied = append(applied, a)
		}
	}
	low := w.src.Put(source.Object{ID: "00000000-0000-0000-0000-000000000001", Kind: source.User, DN: "CN=low,DC=x", Attributes: source.Attributes{
		"sAMAccountName": {"low"}, "userAccountControl": {"512"}, "userPrincipalName": {"low@contoso.com"}, "displayName": {"Low"}}})
	high := w.src.Put(source.Object{ID: "ff000000-0000-0000-0000-000000000001", Kind: source.User, DN: "CN=high,DC=x", Attributes: source.Attributes{
		"sAMAccountName": {"high"}, "userAccountControl": {"512"}, "userPrincipalName": {"high@contoso.com"}, "displayName": {"High"}}})
	// an account of another tool's with low's anchor
	rules, _ := mapping.New(nil)
	o, _ := w.src.Get(low)
	anchor := rules.Map(mapping.Input{Object: o}).Anchor
	foreign := w.tgt.Add(target.Object{Anchor: anchor, Attributes: target.Attributes{"userPrincipalName": {"theirs@contoso.com"}, "displayName": {"Theirs"}, "accountEnabled": {"true"}, "mailNickname": {"t"}}})
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.sync()
	require.Len(t, applied, 1)
	// high takes the name that low wants; the reply of the write gets lost
	w.set(high, "userPrincipalName", "low@contoso.com")
	applied = nil
	ft := fault.NewTarget(w.tgt)
	ft.LoseReplies(1)
	w.engine(w.src, ft, w.store).Sync(t.Context(), nil)
	for _, a := range applied {
		t.Log(a.Change.Op, a.Change.Source, a.Err)
	}
	applied = nil
	w.sync()
	for _, a := range applied {
		t.Log(a.Change.Op, a.Change.Source, a.Change.Set, a.Err)
	}
	w.set(low, "title", "x")
	w.sync()
	f, _ := w.tgt.Get(foreign)
	require.Equal(t, "Theirs", f.Attributes.First("displayName"))
	require.Equal(t, "", f.Attributes.First("jobTitle"), "%v", f)
}

func TestTwoObjectsWithOneAnchorDoNotShareAnAccount(t *testing.T) {
	w := newWorld(t)
	const guid = "AAECAwQFBgcICQoLDA0ODw=="
	a := w.person("ann", "contoso.com", "mS-DS-ConsistencyGuid", guid)
	b := w.person("bob", "contoso.com", "mS-DS-ConsistencyGuid", guid)
	ft := fault.NewTarget(w.tgt)
	ft.LoseReplies(1)
	w.engine(w.src, ft, w.store).Sync(t.Context(), nil)
	rep := w.sync()
	t.Log(codes(rep), rep.Created, w.upns())
	w.set(a, "title", "of ann")
	w.set(b, "department", "of bob")
	w.src.Remove(b)
	rep = w.sync()
	t.Log(codes(rep), rep, w.upns())
	require.Equal(t, 1, w.tgt.Len(), "the account of the one who is still there")
}

func TestALongSuffixStopsNobodyElse(t *testing.T) {
	w := newWorld(t)
	w.people(3)
	w.person("x", strings.Repeat("d", 1000)+".com")
	rep, err := w.eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 4, rep.Created)
}

func TestAConflictWithAnUnownedAccountHoldsBackNothingElse(t *testing.T) {
	w := newWorld(t)
	a := w.person("ann", "contoso.com")
	w.sync()
	w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"}, "displayName": {"B"}, "accountEnabled": {"true"}, "mailNickname": {"boss"}}})
	w.set(a, "userPrincipalName", "boss@contoso.com")
	w.sync()
	w.set(a, "userAccountControl", "514")
	rep := w.rest()
	t.Log(codes(rep))
	require.Equal(t, "false", w.account("ann@contoso.com").Attributes.First("accountEnabled"))
}

func TestACycleAcrossNamesAndAddressesIsResolved(t *testing.T) {
	w := newWorld(t)
	w.opt.OnEvent = func(e dirsync.Event) {
		if a, ok := e.(dirsync.Applied); ok {
			t.Log(a.Change.Source[:4], a.Change.Wave, a.Change.Op, a.Change.Set, a.Err)
		}
	}
	w.eng = w.engine(w.src, w.tgt, w.store)
	a := w.person("a", "contoso.com", "mail", "ma@contoso.com")
	b := w.person("b", "contoso.com", "mail", "mb@contoso.com")
	w.sync()
	w.set(a, "userPrincipalName", "b@contoso.com")
	w.set(a, "mail", "mx@contoso.com")
	w.set(b, "userPrincipalName", "c@contoso.com")
	w.set(b, "mail", "ma@contoso.com")
	rep := w.rest()
	require.Empty(t, rep.Problems)
	require.Equal(t, []string{"b@contoso.com", "c@contoso.com"}, w.upns())
}

func TestALeaverInTheBinGivesUpTheName(t *testing.T) {
	w := newWorld(t, func(w *world) { w.opt.Leaving = plan.DeleteOnLeave })
	one := w.src.Put(source.Object{ID: "00000000-0000-0000-0000-000000000001", Kind: source.User, DN: "CN=low,DC=x", Attributes: source.Attributes{
		"sAMAccountName": {"low"}, "userAccountControl": {"512"}, "userPrincipalName": {"x@contoso.com"}, "displayName": {"Low"}}})
	w.sync()
	w.src.MoveOut(one)
	w.sync()
	require.Zero(t, w.tgt.Len())
	w.person("x", "contoso.com")
	rep := w.rest()
	require.Empty(t, rep.Problems)
	require.Equal(t, []string{"x@contoso.com"}, w.upns())
}

func TestAnUnreadableObjectIsForgottenOnceItIsDeleted(t *testing.T) {
	w := newWorld(t)
	ids := w.people(1)
	w.src.Spoil(ids[0], errors.New("no"))
	rep := w.sync()
	require.Equal(t, []string{"unreadable"}, codes(rep))
	w.src.Remove(ids[0])
	w.sync()
	rep = w.sync(dirsync.Request{Full: true})
	require.Empty(t, rep.Problems)
}

func TestAnUnreadableObjectStaysReported(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	w.src.Spoil(id, errors.New("no"))
	rep := w.sync()
	require.Equal(t, []string{"unreadable"}, codes(rep))
	other := w.person("ann", "contoso.com", "sAMAccountName", "ann2") // replans ann
	w.sync()
	w.src.Remove(other)
	rep = w.sync()
	require.Contains(t, codes(rep), "unreadable")
}

func TestAProblemKeepsTheTimeWhenItWasFirstSeen(t *testing.T) {
	w := newWorld(t)
	a := w.person("ann", "contoso.com")
	w.sync()
	w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"}, "displayName": {"B"}, "accountEnabled": {"true"}, "mailNickname": {"boss"}}})
	w.set(a, "userPrincipalName", "boss@contoso.com")
	first := w.sync()
	require.Len(t, first.Problems, 1)
	again := w.sync(dirsync.Request{Retry: true})
	require.Len(t, again.Problems, 1)
	require.Equal(t, first.Problems[0].Since, again.Problems[0].Since)
}

func TestAProblemStaysWhileTheTargetIsDown(t *testing.T) {
	w := newWorld(t)
	a := w.person("ann", "contoso.com")
	w.sync()
	w.set(a, "title", "x")
	once := &onceTarget{Target: w.tgt, at: 1, err: &target.Error{Sentinel: target.ErrForbidden}}
	rep, _ := w.engine(w.src, once, w.store).Sync(t.Context(), nil)
	require.Equal(t, []string{"forbidden"}, codes(rep))
	once = &onceTarget{Target: w.tgt, at: 1, err: &target.Error{Sentinel: target.ErrUnavailable}}
	rep, _ = w.engine(w.src, once, w.store).Sync(t.Context(), &dirsync.Request{Retry: true})
	require.Equal(t, []string{"forbidden"}, codes(rep))
}

func TestTheRemedyOfMissingAtTargetWorks(t *testing.T) {
	w := newWorld(t)
	id := w.person("ann", "contoso.com")
	w.sync()
	account := w.account("ann@contoso.com").ID
	w.tgt.Remove(account)
	w.tgt.Purge(account)
	w.set(id, "title", "Engineer")
	w.sync()
	w.src.MoveOut(id)
	w.rest()
	w.src.MoveIn(id)
	rep := w.rest()
	require.Empty(t, codes(rep))
	require.Equal(t, 1, w.tgt.Len())
}

func TestAHolderThatCannotMoveBlocksNoNewcomer(t *testing.T) {
	w := newWorld(t)
	a := w.person("a", "contoso.com")
	w.sync()
	w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"}, "displayName": {"B"}, "accountEnabled": {"true"}, "mailNickname": {"boss"}}})
	w.set(a, "userPrincipalName", "boss@contoso.com")
	w.person("a", "contoso.com", "sAMAccountName", "a2")
	rep := w.rest()
	t.Log(codes(rep), w.upns())
	require.Equal(t, 3, w.tgt.Len())
}

func TestWhoGetsNoAccountKeepsNobodyFromAName(t *testing.T) {
	w := newWorld(t)
	w.src.Put(source.Object{ID: "00000000-0000-0000-0000-000000000001", Kind: source.User, DN: "CN=low,DC=x", Attributes: source.Attributes{
		"sAMAccountName": {"low"}, "userAccountControl": {"512"}, "userPrincipalName": {"x@contoso.com"}}})
	w.person("x", "contoso.com")
	rep := w.rest()
	t.Log(codes(rep), w.upns())
	require.Equal(t, []string{"x@contoso.com"}, w.upns())
}

func TestRulesAndDomainsMayChangeTogether(t *testing.T) {
	w := newWorld(t)
	w.person("ann", "contoso.com")
	once := &onceTarget{Target: w.tgt, at: 1, err: &target.Error{Sentinel: target.ErrDomainNotVerified, Attribute: "userPrincipalName"}}
	w.engine(w.src, once, w.store).Sync(t.Context(), nil)
	w.tgt.UnverifyDomain("contoso.com")
	w.sync()
	w.tgt.VerifyDomain("contoso.com")
	rules, _ := mapping.New(&mapping.Options{UsageLocation: "DE"})
	w.opt.Mapper = rules
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.rest()
	require.Equal(t, []string{"ann@contoso.com"}, w.upns())
}

func TestAnAddressMovesTogetherWithOtherChanges(t *testing.T) {
	w := newWorld(t)
	a := w.person("a", "contoso.com", "mail", "m@contoso.com")
	b := w.person("b", "contoso.com")
	w.sync()
	w.set(a, "mail")
	w.set(b, "mail", "m@contoso.com")
	w.set(b, "userAccountControl", "514")
	rep := w.sync()
	t.Log(codes(rep))
	require.Equal(t, "false", w.account("b@contoso.com").Attributes.First("accountEnabled"))
}

func TestTheGuardCountsWhatWasDone(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.opt.Limits = plan.Limits{Removals: plan.Limit{Count: 5, Percent: -1}}
		w.opt.Patience = 50 * time.Millisecond
	})
	ids := w.people(10)
	w.sync()
	for _, id := range ids[:4] {
		w.src.Remove(id)
	}
	once := &notYetOnce{Target: w.tgt, seen: map[target.ID]bool{}}
	w.opt.Patience = 5 * time.Second
	_, err := w.engine(w.src, once, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
}

type notYetOnce struct {
	*memtarget.Target
	seen map[target.ID]bool
}

func (t *notYetOnce) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	out := make([]target.Result, len(cs))
	for i, c := range cs {
		if !t.seen[c.ID] {
			t.seen[c.ID] = true
			out[i].Err = &target.Error{Sentinel: target.ErrNotYet}
			continue
		}
		out[i].Object, out[i].Err = t.Target.Apply(ctx, c)
	}
	return out
}

func TestWhoComesBackGoesWithoutAnAddressThatIsTaken(t *testing.T) {
	w := newWorld(t)
	a := w.person("a", "contoso.com", "mail", "m@contoso.com")
	w.sync()
	w.src.Remove(a)
	w.person("b", "contoso.com", "mail", "m@contoso.com")
	w.sync()
	w.src.Undelete(a)
	rep := w.rest()
	t.Log(codes(rep))
	require.Equal(t, []string{"a@contoso.com", "b@contoso.com"}, w.upns())
}

func TestAnAccountBinnedByOthersGivesUpItsName(t *testing.T) {
	w := newWorld(t)
	a := w.person("x", "contoso.com")
	w.sync()
	w.tgt.Remove(w.account("x@contoso.com").ID)
	w.src.MoveOut(a)
	w.rest()
	w.person("x", "contoso.com", "sAMAccountName", "x2")
	rep := w.rest()
	t.Log(codes(rep))
	require.Equal(t, []string{"x@contoso.com"}, w.upns())
}
