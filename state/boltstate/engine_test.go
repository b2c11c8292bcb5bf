package boltstate_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A company is a directory and a tenant for an engine whose memory is a file.
// Equal companies get equal IDs.
type company struct {
	t   testing.TB
	src *memsource.Source
	tgt *memtarget.Target
	ids []source.ID
}

func newCompany(t testing.TB) *company {
	c := &company{t: t, src: memsource.New("corp", nil), tgt: memtarget.New("contoso", &memtarget.Options{MaxBatch: 2})}
	c.tgt.VerifyDomain("contoso.com")
	c.tgt.Add(target.Object{Anchor: "theirs", Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"},
		"displayName": {"B"}, "accountEnabled": {"true"}, "mailNickname": {"boss"}}})
	for _, login := range []string{"ann", "bob", "carl", "dora", "eve", "boss"} {
		c.hire(login)
	}
	return c
}

func (c *company) hire(login string) {
	c.ids = append(c.ids, c.src.Put(source.Object{Kind: source.User, DN: "CN=" + login + ",OU=People,DC=corp,DC=example,DC=com", Attributes: source.Attributes{
		"objectClass": {"person", "user"}, "sAMAccountName": {login}, "userAccountControl": {"512"},
		"userPrincipalName": {login + "@contoso.com"}, "displayName": {"Person " + login}, "cn": {login},
	}}))
}

func (c *company) set(i int, name string, values ...string) {
	require.True(c.t, c.src.Edit(c.ids[i], func(o *source.Object) { o.Attributes.Set(name, values...) }))
}

// churn is what happens between the first run and the second: a bit of
// everything.
func (c *company) churn() {
	c.hire("fred")
	c.hire("gina")
	c.set(0, "title", "Director")
	c.set(1, "userPrincipalName", "carl@contoso.com")
	c.set(2, "userPrincipalName", "bob@contoso.com")
	require.True(c.t, c.src.Remove(c.ids[3]))
	require.True(c.t, c.src.MoveOut(c.ids[4]))
}

func (c *company) engine(store state.Store) *dirsync.Engine {
	eng, err := dirsync.New(c.src, c.tgt, store, &dirsync.Options{Parallel: 1, Patience: -1})
	require.NoError(c.t, err)
	return eng
}

// sync makes a run that must not fail.
func (c *company) sync(store state.Store) *dirsync.Report {
	c.t.Helper()
	rep, err := c.engine(store).Sync(c.t.Context(), &dirsync.Request{Retry: true})
	require.NoError(c.t, err)
	return rep
}

// rest syncs until there is nothing to do.
func (c *company) rest(store state.Store) {
	c.t.Helper()
	for range 5 {
		if c.sync(store).Writes == 0 {
			return
		}
	}
	require.Fail(c.t, "it doesn't come to rest")
}

// accounts are the live accounts, without their IDs.
func (c *company) accounts() map[string]string {
	all := map[string]string{}
	for _, o := range c.tgt.Objects() {
		require.NotContains(c.t, all, o.Anchor, "two accounts for one anchor")
		all[o.Anchor] = fmt.Sprint(o.Attributes)
	}
	return all
}

// An image is a file as it was after a commit, and what was in it.
type image struct {
	file    []byte
	records map[string]string
	writes  int // at the target until then
}

// A camera is a store that keeps an image of its file after each commit.
type camera struct {
	*boltstate.Store
	c      *company
	images []image
}

func (s *camera) Commit(ctx context.Context, writes ...state.Write) error {
	if err := s.Store.Commit(ctx, writes...); err != nil || len(writes) == 0 {
		return err
	}
	b, err := os.ReadFile(s.Path())
	require.NoError(s.c.t, err)
	s.images = append(s.images, image{b, contentsOf(s.c.t, s.Store), s.c.tgt.Counts().Writes()})
	return nil
}

func contentsOf(t testing.TB, s state.Store) map[string]string {
	t.Helper()
	out := map[string]string{}
	for r, err := range s.Scan(ctx, "") {
		require.NoError(t, err)
		out[r.Key] = string(r.Value)
	}
	return out
}

// film makes two runs of a company and returns the images of the second.
func film(t testing.TB, pageSize int) (*company, []image) {
	t.Helper()
	c := newCompany(t)
	s, err := boltstate.Open(filepath.Join(t.TempDir(), "state.db"), boltstate.Options{}.WithPageSize(pageSize))
	require.NoError(t, err)
	c.sync(s)
	c.churn()
	cam := &camera{Store: s, c: c}
	c.rest(cam)
	require.NoError(t, s.Close())
	return c, cam.images
}

// full returns the image that has most of what a state can have.
func full(t testing.TB, images []image) image {
	t.Helper()
	for _, img := range images {
		has := map[string]bool{}
		for key := range img.records {
			kind, _, _ := strings.Cut(key, "/")
			has[kind] = true
		}
		if has["plan"] && has["intent"] && has["problem"] && has["due"] && has["watermark"] && has["run"] {
			return img
		}
	}
	require.Fail(t, "no image has a plan, intents and problems")
	return image{}
}
