package dirsync_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A backedUp store keeps a copy of itself as it was after its n-th commit.
type backedUp struct {
	state.Store
	n, commits int
	backup     state.Store // nil: there weren't so many
}

func (s *backedUp) Commit(ctx context.Context, writes ...state.Write) error {
	if err := s.Store.Commit(ctx, writes...); err != nil || len(writes) == 0 {
		return err
	}
	if s.commits++; s.commits == s.n {
		s.backup = copied(s.Store)
	}
	return nil
}

func copied(s state.Store) state.Store {
	ctx, out := context.Background(), memstate.New()
	for rec, err := range s.Scan(ctx, "") {
		if err == nil {
			err = out.Commit(ctx, state.Put(rec.Key, rec.Value))
		}
		if err != nil {
			panic(err)
		}
	}
	return out
}

// A company is a world in which it is known where everybody is.
type company struct {
	*world
	ids   []source.ID          // in the order in which they were hired
	place map[source.ID]string // "in", "out", "deleted"
}

func newCompany(t *testing.T, edit func(*world)) *company {
	return &company{world: newWorld(t, edit), place: map[source.ID]string{}}
}

func (c *company) hire(login string) source.ID {
	unique := fmt.Sprint("s", len(c.ids))
	id := c.person(login, "contoso.com", "sAMAccountName", unique, "cn", unique)
	c.ids, c.place[id] = append(c.ids, id), "in"
	return id
}

func (c *company) move(place string, ids ...source.ID) {
	for _, id := range ids {
		was := c.place[id]
		ok := false
		switch {
		case place == "deleted":
			ok = c.src.Remove(id)
		case place == "out":
			ok = c.src.MoveOut(id)
		case was == "deleted":
			ok = c.src.Undelete(id)
		default:
			ok = c.src.MoveIn(id)
		}
		require.True(c.t, ok)
		c.place[id] = place
	}
}

func (c *company) anchor(id source.ID) string { return (*history)(nil).anchor(id) }

// years are what happened to a company, a run after each: people come, go and
// come back, are disabled and enabled, change names with each other and take
// those of people who left.
var years = []func(c *company, p []source.ID){
	func(c *company, p []source.ID) {
		c.move("deleted", p[0], p[1])
		c.move("out", p[2])
		c.set(p[3], "userAccountControl", "514")
		c.set(p[4], "userPrincipalName", "renamed@contoso.com")
		c.set(p[5], "title", "Clerk")
		c.hire("new0")
		c.hire("new1")
	},
	func(c *company, p []source.ID) {
		c.move("in", p[0], p[2])
		c.set(p[3], "userAccountControl", "512")
		c.set(p[6], "userPrincipalName", "p007@contoso.com")
		c.set(p[7], "userPrincipalName", "p006@contoso.com")
		c.move("deleted", p[13])
		c.hire("new2")
	},
	func(c *company, p []source.ID) {
		c.set(p[8], "userPrincipalName", "fresh@contoso.com")
		c.hire("p008")
		c.move("deleted", p[9])
		c.move("out", p[10])
		c.set(p[5], "title", "Director")
	},
	func(c *company, p []source.ID) {
		c.hire("p009") // the name of somebody deleted
		c.move("in", p[10])
		c.move("deleted", p[0], p[14])
		c.tgt.Add(target.Object{Anchor: "theirs", Attributes: target.Attributes{"userPrincipalName": {"boss@contoso.com"}, "displayName": {"B"}, "accountEnabled": {"true"}, "mailNickname": {"boss"}}})
		c.hire("boss")
		c.set(p[11], "userPrincipalName", "p004@contoso.com") // that p[4] gave up
	},
	func(c *company, p []source.ID) {
		c.move("in", p[0], p[13])
		c.move("out", p[15])
		c.set(p[5], "title")
		c.set(p[12], "userAccountControl", "514")
	},
}

// live makes the whole history. It ends at rest.
func (c *company) live(store state.Store) {
	eng := c.engine(c.src, c.tgt, store)
	for i := range 12 {
		c.hire(fmt.Sprintf("p%03d", i))
	}
	_, err := eng.Sync(c.t.Context(), nil)
	require.NoError(c.t, err)
	for _, year := range years {
		year(c, c.ids)
		_, err := eng.Sync(c.t.Context(), nil)
		require.NoError(c.t, err)
	}
	for range 2 {
		_, err := eng.Sync(c.t.Context(), &dirsync.Request{Retry: true})
		require.NoError(c.t, err)
	}
}

