package dirsync_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/target"
)

func TestSeveralSourcesHaveTheirOwnWatermarks(t *testing.T) {
	u := newUnion(t)
	u.hire(u.corp, "", "ann")
	u.hire(u.east, "", "eve")
	rep := u.sync()
	require.Equal(t, 2, rep.Created)
	require.Len(t, rep.Sources, 2)
	assert.Equal(t, []string{"corp", "east"}, []string{rep.Sources[0].Name, rep.Sources[1].Name})
	assert.NotEqual(t, rep.Sources[0].Watermark, rep.Sources[1].Watermark)

	u.hire(u.east, "", "eva")
	changed, err := u.eng.Poll(t.Context())
	require.NoError(t, err)
	require.True(t, changed)
	rep = u.sync()
	assert.Equal(t, dirsync.Delta, rep.Mode)
	assert.Equal(t, []int{0, 1}, []int{rep.Sources[0].Read, rep.Sources[1].Read})
	assert.Equal(t, 1, rep.Created)
	changed, err = u.eng.Poll(t.Context())
	require.NoError(t, err)
	require.False(t, changed)

	// A source that has to be read whole leaves the other one in peace.
	corp, east := u.corp.full, u.east.full
	u.east.Expire()
	rep = u.sync()
	assert.Equal(t, dirsync.Full, rep.Mode)
	assert.Equal(t, []dirsync.Mode{dirsync.Delta, dirsync.Full}, []dirsync.Mode{rep.Sources[0].Mode, rep.Sources[1].Mode})
	assert.Equal(t, []int{corp, east + 1}, []int{u.corp.full, u.east.full})
	assert.Zero(t, rep.Changed())
	assert.Empty(t, rep.Problems)
	u.mustRest()
}

func TestAnEngineWithOneSourceGoesOnWithTwo(t *testing.T) {
	u := newUnion(t)
	u.hire(u.corp, "", "ann")
	u.hire(u.east, "", "eve")
	u.opt.Name, u.opt.Sources = "", nil
	u.eng = u.engine(u.corp, u.tgt, u.store)
	require.Equal(t, 1, u.sync().Created)
	for _, swapped := range []bool{true, false} {
		u.join(swapped)
		rep := u.sync()
		require.Empty(t, rep.Problems)
		require.Len(t, u.upns(), 2)
		require.Equal(t, dirsync.Delta, rep.Sources[0].Mode)
	}
	u.mustRest()
}

func TestWhatNoneOfSeveralSourcesHoldsIsntUnreadable(t *testing.T) {
	u := newUnion(t)
	u.hire(u.corp, "", "ann")
	id := u.hire(u.corp, "", "eve")
	u.corp.Spoil(id, errors.New("no"))
	require.Equal(t, []string{"unreadable"}, codes(u.sync()))
	// One of them is read whole: what it doesn't give, the other one may hold.
	u.east.Expire()
	require.Equal(t, []string{"unreadable"}, codes(u.sync()))
	require.Equal(t, []string{"unreadable"}, codes(u.sync(dirsync.Request{Full: true})))
	u.corp.Hide(id)
	u.corp.Expire()
	require.Equal(t, []string{"unreadable"}, codes(u.sync()))
	require.Empty(t, u.sync(dirsync.Request{Full: true}).Problems)
	u.mustRest()
}

func TestSeveralSourcesHaveNames(t *testing.T) {
	u := newUnion(t)
	for what, opt := range map[string]dirsync.Options{
		"no name":    {Sources: []source.Source{u.east}},
		"twice":      {Name: "corp", Sources: []source.Source{u.corp}},
		"nil":        {Name: "corp", Sources: []source.Source{nil}},
		"bad name":   {Name: "a/b", Sources: []source.Source{u.east}},
		"bad source": {Name: "corp", Sources: []source.Source{memsource.New("a/b", nil)}},
	} {
		_, err := dirsync.New(u.corp, u.tgt, u.store, &opt)
		assert.Error(t, err, what)
	}
}

