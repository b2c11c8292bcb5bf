package memsource_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
)

// events reads in words, and returns the last watermark.
func events(t *testing.T, src *memsource.Source, w source.Watermark) ([]string, source.Watermark) {
	t.Helper()
	var said []string
	seq, _ := source.Read(t.Context(), src, w)
	for e, err := range seq {
		require.NoError(t, err)
		if e.Op == source.Checkpoint {
			w = e.Watermark
			continue
		}
		said = append(said, fmt.Sprint(e.Op, " ", e.Object.ID))
	}
	return said, w
}

func put(src *memsource.Source, ids ...source.ID) {
	for _, id := range ids {
		src.Put(source.Object{ID: id, Attributes: source.Attributes{"displayName": {string(id)}}})
	}
}

func TestAReadIsInTheOrderOfTheLastChange(t *testing.T) {
	src := memsource.New("corp", nil)
	put(src, "a", "b", "c")
	src.Edit("a", func(o *source.Object) { o.Attributes.Set("title", "Clerk") })
	said, w := events(t, src, "")
	require.Equal(t, []string{"upsert b", "upsert c", "upsert a"}, said)
	src.Remove("c")
	src.MoveOut("b")
	said, _ = events(t, src, w)
	require.Equal(t, []string{"deleted c", "left b"}, said)
}

func TestPuttingTheSameChangesNothing(t *testing.T) {
	src := memsource.New("corp", nil)
	put(src, "a")
	_, w := events(t, src, "")
	put(src, "a")
	require.True(t, src.Rename("a", "CN=a,OU=People,DC=mem")) // where it is already
	maybe, err := src.Poll(t.Context(), w)
	require.NoError(t, err)
	require.False(t, maybe)
}

func TestPutFillsInAndPutsInOrder(t *testing.T) {
	src, twin := memsource.New("corp", nil), memsource.New("corp", nil)
	in := source.Object{Attributes: source.Attributes{"cn": {"Berg, Anna"}, "otherMailbox": {"b", "a"}, "title": {}, "photo": {"\xff", "ok"}}}
	id := src.Put(in)
	require.Equal(t, id, twin.Put(in), "the made-up IDs are the same each time")
	o, ok := src.Get(id)
	require.True(t, ok)
	require.Equal(t, source.Object{ID: id, Kind: source.User, DN: `CN=Berg\, Anna,OU=People,DC=mem`,
		Attributes: source.Attributes{"cn": {"Berg, Anna"}, "otherMailbox": {"a", "b"}, "photo": {"ok"}},
		Faults:     []source.Fault{{Attribute: "photo", Reason: "not valid UTF-8"}}}, o)
	require.Equal(t, []string{"b", "a"}, in.Attributes["otherMailbox"], "the caller's object stays as it is")
	require.Panics(t, func() { src.Put(source.Object{ID: "a/b"}) })
}

func TestHiddenObjectsAreAbsentWithoutAWord(t *testing.T) {
	src := memsource.New("corp", nil)
	put(src, "a", "b")
	_, w := events(t, src, "")
	require.True(t, src.Hide("a"))
	said, w := events(t, src, w)
	require.Empty(t, said)
	said, _ = events(t, src, "")
	require.Equal(t, []string{"upsert b"}, said)
	for e := range src.Find(t.Context(), []source.ID{"a"}) {
		t.Errorf("found %v", e.Op)
	}
	require.True(t, src.Show("a"))
	said, _ = events(t, src, w)
	require.Equal(t, []string{"upsert a"}, said)
}

func TestSpoiltObjectsAreUnreadableUntilTheyAreNot(t *testing.T) {
	src := memsource.New("corp", nil)
	put(src, "a", "b")
	boom := errors.New("boom")
	require.True(t, src.Spoil("a", boom))
	said, w := events(t, src, "")
	require.Equal(t, []string{"upsert b", "unreadable a"}, said)
	require.True(t, src.Spoil("a", nil))
	said, _ = events(t, src, w)
	require.Equal(t, []string{"upsert a"}, said)
}

