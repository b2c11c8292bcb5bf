package boltstate_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

// A badDisk puts another device behind the descriptor of an open store.
type badDisk struct {
	t     *testing.T
	file  *os.File
	saved int // a descriptor that holds the file, and its lock, meanwhile
}

func (d *badDisk) open(path string) (*boltstate.Store, error) {
	return boltstate.Open(path, boltstate.Options{}.WithOpenFile(func(path string, flag int, mode os.FileMode) (f *os.File, err error) {
		f, err = os.OpenFile(path, flag, mode)
		d.file = f // the last one is the one that stays
		return f, err
	}))
}

func (d *badDisk) swap(device string) {
	d.t.Helper()
	other, err := os.OpenFile(device, os.O_RDWR, 0)
	require.NoError(d.t, err)
	defer other.Close()
	d.saved, err = syscall.Dup(int(d.file.Fd()))
	require.NoError(d.t, err)
	require.NoError(d.t, syscall.Dup3(int(other.Fd()), int(d.file.Fd()), syscall.O_CLOEXEC))
}

// mend puts the file back.
func (d *badDisk) mend() {
	d.t.Helper()
	require.NoError(d.t, syscall.Dup3(d.saved, int(d.file.Fd()), syscall.O_CLOEXEC))
	require.NoError(d.t, syscall.Close(d.saved))
}

// A failing store has its disk go bad just before its n-th commit.
type failing struct {
	state.Store
	n    int
	fail func()
}

func (s *failing) Commit(ctx context.Context, writes ...state.Write) error {
	if s.n--; s.n == 0 {
		s.fail()
	}
	return s.Store.Commit(ctx, writes...)
}

// The disk under a running engine fills up, or swallows what it is given and says
// so at the fsync, at the n-th commit for all n: nothing more is called for at
// the target, the handle never goes on, not even when the disk is well again, and
// the file opened anew leads to the right end.
func TestE05_AfterAFullDiskOrAFailedFsyncTheHandleNeverGoesOn(t *testing.T) {
	calm := newCompany(t)
	store := open(t, filepath.Join(t.TempDir(), "state.db"))
	calm.sync(store)
	calm.churn()
	calm.rest(store)
	want, wantWrites := calm.accounts(), calm.tgt.Counts().Writes()

	for _, device := range []string{"/dev/full", "/dev/null"} { // ENOSPC at the write; all is well until the fsync
		failed := 0
		for n := 1; ; n++ {
			path := filepath.Join(t.TempDir(), "state.db")
			c, disk := newCompany(t), &badDisk{t: t}
			s, err := disk.open(path)
			require.NoError(t, err)
			c.sync(s)
			c.churn()
			calls := -1
			_, err = c.engine(&failing{s, n, func() {
				disk.swap(device)
				calls = c.tgt.Counts().Writes()
			}}).Sync(t.Context(), nil)
			if calls < 0 {
				require.NoError(t, err)
				require.NoError(t, s.Close())
				break
			}
			failed++
			require.ErrorIs(t, err, state.ErrReopen, "%s, commit %d", device, n)
			require.Equal(t, calls, c.tgt.Counts().Writes(), "%s, commit %d: written on", device, n)

			disk.mend() // too late for this handle
			require.ErrorIs(t, s.Commit(ctx, state.Put("k", nil)), state.ErrReopen)
			_, err = s.Get(ctx, "k")
			require.ErrorIs(t, err, state.ErrReopen)
			for _, err := range s.Scan(ctx, "") {
				require.ErrorIs(t, err, state.ErrReopen)
			}
			_, err = c.engine(s).Sync(t.Context(), nil)
			require.ErrorIs(t, err, state.ErrReopen)
			require.Equal(t, calls, c.tgt.Counts().Writes())
			require.NoError(t, s.Close())

			s, err = boltstate.Open(path, nil)
			require.NoError(t, err, "%s, commit %d", device, n)
			c.rest(s)
			require.Equal(t, want, c.accounts(), "%s, commit %d", device, n)
			require.LessOrEqual(t, c.tgt.Counts().Writes(), wantWrites+2, "%s, commit %d: more than one call was repeated", device, n)
			require.NoError(t, s.Check(ctx))
			require.NoError(t, s.Close())
		}
		require.Greater(t, failed, 5)
	}
}

