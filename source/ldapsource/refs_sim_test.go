package ldapsource_test

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

// A meter counts the bytes that come from the server.
type meter struct{ n atomic.Int64 }

func (m *meter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return metered{c, m}, err
}

type metered struct {
	net.Conn
	m *meter
}

func (c metered) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.m.n.Add(int64(n))
	return n, err
}

// told are the events of a read but its checkpoints, and the last watermark.
func told(t testing.TB, src *ldapsource.Source, w source.Watermark) (list []source.Event, mark source.Watermark) {
	t.Helper()
	events, _ := source.Read(t.Context(), src, w)
	for e, err := range events {
		require.NoError(t, err)
		if e.Op == source.Checkpoint {
			mark = e.Watermark
			continue
		}
		list = append(list, e)
	}
	return list, mark
}

// known is what events tell of one set, and how many times it was told whole.
func known(events []source.Event, id source.ID, attribute string) (set map[source.ID]bool, whole int) {
	set = map[source.ID]bool{}
	for _, e := range events {
		if e.Op != source.Refers || e.Object.ID != id || e.References.Attribute != attribute {
			continue
		}
		if e.References.First {
			set = map[source.ID]bool{}
		}
		for _, to := range e.References.Add {
			set[to] = true
		}
		for _, to := range e.References.Remove {
			delete(set, to)
		}
		if e.References.Last {
			whole++
		}
	}
	return set, whole
}

// staff makes a group of n people in OU=In, all in one write.
func (s *simulation) staff(n int) (source.ID, []source.ID) {
	ids := s.people(n)
	g, err := s.group(source.Object{Attributes: source.Attributes{"sAMAccountName": {"staff"}, "displayName": {"Staff"}}})
	require.NoError(s.t, err)
	require.NoError(s.t, s.refer(g, "member", ids, nil))
	return g, ids
}

func TestS14_OneMemberIsOneEventAndTheGroupIsNotRead(t *testing.T) {
	s := simulate(t, &adsim.Options{MaxValRange: 100})
	g, ids := s.staff(1000)
	require.NoError(t, s.refer(g, "member", nil, ids[:1]))
	var m meter
	src := s.source(everything, func(o *ldapsource.Options) { o.Dial = m.dial })
	events, w := told(t, src, "")
	set, whole := known(events, g, "member")
	require.Len(t, set, 999)
	require.Equal(t, 1, whole)

	_, w = told(t, src, w)
	before := m.n.Load()
	_, w = told(t, src, w) // nothing
	idle := m.n.Load() - before
	require.NoError(t, s.refer(g, "member", ids[:1], ids[5:6]))
	before = m.n.Load()
	events, w = told(t, src, w)
	require.Len(t, events, 1)
	require.Equal(t, source.Event{Op: source.Refers, Object: source.Object{ID: g, Kind: source.Group, DN: "CN=staff," + s.in},
		References: &source.References{Attribute: "member", Add: ids[:1], Remove: ids[5:6]}}, events[0])
	require.Less(t, m.n.Load()-before-idle, int64(2000), "bytes for one change")

	// With another attribute it is read, but not its members.
	require.NoError(t, s.dir.Modify(guidDN(g), adsim.Replace("description", "All of us")))
	require.NoError(t, s.refer(g, "member", ids[5:6], nil))
	before = m.n.Load()
	events, _ = told(t, src, w)
	require.Len(t, events, 2)
	require.Equal(t, []string{"All of us"}, events[0].Object.Attributes["description"])
	require.Equal(t, &source.References{Attribute: "member", Add: ids[5:6]}, events[1].References)
	require.Less(t, m.n.Load()-before-idle, int64(4000))
}

func TestS14_WhoManagesAGroupIsNoReasonToReadItsMembers(t *testing.T) {
	s := simulate(t, nil)
	g, ids := s.staff(500)
	var m meter
	src := s.source(func(o *ldapsource.Options) {
		o.Kinds, o.References, o.Dial = []source.Kind{source.User, source.Group}, []string{"member", "managedBy"}, m.dial
	})
	_, w := told(t, src, "")
	_, w = told(t, src, w)
	idle := m.n.Load()
	_, w = told(t, src, w)
	idle = m.n.Load() - idle
	require.NoError(t, s.refer(g, "managedBy", ids[:1], nil))
	require.NoError(t, s.dir.Modify(s.in, adsim.Replace("managedBy", guidDN(ids[0])))) // of no kind that is read
	before := m.n.Load()
	events, _ := told(t, src, w)
	require.Less(t, m.n.Load()-before-idle, int64(4000))
	set, _ := known(events, g, "managedBy")
	require.Equal(t, map[source.ID]bool{ids[0]: true}, set)
	for _, e := range events {
		require.Equal(t, g, e.Object.ID)
	}
}

