package boltstate_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

func TestA17_AnExistingFileIsNarrowedToItsOwnerAndThatIsTold(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes: the directory's access list decides")
	}
	for _, content := range [][]byte{nil, small(t, 4096)} {
		for _, mode := range []fs.FileMode{0o644, 0o660, 0o606, 0o601, 0o777} {
			path := filepath.Join(t.TempDir(), "state.db")
			require.NoError(t, os.WriteFile(path, content, 0o600))
			require.NoError(t, os.Chmod(path, mode))
			var told []fs.FileMode
			opts := &boltstate.Options{OnWideMode: func(was fs.FileMode) { told = append(told, was) }}
			for range 2 { // told once
				s, err := boltstate.Open(path, opts)
				require.NoError(t, err)
				require.NoError(t, s.Close())
				require.Equal(t, []fs.FileMode{mode}, told)
				require.Equal(t, mode&0o700, modeOf(t, path))
			}
		}
	}
}

func TestA17_AModeThatIsNarrowEnoughStaysAndACopyIsNarrowToo(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes: the directory's access list decides")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := boltstate.Open(path, &boltstate.Options{OnWideMode: func(fs.FileMode) { t.Error("nothing to tell") }})
	require.NoError(t, err)
	require.NoError(t, s.Compact(ctx, path+".copy"))
	require.NoError(t, s.Close())
	require.Equal(t, fs.FileMode(0o600), modeOf(t, path))
	require.Equal(t, fs.FileMode(0o600), modeOf(t, path+".copy"))
}

// What is refused stays as it is, its mode included.
func TestA17_AFileThatIsRefusedKeepsItsMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, []byte("source:\n  activeDirectory: {}\n"), 0o600))
	require.NoError(t, os.Chmod(path, 0o644))
	_, err := boltstate.Open(path, nil)
	require.ErrorIs(t, err, state.ErrCorrupt)
	if runtime.GOOS != "windows" {
		require.Equal(t, fs.FileMode(0o644), modeOf(t, path))
	}
}

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	require.NoError(t, err)
	return info.Mode()
}

// A dry run of an engine over each sort of file that there can be leaves no
// trace: not a byte, no mode, no file.
func TestA17_ADryRunOnAStoreForReadingLeavesNoTrace(t *testing.T) {
	began := filepath.Join(t.TempDir(), "began.db")
	db, err := bbolt.Open(began, 0o600, nil) // and then the program was killed
	require.NoError(t, err)
	require.NoError(t, db.Close())
	unfilled, err := os.ReadFile(began)
	require.NoError(t, err)
	_, images := film(t, 4096)

	for name, content := range map[string][]byte{
		"no file": nil, "size 0": {}, "one that bbolt began": unfilled, "a state": images[len(images)-1].file, "one of a crash": full(t, images).file,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			if content != nil {
				require.NoError(t, os.WriteFile(path, content, 0o600))
				require.NoError(t, os.Chmod(path, 0o640))
			}
			c := newCompany(t)
			s, err := boltstate.Open(path, &boltstate.Options{ReadOnly: true, OnWideMode: func(fs.FileMode) { t.Error("nothing was narrowed") }})
			require.NoError(t, err)
			p, err := c.engine(s).Preview(t.Context(), &dirsync.Request{Full: true})
			require.NoError(t, err)
			if len(content) == 0 {
				require.Equal(t, 5, p.Counts.Create)
			}
			_, err = c.engine(s).Sync(t.Context(), nil)
			require.ErrorIs(t, err, boltstate.ErrReadOnly)
			if name != "one of a crash" { // whose calls have their intents
				require.Zero(t, c.tgt.Counts().Writes(), "no intent, no call")
			}
			require.NoError(t, s.Check(ctx))
			require.NoError(t, s.Close())

			if content == nil {
				require.NoFileExists(t, path)
				return
			}
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.True(t, bytes.Equal(content, after))
			if runtime.GOOS != "windows" {
				require.Equal(t, fs.FileMode(0o640), modeOf(t, path))
			}
		})
	}
}

func TestAStoreForReading(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	require.NoError(t, os.WriteFile(path, small(t, 4096), 0o600))
	reading := &boltstate.Options{ReadOnly: true, LockTimeout: -1}
	s, err := boltstate.Open(path, reading)
	require.NoError(t, err)
	require.Equal(t, contents(), everything(t, s))
	require.ErrorIs(t, s.Commit(ctx, state.Put("k", nil)), boltstate.ErrReadOnly)
	require.NoError(t, s.Commit(ctx))

	// Others may read, nobody writes.
	second, err := boltstate.Open(path, reading)
	require.NoError(t, err)
	require.Equal(t, contents(), everything(t, second))
	_, err = boltstate.Open(path, &boltstate.Options{LockTimeout: -1})
	require.ErrorIs(t, err, state.ErrLocked)
	require.NoError(t, second.Compact(ctx, path+".copy"))
	require.NoError(t, second.Close())
	require.NoError(t, s.Close())
	_, err = s.Get(ctx, "empty")
	require.ErrorIs(t, err, os.ErrClosed)
	require.ErrorIs(t, s.Commit(ctx, state.Put("k", nil)), os.ErrClosed)

	writer := open(t, path)
	_, err = boltstate.Open(path, reading)
	require.ErrorIs(t, err, state.ErrLocked)
	require.NoError(t, writer.Close())

	b := small(t, 4096)
	b[16+20] ^= 1 // in the first root page
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err = boltstate.Open(path, reading)
	require.ErrorIs(t, err, state.ErrCorrupt)
}

func TestAStoreForReadingWithoutAFileIsEmpty(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s, err := boltstate.Open(path, &boltstate.Options{ReadOnly: true})
	require.NoError(t, err)
	_, err = s.Get(ctx, "k")
	require.ErrorIs(t, err, state.ErrNotFound)
	require.Empty(t, records(t, s))
	require.ErrorIs(t, s.Compact(ctx, path+".copy"), os.ErrNotExist)
	require.NoError(t, s.Close())
	_, err = s.Get(ctx, "k")
	require.ErrorIs(t, err, os.ErrClosed)
	for _, err := range s.Scan(ctx, "") {
		require.ErrorIs(t, err, os.ErrClosed)
	}

	_, err = boltstate.Open(filepath.Join(t.TempDir(), "missing", "state.db"), &boltstate.Options{ReadOnly: true})
	require.ErrorIs(t, err, os.ErrNotExist, "a directory that isn't there is a mistake all the same")
}

// A file of an older format is the business of the one who writes.
func TestE06_AnOlderFormatIsNotMigratedByReading(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, small(t, 4096), 0o600))
	broken := func(*bbolt.Tx) error { return errors.New("not to be called") }
	newer := boltstate.Options{ReadOnly: true}.WithSteps(append(boltstate.Migrations(), broken)...)
	_, err := boltstate.Open(path, newer)
	require.ErrorContains(t, err, "open it for writing once")
	require.NotErrorIs(t, err, state.ErrCorrupt)
	require.Equal(t, contents(), everything(t, open(t, path)))
}
