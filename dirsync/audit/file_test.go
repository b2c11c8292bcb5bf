package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/audit/audittest"
)

var ctx = context.Background()

func TestACrashAtAnyByteOfAnAppendLosesNothingAndDoublesNothing(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 7, "a")
	before, whole := len(text(t, c[:4])), text(t, c)
	dir := t.TempDir()
	for _, rest := range []string{"", "\x00\x00\x00"} { // power may fail, too
		for _, start := range []int{0, 4} { // an Append to a new file, and to one with four records
			at := 0
			if start > 0 {
				at = before
			}
			for cut := at; cut < len(whole); cut++ {
				// A new file each time: to truncate one makes some systems sync it.
				path := filepath.Join(dir, fmt.Sprint(len(rest), start, cut))
				require.NoError(t, os.WriteFile(path, append(bytes.Clone(whole[:cut]), rest...), 0o600))
				f, err := audit.OpenWithoutSync(path)
				require.NoError(t, err, "cut at %d", cut)
				head, ok, err := f.Position(ctx)
				require.NoError(t, err)
				held := bytes.Count(whole[:cut], []byte("\n"))
				require.Equal(t, held > 0, ok)
				require.Equal(t, uint64(held), head.Seq)
				// The engine delivers the whole batch again.
				require.NoError(t, f.Append(ctx, c[start:]), "cut at %d", cut)
				after, err := os.ReadFile(path)
				require.NoError(t, err)
				require.True(t, bytes.Equal(whole, after), "cut at %d", cut)
				require.NoError(t, os.Remove(path))
			}
		}
	}
}

func TestAFailedWriteOrSyncLeavesNothingBehindAndTheNextOneGoesOn(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 9, "a")
	whole, added := text(t, c), text(t, c[4:])
	full := errors.New("no space left on device")
	for n := range len(added) + 1 {
		if n%7 > 0 && n < len(added) {
			continue
		}
		f := openFile(t, filepath.Join(t.TempDir(), "audit.jsonl"))
		require.NoError(t, f.Append(ctx, c[:4]))
		var handles []*os.File
		failing := true
		write := func(file *os.File, b []byte) error {
			handles = append(handles, file)
			if !failing {
				n = len(b)
			}
			_, err := file.Write(b[:n])
			if n < len(b) {
				err = full
			}
			return err
		}
		uncut := n%2 == 0 // cutting off fails as well, as on a file that can only grow
		f.Break(write, func(file *os.File, size int64) error {
			if failing && uncut {
				return full
			}
			return file.Truncate(size)
		}, func(file *os.File) error {
			if failing {
				return full
			}
			return file.Sync()
		})
		require.ErrorIs(t, f.Append(ctx, c[4:]), full)
		if !uncut {
			require.Equal(t, c[:4], readFile(t, f.Path()))
		}
		failing = false
		head, ok, err := f.Position(ctx)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, c[3].Head(), head)
		require.NoError(t, f.Append(ctx, c[4:]))
		after, err := os.ReadFile(f.Path())
		require.NoError(t, err)
		require.True(t, bytes.Equal(whole, after))
		require.Len(t, handles, 2)
		require.NotSame(t, handles[0], handles[1], "a handle whose sync failed isn't used again")
	}
}

func TestNothingIsAppendedUntilWhatAFailedWriteLeftCanBeCutOff(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 4, "a")
	dir := t.TempDir()
	path, away := filepath.Join(dir, "audit.jsonl"), filepath.Join(dir, "away")
	f := openFile(t, path)
	require.NoError(t, f.Append(ctx, c[:2]))
	f.Break(func(file *os.File, b []byte) error {
		_, err := file.Write(b[:20])
		// Something that can't be cut takes its place.
		return errors.Join(err, file.Close(), os.Rename(path, away), os.Mkdir(path, 0o700), errors.New("failed"))
	}, nil, nil)
	require.Error(t, f.Append(ctx, c[2:]))
	require.Error(t, f.Append(ctx, c[2:]))
	_, _, err := f.Position(ctx)
	require.Error(t, err)
}

func TestAFileIsSyncedBeforeAPositionIsTold(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 2, "a")
	f := openFile(t, filepath.Join(t.TempDir(), "audit.jsonl"))
	// Written by a process that died before its sync.
	require.NoError(t, os.WriteFile(f.Path(), text(t, c), 0o600))
	failed := errors.New("failed")
	f.Break(nil, nil, func(*os.File) error { return failed })
	_, _, err := f.Position(ctx)
	require.ErrorIs(t, err, failed)
	require.ErrorIs(t, f.Append(ctx, c), failed)
}

func TestAnAppendIsSyncedBeforeItReturns(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 3, "a")
	f := openFile(t, filepath.Join(t.TempDir(), "audit.jsonl"))
	var steps []string
	f.Break(func(file *os.File, b []byte) error {
		steps = append(steps, "write")
		_, err := file.Write(b)
		return err
	}, nil, func(file *os.File) error {
		steps = append(steps, "sync")
		return file.Sync()
	})
	require.NoError(t, f.Append(ctx, c))
	require.NoError(t, f.Append(ctx, c))
	require.Equal(t, []string{"write", "sync"}, steps)
}

