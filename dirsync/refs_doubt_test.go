package dirsync_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/target"
)

// A dimmed directory doesn't show all that is there: some members of a group can't
// be identified, or the attribute isn't shown at all.
type dimmed struct {
	*memsource.Source
	group   source.ID
	strange []source.ID // that can't be identified
	hidden  bool        // the account may not read member any more
}

func (s *dimmed) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for ev, err := range s.Source.All(ctx) {
			if err == nil && ev.Op == source.Refers && ev.Object.ID == s.group && ev.References.Whole() {
				x := *ev.References
				if s.hidden {
					x.Add = nil
				}
				known := slices.DeleteFunc(slices.Clone(x.Add), func(id source.ID) bool { return slices.Contains(s.strange, id) })
				x.Unidentified, x.Add = len(x.Add)-len(known), known
				ev.References = &x
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}

func (s *dimmed) Empty(_ context.Context, id source.ID, attribute string) (bool, error) {
	return !s.hidden && len(s.Source.Refs(id, attribute)) == 0, nil
}

func TestAMemberThatCannotBeIdentifiedIsNotGone(t *testing.T) {
	w := newWorld(t)
	ids := w.people(12)
	g := w.group("staff", ids[:10]...)
	w.sync()
	dim := &dimmed{Source: w.src, group: g, strange: ids[2:8]}
	w.eng = w.engine(dim, w.tgt, w.store)
	w.src.SetRefs(g, "member", ids[1:11]...)
	rep := w.sync(dirsync.Request{Full: true})
	require.Equal(t, 6, rep.ReferencesUnknown)
	require.Equal(t, []string{"reference-doubtful"}, codes(rep))
	require.Equal(t, pnames(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10), w.refs(g, target.RefMembers), "whoever is named is added, nobody is removed")
	w.src.Unrefer(g, "member", ids[9])
	rep = w.sync()
	require.Equal(t, 1, rep.MembersRemoved, "the group's own word for one")
	require.Equal(t, []string{"reference-doubtful"}, codes(rep))
	dim.strange = nil
	rep = w.sync(dirsync.Request{Full: true})
	require.Empty(t, codes(rep))
	require.Equal(t, pnames(1, 2, 3, 4, 5, 6, 7, 8, 10), w.refs(g, target.RefMembers))
	w.mustRest()
}

// To who may not read member any more, a group looks empty.
func TestAGroupThatLooksEmptyIsEmptiedOnEvidenceAlone(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	g := w.group("staff", ids...)
	w.sync()
	dim := &dimmed{Source: w.src, group: g, hidden: true}
	w.eng = w.engine(dim, w.tgt, w.store)
	for range 2 {
		rep := w.sync(dirsync.Request{Full: true})
		require.Zero(t, rep.MembersRemoved)
		require.Equal(t, []string{"reference-doubtful"}, codes(rep))
		require.Len(t, w.refs(g, target.RefMembers), 3)
	}
	dim.hidden = false
	require.Empty(t, codes(w.sync(dirsync.Request{Full: true})))
	w.src.SetRefs(g, "member")
	rep := w.sync(dirsync.Request{Full: true})
	require.Equal(t, 3, rep.MembersRemoved, "an honest group that becomes empty needs nobody's word")
	w.mustRest()
}

// The evidence is asked for at the end of the read: no watermark passes before.
func TestAnEmptySetIsConfirmedBeforeTheWatermarkPasses(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	g := w.group("staff", ids...)
	w.sync()
	rest := w.sync().Watermark
	o := source.Object{ID: g, Kind: source.Group}
	told := &silent{scripted{w.src, []source.Event{
		{Op: source.Refers, Object: o, References: &source.References{Attribute: "member", First: true, Last: true}},
		{Op: source.Refers, Object: o, References: &source.References{Attribute: "member", Add: ids[2:]}},
		{Op: source.Checkpoint, Watermark: rest + "x"},
	}, nil}, context.DeadlineExceeded}
	_, err := w.engine(told, w.tgt, w.store).Sync(t.Context(), nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Len(t, w.refs(g, target.RefMembers), 3)
	told.err = nil
	rep, err := w.engine(told, w.tgt, w.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 2, rep.MembersRemoved)
	require.Equal(t, pnames(2), w.refs(g, target.RefMembers), "who came after it was empty stays")
	w.src.Unrefer(g, "member", ids[0])
}

// A silent source gives no evidence, or says why it can't.
type silent struct {
	scripted
	err error
}

func (s *silent) Empty(context.Context, source.ID, string) (bool, error) { return true, s.err }