func TestS14_LargeSetsComeInPiecesThatFit(t *testing.T) {
	s := simulate(t, &adsim.Options{MaxValRange: 10})
	g, ids := s.staff(47)
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		src := s.source(everything, func(o *ldapsource.Options) { o.Delta = mode })
		events, _ := told(t, src, "")
		set, whole := known(events, g, "member")
		require.Len(t, set, 47)
		require.Equal(t, 1, whole)

		changes := 0 // in the middle: the pieces don't fit together
		s.srv.Inject(func(r adsim.Request) *adsim.Fault {
			if r.Scope == 0 && r.Base == guidDN(g) && changes < 3 {
				changes++
				_ = s.refer(g, "member", nil, ids[changes:changes+1])
			}
			return nil
		})
		events, _ = told(t, src, "")
		set, whole = known(events, g, "member")
		require.Len(t, set, 44, mode)
		require.Equal(t, 1, whole)
		require.NoError(t, s.refer(g, "member", ids[1:4], nil))

		s.srv.Inject(func(r adsim.Request) *adsim.Fault { // all of them go, so the next piece is past the end
			if r.Scope == 0 && r.Base == guidDN(g) && changes == 3 {
				changes++
				_ = s.refer(g, "member", nil, ids)
			}
			return nil
		})
		events, _ = told(t, src, "")
		set, whole = known(events, g, "member")
		require.Empty(t, set)
		require.Equal(t, 1, whole)
		require.NoError(t, s.refer(g, "member", ids, nil))

		for n := range 4 { // cut between two pieces
			asked := 0
			s.srv.Inject(func(r adsim.Request) *adsim.Fault {
				if r.Scope == 0 && r.Base == guidDN(g) {
					if asked++; asked > n {
						return &adsim.Fault{Cut: true}
					}
				}
				return nil
			})
			r := read(src.All(t.Context()))
			require.ErrorIs(t, r.err, source.ErrIncomplete)
			require.Empty(t, r.marks)
		}
		s.srv.Inject(nil)
	}
}

func TestS14_AGroupThatNeverRestsMakesTheReadIncomplete(t *testing.T) {
	s := simulate(t, &adsim.Options{MaxValRange: 10})
	g, ids := s.staff(47)
	n := 0
	s.srv.Inject(func(r adsim.Request) *adsim.Fault {
		if r.Scope == 0 && r.Base == guidDN(g) {
			add, remove := ids[:1], []source.ID(nil)
			if n++; n%2 == 1 {
				add, remove = remove, add
			}
			_ = s.refer(g, "member", add, remove)
		}
		return nil
	})
	r := read(s.source(everything).All(t.Context()))
	require.ErrorIs(t, r.err, source.ErrIncomplete)
	require.ErrorContains(t, r.err, "keeps changing")
}

func TestS08_AContainerThatIsRenamedIsOneEvent(t *testing.T) {
	s := simulate(t, nil)
	ou, err := s.container("Sales", "")
	require.NoError(t, err)
	_, salesDN, err := s.dir.Find(guidDN(ou))
	require.NoError(t, err)
	_, ids := s.staff(30)
	for _, id := range ids {
		require.NoError(t, s.dir.Move(guidDN(id), "", salesDN))
	}
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		domain, err := ldapsource.New([]string{s.srv.URL()}, []string{s.dir.BaseDN()}, syncer(s.dir), &ldapsource.Options{RootCAs: poolOf(t, s.srv),
			Delta: mode, Kinds: []source.Kind{source.User, source.Container}})
		require.NoError(t, err)
		defer domain.Close()
		part := s.source(everything, func(o *ldapsource.Options) { o.Delta = mode })
		for _, src := range []*ldapsource.Source{domain, part} {
			_, w := told(t, src, "")
			require.NoError(t, s.dir.Rename(guidDN(ou), "OU=Trade "+fmt.Sprint(len(w))))
			events, w := told(t, src, w)
			require.Len(t, events, 1, mode)
			require.Equal(t, ou, events[0].Object.ID)
			require.Equal(t, source.Container, events[0].Object.Kind)
			// It is an event of the next one, too, though the reads are not in one go.
			require.NoError(t, s.dir.Rename(guidDN(ou), "OU=Sales"))
			events, _ = told(t, src, w)
			require.Len(t, events, 1, mode)
			require.Equal(t, "Sales", events[0].Object.Attributes.First("ou"))
		}
		// A source that just started knows of no container: it tells those below again.
		_, w := told(t, part, "")
		require.NoError(t, s.dir.Rename(guidDN(ou), "OU=Trade"))
		events, _ := told(t, s.source(everything, func(o *ldapsource.Options) { o.Delta = mode }), w)
		require.GreaterOrEqual(t, len(events), 31)
		require.NoError(t, s.dir.Rename(guidDN(ou), "OU=Sales"))
	}
}