func TestHandsSayWhenThereIsNoSuchObject(t *testing.T) {
	src := memsource.New("corp", nil)
	put(src, "a")
	for name, did := range map[string]bool{
		"Remove": src.Remove("x"), "Undelete": src.Undelete("a"), "MoveIn": src.MoveIn("a"), "MoveOut": src.MoveOut("x"),
		"Show": src.Show("a"), "Edit": src.Edit("x", func(*source.Object) {}), "Rename": src.Rename("x", "CN=x"),
	} {
		require.False(t, did, name)
	}
	require.True(t, src.Remove("a"))
	require.False(t, src.Remove("a"))
	require.Zero(t, src.Len())
}

func TestForgottenTombstonesExpireOlderWatermarks(t *testing.T) {
	src := memsource.New("corp", &memsource.Options{MaxTombstones: 2})
	put(src, "a", "b", "c", "d")
	_, old := events(t, src, "")
	src.Remove("a")
	_, afterA := events(t, src, "")
	src.Remove("b")
	src.Undelete("b") // takes its tombstone out of the queue
	src.Remove("b")
	said, _ := events(t, src, old)
	require.Equal(t, []string{"deleted a", "deleted b"}, said)
	src.Remove("c") // forgets a's
	require.ErrorIs(t, since(t, src, old), source.ErrWatermarkExpired)
	said, w := events(t, src, afterA)
	require.Equal(t, []string{"deleted b", "deleted c"}, said)

	src.PurgeTombstones()
	require.ErrorIs(t, since(t, src, afterA), source.ErrWatermarkExpired)
	require.NoError(t, since(t, src, w))
	maybe, err := src.Poll(t.Context(), afterA)
	require.NoError(t, err)
	require.True(t, maybe)
	put(src, "e")
	src.Expire()
	require.ErrorIs(t, since(t, src, w), source.ErrWatermarkExpired)
	said, _ = events(t, src, "")
	require.Equal(t, []string{"upsert d", "upsert e"}, said)
}

// since is the error in which a delta ends.
func since(t *testing.T, src *memsource.Source, w source.Watermark) (last error) {
	for _, last = range src.Since(t.Context(), w) {
	}
	return last
}

func TestManyTombstonesStayWithinTheirNumber(t *testing.T) {
	src := memsource.New("corp", &memsource.Options{MaxTombstones: 10})
	for i := range 1000 {
		id := source.ID(fmt.Sprint(i % 37))
		put(src, id)
		src.Remove(id)
	}
	require.Zero(t, src.Len())
	found := 0
	for i := range 37 {
		for e, err := range src.Find(t.Context(), []source.ID{source.ID(fmt.Sprint(i))}) {
			require.NoError(t, err)
			require.Equal(t, source.Deleted, e.Op)
			found++
		}
	}
	require.Equal(t, 10, found)
}

func TestADirectoryIsEditedWhileItIsRead(t *testing.T) {
	src := memsource.New("corp", &memsource.Options{CheckpointEvery: 3})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 200 {
				id := source.ID(fmt.Sprintf("%d-%d", w, i%20))
				put(src, id)
				src.Edit(id, func(o *source.Object) { o.Attributes.Set(fmt.Sprintf("a%d", i), "x") })
				if i%7 == 0 {
					src.Remove(id)
				}
			}
		})
	}
	known := map[source.ID]source.Object{}
	var w source.Watermark
	follow := func() {
		seq, _ := source.Read(t.Context(), src, w)
		for e, err := range seq {
			require.NoError(t, err)
			switch e.Op {
			case source.Upsert:
				known[e.Object.ID] = e.Object
			case source.Deleted:
				delete(known, e.Object.ID)
			case source.Checkpoint:
				w = e.Watermark
			}
		}
	}
	for range 20 {
		follow()
	}
	wg.Wait()
	follow()
	require.Len(t, known, src.Len())
	for id, o := range known {
		now, ok := src.Get(id)
		require.True(t, ok)
		require.Equal(t, now, o)
	}
}
