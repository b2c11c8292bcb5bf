package e2e_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// An office is the whole engine between a directory in memory and a simulated
// tenant that it reaches by HTTP, without a network and in a bubble of
// testing/synctest: the rows of the failure catalogue's target side.
type office struct {
	t      *testing.T
	src    *memsource.Source
	tenant *graphsim.Tenant
	store  state.Store
	graph  graphtarget.Options
	token  string
	opt    dirsync.Options
	eng    *dirsync.Engine
}

// inOffice runs f in a bubble, with a tenant that owns contoso.com.
func inOffice(t *testing.T, o graphsim.Options, f func(*testing.T, *office)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Initial, o.Domains, o.Seed = initialDomain, append([]string{"contoso.com"}, o.Domains...), cmp.Or(o.Seed, 1)
		o.LogSize = cmp.Or(o.LogSize, 100_000)
		w := &office{t: t, src: memsource.New("corp", nil), tenant: graphsim.New(&o), store: memstate.New()}
		w.token = w.tenant.Token()
		w.restart()
		f(t, w)
	})
}

// restart is a new process: the store alone outlives it.
func (w *office) restart() {
	w.t.Helper()
	o := w.graph
	o.Endpoint = "http://127.0.0.1/v1.0"
	if o.HTTPClient == nil {
		o.HTTPClient = &http.Client{Transport: w.tenant.Transport()}
	}
	tgt, err := graphtarget.New(initialDomain, graphtarget.StaticToken(w.token), &o)
	require.NoError(w.t, err)
	w.eng, err = dirsync.New(w.src, tgt, w.store, &w.opt)
	require.NoError(w.t, err)
}

// person puts an account into the directory; its login ID is login@domain.
func (w *office) person(login, domain string, more ...string) source.ID {
	a := source.Attributes{
		"objectClass": {"person", "user"}, "sAMAccountName": {login}, "userAccountControl": {"512"},
		"userPrincipalName": {login + "@" + domain}, "displayName": {"Person " + login}, "cn": {login},
	}
	for i := 0; i+1 < len(more); i += 2 {
		a.Set(more[i], more[i+1])
	}
	return w.src.Put(source.Object{Kind: source.User, DN: "CN=" + login + ",OU=People,DC=corp,DC=example,DC=com", Attributes: a})
}

// people puts n accounts p000, p001, ... into the directory.
func (w *office) people(n int) (ids []source.ID) {
	for i := range n {
		ids = append(ids, w.person(fmt.Sprintf("p%03d", i), "contoso.com"))
	}
	return ids
}

func (w *office) set(id source.ID, name string, values ...string) {
	w.t.Helper()
	require.True(w.t, w.src.Edit(id, func(o *source.Object) { o.Attributes.Set(name, values...) }))
}

// try makes a run that may fail.
func (w *office) try() (*dirsync.Report, error) { return w.eng.Sync(w.t.Context(), nil) }

// sync makes a run that must not fail.
func (w *office) sync() *dirsync.Report {
	w.t.Helper()
	rep, err := w.try()
	require.NoError(w.t, err)
	return rep
}

// rest makes runs that must find nothing to do.
func (w *office) rest() {
	w.t.Helper()
	for _, q := range []dirsync.Request{{}, {Full: true, Retry: true}, {}} {
		before := w.writes()
		rep, err := w.eng.Sync(w.t.Context(), &q)
		require.NoError(w.t, err)
		require.Zero(w.t, rep.Writes, "a run with nothing to do must write nothing: %+v", rep)
		require.Equal(w.t, before, w.writes())
	}
}

// writes are the operations that asked the tenant for a change, whatever came
// of them.
func (w *office) writes() (n int) {
	for kind, count := range w.tenant.Counts().Requests {
		if kind != "POST /$batch" && kind[:3] != "GET" {
			n += count
		}
	}
	return n
}

func (w *office) account(upn string) graphsim.User {
	w.t.Helper()
	u, ok := w.tenant.User(upn)
	require.True(w.t, ok, "%s isn't among %v", upn, w.upns())
	return u
}

// upns are the names of all live accounts, in order.
func (w *office) upns() (all []string) {
	for _, u := range w.tenant.Users() {
		all = append(all, u.UPN())
	}
	slices.Sort(all)
	return all
}

// oneEach demands that no anchor is on two live accounts.
func (w *office) oneEach() {
	w.t.Helper()
	seen := map[string]string{}
	for _, u := range w.tenant.Users() {
		if a := u.Get("onPremisesImmutableId"); a != "" {
			require.Empty(w.t, seen[a], "two accounts for the anchor %s", a)
			seen[a] = u.ID
		}
	}
}

// problems are the codes of a report's problems, in order.
func problems(r *dirsync.Report) []string {
	out := []string{}
	for _, p := range r.Problems {
		out = append(out, p.Code)
	}
	slices.Sort(out)
	return out
}

// rules is the default mapping.
func (w *office) rules() mapping.Mapper {
	w.t.Helper()
	r, err := mapping.New(nil)
	require.NoError(w.t, err)
	return r
}

// padding is a mapping that wants a value which the service won't keep as it is.
type padding struct{ mapping.Mapper }

func (p padding) Map(in mapping.Input) mapping.Result {
	r := p.Mapper.Map(in)
	if r.Attributes != nil {
		r.Attributes["city"] = []string{"  Berlin "}
	}
	return r
}