func TestS07_WhoComesIntoScopeWithAContainerIsTold(t *testing.T) {
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		s := simulate(t, nil)
		ou, err := s.container("Sales", "")
		require.NoError(t, err)
		g, ids := s.staff(5)
		_, dn, err := s.dir.Find(guidDN(ou))
		require.NoError(t, err)
		for _, id := range append(ids[:3:3], g) {
			require.NoError(t, s.dir.Move(guidDN(id), "", dn))
		}
		src := s.source(everything, func(o *ldapsource.Options) { o.Delta = mode })
		_, w := told(t, src, "")
		require.NoError(t, s.dir.Move(guidDN(ou), "", s.out))
		events, w := told(t, src, w)
		left := map[source.ID]bool{}
		for _, e := range events {
			require.Equal(t, source.Left, e.Op)
			left[e.Object.ID] = true
		}
		require.Len(t, left, 5, "the container, three people and the group")
		require.NoError(t, s.dir.Move(guidDN(ou), "", s.in))
		events, _ = told(t, src, w)
		upserts := map[source.ID]bool{}
		for _, e := range events {
			if e.Op == source.Upsert {
				upserts[e.Object.ID] = true
			}
		}
		require.Equal(t, left, upserts)
		set, whole := known(events, g, "member")
		require.Len(t, set, 5)
		require.Equal(t, 1, whole)
	}
}

func TestS13_AMemberThatIsDeletedIsATombstoneAndNothingElse(t *testing.T) {
	s := simulate(t, nil)
	g, ids := s.staff(5)
	src := s.source(everything)
	_, w := told(t, src, "")
	require.NoError(t, s.dir.Delete(guidDN(ids[0])))
	events, _ := told(t, src, w)
	require.Len(t, events, 1)
	require.Equal(t, source.Deleted, events[0].Op)
	require.Equal(t, source.User, events[0].Object.Kind)
	events, _ = told(t, src, "")
	set, _ := known(events, g, "member")
	require.Len(t, set, 4)
}

func TestOtherKindsAndReferencesExpireAWatermark(t *testing.T) {
	s := simulate(t, nil)
	s.staff(3)
	options := map[string]func(*ldapsource.Options){
		"people": func(*ldapsource.Options) {},
		"groups": func(o *ldapsource.Options) { o.Kinds = []source.Kind{source.User, source.Group} },
		"members": func(o *ldapsource.Options) {
			o.Kinds, o.References = []source.Kind{source.User, source.Group}, []string{"member"}
		},
		"manager": func(o *ldapsource.Options) { o.References = []string{"manager"} },
	}
	for before, b := range options {
		_, w := told(t, s.source(b), "")
		for after, a := range options {
			err := read(s.source(a).Since(t.Context(), w)).err
			if before == after {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, source.ErrWatermarkExpired, "%s, then %s", before, after)
			}
		}
	}
	mark, err := ldapsource.ParseMark(read(s.source().All(t.Context())).mark())
	require.NoError(t, err)
	require.Equal(t, "B2UornGA6QuVv7tz", mark.Scope, "watermarks of people alone are those of before there was a choice")
}

