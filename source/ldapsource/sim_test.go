package ldapsource_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
	"github.com/stretchr/testify/require"
)

// A simulation is a simulated domain, used for what Samba can't be made to do
// and for tests that must run everywhere.
type simulation struct {
	t   testing.TB
	dir *adsim.Directory
	srv *adsim.Server
	in  string
	out string
	own *ldapsource.Source
}

func simulate(t testing.TB, opts *adsim.Options) *simulation {
	s := &simulation{t: t, dir: adsim.New(opts)}
	s.in, s.out = "OU=In,"+s.dir.BaseDN(), "OU=Out,"+s.dir.BaseDN()
	for _, dn := range []string{s.in, s.out} {
		_, err := s.dir.Add(dn, adsim.Attrs{"objectClass": {"organizationalUnit"}})
		require.NoError(t, err)
	}
	srv, err := adsim.Start("127.0.0.1:0", s.dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, srv.Close()) })
	s.srv = srv
	return s
}

func poolOf(t testing.TB, srv *adsim.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(srv.CAPEM()))
	return pool
}

func syncer(dir *adsim.Directory) ldapsource.Credentials {
	return ldapsource.Credentials{User: dir.AccountDN(adsim.SyncName), Password: ldapsource.Password(adsim.SyncPassword)}
}

// source is a Source of everybody in OU=In.
func (s *simulation) source(change ...func(*ldapsource.Options)) *ldapsource.Source {
	o := &ldapsource.Options{RootCAs: poolOf(s.t, s.srv)}
	for _, c := range change {
		c(o)
	}
	src, err := ldapsource.New([]string{s.srv.URL()}, []string{s.in}, syncer(s.dir), o)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { require.NoError(s.t, src.Close()) })
	return src
}

// people adds n people to OU=In.
func (s *simulation) people(n int) []source.ID {
	var ids []source.ID
	for i := range n {
		g, err := s.dir.Add(fmt.Sprintf("CN=Person %d,%s", i, s.in), adsim.Attrs{"objectClass": {"user"}, "sAMAccountName": {fmt.Sprintf("p%d", i)}})
		require.NoError(s.t, err)
		ids = append(ids, source.ID(g.String()))
	}
	return ids
}

func (s *simulation) put(o source.Object) (source.ID, error) {
	if o.ID == "" {
		attrs := adsim.Attrs{"objectClass": {"user"}}
		for k, v := range o.Attributes {
			attrs[k] = v
		}
		g, err := s.dir.Add("CN="+o.Attributes.First("sAMAccountName")+","+s.in, attrs)
		return source.ID(g.String()), err
	}
	var mods []adsim.Mod
	for _, n := range sourcetest.Names() {
		mods = append(mods, adsim.Replace(n, o.Attributes[n]...))
	}
	return o.ID, s.dir.Modify(guidDN(o.ID), mods...)
}

// directory is what the conformance suite wants.
func (s *simulation) directory(src *ldapsource.Source) sourcetest.Directory {
	login := map[source.ID]string{}
	return sourcetest.Directory{
		Source: src,
		Put: func(o source.Object) (source.ID, error) {
			id, err := s.put(o)
			login[id] = o.Attributes.First("sAMAccountName")
			return id, err
		},
		Remove: func(id source.ID) error { return s.dir.Delete(guidDN(id)) },
		Rename: func(id source.ID, name string) error {
			_, dn, err := s.dir.Find(guidDN(id))
			require.NoError(s.t, err)
			return s.dir.Rename(guidDN(id), dn[:2]+"="+name)
		},
		MoveOut:   func(id source.ID) error { return s.dir.Move(guidDN(id), "", s.out) },
		MoveIn:    func(id source.ID) error { return s.dir.Move(guidDN(id), "", s.in) },
		Group:     s.group,
		Refer:     s.refer,
		Container: s.container,
		Place: func(id, container source.ID) error {
			_, dn, err := s.dir.Find(guidDN(container))
			require.NoError(s.t, err)
			return s.dir.Move(guidDN(id), "", dn)
		},
		Undelete: func(id source.ID) error {
			g, err := adsim.ParseGUID(string(id))
			require.NoError(s.t, err)
			return s.dir.Undelete(g, "CN="+login[id]+","+s.in)
		},
		Cut: func(n int) error {
			s.srv.Inject(adsim.OnSearch(1, adsim.Fault{After: n, Cut: true}))
			return nil
		},
		Foreign: func() (source.Watermark, error) {
			r := read(simulate(s.t, &adsim.Options{Seed: 7}).source().All(s.t.Context()))
			return r.mark(), r.err
		},
	}
}

// group makes or changes a group in OU=In.
func (s *simulation) group(o source.Object) (source.ID, error) {
	attrs := adsim.Attrs{"objectClass": {"group"}}
	var mods []adsim.Mod
	for k, v := range o.Attributes {
		attrs[k] = v
		mods = append(mods, adsim.Replace(k, v...))
	}
	if o.ID != "" {
		return o.ID, s.dir.Modify(guidDN(o.ID), mods...)
	}
	g, err := s.dir.Add("CN="+o.Attributes.First("sAMAccountName")+","+s.in, attrs)
	return source.ID(g.String()), err
}

