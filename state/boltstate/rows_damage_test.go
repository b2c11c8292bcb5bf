package boltstate_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.etcd.io/bbolt"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/state/memstate"
)

// Every byte of a file that an engine was killed over is flipped: all its bits or
// one of them. Either that is noticed, or all that can be read is what was
// written; there is nothing in between. Where the bytes say how pages hang
// together, writing to the file mustn't spoil it either. Of pages that bbolt says
// are free, each 16th byte is enough.
func TestE03_EveryFlippedByteOfAnEnginesFileIsNoticedOrHarmless(t *testing.T) {
	const pageSize, shares = 1024, 4
	_, images := film(t, pageSize)
	img := full(t, images)
	free, links := pagesOf(t, img.file)
	var sweep []int
	for at := range used(img.file) {
		if !free[at/pageSize] || at%16 == 0 {
			sweep = append(sweep, at)
		}
	}
	var noticed, harmless, written atomic.Int64
	t.Run("share", func(t *testing.T) {
		for share := range shares {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				path := filepath.Join(t.TempDir(), "flipped.db")
				require.NoError(t, os.WriteFile(path, img.file, 0o600))
				for i := share; i < len(sweep); i += shares {
					at := sweep[i]
					change := byte(0xff)
					if at%3 == 0 {
						change = 1 << (at % 8)
					}
					overwrite(t, path, at, img.file[at]^change)
					s, err := boltstate.Open(path, &boltstate.Options{ReadOnly: true})
					if err != nil {
						require.ErrorIs(t, err, state.ErrCorrupt, "byte %d", at)
						noticed.Add(1)
					} else {
						harmless.Add(1)
						require.True(t, maps.Equal(img.records, contentsOf(t, s)), "byte %d makes a difference", at)
						require.NoError(t, s.Close())
						if at%pageSize < 16 || links[at/pageSize] {
							written.Add(1)
							writeTo(t, path, at)
							require.NoError(t, os.WriteFile(path, img.file, 0o600))
						}
					}
					overwrite(t, path, at, img.file[at])
				}
				b, err := os.ReadFile(path)
				require.NoError(t, err)
				require.True(t, bytes.Equal(img.file, b), "a look changes nothing")
			})
		}
	})
	t.Logf("%d bytes, %d records, %d of %d pages free: %d flips noticed, %d harmless, %d of them written to", len(sweep), len(img.records),
		len(free), used(img.file)/pageSize, noticed.Load(), harmless.Load(), written.Load())
	require.Greater(t, noticed.Load(), int64(20_000))
	require.Greater(t, written.Load(), int64(100))
}

// writeTo grows, changes and shrinks a store that was opened in spite of a
// flipped byte.
func writeTo(t *testing.T, path string, at int) {
	t.Helper()
	s, err := boltstate.Open(path, nil)
	require.NoError(t, err)
	want := contentsOf(t, s)
	for n := range 2 {
		writes := batch(10*n + 3)
		require.NoError(t, s.Commit(ctx, writes...), "byte %d", at)
		for _, w := range writes {
			if delete(want, w.Key); !w.Delete {
				want[w.Key] = string(w.Value)
			}
		}
	}
	require.NoError(t, s.Close())
	s, err = boltstate.Open(path, nil)
	require.NoError(t, err, "writing spoiled the file, byte %d", at)
	require.True(t, maps.Equal(want, contentsOf(t, s)), "byte %d", at)
	require.NoError(t, s.Close())
}

// A flipped byte in a branch page's key once got past Open as long as the order
// held; bbolt then found no element to replace and wrote a second one.
func TestE03_ABranchThatNamesAnotherKeyThanItsPageBeginsWithIsNoticed(t *testing.T) {
	good := small(t, 1024)
	path := filepath.Join(t.TempDir(), "branch.db")
	require.NoError(t, os.WriteFile(path, good, 0o600))
	_, links := pagesOf(t, good)
	flipped := 0
	for page := range links {
		for at := page * 1024; at < (page+1)*1024; at++ {
			if !bytes.HasPrefix(good[at:], []byte("link/ad/")) {
				continue
			}
			flipped++
			last := at + len("link/ad/000") - 1
			overwrite(t, path, last, good[last]-1) // still in order, if there is room
			_, err := boltstate.Open(path, nil)
			require.ErrorIs(t, err, state.ErrCorrupt, "byte %d", last)
			overwrite(t, path, last, good[last])
		}
	}
	require.Greater(t, flipped, 5)
}

