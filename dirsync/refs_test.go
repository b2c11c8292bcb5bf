package dirsync_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/target"
)

// group puts a security group into the directory.
func (w *world) group(name string, members ...source.ID) source.ID {
	id := w.src.Put(source.Object{Kind: source.Group, DN: "CN=" + name + ",OU=Groups,DC=corp,DC=example,DC=com", Attributes: source.Attributes{
		"objectClass": {"group"}, "sAMAccountName": {name}, "cn": {name}, "groupType": {"-2147483646"},
	}})
	w.src.Refer(id, "member", members...)
	return id
}

// refs are to whom the account of an object refers, by name, in order.
func (w *world) refs(id source.ID, attr string) []string {
	w.t.Helper()
	names := []string{}
	for o, err := range w.tgt.Current(context.Background()) {
		require.NoError(w.t, err)
		if o.ID != w.idOf(id) {
			continue
		}
		for _, to := range w.tgt.RefsOf(o.ID, attr) {
			other, _ := w.tgt.Get(to)
			names = append(names, strings.TrimPrefix(other.Attributes.First("displayName"), "Person "))
		}
	}
	slices.Sort(names)
	return names
}

// idOf is the live account of an object, "" if there is none.
func (w *world) idOf(id source.ID) target.ID {
	o, _ := w.src.Get(id)
	for a, err := range w.tgt.Current(context.Background()) {
		require.NoError(w.t, err)
		if a.Kind == target.Group && a.Anchor == "dirbridge-"+string(id) {
			return a.ID
		}
		if a.Kind == target.User && a.Attributes.First(target.AttrUserPrincipalName) == o.Attributes.First("userPrincipalName") {
			return a.ID
		}
	}
	return ""
}

func pnames(ids ...int) []string {
	names := []string{}
	for _, i := range ids {
		names = append(names, fmt.Sprintf("p%03d", i))
	}
	return names
}

func TestGroupsComeWithTheirMembersInTheFirstRun(t *testing.T) {
	w := newWorld(t)
	ids := w.people(45)
	staff := w.group("staff", ids...)
	w.src.Refer(staff, "managedBy", ids[3])
	w.src.Refer(ids[1], "manager", ids[0])
	rep := w.sync()
	require.Equal(t, 46, rep.Created)
	require.Equal(t, 45, rep.MembersAdded)
	require.Equal(t, 2, rep.RefsChanged)
	require.Equal(t, 46+3+1+1, rep.Writes, "twenty members in one write")
	require.Empty(t, rep.Problems)
	require.Len(t, w.refs(staff, target.RefMembers), 45)
	require.Equal(t, pnames(3), w.refs(staff, target.RefOwners))
	require.Equal(t, pnames(0), w.refs(ids[1], target.RefManager))
	g, ok := w.tgt.Get(w.idOf(staff))
	require.True(t, ok)
	require.Equal(t, "true", g.Attributes.First("securityEnabled"))
	w.mustRest()

	w.src.SetRefs(ids[1], "manager", ids[2])
	w.src.Unrefer(staff, "member", ids[:21]...)
	rep = w.sync()
	require.Equal(t, 21, rep.MembersRemoved)
	require.Equal(t, 1, rep.RefsChanged)
	require.Equal(t, 3, rep.Writes)
	require.Len(t, w.refs(staff, target.RefMembers), 24)
	require.Equal(t, pnames(2), w.refs(ids[1], target.RefManager))
	w.mustRest()

	w.src.SetRefs(ids[1], "manager")
	require.Equal(t, 1, w.sync().RefsChanged)
	require.Empty(t, w.refs(ids[1], target.RefManager))
	w.mustRest()
}

func TestS15_CyclesAreLegalAndWhatPointsAtNobodyWaits(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	stranger := w.person("stranger", "contoso.com")
	out := w.person("out", "contoso.com")
	w.src.MoveOut(out)
	a := w.group("a", ids[0], stranger, out, "00000000-0000-0000-0000-00000000dead")
	b := w.group("b", a)
	w.src.Refer(a, "member", b, a)
	w.src.Refer(ids[0], "manager", ids[1])
	w.src.Refer(ids[1], "manager", ids[0])
	w.src.Refer(ids[2], "manager", ids[2])
	w.set(stranger, "displayName")
	w.set(stranger, "cn") // no account can be made of it

	rep := w.sync()
	require.Equal(t, 5, rep.Created)
	require.Equal(t, []string{"missing-value"}, codes(rep), "a reference that waits is nobody's problem")
	require.Equal(t, 1, rep.ReferencesWaiting)
	require.Equal(t, 2, rep.ReferencesDropped)
	require.Equal(t, []string{"a", "b", "p000"}, w.refs(a, target.RefMembers))
	require.Equal(t, []string{"a"}, w.refs(b, target.RefMembers))
	require.Equal(t, pnames(1), w.refs(ids[0], target.RefManager))
	require.Equal(t, pnames(0), w.refs(ids[1], target.RefManager))
	require.Equal(t, pnames(2), w.refs(ids[2], target.RefManager))
	w.mustRest()

	w.set(stranger, "displayName", "Person stranger")
	w.src.MoveIn(out)
	rep = w.sync()
	require.Equal(t, 2, rep.Created)
	require.Equal(t, 2, rep.MembersAdded, "in the run in which they can")
	require.Equal(t, 1, rep.Writes-rep.Created, "planned with what they wait for")
	require.Zero(t, rep.ReferencesWaiting)
	require.Equal(t, 1, rep.ReferencesDropped)
	require.Equal(t, []string{"a", "b", "out", "p000", "stranger"}, w.refs(a, target.RefMembers))
	w.mustRest()

	// Who leaves the scope keeps what there is, until the group says otherwise.
	w.src.MoveOut(out)
	rep = w.sync()
	require.Equal(t, 1, rep.Disabled)
	require.Zero(t, rep.MembersRemoved)
	w.src.Unrefer(a, "member", out)
	require.Equal(t, 1, w.sync().MembersRemoved)
	require.Equal(t, []string{"a", "b", "p000", "stranger"}, w.refs(a, target.RefMembers))
	w.mustRest()
}

