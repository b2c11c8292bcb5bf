package dirsync_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A club is a directory with a group by which the scope goes: the pilot. The
// target takes no groups.
type club struct {
	*estate
	pilot source.ID
}

const pilotDN = "CN=Pilot,OU=Lab," + root

func clubOf(t *testing.T, nested bool, edit ...func(*club)) *club {
	c := &club{}
	c.estate = estateOf(t, func(e *estate) {
		c.estate = e
		c.pilot = c.circle("Pilot")
		e.opt.Scope = &mapping.Scope{Groups: []string{"cn=pilot, OU=Lab," + root}, Nested: nested}
		for _, f := range edit {
			f(c)
		}
	})
	c.eng = c.engine(c.src, peopleOnly{c.tgt}, c.store)
	return c
}

// circle makes a group with these members.
func (c *club) circle(name string, members ...source.ID) source.ID {
	id := c.src.Put(source.Object{Kind: source.Group, Parent: c.lab, DN: "CN=" + name + "," + c.dn(c.lab),
		Attributes: source.Attributes{"objectClass": {"group"}, "sAMAccountName": {name}, "cn": {name}, "groupType": {"-2147483646"}}})
	c.src.Refer(id, "member", members...)
	return id
}

func (c *club) rescope(s *mapping.Scope) {
	c.opt.Scope = s
	c.eng = c.engine(c.src, peopleOnly{c.tgt}, c.store)
}

func TestAScopeTakesTheMembersOfItsGroups(t *testing.T) {
	c := clubOf(t, false)
	in, out := c.staff(3, "in", c.sales), c.staff(2, "out", c.sales)
	inner := c.circle("Inner", out...)
	c.src.Refer(c.pilot, "member", append(in, inner)...)
	rep := c.sync()
	require.Equal(t, 3, rep.Created, "whom a group in the group holds isn't meant")
	require.Empty(t, codes(rep))
	require.Empty(t, rep.Warnings)
	c.mustRest()

	// One member more, one member less: they alone are looked at.
	c.src.Refer(c.pilot, "member", out[0])
	c.src.Unrefer(c.pilot, "member", in[0])
	p := c.plan()
	require.Equal(t, []string{
		"enters create CN=out0000: entered the scope: a member of " + pilotDN,
		"leaves disable CN=in0000: left the scope: no longer a member of " + pilotDN,
	}, sorted(c.changes(p)))
	rep = c.sync()
	require.Equal(t, []int{1, 1, 2}, []int{rep.Created, rep.Disabled, rep.Writes})
	require.Zero(t, rep.Unchanged, "nobody else is looked at")
	c.mustRest()
	c.src.Refer(c.pilot, "member", in[0])
	require.Equal(t, 1, c.sync().Enabled)
	c.mustRest()
}

// S-08 for groups: the scope means the group, whatever it is called.
func TestARenamedOrMovedScopeGroupCostsNothing(t *testing.T) {
	c := clubOf(t, true)
	c.src.Refer(c.pilot, "member", c.staff(1000, "s", c.sales)...)
	require.Equal(t, 1000, c.sync().Created)
	c.mustRest()
	counted := &countingStore{Store: c.store}
	c.eng = c.engine(c.src, peopleOnly{c.tgt}, counted)
	quiet := func(what string) {
		t.Helper()
		*counted = countingStore{Store: c.store}
		rep := c.sync()
		require.Zero(t, rep.Writes, what)
		require.Zero(t, rep.Unchanged, what)
		require.Less(t, counted.gets+counted.written, 60, what)
	}
	require.True(t, c.src.Rename(c.pilot, "CN=Everybody"))
	quiet("renamed")
	require.True(t, c.src.Move(c.pilot, c.sales))
	quiet("moved")
	c.circle("Pilot")
	quiet("another group has its name")
	c.mustRest()
}

// Work for one member doesn't grow with the group.
func TestOneMemberOfAScopeGroupIsOneLook(t *testing.T) {
	work := func(size int) countingStore {
		c := clubOf(t, true)
		ids := c.staff(size, "s", c.sales)
		inner := c.circle("Inner", ids[1:]...)
		c.src.Refer(c.pilot, "member", inner)
		c.sync()
		c.sync()
		c.sync()
		counted := &countingStore{Store: c.store}
		c.eng = c.engine(c.src, peopleOnly{c.tgt}, counted)
		c.src.Refer(inner, "member", ids[0])
		require.Equal(t, 1, c.sync().Created)
		c.src.Unrefer(inner, "member", ids[1])
		require.Equal(t, 1, c.sync().Disabled)
		counted.Store = nil
		return *counted
	}
	require.Equal(t, work(20), work(2000))
}