// A judge is a target at which each call is held against the directory as it is
// now, and against what the engine can know to be its own.
type judge struct {
	*memtarget.Target
	c     *company
	known map[target.ID]bool // accounts that the store's links and intents tell of
	wrong map[string]bool

	// stale are repeats of changes that were right when they were planned and
	// aren't any more. See TestE02_AnIntentFromABackupIsHeldAgainstTheDirectory.
	stale map[string]bool
}

func newJudge(c *company, store state.Store) *judge {
	j := &judge{Target: c.tgt, c: c, known: map[target.ID]bool{}, wrong: map[string]bool{}, stale: map[string]bool{}}
	l := ledger.New(store, "corp", "contoso")
	all := c.tgt.Objects()
	for id := range c.place {
		e, err := l.Entry(context.Background(), id)
		require.NoError(c.t, err)
		if e != nil && e.Link != nil {
			j.known[e.Link.ID] = true
		}
		in, err := l.Intent(context.Background(), id)
		require.NoError(c.t, err)
		if in == nil || in.Change.Op != target.Create {
			continue
		}
		for _, o := range all { // an account may have come of it
			if o.Anchor == in.Change.Anchor {
				j.known[o.ID] = true
			}
		}
	}
	return j
}

func (j *judge) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	out := make([]target.Result, len(cs))
	for i, c := range cs {
		if fault := j.look(c); fault != "" && c.Repeat {
			j.stale[fmt.Sprintf("%s repeated: %s", c.Op, fault)] = true
		} else if fault != "" {
			j.wrong[fmt.Sprintf("%s: %s", c.Op, fault)] = true
		}
		out[i].Object, out[i].Err = j.Target.Apply(ctx, c)
		if c.Op == target.Create && out[i].Err == nil {
			j.known[out[i].Object.ID] = true
		}
	}
	return out
}

func (j *judge) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	r := j.ApplyBatch(ctx, []target.Change{c})[0]
	return r.Object, r.Err
}

// look says what is wrong with a call, "" if nothing is.
func (j *judge) look(c target.Change) string {
	anchor := c.Anchor
	if c.Op != target.Create {
		o, _ := j.Get(c.ID)
		anchor = o.Anchor
		if !j.known[c.ID] {
			return "an account that isn't known to be ours"
		}
	}
	var id source.ID
	for x := range j.c.place {
		if j.c.anchor(x) == anchor {
			id = x
		}
	}
	place := j.c.place[id]
	o, _ := j.c.src.Get(id)
	switch c.Op {
	case target.Create:
		if place != "in" {
			return "somebody who is " + place
		}
		for _, o := range j.Objects() {
			if o.Anchor == anchor && !c.Repeat {
				return "a second account"
			}
		}
	case target.Delete:
		if place != "deleted" {
			return "somebody who is " + place
		}
	case target.Disable:
		if place == "in" && o.Attributes.First("userAccountControl") == "512" {
			return "somebody who is in and enabled"
		}
	case target.Restore, target.Enable:
		if place != "in" {
			return "somebody who is " + place
		}
	}
	return ""
}

// linked are those who have an account, as far as store knows; open those of whom
// it says that an account may have come of a call.
func (c *company) linked(store state.Store) (linked, open map[source.ID]bool) {
	linked, open = map[source.ID]bool{}, map[source.ID]bool{}
	l := ledger.New(store, "corp", "contoso")
	for id := range c.place {
		e, err := l.Entry(context.Background(), id)
		require.NoError(c.t, err)
		in, err := l.Intent(context.Background(), id)
		require.NoError(c.t, err)
		linked[id] = e != nil && e.Link != nil
		open[id] = !linked[id] && in != nil && in.Change.Op == target.Create
	}
	return linked, open
}

