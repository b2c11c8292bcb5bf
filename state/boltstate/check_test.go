package boltstate_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
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

// What is written at random is always found as the walk through the file expects
// it, which is stricter than bbolt.
func TestAGoodStoreOpensWhateverWasWrittenToIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	random := rand.New(rand.NewPCG(5, 6))
	for range 40 {
		s, err := boltstate.Open(path, boltstate.Options{}.WithPageSize(1024))
		require.NoError(t, err)
		for range 5 {
			var writes []state.Write
			shrink := random.IntN(3) == 0
			for range random.IntN(300) {
				key := fmt.Sprintf("%c/%d", 'a'+random.IntN(4), random.IntN(1500))
				if shrink || random.IntN(3) == 0 {
					writes = append(writes, state.Remove(key))
				} else {
					writes = append(writes, state.Put(key, make([]byte, random.IntN(90)*random.IntN(30))))
				}
			}
			require.NoError(t, s.Commit(ctx, writes...))
			require.NoError(t, s.Check(ctx))
		}
		require.NoError(t, s.Close())
	}
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