// A nested group that is taken out is one event: its people leave together, and
// the guard halts.
func TestANestedGroupTakenOutOfTheScopeGroup(t *testing.T) {
	c := clubOf(t, true)
	people, others := c.staff(600, "s", c.sales), c.staff(200, "o", c.sales)
	deep := c.circle("Deep", people...)
	inner := c.circle("Inner", deep)
	c.src.Refer(deep, "member", inner) // they hold one another
	c.src.Refer(inner, "member", others[0])
	c.src.Refer(c.pilot, "member", append(others, inner)...)
	require.Equal(t, 800, c.sync().Created)
	c.mustRest()

	c.src.Unrefer(c.pilot, "member", inner)
	h := c.halted()
	require.Equal(t, 600, h.Counts.Leave, "who is in by another way stays")
	require.Equal(t, plan.Removals, h.Breaches[0].Effect)
	for _, b := range h.Breaches {
		require.NotEqual(t, plan.Rescoped, b.Effect, "nobody changed the configuration")
	}
	require.Equal(t, 800, c.enabled())
	c.approve(h.Hash)
	require.Equal(t, 600, c.sync().Disabled)
	c.mustRest()
	c.src.Unrefer(c.pilot, "member", others[0])
	require.Equal(t, 1, c.sync().Disabled, "the circle alone keeps nobody in")

	c.src.Refer(c.pilot, "member", deep)
	p := c.plan()
	require.Equal(t, 601, p.Counts.Enter)
	require.Contains(t, sorted(c.changes(p))[0], "entered the scope: a member of CN=Inner,OU=Lab,"+root+", which is in "+pilotDN)
	require.Equal(t, 601, c.sync().Enabled)
	c.mustRest()
}

// A scope group that is gone, in whatever way, keeps whom it held and lets nobody
// in. Whoever was in goes on being synchronized.
func TestAScopeGroupThatIsGoneKeepsEverybody(t *testing.T) {
	for name, x := range map[string]struct {
		away, back func(*club) bool
	}{
		"deleted":      {func(c *club) bool { return c.src.Remove(c.pilot) }, nil},
		"out of sight": {func(c *club) bool { return c.src.MoveOut(c.pilot) }, func(c *club) bool { return c.src.MoveIn(c.pilot) }},
		"not given":    {func(c *club) bool { return c.src.Hide(c.pilot) }, func(c *club) bool { return c.src.Show(c.pilot) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := clubOf(t, true)
			ids := c.staff(3, "s", c.sales)
			inner := c.circle("Inner", ids[1])
			c.src.Refer(c.pilot, "member", ids[0], inner)
			require.Equal(t, 2, c.sync().Created)
			require.True(t, x.away(c))
			rep := c.sync(dirsync.Request{Full: true})
			require.Zero(t, rep.Changed())
			require.Equal(t, "scope-group-gone", rep.Warnings[0].Code)

			c.set(ids[0], "title", "Clerk")
			c.set(ids[1], "userAccountControl", "514")
			c.src.Refer(inner, "member", ids[2])
			rep = c.sync()
			require.Equal(t, []int{1, 1, 0}, []int{rep.Updated, rep.Disabled, rep.Created})
			require.Equal(t, []string{mapping.CodeGroupUnknown}, codes(rep), "nobody enters by it")
			c.src.Unrefer(inner, "member", ids[1])
			c.set(ids[1], "userAccountControl", "512")
			require.Zero(t, c.sync().Changed(), "that the group within it lets somebody go was said")
			if x.back == nil {
				c.rescope(&mapping.Scope{Groups: []string{string(inner)}, Nested: true})
				h := c.halted()
				require.Equal(t, plan.Counts{Create: 1, Disable: 1, Removals: 1, Enter: 1, Leave: 1}, h.Counts)
				return
			}
			require.True(t, x.back(c))
			rep = c.sync()
			require.Equal(t, 1, rep.Created)
			require.Empty(t, rep.Warnings)
			require.Empty(t, codes(rep))
			c.mustRest()
		})
	}
}

// A group within the scope group that is deleted holds nobody any more: that is
// proven. One that is out of sight keeps its people in.
func TestAGroupInTheScopeGroupThatIsGone(t *testing.T) {
	c := clubOf(t, true)
	ids := c.staff(2, "s", c.sales)
	inner := c.circle("Inner", ids...)
	c.src.Refer(c.pilot, "member", inner)
	require.Equal(t, 2, c.sync().Created)
	require.True(t, c.src.MoveOut(inner))
	rep := c.sync()
	require.Zero(t, rep.Changed())
	require.Equal(t, "scope-group-gone", rep.Warnings[0].Code)
	require.True(t, c.src.MoveIn(inner))
	require.Zero(t, c.sync().Changed())
	require.True(t, c.src.Remove(inner))
	rep = c.sync()
	require.Equal(t, 2, rep.Disabled)
	require.Empty(t, rep.Warnings)
	c.mustRest()
	require.True(t, c.src.Undelete(inner))
	c.src.Refer(inner, "member", ids[0])
	c.src.Refer(c.pilot, "member", inner)
	require.Equal(t, 1, c.sync().Enabled)
	c.mustRest()
}

