package memsource_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
)

// said are the references in a read, in words.
func said(t *testing.T, events iter.Seq2[source.Event, error]) []string {
	t.Helper()
	var words []string
	for e, err := range events {
		require.NoError(t, err)
		if r := e.References; e.Op == source.Refers {
			words = append(words, fmt.Sprintf("%s %s %s %v-%v first=%v last=%v", e.Object.Kind, e.Object.ID, r.Attribute, r.Add, r.Remove, r.First, r.Last))
		}
	}
	return words
}

func group(src *memsource.Source, id source.ID, members ...source.ID) {
	src.Put(source.Object{ID: id, Kind: source.Group})
	src.SetRefs(id, "member", members...)
}

func TestReferencesAreToldWholeAndThenAsDifferences(t *testing.T) {
	src := memsource.New("corp", &memsource.Options{MaxReferences: 2})
	put(src, "a", "b", "c")
	group(src, "g", "a", "b", "c")
	group(src, "e")
	require.Equal(t, []string{"group g member [a b]-[] first=true last=false", "group g member [c]-[] first=false last=true",
		"group e member []-[] first=true last=true"}, said(t, src.All(t.Context())))
	_, w := events(t, src, "")
	src.Refer("e", "member", "a")
	src.Refer("e", "member", "b")
	src.Unrefer("g", "member", "b")
	require.Equal(t, []string{"group e member [a b]-[] first=false last=false", "group g member []-[b] first=false last=false"},
		said(t, src.Since(t.Context(), w)))
	maybe, err := src.Poll(t.Context(), w)
	require.NoError(t, err)
	require.True(t, maybe)
	words, w := events(t, src, w)
	require.Equal(t, []string{"refers e", "refers g"}, words)
	src.Refer("e", "member", "a")
	src.SetRefs("g", "member", "c", "a")
	maybe, err = src.Poll(t.Context(), w)
	require.NoError(t, err)
	require.False(t, maybe, "nothing changed")
	require.Equal(t, []source.ID{"a", "c"}, src.Refs("g", "member"))
	require.Equal(t, []string{"group g member [a c]-[] first=true last=true"}, said(t, src.Find(t.Context(), []source.ID{"g", "a"})))
	require.False(t, src.Refer("x", "member", "a"))
}

func TestADeletedObjectIsReferredToNoMoreWithoutAWord(t *testing.T) {
	src := memsource.New("corp", nil)
	put(src, "a", "b")
	group(src, "g", "a", "b")
	_, w := events(t, src, "")
	require.True(t, src.Remove("a"))
	words, w := events(t, src, w)
	require.Equal(t, []string{"deleted a"}, words)
	require.Equal(t, []source.ID{"b"}, src.Refs("g", "member"))
	src.Refer("g", "member", "a") // a tombstone
	require.Equal(t, []source.ID{"b"}, src.Refs("g", "member"))
	require.True(t, src.Undelete("a"))
	words, w = events(t, src, w)
	require.Equal(t, []string{"upsert a"}, words)
	require.Equal(t, []source.ID{"b"}, src.Refs("g", "member"))
	require.Equal(t, []string{"group g member []-[a] first=false last=false"}, said(t, src.Confirm(t.Context(), w, "a", "member", []source.ID{"g", "b", "x"}))[:1])
	require.Empty(t, said(t, src.Confirm(t.Context(), w, "b", "member", []source.ID{"g"})), "it refers to b")

	require.True(t, src.MoveOut("g"))
	src.Refer("g", "member", "a")
	words, w = events(t, src, w)
	require.Equal(t, []string{"left g"}, words)
	require.True(t, src.MoveIn("g"))
	require.Equal(t, []string{"group g member [a b]-[] first=false last=false"}, said(t, src.Since(t.Context(), w)))
}

func TestAContainerIsRenamedAlone(t *testing.T) {
	src := memsource.New("corp", nil)
	top := src.Put(source.Object{Kind: source.Container, DN: "DC=mem"})
	ou := src.Put(source.Object{Kind: source.Container, Parent: top, Attributes: source.Attributes{"ou": {"Sales, North"}}})
	ann := src.Put(source.Object{Parent: ou, Attributes: source.Attributes{"cn": {"Ann"}}})
	where := func() string { o, _ := src.Get(ann); return o.DN }
	require.Equal(t, `CN=Ann,OU=Sales\, North,DC=mem`, where())
	_, w := events(t, src, "")
	require.True(t, src.Rename(ou, "OU=Trade,DC=mem"))
	words, w := events(t, src, w)
	require.Equal(t, []string{"upsert " + string(ou)}, words)
	require.Equal(t, "CN=Ann,OU=Trade,DC=mem", where())
	require.True(t, src.Move(ann, top))
	words, w = events(t, src, w)
	require.Equal(t, []string{"upsert " + string(ann)}, words)
	require.Equal(t, "CN=Ann,DC=mem", where())
	require.True(t, src.Edit(ann, func(o *source.Object) { o.Attributes.Set("title", "x") }))
	require.True(t, src.Edit(ann, func(o *source.Object) { o.Attributes.Set("title", "x") }))
	require.Equal(t, "CN=Ann,DC=mem", where())
	require.True(t, src.Rename(ann, "CN=Anna,DC=mem"))
	_, w = events(t, src, w)
	require.True(t, src.Rename(top, "DC=mem2"))
	require.Equal(t, "CN=Anna,DC=mem2", where())
	words, _ = events(t, src, w)
	require.Len(t, words, 1)
}

