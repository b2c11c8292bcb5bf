package dirsync_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

func TestAReadThatIsCutRemovesNothingAndMovesNoWatermark(t *testing.T) {
	for name, cut := range map[string]error{
		"with an error":      source.ErrIncomplete,
		"as if it were done": nil, // no source may do that; the missing checkpoint gives it away
	} {
		for _, full := range []bool{true, false} {
			w := newWorld(t)
			ids := w.people(40)
			watermark := w.sync().Watermark
			for i, id := range ids[:20] {
				w.set(id, "title", "Changed")
				if i%4 == 0 {
					w.src.Remove(id)
				}
			}
			accounts := w.accounts()
			for k := range 20 {
				src := fault.NewSource(w.src)
				src.Cut(k, cut)
				rep, err := w.engine(src, w.tgt, w.store).Sync(t.Context(), &dirsync.Request{Full: full})
				require.ErrorIs(t, err, source.ErrIncomplete, "%s after %d, full %v", name, k, full)
				require.Equal(t, watermark, rep.Watermark)
				require.Zero(t, rep.Writes)
				require.Equal(t, accounts, w.accounts())
			}
			rep := w.sync()
			require.Equal(t, 5, rep.Deleted)
			require.Equal(t, 15, rep.Updated)
			w.mustRest()
		}
	}
}

func TestOrderAndRepeatsOfEventsChangeNothing(t *testing.T) {
	run := func(disturb func(*fault.Source)) (map[string]target.Attributes, string) {
		w := newWorld(t)
		src := fault.NewSource(w.src)
		disturb(src)
		eng := w.engine(src, w.tgt, w.store)
		w.people(10)
		w.person("ann", "corp.local", "mail", "ann@contoso.com")
		w.person("ann", "fabrikam.com", "sAMAccountName", "ann2", "mail", "ann@contoso.com")
		w.person("ann", "other.example", "sAMAccountName", "ann3", "mail", "Ann@Contoso.com")
		rep, err := eng.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, []string{"conflict"}, codes(rep))
		return w.accounts(), rep.PlanHash
	}
	want, hash := run(func(*fault.Source) {})
	for seed := range uint64(50) {
		got, h := run(func(s *fault.Source) { s.Reorder(rand.New(rand.NewPCG(seed, 1))); s.Repeat(seed%2 == 0) })
		require.Equal(t, want, got)
		require.Equal(t, hash, h)
	}
}

func TestRemovalsAreHeldBackUntilTheConfigurationIsProven(t *testing.T) {
	w := newWorld(t)
	ids := w.people(5)
	w.sync()
	// As if nothing had proven it.
	l := ledger.New(w.store, "corp", "contoso")
	facts, err := l.Facts(t.Context())
	require.NoError(t, err)
	require.False(t, facts.Proven.IsZero(), "the first run proves it")
	facts.Proven = facts.Proven.AddDate(-3000, 0, 0).Truncate(0)
	*facts = ledger.Facts{Domains: facts.Domains, Verified: facts.Verified, Rules: facts.Rules, Owned: facts.Owned, Runs: facts.Runs}
	require.NoError(t, l.SetFacts(facts))
	require.NoError(t, l.Flush(t.Context()))

	w.src.Remove(ids[0])
	w.src.MoveOut(ids[1])
	w.set(ids[2], "title", "Goes on")
	rep := w.sync()
	require.Equal(t, 2, rep.HeldBack)
	require.Equal(t, []string{"held-back"}, codes(rep))
	require.Equal(t, 1, rep.Updated)
	require.Equal(t, 5, w.tgt.Len())

	// They come back: the next run proves it, and later removals follow.
	w.src.Undelete(ids[0])
	w.src.MoveIn(ids[1])
	rep = w.sync()
	require.Empty(t, rep.Problems)
	w.src.Remove(ids[0])
	require.Equal(t, 1, w.sync().Deleted)
}

func TestARunEndsWhenTheTargetCannotBeReached(t *testing.T) {
	for name, sentinel := range map[string]error{
		"throttled": target.ErrThrottled, "unavailable": target.ErrUnavailable, "unauthenticated": target.ErrUnauthenticated,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.opt.Parallel = 1
			tgt := fault.NewTarget(w.tgt)
			for n := range 200 {
				tgt.OnWrite(n+1, fault.Fault{Err: &target.Error{Sentinel: sentinel}})
			}
			w.people(200)
			rep, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
			require.ErrorIs(t, err, sentinel)
			require.Zero(t, rep.Created)
			require.LessOrEqual(t, rep.Writes, 40, "it doesn't hammer")
			require.Empty(t, rep.Problems, "no object is to blame")
			rep = w.sync()
			require.Equal(t, 200, rep.Created)
			require.Equal(t, dirsync.Delta, rep.Mode, "what was read is remembered")
		})
	}
}

