package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
)

func contents(t *testing.T, s state.Store, prefix string) map[string]string {
	all, last := map[string]string{}, ""
	for rec, err := range s.Scan(t.Context(), prefix) {
		require.NoError(t, err)
		require.Greater(t, rec.Key, last)
		last = rec.Key
		all[rec.Key] = string(rec.Value)
	}
	return all
}

func TestAUnitThatFailsLeavesNothingBehind(t *testing.T) {
	store := memstate.New()
	b := ledger.NewBuffer(store)
	b.Put("a", []byte("1"))
	b.Put("b", []byte("1"))
	broken := errors.New("broken")
	err := b.Unit(t.Context(), func() error {
		b.Put("a", []byte("2"))
		b.Put("c", []byte("2"))
		b.Remove("b")
		b.Put("b", []byte("3"))
		b.Put("c", []byte("3"))
		return broken
	})
	require.ErrorIs(t, err, broken)
	v, err := b.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, "1", string(v))
	require.NoError(t, b.Unit(t.Context(), func() error { b.Put("d", []byte("4")); return nil }))
	require.NoError(t, b.Flush(t.Context()))
	require.Equal(t, map[string]string{"a": "1", "b": "1", "d": "4"}, contents(t, store, ""))
}

func TestABufferReadsItsOwnWrites(t *testing.T) {
	store := memstate.New()
	b := ledger.NewBuffer(store)
	b.Put("x/1", []byte("1"))
	v, err := b.Get(t.Context(), "x/1")
	require.NoError(t, err)
	require.Equal(t, "1", string(v))
	require.Empty(t, contents(t, store, ""), "nothing is committed yet")
	n := 0
	for _, err := range b.Scan(t.Context(), "x/") {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 1, n)
	b.Remove("x/1")
	v, err = b.Get(t.Context(), "x/1")
	require.NoError(t, err)
	require.Nil(t, v)
}

func TestAFullBufferFlushesOnlyAfterAUnit(t *testing.T) {
	store := memstate.New()
	b := ledger.NewBuffer(store)
	require.NoError(t, b.Unit(t.Context(), func() error {
		for i := range 5000 {
			b.Put(fmt.Sprintf("k%05d", i), []byte("v"))
		}
		require.Empty(t, contents(t, store, ""))
		return nil
	}))
	require.Len(t, contents(t, store, ""), 5000)
}

// An overlay gives what a store would that had got the same writes, and leaves
// the store below as it was.
func TestAnOverlayBehavesLikeTheStoreThatItIsLaidOver(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		base, plain := memstate.New(), memstate.New()
		write := func(stores ...state.Store) {
			var ws []state.Write
			for range 1 + r.IntN(4) {
				key := fmt.Sprintf("%c/%d", 'a'+r.IntN(2), r.IntN(12))
				if r.IntN(3) == 0 {
					ws = append(ws, state.Remove(key))
				} else {
					ws = append(ws, state.Put(key, fmt.Appendf(nil, "%d", r.IntN(100))))
				}
			}
			for _, s := range stores {
				require.NoError(t, s.Commit(t.Context(), ws...))
			}
		}
		for range 5 {
			write(base, plain)
		}
		before := contents(t, base, "")
		over := ledger.NewOverlay(base)
		for range 5 {
			write(over, plain)
			for _, prefix := range []string{"", "a/", "b/", "a/1"} {
				require.Equal(t, contents(t, plain, prefix), contents(t, over, prefix))
			}
			for i := range 12 {
				key := fmt.Sprintf("a/%d", i)
				want, werr := plain.Get(t.Context(), key)
				got, gerr := over.Get(t.Context(), key)
				require.Equal(t, errors.Is(werr, state.ErrNotFound), errors.Is(gerr, state.ErrNotFound))
				require.Equal(t, string(want.Value), string(got.Value))
			}
		}
		require.Equal(t, before, contents(t, base, ""))
	}
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	l := ledger.New(memstate.New(), "corp", "contoso")
	e := &ledger.Entry{
		Object:   source.Object{ID: "id-1", Kind: source.User, DN: "CN=Ann\\, Lee,DC=x", Attributes: source.Attributes{"cn": {"Änn", "😀"}}},
		Presence: plan.Left, Evidence: &source.Evidence{Kind: "moved", Seen: time.Now().UTC().Truncate(time.Second)},
		Link:    &plan.Link{ID: "t1", Anchor: "a=="},
		Applied: target.Attributes{"city": {"Zürich"}}, UPN: "ann@x", Suffix: "x", Refused: map[string][]string{"mail": {"bad"}},
	}
	e.Digest = ledger.Digest(&e.Object)
	require.NoError(t, l.SetEntry(e))
	require.NoError(t, l.Flush(t.Context()))
	got, err := l.Entry(t.Context(), "id-1")
	require.NoError(t, err)
	require.Equal(t, e, got)
	head, err := l.Head(t.Context(), "id-1")
	require.NoError(t, err)
	require.Equal(t, &ledger.Head{Presence: plan.Left, Linked: true, Digest: e.Digest}, head)
	none, err := l.Entry(t.Context(), "id-2")
	require.NoError(t, err)
	require.Nil(t, none)
}