func TestAFileThatIsDamagedOrSomethingElseIsLeftAlone(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 6, "a")
	whole := text(t, c)
	other := text(t, audittest.Chain(audit.Head{}, 6, "b")[5:])
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	for what, content := range map[string][]byte{
		"a flipped bit":                     flipped,
		"a missing line":                    slices.Concat(text(t, c[:3]), text(t, c[4:])),
		"a forged last line":                slices.Concat(text(t, c[:5]), other),
		"an empty line":                     append(bytes.Clone(whole), '\n'),
		"a hole that power left":            slices.Concat(text(t, c[:3]), make([]byte, 100), text(t, c[5:])),
		"text without a newline":            []byte("root:x:0:0"),
		"text":                              []byte("root:x:0:0\n"),
		"text with a part":                  []byte("root:x:0:0\ndaemon"),
		"another JSON":                      []byte(`{"se": 1}`),
		"a first line that is far too long": append([]byte(`{"seq":`), bytes.Repeat([]byte("1"), audit.MaxLine)...),
	} {
		path := filepath.Join(t.TempDir(), "audit.jsonl")
		require.NoError(t, os.WriteFile(path, content, 0o600))
		_, err := audit.OpenFile(path, nil)
		require.ErrorContains(t, err, path, what)
		require.ErrorContains(t, err, "move the file away", what)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(content, after), what)
	}
	_, err := audit.OpenFile(t.TempDir(), nil)
	require.Error(t, err)
	_, err = audit.OpenFile(filepath.Join(t.TempDir(), "missing", "audit.jsonl"), nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestAllThatALossOfPowerCanHaveDamagedIsReadWhenAFileIsOpened(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 6000, "a")
	f := openFile(t, filepath.Join(t.TempDir(), "audit.jsonl"))
	synced, written := 0, 0
	var damage []int // where writes began that were synced last
	f.Break(func(file *os.File, b []byte) error {
		require.LessOrEqual(t, len(b), audit.Chunk)
		damage = append(damage, written)
		written += len(b)
		_, err := file.Write(b)
		return err
	}, nil, func(*os.File) error {
		synced = written
		return nil
	})
	require.NoError(t, f.Append(ctx, c))
	require.Equal(t, written, synced)
	require.Greater(t, len(damage), 2, "the test is about more than one write")
	content, err := os.ReadFile(f.Path())
	require.NoError(t, err)
	last := damage[len(damage)-1]
	prior := damage[len(damage)-2]
	// As if the power had failed in the last write, or in the one before.
	for _, at := range []int{last, last + 1000, len(content) - 2} {
		holed := bytes.Clone(content)
		copy(holed[at:], make([]byte, 512))
		require.NoError(t, os.WriteFile(f.Path(), holed, 0o600))
		_, err := audit.OpenFile(f.Path(), nil)
		if at == len(content)-2 {
			require.NoError(t, err, "an incomplete last line")
			continue
		}
		require.ErrorContains(t, err, "damaged", "at %d", at)
	}
	holed := bytes.Clone(content[:last])
	copy(holed[prior:], make([]byte, 512))
	require.NoError(t, os.WriteFile(f.Path(), holed, 0o600))
	_, err = audit.OpenFile(f.Path(), nil)
	require.ErrorContains(t, err, "damaged")
}

func TestARecordLongerThanWhatIsReadAtOnceIsFoundAtTheEnd(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 4, "a")
	for range 100 {
		c[2].Rules = append(c[2].Rules, audit.Rule{Branch: strings.Repeat("\x00", 10_000)})
	}
	c[2].Seal(c[1].Head())
	c[3].Seal(c[2].Head())
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	whole := text(t, c)
	for _, n := range []int{len(text(t, c[:3])), len(text(t, c[:3])) - 1, len(whole) - 1, len(whole)} {
		require.NoError(t, os.WriteFile(path, whole[:n], 0o600))
		f := openFile(t, path)
		head, _, err := f.Position(ctx)
		require.NoError(t, err)
		require.Equal(t, uint64(bytes.Count(whole[:n], []byte("\n"))), head.Seq)
		require.NoError(t, f.Append(ctx, c))
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		require.True(t, bytes.Equal(whole, after))
	}
}

func TestAFileCanBeRotatedBetweenAppends(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 12, "a")
	dir := t.TempDir()
	path := filepath.Join(dir, "audit.jsonl")
	f := openFile(t, path)
	require.NoError(t, f.Append(ctx, c[:4]))
	require.NoError(t, os.Rename(path, path+".1"))
	// Delivered again: not a second time, although the new file is empty.
	require.NoError(t, f.Append(ctx, c[2:4]))
	require.ErrorIs(t, f.Append(ctx, c[5:]), audit.ErrGap)
	require.NoError(t, f.Append(ctx, c[2:7]))
	require.NoError(t, os.Rename(path, path+".2"))
	f = openFile(t, path) // another process: any record goes
	_, ok, err := f.Position(ctx)
	require.NoError(t, err)
	require.False(t, ok)
	require.NoError(t, f.Append(ctx, c[7:]))
	require.Equal(t, c[:4], readFile(t, path+".1"))
	require.Equal(t, c[4:7], readFile(t, path+".2"))
	require.Equal(t, c[7:], readFile(t, path))
	require.NoError(t, f.Append(ctx, c[2:5]), "rotated away")
	require.NoError(t, f.Append(ctx, c[8:10]))
	require.Equal(t, c[7:], readFile(t, path))
}

func TestA17_AFileIsReadableByItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	mode := func() os.FileMode {
		info, err := os.Stat(path)
		require.NoError(t, err)
		return info.Mode().Perm()
	}
	openFile(t, path)
	require.Equal(t, os.FileMode(0o600), mode())
	require.NoError(t, os.Chmod(path, 0o640))
	openFile(t, path)
	require.Equal(t, os.FileMode(0o640), mode())
	require.NoError(t, os.Remove(path))
	_, err := audit.OpenFile(path, &audit.FileOptions{Mode: 0o400})
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o400), mode())
}