// A scope that can't be applied ends the run before anything is written.
func TestAScopeGroupThatMeansNothingEndsTheRun(t *testing.T) {
	for name, x := range map[string]struct {
		edit func(*club)
		want string
	}{
		"unknown": {func(c *club) { c.opt.Scope.Groups = []string{"CN=Nobody," + root} }, "CN=Nobody"},
		"a unit":  {func(c *club) { c.opt.Scope.Groups = []string{"OU=Lab," + root} }, "OU=Lab"},
		"a guid":  {func(c *club) { c.opt.Scope.Groups = []string{"11111111-2222-3333-4444-555555555555"} }, "11111111"},
	} {
		t.Run(name, func(t *testing.T) {
			c := clubOf(t, false, x.edit)
			c.staff(1, "s", c.sales)
			for range 3 {
				_, err := c.eng.Sync(t.Context(), nil)
				require.ErrorIs(t, err, dirsync.ErrScope)
				require.ErrorContains(t, err, x.want)
			}
			require.Zero(t, c.tgt.Counts().Writes())
		})
	}
}

// A source that gives groups and doesn't tell their members leaves everybody as
// they are.
func TestMembersThatAreNeverToldEndTheRun(t *testing.T) {
	w := newWorld(t)
	w.person("ann", "contoso.com")
	w.src.Put(source.Object{Kind: source.Group, DN: pilotDN, Attributes: source.Attributes{"sAMAccountName": {"Pilot"}}})
	w.opt.Scope = &mapping.Scope{Groups: []string{pilotDN}}
	w.eng = w.engine(w.src, peopleOnly{w.tgt}, w.store)
	for range 3 {
		_, err := w.eng.Sync(t.Context(), nil)
		var scope *dirsync.ScopeError
		require.ErrorAs(t, err, &scope)
		require.True(t, scope.Untold)
	}
	require.Zero(t, w.tgt.Counts().Writes())
}

// A group is one condition among others.
func TestGroupsAndPlacesAndConditionsTogether(t *testing.T) {
	c := clubOf(t, true, func(c *club) {
		c.opt.Scope.Exclude = []string{string(c.lab)}
		c.opt.Scope.Conditions = []mapping.Condition{{Attribute: "department", Operator: mapping.Equals, Values: []string{"A"}}}
	})
	in := c.staff(1, "in", c.sales, "department", "A")
	lab := c.staff(1, "lab", c.lab, "department", "A")
	other := c.staff(1, "other", c.sales, "department", "B")
	c.staff(1, "alone", c.sales, "department", "A")
	c.src.Refer(c.pilot, "member", in[0], lab[0], other[0])
	require.Equal(t, 1, c.sync().Created)
	require.Equal(t, []string{"in0000@contoso.com"}, c.upns())
	c.mustRest()
}

// A changed scope is approved as any: a group more, a group less, nested or not.
func TestAChangedScopeOfGroups(t *testing.T) {
	c := clubOf(t, false)
	ids := c.staff(4, "s", c.sales)
	inner := c.circle("Inner", ids[2])
	c.src.Refer(c.pilot, "member", ids[0], ids[1], inner)
	other := c.circle("Other", ids[1], ids[3])
	c.rescope(nil)
	require.Equal(t, 4, c.sync().Created)
	c.mustRest()

	c.rescope(&mapping.Scope{Groups: []string{pilotDN}})
	h := c.halted()
	require.Equal(t, plan.Counts{Disable: 2, Removals: 2, Leave: 2}, h.Counts)
	require.Equal(t, plan.Rescoped, h.Breaches[0].Effect)
	c.approve(h.Hash)
	require.Equal(t, 2, c.sync().Disabled)
	c.mustRest()

	c.rescope(&mapping.Scope{Groups: []string{pilotDN}, Nested: true})
	require.Equal(t, []string{"enters enable CN=s0002: the scope was changed: a member of CN=Inner,OU=Lab," + root + ", which is in " + pilotDN}, c.changes(c.plan()))
	require.Equal(t, 1, c.sync().Enabled)
	c.mustRest()

	c.rescope(&mapping.Scope{Groups: []string{string(other)}})
	h = c.halted()
	t.Log(c.changes(c.waiting()))
	require.Equal(t, plan.Counts{Update: 1, Enable: 1, Disable: 2, Removals: 2, Enter: 1, Leave: 2}, h.Counts)
	c.approve(h.Hash)
	c.sync()
	c.mustRest()

	c.rescope(nil)
	require.Equal(t, 2, c.sync().Enabled)
	c.mustRest()
	n := 0
	for _, prefix := range []string{"roster/", "rostered/", "rosterof/", "regroup/"} {
		for range c.store.Scan(t.Context(), prefix) {
			n++
		}
	}
	require.Zero(t, n, "nothing is kept that nobody asks for")
}

