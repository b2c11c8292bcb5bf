package boltstate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
)

func TestCheckFindsNothingInAGoodStore(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	require.NoError(t, s.Check(ctx))
	for i := range 30 { // grow, change and shrink
		var writes []state.Write
		for j := range 200 {
			writes = append(writes, state.Put(fmt.Sprintf("k/%d", (i*j)%700), make([]byte, i*j)))
			writes = append(writes, state.Remove(fmt.Sprintf("k/%d", (i+j)%700)))
		}
		require.NoError(t, s.Commit(ctx, writes...))
	}
	require.NoError(t, s.Check(ctx))
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, s.Check(cancelled), context.Canceled)
}

func TestCompactWritesASmallerStoreWithTheSameRecords(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "state.db"))
	var put, remove []state.Write
	for i := range 2000 {
		w := state.Put(fmt.Sprintf("k/%04d", i), make([]byte, 500))
		put = append(put, w)
		if i%10 > 0 {
			remove = append(remove, state.Remove(w.Key))
		}
	}
	require.NoError(t, s.Commit(ctx, put...))
	require.NoError(t, s.Commit(ctx, remove...))
	path := filepath.Join(dir, "compact.db")
	require.NoError(t, s.Compact(ctx, path))
	require.ErrorIs(t, s.Compact(ctx, path), os.ErrExist)

	copied := open(t, path)
	require.Equal(t, records(t, s), records(t, copied))
	require.NoError(t, copied.Check(ctx))
	require.Less(t, size(t, path), size(t, s.Path())/2)

	// A revision that the original gave away isn't given away again.
	require.NoError(t, s.Commit(ctx, state.Put("new", nil)))
	require.NoError(t, copied.Commit(ctx, state.Put("new", nil)))
	require.Equal(t, records(t, s), records(t, copied))
}

func records(t *testing.T, s state.Store) []state.Record {
	t.Helper()
	var out []state.Record
	for r, err := range s.Scan(ctx, "") {
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Size()
}
