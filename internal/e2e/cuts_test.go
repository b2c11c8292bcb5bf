package e2e_test

import (
	"context"
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

const cutPageSize = 25

// joined are the leaves in this process, as the program joins them.
type joined struct {
	engine *dirsync.Engine
	source *ldapsource.Source
	close  func()
}

// join joins the leaves in w. It shares names, and so the state file, with the
// program. via may be nil.
func (w *world) join(t testing.TB, via *proxy) *joined {
	t.Helper()
	o := &ldapsource.Options{RootCAs: w.ad.roots(), PageSize: cutPageSize, IdleTimeout: 20 * time.Second}
	if w.groups {
		o.Kinds, o.References = []source.Kind{source.User, source.Group}, []string{"manager", "member"}
	}
	if via != nil {
		o.Dial = via.dial
	}
	who := ldapsource.Credentials{User: w.ad.sync.dn, Password: ldapsource.Password(w.ad.sync.password)}
	src, err := ldapsource.New([]string{w.ad.url}, []string{w.ad.base}, who, o)
	require.NoError(t, err)
	tgt, err := graphtarget.New(initialDomain, graphtarget.StaticToken(w.token), &graphtarget.Options{Endpoint: w.graph, QuotaShare: 1, Size: graphtarget.Large, Groups: w.groups})
	require.NoError(t, err)
	store, err := boltstate.Open(w.state(), nil)
	require.NoError(t, err)
	engine, err := dirsync.New(src, tgt, store, &dirsync.Options{Limits: plan.Unlimited()}) // a year's churn within minutes
	require.NoError(t, err)
	return &joined{engine, src, func() {
		require.NoError(t, src.Close())
		require.NoError(t, tgt.Close())
		require.NoError(t, store.Close())
	}}
}

// run makes one run with leaves of its own.
func (w *world) run(t testing.TB, ctx context.Context, via *proxy, full bool) (*dirsync.Report, error) {
	t.Helper()
	j := w.join(t, via)
	defer j.close()
	return j.engine.Sync(ctx, &dirsync.Request{Full: full})
}

// calm is a run that nothing disturbs.
func (w *world) calm(t testing.TB) *dirsync.Report {
	t.Helper()
	r, err := w.run(t, t.Context(), nil, false)
	require.NoError(t, err)
	w.requireSame(t, "after a calm run")
	return r
}

// requireNothing demands that a run which was cut failed, removed nothing and
// left the watermark where it was.
func (w *world) requireNothing(t testing.TB, before source.Watermark, r *dirsync.Report, err error, why ...error) {
	t.Helper()
	require.Error(t, err, "a read that was cut passes for a complete one: %s run, %d read", r.Mode, r.Read)
	matched := false
	for _, e := range why {
		matched = matched || errors.Is(err, e)
	}
	require.True(t, matched, "%v", err)
	require.Equal(t, before, r.Watermark, "the watermark moved")
	require.Zero(t, r.Deleted+r.Disabled)
	made := w.made()
	require.Zero(t, made.deleted, "an account was deleted")
	require.Zero(t, made.patched, "an account was changed, so perhaps disabled")
}

// TestCuts cuts 200 reads, in four ways, full ones and deltas, after every k-th
// entry.
func TestCuts(t *testing.T) {
	people, cuts := 120, 25 // cuts: of full reads and of deltas in each way
	if !long() {
		people, cuts = 60, 5
	}
	a, dir, srv := startSim(t, people)
	p := newProxy(t, hostPort(t, a.url))
	w := newWorld(t, a, worldOptions{})
	total, churns := 0, uint64(0)
	before := w.calm(t).Watermark
	for _, way := range []struct {
		name  string
		fault func(after int) adsim.Fault
		why   []error
	}{
		{"connection lost", func(k int) adsim.Fault { return adsim.Fault{After: k, Cut: true} }, lost},
		{"size limit", func(k int) adsim.Fault { return adsim.Fault{After: k, Code: ldap.LDAPResultSizeLimitExceeded} }, incomplete},
		{"time limit", func(k int) adsim.Fault { return adsim.Fault{After: k, Code: ldap.LDAPResultTimeLimitExceeded} }, incomplete},
		{"cancelled", nil, cancelled},
	} {
		for _, full := range []bool{true, false} {
			name := way.name + ", delta"
			if full {
				name = way.name + ", full"
			}
			t.Run(name, func(t *testing.T) {
				for i := range cuts {
					if i%5 == 0 { // what was cut five times goes through, and something new comes
						before = w.calm(t).Watermark
						churns++
						_, err := dir.Churn(25, seed(t)+churns)
						require.NoError(t, err)
					}
					w.tenant.ResetCounts()
					if way.fault == nil {
						w.cancelOnce(t, p, full, before, i, cuts)
					} else {
						srv.Inject(cutAt(i, cuts, people, full, way.fault))
						r, err := w.run(t, t.Context(), nil, full)
						srv.Inject(nil)
						w.requireNothing(t, before, r, err, way.why...)
					}
					total++
				}
				before = w.calm(t).Watermark
			})
		}
	}
	require.Equal(t, 8*cuts, total)
	t.Logf("%d cuts", total)
}

var (
	incomplete = []error{source.ErrIncomplete}
	lost       = []error{source.ErrIncomplete, source.ErrUnavailable}
	cancelled  = []error{context.Canceled}
)

// cutAt cuts the i-th of n reads: full reads at evenly spread entries over all
// pages; deltas alternately among the changes that DirSync names and among the
// objects that are read after that.
func cutAt(i, n, people int, full bool, fault func(after int) adsim.Fault) adsim.Hook {
	if full {
		entry := i * people / n
		return nthSearch(2+entry/cutPageSize, fault(entry%cutPageSize)) // the first asks for DirSync's cookie
	}
	return nthSearch(1+i%2, fault(i/2))
}

// nthSearch applies f to the n-th search, and to those after it: whoever tries
// again on another connection meets it again.
func nthSearch(n int, f adsim.Fault) adsim.Hook {
	first := adsim.OnSearch(n, f)
	struck := false
	return func(r adsim.Request) *adsim.Fault {
		if got := first(r); got != nil || struck && r.Kind == "search" && r.Scope != 0 {
			struck = true
			return &f
		}
		return nil
	}
}

// cancelOnce cancels a run once a part of what the directory has to say was
// said.
func (w *world) cancelOnce(t testing.TB, p *proxy, full bool, before source.Watermark, i, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said := w.measure(t, p, full)
	p.after(said*(i+1)/(n+2), cancel)
	r, err := w.run(t, ctx, p, full)
	require.True(t, p.struck(), "the read has fewer bytes than the one before")
	w.requireNothing(t, before, r, err, cancelled...)
}

// measure tells how many bytes the directory sends for a run. The run is a dry
// one.
func (w *world) measure(t testing.TB, p *proxy, full bool) int {
	t.Helper()
	was := p.bytes()
	j := w.join(t, p)
	defer j.close()
	_, err := j.engine.Preview(t.Context(), &dirsync.Request{Full: full})
	require.NoError(t, err)
	return p.bytes() - was
}

// cutReal cuts the connection to the real domain controller, and cancels, at
// places spread over the whole read.
func cutReal(t *testing.T, bed *testbed, w *world) {
	p := newProxy(t, hostPort(t, bed.url))
	const cuts = 6
	for _, full := range []bool{true, false} {
		before := w.calm(t).Watermark
		bed.churn(t, 40)
		said := w.measure(t, p, full)
		for i := range cuts {
			for _, cancels := range []bool{false, true} {
				w.tenant.ResetCounts()
				ctx, cancel := context.WithCancel(t.Context())
				strike, why := p.cut, lost
				if cancels {
					strike, why = cancel, cancelled
				}
				p.after(said*(i+1)/(cuts+2), strike)
				r, err := w.run(t, ctx, p, full)
				cancel()
				require.True(t, p.struck(), "the read has fewer bytes than the one before")
				w.requireNothing(t, before, r, err, why...)
			}
		}
		w.calm(t)
		t.Logf("%d cuts of a read of %d bytes, full: %t", 2*cuts, said, full)
	}
}

func hostPort(t testing.TB, at string) string {
	t.Helper()
	u, err := url.Parse(at)
	require.NoError(t, err)
	return u.Host
}