func TestAFullTenantStopsCreatesAndNothingElse(t *testing.T) {
	w := newWorld(t)
	ids := w.people(5)
	w.sync()
	tgt := fault.NewTarget(w.tgt)
	tgt.OnWrite(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrQuota, Err: errors.New("full")}})
	w.person("new1", "contoso.com")
	w.set(ids[0], "title", "Changed")
	rep, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"quota"}, codes(rep))
	require.Equal(t, 1, rep.Updated)
	rep = w.sync(dirsync.Request{Retry: true})
	require.Equal(t, 1, rep.Created)
	require.Empty(t, rep.Problems)
}

func TestARefusedDomainLeadsToTheFallbackOfThatObject(t *testing.T) {
	w := newWorld(t)
	tgt := fault.NewTarget(w.tgt)
	tgt.OnWrite(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrDomainNotVerified, Attribute: target.AttrUserPrincipalName}})
	id := w.person("ann", "contoso.com")
	rep, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, rep.Created)
	require.Equal(t, []string{"domain-refused"}, codes(rep), "it isn't silent about it")
	require.Equal(t, []string{"ann@contoso.onmicrosoft.com"}, w.upns())
	require.Zero(t, w.sync().Writes, "it isn't tried again and again")
	require.Equal(t, []string{"domain-refused"}, codes(w.sync()))
	// A change of the object asks anew, and so does who wants a retry.
	w.set(id, "title", "Engineer")
	require.Empty(t, w.sync(dirsync.Request{Retry: true}).Problems)
	w.mustRest()
	require.Equal(t, []string{"ann@contoso.com"}, w.upns())
}

// A mapper that panics on one object.
type panicking struct{ mapping.Mapper }

func (m panicking) Map(in mapping.Input) mapping.Result {
	if in.Object.Attributes.First("title") == "Boom" {
		panic("rules of somebody's own")
	}
	return m.Mapper.Map(in)
}

func TestAPanickingMapperIsThatObjectsProblem(t *testing.T) {
	rules, err := mapping.New(nil)
	require.NoError(t, err)
	w := newWorld(t, func(w *world) { w.opt.Mapper = panicking{rules} })
	w.people(3)
	ann := w.person("ann", "contoso.com", "title", "Clerk")
	bob := w.person("bob", "contoso.com", "title", "Boom")
	rep := w.sync()
	require.Equal(t, 4, rep.Created)
	require.Equal(t, []string{"rules-panicked"}, codes(rep))
	require.Equal(t, bob, rep.Problems[0].Object)
	w.set(ann, "title", "Boom")
	rep = w.sync()
	require.Zero(t, rep.Changed())
	require.Len(t, rep.Problems, 2)
	require.Equal(t, "Clerk", w.account("ann@contoso.com").Attributes.First("jobTitle"))
	w.set(ann, "title", "Engineer")
	w.set(bob, "title", "Engineer")
	rep = w.sync()
	require.Empty(t, rep.Problems)
	require.Equal(t, 1, rep.Created)
	require.Equal(t, 1, rep.Updated)
	w.mustRest()
}

func TestAValueThatTheTargetRefusesIsLeftOut(t *testing.T) {
	w := newWorld(t)
	tgt := fault.NewTarget(w.tgt)
	tgt.OnWrite(1, fault.Fault{Err: &target.Error{Sentinel: target.ErrInvalid, Attribute: "city"}})
	id := w.person("ann", "contoso.com", "l", "Nowhere", "title", "Clerk")
	rep, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, rep.Created)
	require.Equal(t, []string{"value-refused"}, codes(rep))
	require.Empty(t, w.account("ann@contoso.com").Attributes["city"])
	require.Equal(t, "Clerk", w.account("ann@contoso.com").Attributes.First("jobTitle"))
	require.Zero(t, w.sync().Writes, "it isn't tried again and again")
	require.Equal(t, 1, w.sync(dirsync.Request{Full: true}).Updated, "but in a complete run")
	w.set(id, "l", "Bern")
	rep = w.sync()
	require.Equal(t, 1, rep.Updated)
	require.Empty(t, rep.Problems)
	require.Equal(t, "Bern", w.account("ann@contoso.com").Attributes.First("city"))
}
