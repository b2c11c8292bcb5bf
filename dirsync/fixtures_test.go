package dirsync_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A world is a company: a directory, a tenant that owns contoso.com, a store,
// and an engine between them.
type world struct {
	t     *testing.T
	src   *memsource.Source
	tgt   *memtarget.Target
	store state.Store
	opt   dirsync.Options
	eng   *dirsync.Engine
}

func newWorld(t *testing.T, edit ...func(*world)) *world {
	w := &world{t: t, src: memsource.New("corp", nil), tgt: memtarget.New("contoso", nil), store: memstate.New()}
	w.tgt.VerifyDomain("contoso.com")
	for _, f := range edit {
		f(w)
	}
	w.eng = w.engine(w.src, w.tgt, w.store)
	return w
}

func (w *world) engine(src source.Source, tgt target.Target, store state.Store) *dirsync.Engine {
	eng, err := dirsync.New(src, tgt, store, &w.opt)
	require.NoError(w.t, err)
	return eng
}

// person puts an account into the directory; its login ID is login@domain.
func (w *world) person(login, domain string, more ...string) source.ID {
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
func (w *world) people(n int) []source.ID {
	var ids []source.ID
	for i := range n {
		ids = append(ids, w.person(fmt.Sprintf("p%03d", i), "contoso.com"))
	}
	return ids
}

func (w *world) set(id source.ID, name string, values ...string) {
	w.t.Helper()
	require.True(w.t, w.src.Edit(id, func(o *source.Object) { o.Attributes.Set(name, values...) }))
}

// sync makes a run that must not fail.
func (w *world) sync(req ...dirsync.Request) *dirsync.Report {
	w.t.Helper()
	var q dirsync.Request
	if len(req) > 0 {
		q = req[0]
	}
	rep, err := w.eng.Sync(w.t.Context(), &q)
	require.NoError(w.t, err)
	return rep
}

// settledSync makes a run that must find nothing to do.
func (w *world) mustRest() {
	w.t.Helper()
	before := w.tgt.Counts().Writes()
	rep := w.sync()
	require.Zero(w.t, rep.Changed(), "a second run must write nothing: %+v", rep)
	rep = w.sync(dirsync.Request{Full: true, Retry: true})
	require.Zero(w.t, rep.Changed(), "a full run must write nothing: %+v", rep)
	require.Equal(w.t, before, w.tgt.Counts().Writes(), "nothing must have been tried")
}

// upns are the UPNs of the tenant's live accounts.
func (w *world) upns() []string {
	var list []string
	for o, err := range w.tgt.Current(context.Background()) {
		require.NoError(w.t, err)
		list = append(list, o.Attributes.First(target.AttrUserPrincipalName))
	}
	slices.Sort(list)
	return list
}

// account returns the live account with this UPN.
func (w *world) account(upn string) target.Object {
	w.t.Helper()
	found, err := w.tgt.Find(w.t.Context(), target.User, []target.Key{{UserPrincipalName: upn}})
	require.NoError(w.t, err)
	require.Len(w.t, found[0], 1, "accounts with the UPN %s; there are %v", upn, w.upns())
	return found[0][0]
}

func codes(rep *dirsync.Report) []string {
	set := map[string]bool{}
	for _, p := range rep.Problems {
		set[p.Code] = true
	}
	return slices.Sorted(maps.Keys(set))
}

// forgetProof makes the configuration unproven, as a state has it that was lost.
func (w *world) forgetProof() {
	w.t.Helper()
	l := ledger.New(w.store, w.src.Name(), w.tgt.Name())
	facts, err := l.Facts(w.t.Context())
	require.NoError(w.t, err)
	facts.Proven = time.Time{}
	require.NoError(w.t, l.SetFacts(facts))
	require.NoError(w.t, l.Flush(w.t.Context()))
}