// A backup of the state is put back, taken at any commit of a long history. The
// directory and the target are at rest at the history's end, so there is nothing
// that the engine could have to do: what it does is wrong.
func TestE02_AStateFromABackupChangesNothingAtTheTarget(t *testing.T) {
	points := 0
	for n := 1; ; n++ {
		c := newCompany(t, smallBatches(dirsync.Options{Parallel: 1, Patience: -1}))
		old := &backedUp{Store: c.store, n: n}
		c.live(old)
		if old.backup == nil {
			break
		}
		points++
		before := c.accounts()
		known, open := c.linked(old.backup)
		j := newJudge(c, old.backup)
		c.eng = c.engine(c.src, j, old.backup)
		var rep *dirsync.Report
		for range 4 {
			var err error
			rep, err = c.eng.Sync(t.Context(), &dirsync.Request{Retry: true})
			require.NoError(t, err)
		}
		require.Empty(t, j.wrong, "commit %d", n)
		require.Equal(t, before, c.accounts(), "commit %d", n)

		// Whom the old state doesn't know and who has an account, is reported.
		var unowned, reported []source.ID
		for _, p := range rep.Problems {
			if p.Code == "anchor-unowned" {
				reported = append(reported, p.Object)
				require.NotEmpty(t, p.Holder)
			}
		}
		for _, id := range c.ids {
			// What an open call made is found, or, if it looks different by now, reported.
			known[id] = known[id] || open[id] && !slices.Contains(reported, id)
			if _, live := before[c.anchor(id)]; live && !known[id] && c.place[id] == "in" {
				unowned = append(unowned, id)
			}
		}
		require.ElementsMatch(t, unowned, reported, "commit %d", n)

		// Life goes on: who is known gets what the directory says, the others
		// stay as they are, and who goes is removed if it is known.
		leaver, newcomer := c.ids[11], c.hire("later")
		for _, id := range c.ids {
			if c.place[id] == "in" {
				c.set(id, "title", "Later")
			}
		}
		c.move("deleted", leaver)
		require.NoError(t, c.again())
		require.Empty(t, j.wrong, "commit %d", n)
		after := c.accounts()
		for _, id := range c.ids {
			a := c.anchor(id)
			if c.place[id] != "in" || before[a] == nil {
				continue
			}
			want := "Later"
			if !known[id] {
				want = before[a].First("jobTitle")
			}
			require.Equal(t, want, after[a].First("jobTitle"), "commit %d: %s", n, id)
		}
		require.Equal(t, known[leaver], after[c.anchor(leaver)] == nil, "commit %d", n)
		require.NotNil(t, after[c.anchor(newcomer)], "commit %d", n)
		c.mustRest()
	}
	t.Logf("%d commits", points)
	require.Greater(t, points, 40)
}

// The state is gone, at any moment of the history: the process died after a
// commit, and its file with it.
func TestE01_ALostStateRemovesNothingAndTakesNothingOver(t *testing.T) {
	points := 0
	for n := 1; ; n++ {
		c := newCompany(t, smallBatches(dirsync.Options{Parallel: 1, Patience: -1}))
		dies := &sickStore{Store: c.store, n: n, ill: illness{call: "commit", err: errSick, all: true}}
		over := c.liveUntil(dies)
		if over {
			break
		}
		points++
		before, binned := c.accounts(), map[string]bool{}
		for o, err := range c.tgt.Deleted(t.Context(), target.User) {
			require.NoError(t, err)
			binned[o.Anchor] = true
		}
		fresh := memstate.New()
		j := newJudge(c, fresh)
		c.eng = c.engine(c.src, j, fresh)
		require.NoError(t, c.again(), "commit %d", n)
		require.Empty(t, j.wrong, "commit %d", n)
		after := c.accounts()
		for anchor, a := range before {
			require.Equal(t, a, after[anchor], "commit %d: not an account that was there is touched", n)
		}
		rep := c.sync(dirsync.Request{Retry: true})
		var unowned, reported []source.ID
		for id, place := range c.place {
			a := c.anchor(id)
			switch {
			case place == "in" && (before[a] != nil || binned[a]):
				unowned = append(unowned, id)
				require.Equal(t, before[a], after[a], "commit %d: a second account for somebody whose own lies in the bin", n)
			case place != "in" && before[a] == nil:
				require.Nil(t, after[a], "commit %d: an account for somebody who is %s", n, place)
			}
		}
		for _, p := range rep.Problems {
			if p.Code == "anchor-unowned" {
				reported = append(reported, p.Object)
			}
		}
		require.ElementsMatch(t, unowned, reported, "commit %d", n)
		c.store = fresh
		c.mustRest()
	}
	t.Logf("%d commits", points)
	require.Greater(t, points, 40)
}

// liveUntil makes the history until store fails; it reports whether it came to
// its end.
func (c *company) liveUntil(store *sickStore) (over bool) {
	eng := c.engine(c.src, c.tgt, store)
	for i := range 12 {
		c.hire(fmt.Sprintf("p%03d", i))
	}
	_, err := eng.Sync(c.t.Context(), nil)
	for _, year := range years {
		if err != nil {
			break
		}
		year(c, c.ids)
		_, err = eng.Sync(c.t.Context(), nil)
	}
	if err != nil {
		require.ErrorIs(c.t, err, errSick)
	}
	return err == nil
}