// The source that is down stops nobody but those whom it might want.
func TestOneSourceThatIsDownDoesNotStopTheOthers(t *testing.T) {
	u := newUnion(t)
	u.east.down = fmt.Errorf("no server: %w", source.ErrUnavailable)
	ann := u.hire(u.corp, "", "ann")
	bob := u.hire(u.corp, "", "bob")
	u.hire(u.east, "", "eve")
	rep, err := u.try()
	require.ErrorIs(t, err, source.ErrUnavailable, "nothing is decided before each was read once")
	require.ErrorContains(t, err, "east")
	require.Zero(t, rep.Writes)
	require.Empty(t, u.upns())

	u.east.down = nil
	require.Equal(t, 3, u.sync().Created)

	u.east.down = fmt.Errorf("cut: %w", source.ErrIncomplete)
	u.set(ann, "displayName", "Ann New")
	u.corp.Remove(bob)
	u.hire(u.corp, "", "cyd")
	rep, err = u.try()
	require.ErrorIs(t, err, source.ErrIncomplete)
	require.ErrorContains(t, err, "east")
	assert.Equal(t, []int{1, 1, 0}, []int{rep.Created, rep.Updated, rep.Deleted})
	assert.Equal(t, "Ann New", u.shown("ann@contoso.com"))
	assert.Contains(t, codes(rep), "removal-waits")
	require.Equal(t, "source-unread", rep.Warnings[0].Code)
	assert.NotEmpty(t, rep.Sources[1].Error)
	assert.Empty(t, rep.Sources[0].Error)

	rep, err = u.try() // it waits as long as it takes
	require.Error(t, err)
	require.Zero(t, rep.Changed())

	u.east.down = nil
	rep = u.sync()
	assert.Equal(t, 1, rep.Deleted)
	assert.NotContains(t, codes(rep), "removal-waits")
	u.mustRest()

	u.corp.down, u.east.down = source.ErrUnavailable, source.ErrUnavailable
	_, err = u.try()
	require.ErrorContains(t, err, "corp")
	require.ErrorContains(t, err, "east")
	u.corp.down, u.east.down = nil, nil
	u.mustRest()
}

// What a complete read of one source doesn't give isn't asked of another's.
func TestOnlyTheSourceThatWasReadMissesObjects(t *testing.T) {
	u := newUnion(t)
	ann, eve := u.hire(u.corp, "", "ann"), u.hire(u.east, "", "eve")
	u.sync()
	u.corp.Expire()
	u.east.Hide(eve)
	rep := u.sync()
	require.Empty(t, rep.Problems)
	u.corp.Hide(ann)
	u.corp.Expire()
	rep = u.sync()
	require.Equal(t, []string{"missing-in-source"}, codes(rep))
	require.Equal(t, ann, rep.Problems[0].Object)
	require.Len(t, u.upns(), 2)
}

// A move between domains of a forest: the same objectGUID, a new object there, a
// tombstone here, told in any order and any number of runs apart.
func TestAMoveBetweenSourcesKeepsTheAccount(t *testing.T) {
	const id = "b9ab2ef7-091b-50bf-845c-72bb8a00e909"
	for _, there := range []bool{true, false} { // from corp to east, and back
		for name, steps := range map[string][]string{
			"at once":         {"new gone"},
			"the new first":   {"new", "gone"},
			"runs apart":      {"new", "", "", "gone"},
			"the grave first": {"gone", "new"},
			"long before":     {"gone", "", "", "new"},
		} {
			for _, swapped := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s %v %v", name, there, swapped), func(t *testing.T) {
					u := newUnion(t, func(w *world) { w.opt.MoveWait = time.Hour })
					from, to := u.corp, u.east
					if !there {
						from, to = u.east, u.corp
					}
					u.hire(from, id, "ann", "mail", "ann@contoso.com")
					u.hire(u.corp, "", "bob")
					u.join(swapped)
					u.sync()
					before := u.account("ann@contoso.com").ID
					created := u.tgt.Counts()
					for _, s := range steps {
						if s == "new" || s == "new gone" {
							u.hire(to, id, "ann", "mail", "ann@contoso.com")
						}
						if s == "gone" || s == "new gone" {
							from.Remove(id)
						}
						rep := u.sync()
						assert.Zero(t, rep.Created+rep.Deleted+rep.Disabled+rep.Restored, "after %q: %v", s, codes(rep))
					}
					assert.Equal(t, before, u.account("ann@contoso.com").ID)
					assert.Equal(t, "ann of "+to.Name(), u.shown("ann@contoso.com"))
					assert.Equal(t, created.Writes()+1, u.tgt.Counts().Writes(), "its name, and nothing else")
					u.mustRest()
					require.Empty(t, u.sync().Problems)

					// From now on the new domain has the say.
					to.Edit(id, func(o *source.Object) { o.Attributes.Set("displayName", "Moved") })
					u.sync()
					assert.Equal(t, "Moved", u.shown("ann@contoso.com"))
					from.Expire()
					require.Empty(t, u.sync().Problems)
				})
			}
		}
	}
}

