package fault_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/state"
)

// one is a store of one record, enough to see what reaches it.
type one struct{ value []byte }

func (s *one) Get(context.Context, string) (state.Record, error) {
	return state.Record{Key: "k", Value: s.value, Revision: 1}, nil
}

func (s *one) Scan(ctx context.Context, _ string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) { yield(s.Get(ctx, "k")) }
}

func (s *one) Commit(_ context.Context, ws ...state.Write) error {
	s.value = ws[0].Value
	return nil
}

func TestTheNthCommitFailsBeforeOrAfterItIsMade(t *testing.T) {
	for _, done := range []bool{false, true} {
		inner := &one{value: []byte("old")}
		store := fault.NewStore(inner)
		store.OnCommit(1, fault.Fault{Done: done})
		require.ErrorIs(t, store.Commit(t.Context(), state.Put("k", []byte("new"))), fault.ErrInjected)
		require.Equal(t, done, string(inner.value) == "new")
		require.NoError(t, store.Commit(t.Context(), state.Put("k", []byte("newer"))))
		require.Equal(t, "newer", string(inner.value))
		require.Equal(t, 2, store.Commits())
	}
}

func TestTheNthReadOfAStoreFails(t *testing.T) {
	store := fault.NewStore(&one{value: []byte("v")})
	store.OnGet(2, fault.Fault{Err: state.ErrCorrupt})
	_, err := store.Get(t.Context(), "k")
	require.NoError(t, err)
	_, err = store.Get(t.Context(), "k")
	require.ErrorIs(t, err, state.ErrCorrupt)

	store.OnScan(1, fault.Fault{})
	for r, err := range store.Scan(t.Context(), "") {
		require.ErrorIs(t, err, fault.ErrInjected)
		require.Zero(t, r)
	}
	for r, err := range store.Scan(t.Context(), "") {
		require.NoError(t, err)
		require.Equal(t, "v", string(r.Value))
	}
	require.Equal(t, 2, store.Gets())
	require.Equal(t, 2, store.Scans())
}
