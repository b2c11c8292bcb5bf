package boltstate_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

// contents is what small puts in its file.
func contents() map[string]string {
	out := map[string]string{"empty": "", "big": string(bytes.Repeat([]byte("0123456789"), 700))}
	for i := range 90 {
		out[fmt.Sprintf("link/ad/%03d", i)] = fmt.Sprintf("%03d:%0*d", i, 20+3*(i%40), i)
	}
	return out
}

// small makes the bytes of a store that has everything a file can have: several
// levels of pages, a value larger than a page, free pages.
func small(t testing.TB, pageSize int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small.db")
	s, err := boltstate.Open(path, boltstate.Options{}.WithPageSize(pageSize))
	require.NoError(t, err)
	var trash, remove, writes []state.Write
	for i := range 60 {
		w := state.Put(fmt.Sprintf("link/trash/%03d", i), bytes.Repeat([]byte("x"), 60))
		trash, remove = append(trash, w), append(remove, state.Remove(w.Key))
	}
	for k, v := range contents() {
		writes = append(writes, state.Put(k, []byte(v)))
	}
	require.NoError(t, s.Commit(ctx, trash...))
	require.NoError(t, s.Commit(ctx, writes...))
	require.NoError(t, s.Commit(ctx, remove...))
	require.NoError(t, s.Commit(ctx, state.Put("empty", nil)))
	require.NoError(t, s.Close())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// used is where the file's last page in use ends; what is behind that was only
// made to be there.
func used(file []byte) int {
	end := 0
	pageSize := int(binary.NativeEndian.Uint32(file[16+8:]))
	for _, root := range [][]byte{file[16:], file[pageSize+16:]} {
		end = max(end, int(binary.NativeEndian.Uint64(root[40:]))*pageSize)
	}
	return end
}

var everyByte = flag.Bool("everybyte", false, "damage each byte of the small file, not a part of them (a minute or two)")

// Bytes of a small file are changed, one at a time. Either that is noticed, or
// it makes no difference: all records read back right, none is missing, and the
// next commits don't spoil any.
func TestNoFlippedByteGoesUnnoticed(t *testing.T) {
	good := small(t, 1024)
	want := contents()
	random := rand.New(rand.NewPCG(3, 4))
	path := filepath.Join(t.TempDir(), "flipped.db")
	require.NoError(t, os.WriteFile(path, good, 0o600))
	noticed, harmless, written := 0, 0, 0

	for at := range used(good) {
		header := at%1024 < 16 || at < 2048 && at%1024 < 96
		if !*everyByte && !header && at%29 != 0 {
			continue
		}
		change := byte(1) << random.IntN(8)
		if random.IntN(2) == 0 {
			change = byte(1 + random.IntN(255))
		}
		overwrite(t, path, at, good[at]^change)
		s, err := boltstate.Open(path, nil)
		if err != nil {
			require.ErrorIs(t, err, state.ErrCorrupt, "byte %d", at)
			overwrite(t, path, at, good[at])
			noticed++
			continue
		}
		harmless++
		require.True(t, maps.Equal(want, everything(t, s)), "byte %d", at)
		if header && at%5 == 0 || at%1001 == 0 {
			written++
			more := []state.Write{state.Put("link/new", bytes.Repeat([]byte("n"), 5000)), state.Remove("link/ad/045")}
			require.NoError(t, s.Commit(ctx, more...), "byte %d", at)
			require.NoError(t, s.Commit(ctx, state.Remove("link/new"), state.Put("link/ad/045", []byte(want["link/ad/045"]))), "byte %d", at)
			require.NoError(t, s.Close())
			s, err = boltstate.Open(path, nil)
			require.NoError(t, err, "byte %d", at)
			require.True(t, maps.Equal(want, everything(t, s)), "byte %d", at)
			require.NoError(t, s.Close())
			require.NoError(t, os.WriteFile(path, good, 0o600))
			continue
		}
		require.NoError(t, s.Close())
		overwrite(t, path, at, good[at])
	}
	t.Logf("%d bytes: %d noticed, %d harmless (%d of them written to afterwards)", used(good), noticed, harmless, written)
	require.Greater(t, noticed, 500)
	require.Greater(t, written, 50)
}

func overwrite(t *testing.T, path string, at int, b byte) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte{b}, int64(at))
	require.NoError(t, err)
	require.NoError(t, f.Close())
}