// The members are told in any order with what they are, and a set may be cut off.
func TestAScopeGroupThatIsToldInPartsLosesNobody(t *testing.T) {
	c := clubOf(t, true)
	ids := c.staff(40, "s", c.sales)
	c.src.Refer(c.pilot, "member", ids[:35]...)
	require.Equal(t, 35, c.sync().Created)
	rest := c.sync().Watermark
	o := source.Object{ID: c.pilot, Kind: source.Group}
	cut := &scripted{c.src, []source.Event{
		{Op: source.Refers, Object: o, References: &source.References{Attribute: "member", First: true, Add: ids[:2]}},
		{Op: source.Checkpoint, Watermark: rest + "x"},
	}, source.ErrIncomplete}
	_, err := c.engine(cut, peopleOnly{c.tgt}, c.store).Sync(t.Context(), nil)
	require.ErrorIs(t, err, source.ErrIncomplete)
	rep := c.sync()
	require.Equal(t, dirsync.Delta, rep.Mode, "no watermark passed")
	require.Zero(t, rep.Changed())

	cut.err = nil
	cut.events = []source.Event{
		{Op: source.Refers, Object: o, References: &source.References{Attribute: "member", First: true, Add: ids[:2]}},
		{Op: source.Refers, Object: o, References: &source.References{Attribute: "member", Last: true, Add: ids[2:34]}},
		{Op: source.Checkpoint, Watermark: rest},
	}
	rep, err = c.engine(cut, peopleOnly{c.tgt}, c.store).Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 1, rep.Disabled)
}

// A target that takes groups has them, too: the two have nothing to do with each
// other.
func TestAScopeGroupThatIsSynchronizedItself(t *testing.T) {
	c := clubOf(t, true)
	c.eng = c.engine(c.src, c.tgt, c.store)
	ids := c.staff(3, "s", c.sales)
	inner := c.circle("Inner", ids[1])
	c.src.Refer(c.pilot, "member", ids[0], inner)
	rep := c.sync()
	require.Equal(t, 4, rep.Created, "%+v", rep)
	require.Len(t, c.tgt.RefsOf(c.idOf(c.pilot), target.RefMembers), 2)
	c.src.Unrefer(inner, "member", ids[1])
	rep = c.sync()
	require.Equal(t, []int{1, 1}, []int{rep.Disabled, rep.MembersRemoved})
	c.mustRest()
}

// Whatever dies in between, the marks bring it to an end.
func TestAScopeByGroupsSurvivesACrash(t *testing.T) {
	for n := range 12 {
		c := clubOf(t, true)
		ids := c.staff(30, "s", c.sales)
		inner := c.circle("Inner", ids...)
		c.src.Refer(c.pilot, "member", inner, ids[0])
		require.Equal(t, 30, c.sync().Created)
		c.src.Unrefer(c.pilot, "member", inner)
		dying := crashStore{c.store, &crash{at: 1 + n/2, after: n%2 == 1}}
		_, err := c.engine(c.src, peopleOnly{c.tgt}, dying).Sync(t.Context(), nil)
		c.sync(dirsync.Request{Retry: true})
		require.Equal(t, 1, c.enabled(), fmt.Sprint(n, err))
		c.mustRest()
	}
}

// Adopting asks the scope, and that asks who is a member now.
func TestAdoptionAsksForTheGroups(t *testing.T) {
	c := clubOf(t, true)
	ids := c.staff(3, "s", c.sales)
	c.src.Refer(c.pilot, "member", ids[0], ids[1])
	for _, id := range ids {
		c.existing("x"+string(id)+"@contoso.com", c.sourceAnchor(id))
	}
	list := c.match(nil)
	require.Len(t, list, 2, "who isn't in the scope wants no account")
	c.src.Unrefer(c.pilot, "member", list[1].Object)
	done := c.adopt(pairsOf(list)...)
	require.Equal(t, dirsync.AdoptDone, done[0].Outcome, done[0].Reason)
	require.Equal(t, dirsync.AdoptRefused, done[1].Outcome)
	require.Contains(t, done[1].Reason, "isn't in scope")
	c.sync()
	c.mustRest()
}

// peopleOnly is a target that was not asked to take groups.
type peopleOnly struct{ *memtarget.Target }

func (peopleOnly) Kinds() []target.Kind                    { return []target.Kind{target.User} }
func (peopleOnly) RefBatch(target.Kind, string) (int, int) { return 0, 0 }
