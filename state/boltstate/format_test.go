package boltstate_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

var golden = flag.Bool("golden", false, "write testdata/format1.db anew (never once format 1 is released)")

// A file of each format that was ever released stays readable.
func TestAFileOfFormat1IsRead(t *testing.T) {
	const file = "testdata/format1.db"
	if *golden {
		require.NoError(t, os.WriteFile(file, small(t, 4096), 0o644))
	}
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	s := open(t, path)
	require.Equal(t, contents(), everything(t, s))
	require.NoError(t, s.Check(ctx))
	require.NoError(t, s.Commit(ctx, state.Put("k", []byte("v"))))
	require.NoError(t, s.Check(ctx))
}

func TestANewerFormatIsRefusedAndLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	newer := boltstate.Options{}.WithSteps(append(boltstate.Migrations(), nothing)...)
	s, err := boltstate.Open(path, newer)
	require.NoError(t, err)
	require.NoError(t, s.Commit(ctx, state.Put("k", []byte("v"))))
	require.NoError(t, s.Close())
	before, err := os.ReadFile(path)
	require.NoError(t, err)

	for _, opts := range []*boltstate.Options{nil, {SkipVerify: true}} {
		_, err = boltstate.Open(path, opts)
		require.ErrorIs(t, err, state.ErrNewerFormat)
		require.NotErrorIs(t, err, state.ErrCorrupt)
		require.ErrorContains(t, err, path)
	}
	after, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestAnOlderFormatIsMigratedStepByStepInOneTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	require.NoError(t, s.Commit(ctx, state.Put("k", []byte("v"))))
	require.NoError(t, s.Close())

	var took []string
	step := func(name string, err error) func(*bbolt.Tx) error {
		return func(tx *bbolt.Tx) error {
			took = append(took, name)
			b, berr := tx.CreateBucket([]byte(name)) // fails if the step is taken twice
			require.NoError(t, berr)
			require.NoError(t, b.Put([]byte("k"), []byte("v")))
			if err == nil {
				require.NoError(t, tx.DeleteBucket([]byte(name)))
			}
			return err
		}
	}
	broken := errors.New("out of luck")
	steps := append(boltstate.Migrations(), step("one", nil), step("two", broken))
	_, err := boltstate.Open(path, boltstate.Options{}.WithSteps(steps...))
	require.ErrorIs(t, err, broken)
	require.Equal(t, []string{"one", "two"}, took)
	s = open(t, path) // still of the old format, and whole
	require.Equal(t, "v", value(t, s, "k"))
	require.NoError(t, s.Close())

	took = nil
	newest := boltstate.Options{}.WithSteps(append(boltstate.Migrations(), step("one", nil), step("two", nil))...)
	for range 2 {
		s, err = boltstate.Open(path, newest)
		require.NoError(t, err)
		require.Equal(t, []string{"one", "two"}, took, "once, in order")
		require.Equal(t, "v", value(t, s, "k"))
		require.NoError(t, s.Check(ctx))
		require.NoError(t, s.Close())
	}
	_, err = boltstate.Open(path, nil)
	require.ErrorIs(t, err, state.ErrNewerFormat)
}

func nothing(*bbolt.Tx) error { return nil }