func (s *simulation) refer(id source.ID, attribute string, add, remove []source.ID) error {
	var mods []adsim.Mod
	for _, to := range remove {
		mods = append(mods, adsim.DeleteValues(attribute, guidDN(to)))
	}
	for _, to := range add {
		mods = append(mods, adsim.AddValues(attribute, guidDN(to)))
	}
	return s.dir.Modify(guidDN(id), mods...)
}

func (s *simulation) container(name string, parent source.ID) (source.ID, error) {
	in := s.in
	if parent != "" {
		_, dn, err := s.dir.Find(guidDN(parent))
		require.NoError(s.t, err)
		in = dn
	}
	g, err := s.dir.Add("OU="+name+","+in, adsim.Attrs{"objectClass": {"organizationalUnit"}})
	return source.ID(g.String()), err
}

// everything asks for all kinds and references.
func everything(o *ldapsource.Options) {
	o.Kinds = []source.Kind{source.User, source.Group, source.Container}
	o.References = []string{"member", "manager"}
}

// TestContractOnASimulatedDomainController runs the conformance suite in the
// manners of Windows and Samba, in pages so small that reads and deltas take
// several.
func TestContractOnASimulatedDomainController(t *testing.T) {
	t.Run("people alone", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
			s := simulate(t, &adsim.Options{DirSyncPage: 2})
			d := s.directory(s.source(func(o *ldapsource.Options) { o.PageSize = 2 }))
			d.Group, d.Refer, d.Container, d.Place = nil, nil, nil, nil
			return d
		})
	})
	for name, opts := range map[string]adsim.Options{
		"windows":             {DirSyncPage: 2, MaxValRange: 7},
		"windows recycle bin": {DirSyncPage: 2, MaxValRange: 7, RecycleBin: true},
		"samba":               {Samba: true},
	} {
		for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
			t.Run(name+" "+string(mode), func(t *testing.T) {
				sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
					s := simulate(t, &opts)
					return s.directory(s.source(everything, func(o *ldapsource.Options) { o.Delta, o.PageSize = mode, 2 }))
				})
			})
		}
	}
}

func TestS01_EveryResultButSuccessMakesAReadIncomplete(t *testing.T) {
	s := simulate(t, nil)
	s.people(40)
	src := s.source(func(o *ldapsource.Options) { o.PageSize = 10 })
	all := read(src.All(t.Context()))
	require.NoError(t, all.err)
	require.Len(t, all.upserts, 40)
	for i := range 40 {
		require.NoError(t, s.dir.Modify(fmt.Sprintf("CN=Person %d,%s", i, s.in), adsim.Replace("title", "Clerk")))
	}
	search := func(n int, f adsim.Fault) { s.srv.Inject(adsim.OnSearch(n, f)) }
	for _, c := range []uint16{3, 4, 11, 51, 52, 80} {
		for after := range 12 {
			search(2, adsim.Fault{Code: c, After: after}) // 1 primes the cookie; then pages
			r := read(src.All(t.Context()))
			require.ErrorIs(t, r.err, source.ErrIncomplete, "result %d after %d entries", c, after)
			require.Empty(t, r.marks)
			require.Len(t, r.upserts, min(after, 10))

			search(3, adsim.Fault{Code: c, After: after}) // 1 asks the witnesses, 2 is DirSync; then the objects
			r = read(src.Since(t.Context(), all.mark()))
			require.ErrorIs(t, r.err, source.ErrIncomplete)
			require.Empty(t, r.marks)
			require.Empty(t, r.deleted)
		}
	}
	search(3, adsim.Fault{LoseCookie: true})
	require.ErrorIs(t, read(src.All(t.Context())).err, source.ErrIncomplete)
	search(2, adsim.Fault{RejectCookie: true})
	require.ErrorIs(t, read(src.Since(t.Context(), all.mark())).err, source.ErrWatermarkExpired)
	search(2, adsim.Fault{Code: 50})
	require.ErrorIs(t, read(src.Since(t.Context(), all.mark())).err, source.ErrWatermarkExpired, "the right was taken away")
	search(2, adsim.Fault{Code: 51, Text: "busy"})
	require.ErrorIs(t, read(src.Since(t.Context(), all.mark())).err, source.ErrIncomplete, "says nothing of the cookie")

	s.srv.Inject(nil)
	delta := read(src.Since(t.Context(), all.mark()))
	require.NoError(t, delta.err)
	require.Len(t, delta.upserts, 40)
}