// A deletion is one only after the others had time to show the object.
func TestARemovalWaitsForTheOtherSources(t *testing.T) {
	u := newUnion(t, func(w *world) { w.opt.MoveWait = 50 * time.Millisecond })
	ann := u.hire(u.corp, "", "ann")
	u.sync()
	u.corp.Remove(ann)
	rep := u.sync()
	require.Zero(t, rep.Deleted)
	require.Equal(t, []string{"removal-waits"}, codes(rep))
	time.Sleep(60 * time.Millisecond)
	rep = u.sync()
	require.Equal(t, 1, rep.Deleted)
	require.Empty(t, rep.Problems)

	// Whoever shows later gets the account back.
	u.hire(u.east, ann, "ann")
	rep = u.sync()
	require.Equal(t, []int{0, 1}, []int{rep.Created, rep.Restored})
	u.mustRest()
}

// Two sources that hold an object under one ID: one has the say, and both are named.
func TestAnObjectOfTwoSourcesIsReported(t *testing.T) {
	const id = "b9ab2ef7-091b-50bf-845c-72bb8a00e909"
	for _, eastFirst := range []bool{false, true} {
		u := newUnion(t)
		first, then := u.corp, u.east
		if eastFirst {
			first, then = u.east, u.corp
		}
		u.hire(first, id, "ann")
		u.sync()
		u.hire(then, id, "ann")
		rep := u.sync()
		require.Equal(t, []string{"in-two-sources"}, codes(rep))
		require.Contains(t, rep.Problems[0].Message, "corp and east")
		require.Equal(t, "ann of corp", u.shown("ann@contoso.com"))
		u.east.Expire()
		u.corp.Expire()
		require.Equal(t, []string{"in-two-sources"}, codes(u.sync()))
		u.east.Remove(id)
		rep = u.sync()
		require.Zero(t, rep.Changed())
		require.Empty(t, rep.Problems)
		u.mustRest()
	}
}

// References point across sources, and follow a move.
func TestReferencesAcrossSources(t *testing.T) {
	u := newUnion(t)
	boss, ann := u.hire(u.east, "", "boss"), u.hire(u.corp, "", "ann")
	team := u.corp.Put(source.Object{Kind: source.Group, DN: "CN=team,DC=corp,DC=com", Attributes: source.Attributes{
		"sAMAccountName": {"team"}, "groupType": {"-2147483640"}, "cn": {"team"}}})
	u.corp.Refer(team, "member", ann, boss)
	u.corp.Refer(ann, "manager", boss)
	rep := u.sync()
	require.Equal(t, 2, rep.MembersAdded)
	require.Equal(t, 1, rep.RefsChanged)

	o, _ := u.corp.Get(ann)
	u.east.Put(o)
	u.east.Refer(ann, "manager", boss)
	u.sync()
	u.corp.Remove(ann)
	rep = u.sync()
	require.Zero(t, rep.MembersRemoved+rep.RefsChanged, "the group holds the ID, and the manager is the same")
	u.east.SetRefs(ann, "manager")
	require.Equal(t, 1, u.sync().RefsChanged)
	require.Zero(t, u.sync().Changed())
}

// A tenant is the same in whatever order it is told of.
func TestAnyOrderOfSourcesGivesOneTenant(t *testing.T) {
	var tenants, hashes []string
	for n := range uint64(12) {
		u := newUnion(t)
		u.corp.mixes, u.east.mixes = rand.New(rand.NewPCG(n, 1)), rand.New(rand.NewPCG(n, 2))
		for i := range 6 {
			u.hire(u.corp, source.ID(fmt.Sprintf("00000000-0000-0000-0000-0000000000%02d", i)), fmt.Sprint("p", i))
			u.hire(u.east, source.ID(fmt.Sprintf("00000000-0000-0000-0000-0000000001%02d", i)), fmt.Sprint("p", i)) // all names twice
		}
		u.join(n%2 == 1)
		p, err := u.eng.Preview(t.Context(), nil)
		require.NoError(t, err)
		hashes = append(hashes, p.Hash)
		u.sync()
		text := ""
		for o, err := range u.tgt.Current(t.Context()) {
			require.NoError(t, err)
			if o.Kind == target.User {
				text += o.Anchor + o.Attributes.First(target.AttrUserPrincipalName) + o.Attributes.First("displayName") + "\n"
			}
		}
		tenants = append(tenants, sortedLines(text))
	}
	for i := range tenants {
		require.Equal(t, tenants[0], tenants[i])
		require.Equal(t, hashes[0], hashes[i])
	}
}

func sortedLines(s string) string {
	lines := strings.Split(s, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