// A follower knows what a reader can know.
type follower struct {
	refs  map[string]map[source.ID]bool
	begun map[string]map[source.ID]bool // whole sets whose last has not come
}

func (f *follower) forget(id source.ID) {
	for _, attribute := range []string{"member", "manager"} {
		delete(f.refs, string(id)+" "+attribute)
	}
}

func (f *follower) hear(e source.Event) {
	switch e.Op {
	case source.Left:
		f.forget(e.Object.ID)
	case source.Deleted:
		f.forget(e.Object.ID)
		for _, set := range f.refs {
			delete(set, e.Object.ID)
		}
	case source.Refers:
		r, key := e.References, string(e.Object.ID)+" "+e.References.Attribute
		if f.refs[key] == nil {
			f.refs[key] = map[source.ID]bool{}
		}
		if r.First {
			f.begun[key] = map[source.ID]bool{}
		}
		for _, id := range r.Add {
			f.refs[key][id] = true
			if f.begun[key] != nil {
				f.begun[key][id] = true
			}
		}
		for _, id := range r.Remove {
			delete(f.refs[key], id)
		}
		if r.Last {
			f.refs[key] = f.begun[key]
			delete(f.begun, key)
		}
	}
}

// Whoever follows, over reads that are cut anywhere and complete reads in
// between, ends up with what is there.
func TestAFollowerKnowsTheReferences(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 7))
		src := memsource.New("corp", &memsource.Options{CheckpointEvery: 1 + random.IntN(3), MaxReferences: 1 + random.IntN(3)})
		var ids []source.ID
		for i := range 8 {
			kind := source.User
			if i%2 == 0 {
				kind = source.Group
			}
			ids = append(ids, src.Put(source.Object{ID: source.ID(fmt.Sprint(i)), Kind: kind}))
		}
		one := func() source.ID { return ids[random.IntN(len(ids))] }
		f := &follower{refs: map[string]map[source.ID]bool{}, begun: map[string]map[source.ID]bool{}}
		var w source.Watermark
		revived := map[source.ID]bool{}
		for range 40 {
			for range random.IntN(5) {
				attribute := "member"
				if random.IntN(4) == 0 {
					attribute = "manager"
				}
				switch random.IntN(14) {
				case 0:
					src.Remove(one())
				case 1, 2:
					src.Undelete(one())
				case 3:
					src.MoveOut(one())
				case 4, 5:
					src.MoveIn(one())
				case 6:
					src.Edit(one(), func(o *source.Object) { o.Attributes.Set("title", fmt.Sprint(random.IntN(3))) })
				case 7:
					src.SetRefs(one(), attribute, one(), one())
				case 8, 9:
					src.Unrefer(one(), attribute, one())
				default:
					src.Refer(one(), attribute, one(), one())
				}
			}
			if random.IntN(15) == 0 {
				w = "" // everything again
			}
			cut := random.IntN(30)
			seq, _ := source.Read(t.Context(), src, w)
			f.begun = map[string]map[source.ID]bool{}
			for e, err := range seq {
				require.NoError(t, err)
				if e.Op == source.Checkpoint {
					w = e.Watermark
				}
				f.hear(e)
				if e.Revived {
					revived[e.Object.ID] = true
				}
				if cut--; cut == 0 {
					break
				}
			}
		}
		f.begun = map[string]map[source.ID]bool{}
		for e, err := range src.Since(t.Context(), w) {
			require.NoError(t, err)
			f.hear(e)
			if e.Revived {
				revived[e.Object.ID] = true
			}
		}
		for to := range revived {
			for _, attribute := range []string{"member", "manager"} {
				for e, err := range src.Confirm(t.Context(), w, to, attribute, ids) {
					if errors.Is(err, source.ErrIncomplete) {
						break // deleted again
					}
					require.NoError(t, err)
					f.hear(e)
				}
			}
		}
		for e := range src.All(t.Context()) { // what is in scope: of the rest a complete read may have said nothing
			id := e.Object.ID
			if e.Op != source.Upsert {
				continue
			}
			for _, attribute := range []string{"member", "manager"} {
				known := slices.Sorted(maps.Keys(f.refs[string(id)+" "+attribute]))
				require.Equal(t, src.Refs(id, attribute), known, "seed %d, %s of %s", seed, attribute, id)
			}
		}
	}
}