func TestRangedValuesAreCompleted(t *testing.T) {
	s := simulate(t, &adsim.Options{MaxValRange: 10})
	var want []string
	for i := range 47 {
		want = append(want, fmt.Sprintf("smtp:%03d@example.com", i))
	}
	_, err := s.dir.Add("CN=Ann,"+s.in, adsim.Attrs{"objectClass": {"user"}, "sAMAccountName": {"ann"}, "proxyAddresses": want})
	require.NoError(t, err)
	s.people(3)
	src := s.source(func(o *ldapsource.Options) { o.PageSize = 2 })
	all := read(src.All(t.Context()))
	require.NoError(t, all.err)
	require.Len(t, all.upserts, 4)
	ann := s.idOf("CN=Ann," + s.in)
	require.Equal(t, want, all.upserts[ann].Attributes["proxyAddresses"])
	require.NotContains(t, all.upserts[ann].Attributes, "uSNChanged")

	require.NoError(t, s.dir.Modify("CN=Ann,"+s.in, adsim.DeleteValues("proxyAddresses", want[0])))
	delta := read(src.Since(t.Context(), all.mark()))
	require.NoError(t, delta.err)
	require.Equal(t, want[1:], delta.upserts[ann].Attributes["proxyAddresses"])

	// The object changes in the middle: its pieces don't fit together.
	changes := 0
	s.srv.Inject(func(r adsim.Request) *adsim.Fault {
		if r.Scope == 0 && strings.HasPrefix(r.Base, "<GUID=") && changes < 2 {
			changes++
			_ = s.dir.Modify("CN=Ann,"+s.in, adsim.AddValues("proxyAddresses", fmt.Sprintf("smtp:new%d@example.com", changes)))
		}
		return nil
	})
	all = read(src.All(t.Context()))
	require.NoError(t, all.err)
	require.Equal(t, 2, changes)
	require.Len(t, all.upserts[ann].Attributes["proxyAddresses"], 48)

	s.srv.Inject(func(r adsim.Request) *adsim.Fault { // cut between two pieces
		if r.Scope == 0 && strings.HasPrefix(r.Base, "<GUID=") {
			return &adsim.Fault{Cut: true}
		}
		return nil
	})
	require.ErrorIs(t, read(src.All(t.Context())).err, source.ErrIncomplete)
}

// idOf is the ID of the object at dn.
func (s *simulation) idOf(dn string) source.ID {
	for e, err := range s.source().All(s.t.Context()) {
		require.NoError(s.t, err)
		if e.Object.DN == dn {
			return e.Object.ID
		}
	}
	s.t.Fatalf("nobody at %s", dn)
	return ""
}

func TestS05_ServersAreTriedInTurnAndAnotherDatabaseExpiresTheWatermark(t *testing.T) {
	s := simulate(t, nil)
	s.people(3)
	second, err := adsim.Start("127.0.0.1:0", s.dir.Replica("dc2"))
	require.NoError(t, err)
	defer second.Close()
	pool := poolOf(t, s.srv)
	pool.AppendCertsFromPEM(second.CAPEM())
	src, err := ldapsource.New([]string{s.srv.URL(), second.URL()}, []string{s.in}, syncer(s.dir), &ldapsource.Options{RootCAs: pool})
	require.NoError(t, err)
	defer src.Close()
	all := read(src.All(t.Context()))
	require.NoError(t, all.err)
	require.Contains(t, all.mark(), s.srv.URL())

	require.NoError(t, s.srv.Close())
	r := read(src.Since(t.Context(), all.mark()))
	require.ErrorIs(t, r.err, source.ErrWatermarkExpired)
	require.ErrorContains(t, r.err, "database")
	maybe, err := src.Poll(t.Context(), all.mark())
	require.NoError(t, err)
	require.True(t, maybe)
	again := read(src.All(t.Context()))
	require.NoError(t, again.err)
	require.Equal(t, all.upserts, again.upserts, "replicas give equal objects")
	require.NoError(t, read(src.Since(t.Context(), again.mark())).err)

	require.NoError(t, second.Close())
	require.ErrorIs(t, read(src.All(t.Context())).err, source.ErrUnavailable)
}

// TestOneRefusalOfCredentialsIsEnough: trying them on every server would only
// lock the account sooner.
func TestOneRefusalOfCredentialsIsEnough(t *testing.T) {
	s := simulate(t, nil)
	dials := 0
	o := &ldapsource.Options{RootCAs: poolOf(t, s.srv), Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
		dials++
		return (&net.Dialer{}).DialContext(ctx, network, strings.Replace(addr, "localhost", "127.0.0.1", 1))
	}}
	twice := []string{s.srv.URL(), strings.Replace(s.srv.URL(), "127.0.0.1", "localhost", 1)}
	src, err := ldapsource.New(twice, []string{s.in}, ldapsource.Credentials{User: "svc-sync@corp.example.com", Password: ldapsource.Password("wrong")}, o)
	require.NoError(t, err)
	require.ErrorIs(t, read(src.All(t.Context())).err, source.ErrUnauthenticated)
	require.Equal(t, 1, dials)
}