func TestDigestsDifferWhereObjectsDo(t *testing.T) {
	base := func() *source.Object {
		return &source.Object{ID: "x", Kind: source.User, DN: "CN=a", Attributes: source.Attributes{"cn": {"a"}, "l": {"b", "c"}}}
	}
	same := ledger.Digest(base())
	for i := range 20 {
		require.Equal(t, same, ledger.Digest(base()), "try %d", i)
	}
	for name, change := range map[string]func(o *source.Object){
		"a value":            func(o *source.Object) { o.Attributes["cn"] = []string{"b"} },
		"a DN":               func(o *source.Object) { o.DN = "CN=b" },
		"one value into two": func(o *source.Object) { o.Attributes["l"] = []string{"bc"} },
		"a value's place":    func(o *source.Object) { o.Attributes = source.Attributes{"cn": {"a", "b"}, "l": {"c"}} },
		"a fault":            func(o *source.Object) { o.Faults = []source.Fault{{Attribute: "title", Reason: "not text"}} },
	} {
		o := base()
		change(o)
		require.NotEqual(t, same, ledger.Digest(o), name)
	}
}

func TestClaimsAndHoldersCompareWithoutCase(t *testing.T) {
	ctx := context.Background()
	l := ledger.New(memstate.New(), "corp", "contoso")
	require.NoError(t, l.SetClaim(ctx, "mail", "Ann/Lee@x", "b"))
	require.NoError(t, l.SetClaim(ctx, "mail", "ann/lee@X", "a"))
	require.NoError(t, l.SetClaim(ctx, "mail", "ann/lee@X", "a"))
	ids, err := l.Claimants(ctx, "mail", "ANN/LEE@x")
	require.NoError(t, err)
	require.Equal(t, []source.ID{"a", "b"}, ids)
	require.NoError(t, l.ClearClaim(ctx, "mail", "ann/lee@x", "a"))
	require.NoError(t, l.ClearClaim(ctx, "mail", "ann/lee@x", "b"))
	ids, err = l.Claimants(ctx, "mail", "ann/lee@x")
	require.NoError(t, err)
	require.Empty(t, ids)

	require.NoError(t, l.SetHolder(ctx, "mail", "", "Ann@x", "a"))
	require.NoError(t, l.SetHolder(ctx, "mail", "ann@X", "ANN@x", "a"), "another case of the same name")
	h, err := l.Holder(ctx, "mail", "ann@x")
	require.NoError(t, err)
	require.Equal(t, source.ID("a"), h)
	require.NoError(t, l.SetHolder(ctx, "mail", "ann@x", "", "b"), "somebody else's name isn't given up")
	h, err = l.Holder(ctx, "mail", "ann@x")
	require.NoError(t, err)
	require.Equal(t, source.ID("a"), h)
}

func TestObjectsAreFoundByTheDomainOfTheirLoginID(t *testing.T) {
	l := ledger.New(memstate.New(), "corp", "contoso")
	l.SetSuffix("", "contoso.com", "a")
	l.SetSuffix("", "corp.local", "b")
	l.SetSuffix("", "contoso.com.evil", "c")
	l.SetSuffix("corp.local", "contoso.com", "b")
	var got []source.ID
	err := l.Suffixes(t.Context(), func(d string) bool { return d == "contoso.com" }, func(id source.ID) error {
		got = append(got, id)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, []source.ID{"a", "b"}, got)
}

func TestAPlanIsKeptInApplyOrder(t *testing.T) {
	l := ledger.New(memstate.New(), "corp", "contoso")
	add := func(wave int, op target.Op, id source.ID) {
		require.NoError(t, l.SetChange(1, &plan.Change{Change: target.Change{Op: op}, Wave: wave, Source: id}))
	}
	add(2, target.Update, "a")
	add(0, target.Delete, "a")
	add(0, target.Create, "z")
	add(10, target.Create, "b")
	var got []string
	for c, err := range l.Plan(t.Context(), 1) {
		require.NoError(t, err)
		got = append(got, fmt.Sprintf("%d %s %s", c.Wave, c.Op, c.Source))
	}
	require.Equal(t, []string{"0 create z", "0 delete a", "2 update a", "10 create b"}, got)
	require.NoError(t, l.ClearPlan(t.Context(), 1))
	for range l.Plan(t.Context(), 1) {
		t.Fatal("the plan is empty")
	}
}