// The same without the walk at the beginning, on the values of records: each is
// checked as it is read. Other records stay readable.
func TestADamagedRecordIsNoticedWhenItIsRead(t *testing.T) {
	good := small(t, 1024)
	want := contents()
	victim := "link/ad/033"
	at := bytes.Index(good[:used(good)], []byte(victim+"\x00\x00"))
	require.Positive(t, at)
	path := filepath.Join(t.TempDir(), "flipped.db")

	for _, offset := range []int{len(victim), len(victim) + 7, len(victim) + 8, len(victim) + 11, len(victim) + 12, len(victim) + 30} {
		b := bytes.Clone(good)
		for i := at; i >= 0 && i < len(b)-offset; i = next(b, victim, i) { // in old copies of the page as well
			b[i+offset] ^= 0x40
		}
		require.NoError(t, os.WriteFile(path, b, 0o600))
		_, err := boltstate.Open(path, nil)
		require.ErrorIs(t, err, state.ErrCorrupt)
		require.ErrorContains(t, err, victim)

		s, err := boltstate.Open(path, &boltstate.Options{SkipVerify: true})
		require.NoError(t, err)
		_, err = s.Get(ctx, victim)
		require.ErrorIs(t, err, state.ErrCorrupt)
		require.ErrorContains(t, err, victim)
		require.Equal(t, want["link/ad/034"], value(t, s, "link/ad/034"))

		seen := 0
		for r, err := range s.Scan(ctx, "") {
			if err != nil {
				require.ErrorIs(t, err, state.ErrCorrupt)
				require.ErrorContains(t, err, victim)
				require.Zero(t, r)
				break
			}
			require.Equal(t, want[r.Key], string(r.Value))
			require.Less(t, r.Key, victim)
			seen++
		}
		require.Equal(t, 2+33, seen, "the records before the damaged one")

		// It isn't overwritten either, and nothing else is lost over it.
		require.ErrorIs(t, s.Commit(ctx, state.Put("a", nil), state.Put(victim, []byte("new"))), state.ErrCorrupt)
		require.ErrorIs(t, s.Check(ctx), state.ErrCorrupt)
		require.NoError(t, s.Commit(ctx, state.Put("a", nil)))
		require.NoError(t, s.Close())
	}
}

func next(b []byte, victim string, i int) int {
	if n := bytes.Index(b[i+1:], []byte(victim+"\x00\x00")); n >= 0 {
		return i + 1 + n
	}
	return -1
}

// A record that was stored under one key can't be passed off as another's.
func TestARecordUnderAWrongKeyIsNoticed(t *testing.T) {
	b := small(t, 1024)
	swap := func(from, to string) { b = bytes.ReplaceAll(b, []byte(from), []byte(to)) }
	swap("link/ad/010", "link/ad/01X") // sorts between 019 and 020 ...
	swap("link/ad/019", "link/ad/010")
	swap("link/ad/01X", "link/ad/019") // ... but now it is in the other's place
	path := filepath.Join(t.TempDir(), "swapped.db")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	_, err := boltstate.Open(path, nil)
	require.ErrorIs(t, err, state.ErrCorrupt)
}

// The disk fails under an open store: an error, not the end of the process.
func TestAFileCutUnderAnOpenStoreIsAnError(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows doesn't let a mapped file be cut")
	}
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, small(t, 4096), 0o600))
	s, err := boltstate.Open(path, nil)
	require.NoError(t, err)
	require.NoError(t, os.Truncate(path, 4096))

	_, err = s.Get(ctx, "link/ad/033")
	require.ErrorIs(t, err, state.ErrCorrupt)
	require.Error(t, s.Commit(ctx, state.Put("k", nil)))
	for _, err := range s.Scan(ctx, "") {
		require.Error(t, err)
	}
	require.Error(t, s.Check(ctx))
	require.NoError(t, s.Close())

	_, err = boltstate.Open(path, nil) // and the lock was given up
	require.ErrorIs(t, err, state.ErrCorrupt)
}

func everything(t testing.TB, s state.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for r, err := range s.Scan(ctx, "") {
		require.NoError(t, err)
		out[r.Key] = string(r.Value)
	}
	for k, v := range contents() {
		if r, err := s.Get(ctx, k); string(r.Value) != v {
			require.True(t, err != nil && !errors.Is(err, state.ErrNotFound), "%s is wrong or missing", k)
		}
	}
	return out
}