// A file system that can't be written to is an error of Open for writing, no
// obstacle for reading.
func TestE05_AFileOfAReadOnlyFileSystemCanBeLookedAt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, small(t, 4096), 0o600))
	readOnly := func(path string, flag int, mode os.FileMode) (*os.File, error) {
		if flag&(os.O_RDWR|os.O_WRONLY|os.O_CREATE) != 0 {
			return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EROFS}
		}
		return os.OpenFile(path, flag, mode)
	}
	_, err := boltstate.Open(path, boltstate.Options{}.WithOpenFile(readOnly))
	require.ErrorIs(t, err, syscall.EROFS)
	s, err := boltstate.Open(path, boltstate.Options{ReadOnly: true}.WithOpenFile(readOnly))
	require.NoError(t, err)
	require.Equal(t, contents(), everything(t, s))
	require.NoError(t, s.Close())
}

// The process dies in the middle of a commit's page writes: each prefix of them,
// each suffix (the kernel writes in the order that it likes), the last one cut at
// a sector or in its middle. The file opens as it was before the commit. Once the
// root page is there, too, it is as after it. And a disk that lost one of the
// pages in spite of the fsync is noticed.
func TestE05_ATornCommitIsTheOneBeforeOrIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "torn.db")
	opens := func(file []byte, want map[string]string, format string, args ...any) error {
		t.Helper()
		require.NoError(t, os.WriteFile(path, file, 0o600))
		s, err := boltstate.Open(path, &boltstate.Options{ReadOnly: true})
		if err != nil {
			require.ErrorIs(t, err, state.ErrCorrupt)
			return err
		}
		require.Equal(t, want, contentsOf(t, s), fmt.Sprintf(format, args...))
		return s.Close()
	}
	for _, pageSize := range []int{1024, 4096} {
		_, images := film(t, pageSize)
		torn, lost := 0, 0
		for i := range len(images) - 1 {
			before, after := images[i], images[i+1]
			var pages []int // that the commit wrote, the root page not among them
			grown := make([]byte, len(after.file))
			copy(grown, before.file)
			for p := 2; p < len(grown)/pageSize; p++ {
				if string(grown[p*pageSize:(p+1)*pageSize]) != string(after.file[p*pageSize:(p+1)*pageSize]) {
					pages = append(pages, p)
				}
			}
			require.NoError(t, opens(grown, before.records, "grown"))
			for _, backwards := range []bool{false, true} {
				file := append([]byte{}, grown...)
				for j := range pages {
					p := pages[j]
					if backwards {
						p = pages[len(pages)-1-j]
					}
					for _, cut := range []int{512, pageSize / 2, pageSize} {
						copy(file[p*pageSize:], after.file[p*pageSize:p*pageSize+cut])
						torn++
						require.NoError(t, opens(file, before.records, "commit %d, page %d", i, p), "commit %d, page %d cut at %d", i, p, cut)
					}
				}
				copy(file, after.file[:2*pageSize])
				require.NoError(t, opens(file, after.records, "commit %d, all", i))
			}
			for _, p := range pages {
				file := append([]byte{}, after.file...)
				copy(file[p*pageSize:], grown[p*pageSize:(p+1)*pageSize])
				if opens(file, after.records, "commit %d without page %d", i, p) != nil {
					lost++
				}
			}
		}
		require.Positive(t, lost)
		t.Logf("pages of %d bytes, %d commits: %d torn writes, %d lost pages noticed", pageSize, len(images)-1, torn, lost)
	}
}