func TestAValueThatSaysNotWhomItNamesIsCounted(t *testing.T) {
	for value, want := range map[string]string{
		"<GUID=b9ab2ef7-091b-50bf-845c-72bb8a00e909>;<SID=S-1-5-21-1-2-3-4>;CN=Ann,DC=x": "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		"<GUID=f72eabb91b09bf50845c72bb8a00e909>;CN=Ann,DC=x":                            "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		"<GUID=b9ab2ef7-091b-50bf-845c-72bb8a00e909>":                                    "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		"<GUID=b9ab2ef7-091b-50bf-845c-72bb8a00e90>;CN=Ann":                              "",
		"<GUID=":       "",
		"<GUID=>":      "",
		"CN=Ann,DC=x":  "",
		"<SID=S-1-5>;": "",
		"":             "",
	} {
		require.Equal(t, want, ldapsource.GUIDOf(value), value)
	}
	require.Equal(t, "CN=Ann,DC=x", ldapsource.PlainDN("<GUID=b9ab2ef7-091b-50bf-845c-72bb8a00e909>;<SID=S-1-5-21-1-2-3-4>;CN=Ann,DC=x"))
	require.Equal(t, "<GUID=x>;CN=Ann", ldapsource.PlainDN("<GUID=x>;CN=Ann"))
}

func TestKindsAndReferencesAreChecked(t *testing.T) {
	for want, o := range map[string]ldapsource.Options{
		`Options.Kinds "contact"`:                  {Kinds: []source.Kind{"contact"}},
		`Options.References "owner"`:               {References: []string{"owner"}},
		`Options.References "member": it is what`:  {References: []string{"member"}},
		`Options.References "manager": it is what`: {Kinds: []source.Kind{source.Group}, References: []string{"manager"}},
		`attribute "Manager"`:                      {References: []string{"manager"}, Attributes: []string{"Manager"}},
	} {
		_, err := ldapsource.New([]string{"ldaps://dc1"}, []string{"DC=corp,DC=example,DC=com"},
			ldapsource.Credentials{User: "x", Password: ldapsource.Password("x")}, &o)
		require.ErrorContains(t, err, want)
	}
}

// Everybody's attributes are those of before, whatever else is read.
func TestPeopleAreTheSameWhereGroupsAreRead(t *testing.T) {
	s := simulate(t, nil)
	s.staff(3)
	require.NoError(t, s.dir.Modify("CN=Person 1,"+s.in, adsim.Replace("description", "a text"), adsim.Replace("manager", "CN=Person 2,"+s.in)))
	alone, with := read(s.source().All(t.Context())), read(s.source(everything).All(t.Context()))
	require.NoError(t, with.err)
	require.Len(t, alone.upserts, 3)
	for id, o := range alone.upserts {
		require.NotEmpty(t, with.upserts[id].Parent)
		o.Parent = with.upserts[id].Parent
		require.Equal(t, o, with.upserts[id])
	}
	for _, o := range with.upserts {
		require.False(t, strings.HasPrefix(o.DN, "<"))
	}
}

// One member is added to a group of 50, and to one of 50,000, in one directory:
// the ratio is what counts, since everything else takes what it takes.
func BenchmarkS14_OneMember(b *testing.B) {
	s := simulate(b, nil)
	ids := s.people(50_000)
	groups := map[int]source.ID{}
	for _, n := range []int{50, 50_000} {
		members := make([]string, n)
		for i := range members {
			members[i] = fmt.Sprintf("CN=Person %d,%s", i, s.in)
		}
		g, err := s.dir.Add(fmt.Sprintf("CN=Group of %d,%s", n, s.in), adsim.Attrs{"objectClass": {"group"}, "member": members})
		require.NoError(b, err)
		groups[n] = source.ID(g.String())
	}
	var m meter
	src := s.source(everything, func(o *ldapsource.Options) { o.Dial = m.dial })
	_, w := told(b, src, "")
	for _, n := range []int{50, 50_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			there := true
			var bytes int64
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				add, remove := ids[:1], []source.ID(nil)
				if there = !there; !there {
					add, remove = remove, add
				}
				require.NoError(b, s.refer(groups[n], "member", add, remove))
				before := m.n.Load()
				runtime.GC() // of what the simulator made of the change
				b.StartTimer()
				var events []source.Event
				events, w = told(b, src, w)
				if len(events) != 1 {
					b.Fatal(len(events))
				}
				bytes = m.n.Load() - before
			}
			b.ReportMetric(float64(bytes), "B/delta")
		})
	}
}
