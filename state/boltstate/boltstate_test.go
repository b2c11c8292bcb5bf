package boltstate_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/state/statetest"
)

func TestStore(t *testing.T) {
	statetest.Run(t, func(t *testing.T) state.Store { return open(t, filepath.Join(t.TempDir(), "state.db")) })
}

func TestStoreOpenedAgain(t *testing.T) {
	statetest.RunDurable(t, func(t *testing.T, dir string) (state.Store, func()) {
		s, err := boltstate.Open(filepath.Join(dir, "state.db"), nil)
		require.NoError(t, err)
		return s, func() { require.NoError(t, s.Close()) }
	})
}

func BenchmarkStore(b *testing.B) {
	statetest.Benchmark(b, func(b *testing.B) state.Store { return open(b, filepath.Join(b.TempDir(), "state.db")) })
}

// open opens the store at path until the test ends.
func open(t testing.TB, path string) *boltstate.Store {
	t.Helper()
	s, err := boltstate.Open(path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