// pagesOf says which pages of a file hold nothing and which hold page numbers.
func pagesOf(t *testing.T, file []byte) (free, links map[int]bool) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "pages.db")
	require.NoError(t, os.WriteFile(path, file, 0o600))
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, PreLoadFreelist: true})
	require.NoError(t, err)
	defer db.Close()
	free, links = map[int]bool{}, map[int]bool{}
	require.NoError(t, db.View(func(tx *bbolt.Tx) error {
		for i := range used(file) / db.Info().PageSize {
			info, err := tx.Page(i)
			if err != nil {
				return err
			}
			if info != nil && info.Type == "free" {
				free[i] = true
			}
			if info != nil && info.Type == "branch" {
				links[i] = true
			}
		}
		return nil
	}))
	return free, links
}

// What Open let through goes to the engine: it does what it does with the file as
// it was.
func TestE03_WithAFileThatOpensTheEngineDoesWhatItDidBefore(t *testing.T) {
	_, images := film(t, 1024)
	at := slices.IndexFunc(images, func(i image) bool { return bytes.Equal(i.file, full(t, images).file) })
	want := goOn(t, images, at, -1)
	require.Empty(t, want.refused)
	opened := 0
	end := used(images[at].file)
	for flip := 0; flip < end; flip += 1 + end/99 { // no multiple of the page size
		got := goOn(t, images, at, flip)
		if got.refused != nil {
			require.ErrorIs(t, got.refused, state.ErrCorrupt)
			continue
		}
		opened++
		require.Equal(t, want, got, "byte %d", flip)
	}
	require.Greater(t, opened, 10)
}

// An ending is what a company looks like in the end.
type ending struct {
	refused  error
	accounts map[string]string
	writes   int
}

// goOn makes the company's runs up to the image, puts the image's file (with one
// byte flipped, if flip isn't negative) in the place of the state, and goes on.
func goOn(t *testing.T, images []image, at, flip int) ending {
	t.Helper()
	path := filepath.Join(t.TempDir(), "again.db")
	require.NoError(t, os.WriteFile(path, images[at].file, 0o600))
	if flip >= 0 {
		overwrite(t, path, flip, images[at].file[flip]^0x55)
	}
	s, err := boltstate.Open(path, nil)
	if err != nil {
		return ending{refused: err}
	}
	defer s.Close()
	c := diedAfter(t, at+1)
	before := c.tgt.Counts().Writes()
	c.rest(s)
	return ending{accounts: c.accounts(), writes: c.tgt.Counts().Writes() - before}
}

// diedAfter makes the company's runs until so many commits of the second are
// made, or to their end.
func diedAfter(t *testing.T, commits int) *company {
	t.Helper()
	c, s := newCompany(t), memstate.New()
	c.sync(s)
	c.churn()
	_, err := c.engine(&dying{Store: s, commits: commits}).Sync(t.Context(), nil)
	if err != nil {
		require.ErrorIs(t, err, errDied)
	}
	return c
}

var errDied = errors.New("the process is dead")

// A dying store makes so many commits; all later calls fail.
type dying struct {
	state.Store
	commits int
}

func (s *dying) Commit(ctx context.Context, writes ...state.Write) error {
	if s.commits == 0 {
		return errDied
	}
	if len(writes) > 0 {
		s.commits--
	}
	return s.Store.Commit(ctx, writes...)
}

// A file that was opened without a look at it, and records that go bad under an
// open store: the engine gives up when it meets the first of them, and what it
// did until then is what it would have done.
func TestE03_ADamagedRecordEndsTheRun(t *testing.T) {
	_, images := film(t, 1024)
	img := images[0]
	ended := 0
	for key := range img.records {
		c := diedAfter(t, 1)
		b := bytes.Clone(img.file)
		for i := bytes.Index(b, []byte(key+"\x00\x00")); i >= 0 && i < used(b); i = next(b, key, i) {
			b[i+len(key)+8] ^= 1 // the checksum
		}
		path := filepath.Join(t.TempDir(), "again.db")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s, err := boltstate.Open(path, &boltstate.Options{SkipVerify: true})
		require.NoError(t, err)
		for range 3 {
			_, err = c.engine(s).Sync(t.Context(), &dirsync.Request{Full: true, Retry: true})
			if err != nil {
				ended++
				require.ErrorIs(t, err, state.ErrCorrupt, key)
			}
		}
		require.NoError(t, s.Close())
		c.accounts() // nobody has two
		enabled := map[string]string{}
		for _, o := range c.tgt.Objects() {
			enabled[o.Attributes.First("displayName")] = o.Attributes.First("accountEnabled")
		}
		for _, name := range []string{"Person ann", "Person bob", "Person carl", "B"} {
			require.Equal(t, "true", enabled[name], "%s: %s was touched", key, name)
		}
		require.Contains(t, enabled, "Person eve", "%s: who left the scope isn't deleted", key)
	}
	require.Greater(t, ended, len(img.records))
}
