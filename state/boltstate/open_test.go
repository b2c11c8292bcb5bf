package boltstate_test

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

var ctx = context.Background()

func TestAnOpenStoreIsLockedAndTheErrorNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first := open(t, path)
	require.NoError(t, first.Commit(ctx, state.Put("k", []byte("v"))))

	for _, opts := range []*boltstate.Options{{LockTimeout: -1}, {LockTimeout: 100 * time.Millisecond}, {LockTimeout: -1, SkipVerify: true}} {
		_, err := boltstate.Open(path, opts)
		require.ErrorIs(t, err, state.ErrLocked)
		require.ErrorContains(t, err, path)
		require.NotErrorIs(t, err, state.ErrCorrupt)
	}
	require.NoError(t, first.Close())
	require.Equal(t, "v", value(t, open(t, path), "k"))
}

func TestOpenWaitsForTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	first := open(t, path)
	opened := make(chan error)
	go func() {
		s, err := boltstate.Open(path, &boltstate.Options{LockTimeout: time.Minute})
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	require.NoError(t, first.Close())
	require.NoError(t, <-opened)
}

func TestOnlyTheOwnerCanReadTheFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes: the directory's access list decides")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	open(t, path)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
}

func TestOpenMakesNoDirectory(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "missing", "state.db")
	_, err := boltstate.Open(path, nil)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "directory must exist")
	require.ErrorContains(t, err, path)
	require.NoDirExists(t, filepath.Join(dir, "missing"))

	_, err = boltstate.Open(dir, nil)
	require.ErrorContains(t, err, "not a regular file")
}

func TestAnEmptyFileBecomesAStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, nil, 0o600)) // as os.CreateTemp leaves it
	require.NoError(t, open(t, path).Commit(ctx, state.Put("k", []byte("v"))))
}

func TestAFileThatBboltBeganIsFinished(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	db, err := bbolt.Open(path, 0o600, nil) // and then the program was killed
	require.NoError(t, err)
	require.NoError(t, db.Close())
	require.NoError(t, open(t, path).Commit(ctx, state.Put("k", []byte("v"))))
}

func TestWhatIsNoStoreIsRefusedAndLeftAlone(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 50_000)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	db, err := bbolt.Open(foreign, 0o600, nil)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("somebody's"))
		return err
	}))
	require.NoError(t, db.Close())
	other, err := os.ReadFile(foreign)
	require.NoError(t, err)
	good := small(t, 4096)

	for name, content := range map[string][]byte{
		"a byte":                 {1},
		"text":                   []byte("source:\n  activeDirectory: {}\n"),
		"zeros":                  make([]byte, 40_000),
		"noise":                  noise,
		"somebody else's bbolt":  other,
		"a page":                 good[:4096],
		"a page and a half":      good[:6000],
		"the first four pages":   good[:4*4096],
		"all but the last byte":  good[:used(good)-1],
		"all but the last page":  good[:used(good)-4096],
		"one without first page": good[4096:],
		"one of zeros behind":    append(bytes.Clone(good[:8192]), make([]byte, len(good)-8192)...),
	} {
		for _, skip := range []bool{false, true} {
			if skip && name != "noise" && name != "text" && name != "a page" && name != "somebody else's bbolt" {
				continue // without a look at the file, nothing is promised
			}
			path := filepath.Join(t.TempDir(), "state.db")
			require.NoError(t, os.WriteFile(path, content, 0o600))
			_, err := boltstate.Open(path, &boltstate.Options{SkipVerify: skip})
			require.ErrorIs(t, err, state.ErrCorrupt, name)
			require.ErrorContains(t, err, path)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, after), "%s was changed", name)
		}
	}
}

func TestCloseMayBeRepeatedAndEndsAllCalls(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := open(t, path)
	require.Equal(t, path, s.Path())
	require.NoError(t, s.Commit(ctx, state.Put("k", []byte("v"))))
	for _, err := range s.Scan(ctx, "") { // in the middle of a scan, too
		require.NoError(t, err)
		require.NoError(t, s.Close())
	}
	require.NoError(t, s.Close())

	_, err := s.Get(ctx, "k")
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, s.Commit(ctx, state.Put("k", nil)), os.ErrClosed)
	require.ErrorIs(t, s.Check(ctx), os.ErrClosed)
	require.ErrorIs(t, s.Compact(ctx, path+".copy"), os.ErrClosed)
	for _, err := range s.Scan(ctx, "") {
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

// After a failed write nobody knows what is on the disk: the handle must not go
// on. A file that was opened for reading only stands for the full disk.
func TestAfterAFailedCommitTheStoreHasToBeOpenedAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, open(t, path).Close())
	s, err := boltstate.Open(path, boltstate.Options{}.WithOpenFile(func(path string, flag int, mode os.FileMode) (*os.File, error) {
		return os.OpenFile(path, flag&^os.O_RDWR, mode)
	}))
	require.NoError(t, err)

	err = s.Commit(ctx, state.Put("k", []byte("v")))
	require.ErrorContains(t, err, "opened again")
	require.NotErrorIs(t, err, state.ErrConflict)
	require.NotErrorIs(t, err, state.ErrCorrupt)

	_, again := s.Get(ctx, "k")
	require.ErrorContains(t, again, "unusable")
	require.NotErrorIs(t, again, state.ErrNotFound)
	require.ErrorContains(t, s.Commit(ctx, state.Put("k", []byte("v"))), "unusable")
	require.ErrorContains(t, s.Commit(ctx, state.Write{Key: "k", Check: true, Revision: 9}), "unusable")
	require.NoError(t, s.Close())

	s = open(t, path)
	require.NoError(t, s.Commit(ctx, state.Put("k", []byte("v"))))
}

func TestAConflictLeavesTheStoreUsable(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	require.ErrorIs(t, s.Commit(ctx, state.Put("a", nil), state.Write{Key: "k", Check: true, Revision: 9}), state.ErrConflict)
	require.NoError(t, s.Commit(ctx, state.Put("k", []byte("v"))))
	require.NoError(t, s.Check(ctx))
}

func TestWaitingForTheOtherWriterEndsWithTheContext(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "state.db"))
	release := s.HoldWriter()
	cancelled, cancel := context.WithCancel(ctx)
	done := make(chan error)
	go func() { done <- s.Commit(cancelled, state.Put("k", nil)) }()
	cancel()
	require.ErrorIs(t, <-done, context.Canceled)
	release()
	_, err := s.Get(ctx, "k")
	require.ErrorIs(t, err, state.ErrNotFound)
}

func value(t testing.TB, s state.Store, key string) string {
	t.Helper()
	r, err := s.Get(ctx, key)
	require.NoError(t, err)
	return string(r.Value)
}