func TestS13_ADeletedPersonLeavesTheGroupsAndReportsThem(t *testing.T) {
	log := &audit.MemorySink{}
	w := newWorld(t, func(w *world) { w.opt.Audit = []audit.Sink{log} })
	ids := w.people(4)
	a, b := w.group("a", ids...), w.group("b", ids[0])
	w.src.Refer(ids[1], "manager", ids[0])
	w.sync()

	w.src.Remove(ids[0])
	p, err := w.eng.Preview(t.Context(), nil)
	require.NoError(t, err)
	for c, err := range p.Changes(t.Context()) {
		require.NoError(t, err)
		require.ElementsMatch(t, []source.ID{a, b}, c.Leaves)
	}
	rep := w.sync()
	require.Equal(t, 1, rep.Deleted)
	require.Equal(t, 2, rep.MembersLeft)
	require.Equal(t, 1, rep.Writes, "the target takes it out of its groups by itself")
	require.Equal(t, pnames(1, 2, 3), w.refs(a, target.RefMembers))
	told := false
	for _, rec := range log.Records() {
		told = told || rec.Op == "delete" && len(rec.Before["memberOf"]) == 2
	}
	require.True(t, told, "the audit names the groups")
	w.mustRest()

	// Restored without what it was in: the bin brings the memberships along, and
	// the directory doesn't.
	w.src.Undelete(ids[0])
	w.src.Refer(b, "member", ids[0])
	rep = w.sync()
	require.Equal(t, 1, rep.Restored)
	require.Equal(t, pnames(1, 2, 3), w.refs(a, target.RefMembers))
	require.Equal(t, pnames(0), w.refs(b, target.RefMembers))
	require.Empty(t, w.refs(ids[1], target.RefManager))
	w.mustRest()
}

func TestADeletedGroupComesBackWithTheMembersThatItHasThen(t *testing.T) {
	w := newWorld(t)
	ids := w.people(30)
	a := w.group("a", ids[:25]...)
	w.sync()
	w.src.Remove(a)
	rep := w.sync()
	require.Equal(t, 1, rep.Deleted)
	require.Zero(t, rep.MembersLeft)
	w.mustRest()
	w.src.Undelete(a)
	w.src.Refer(a, "member", ids[20:30]...)
	w.opt.Limits = plan.Unlimited()
	w.eng = w.engine(w.src, w.tgt, w.store)
	rep = w.sync()
	require.Equal(t, 1, rep.Restored)
	require.Equal(t, pnames(20, 21, 22, 23, 24, 25, 26, 27, 28, 29), w.refs(a, target.RefMembers))
	w.mustRest()
}

func TestAGroupThatLeavesIsKeptAndReported(t *testing.T) {
	w := newWorld(t)
	ids := w.people(3)
	a := w.group("a", ids...)
	w.sync()
	w.src.MoveOut(a)
	rep := w.sync()
	require.Zero(t, rep.Changed())
	require.Equal(t, []string{"group-kept"}, codes(rep))
	w.src.Unrefer(a, "member", ids[0])
	require.Zero(t, w.sync().Changed())
	w.src.MoveIn(a)
	rep = w.sync()
	require.Equal(t, 1, rep.MembersRemoved)
	require.Empty(t, rep.Problems)
	w.mustRest()

	w.opt.Leaving = plan.DeleteOnLeave
	w.eng = w.engine(w.src, w.tgt, w.store)
	w.src.MoveOut(a)
	require.Equal(t, 1, w.sync().Deleted)
	w.mustRest()
}

// A partReader ends sets in the middle, or fails amid one.
type partReader struct {
	*memsource.Source
	cut func(ev source.Event) (drop bool, err error)
}

func (s *partReader) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return s.cutOff(s.Source.All(ctx))
}

func (s *partReader) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	return s.cutOff(s.Source.Since(ctx, w))
}

func (s *partReader) cutOff(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for ev, err := range events {
			if err == nil && ev.Op == source.Refers {
				drop, cut := s.cut(ev)
				if cut != nil {
					yield(source.Event{}, cut)
					return
				}
				if drop {
					continue
				}
			}
			if !yield(ev, err) {
				return
			}
		}
	}
}
