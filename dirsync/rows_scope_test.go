package dirsync_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// An estate is a directory with organizational units: the domain, Sales with
// Inside in it, and Lab.
type estate struct {
	*world
	domain, sales, inside, lab source.ID
}

const root = "DC=corp,DC=example,DC=com"

// estateOf makes the directory before the engine: ids of its containers can be
// named by the scope that edit sets.
func estateOf(t *testing.T, edit func(*estate)) *estate {
	e := &estate{}
	e.world = newWorld(t, func(w *world) {
		e.world = w
		e.domain = w.src.Put(source.Object{Kind: source.Container, DN: root})
		e.sales, e.inside, e.lab = e.unit("Sales", e.domain), "", e.unit("Lab", e.domain)
		e.inside = e.unit("Inside", e.sales)
		if edit != nil {
			edit(e)
		}
	})
	return e
}

func (e *estate) unit(name string, parent source.ID) source.ID {
	return e.src.Put(source.Object{Kind: source.Container, Parent: parent, DN: "OU=" + name + "," + e.dn(parent)})
}

func (e *estate) dn(id source.ID) string {
	o, _ := e.src.Get(id)
	return o.DN
}

// staff puts n people into a container.
func (e *estate) staff(n int, prefix string, parent source.ID, more ...string) (ids []source.ID) {
	for i := range n {
		login := fmt.Sprintf("%s%04d", prefix, i)
		a := source.Attributes{
			"objectClass": {"person", "user"}, "sAMAccountName": {login}, "userAccountControl": {"512"},
			"userPrincipalName": {login + "@contoso.com"}, "displayName": {"Person " + login}, "cn": {login},
		}
		for i := 0; i+1 < len(more); i += 2 {
			a.Set(more[i], more[i+1])
		}
		ids = append(ids, e.src.Put(source.Object{Kind: source.User, Parent: parent, DN: "CN=" + login + "," + e.dn(parent), Attributes: a}))
	}
	return ids
}

// scope gives the engine another scope, as a changed configuration does.
func (e *estate) scope(s *mapping.Scope) {
	e.opt.Scope = s
	e.eng = e.engine(e.src, e.tgt, e.store)
}

// enabled is how many accounts of the tenant can be used.
func (e *estate) enabled() (n int) {
	for o, err := range e.tgt.Current(e.t.Context()) {
		require.NoError(e.t, err)
		if o.Attributes.First(target.AttrAccountEnabled) != "false" {
			n++
		}
	}
	return n
}

// names are the changes of a plan: operation, name and reason.
func (e *estate) changes(p *dirsync.Plan) (list []string) {
	for c, err := range p.Changes(e.t.Context()) {
		require.NoError(e.t, err)
		list = append(list, fmt.Sprintf("%s %s %s: %s", c.Crossing, c.Op, strings.SplitN(c.Name, ",", 2)[0], c.Reason))
	}
	return list
}

func (e *estate) ledger() *ledger.Ledger { return ledger.New(e.store, e.src.Name(), e.tgt.Name()) }

// byPlace takes Sales, without what is in Inside.
func byPlace(e *estate) {
	e.opt.Scope = &mapping.Scope{Include: []string{string(e.sales)}, Exclude: []string{string(e.inside)}}
}

func TestS07_AScopeTakesWhomItNames(t *testing.T) {
	e := estateOf(t, func(e *estate) {
		e.opt.Scope = &mapping.Scope{
			Domains: []string{"dc=corp, DC=Example,dc=com"}, Include: []string{"OU=Sales," + root}, Exclude: []string{string(e.inside)},
			Conditions: []mapping.Condition{{Attribute: "department", Operator: mapping.StartsWith, Values: []string{"sal"}}},
		}
	})
	e.staff(3, "in", e.sales, "department", "Sales")
	e.staff(2, "excluded", e.inside, "department", "Sales")
	e.staff(2, "lab", e.lab, "department", "Sales")
	e.staff(2, "other", e.sales, "department", "Lab")
	rep := e.sync()
	require.Equal(t, 3, rep.Created)
	require.Equal(t, 6, rep.Skipped)
	require.Empty(t, codes(rep))
	require.Equal(t, []string{"in0000@contoso.com", "in0001@contoso.com", "in0002@contoso.com"}, e.upns())
	e.mustRest()
}

// S-08: of a renamed organizational unit the directory tells nothing of those in
// it. Nothing is to be done, and nothing is looked at; their names for people
// follow.
func TestS08_ARenamedUnitCostsNothing(t *testing.T) {
	e := estateOf(t, byPlace)
	ids := e.staff(1000, "s", e.sales)
	require.Equal(t, 1000, e.sync().Created)
	writes := e.tgt.Counts().Writes()

	require.True(t, e.src.Rename(e.sales, "OU=Vertrieb,"+root))
	rep := e.sync()
	require.Zero(t, rep.Changed())
	require.Zero(t, rep.Unchanged, "nobody in it has to be looked at")
	require.Equal(t, writes, e.tgt.Counts().Writes())
	e.mustRest()

	// Not even if the DN of another unit is now what this one was called.
	other := e.unit("Sales", e.domain)
	e.staff(1, "new", other)
	require.Zero(t, e.sync().Changed(), "the scope means the unit, not its name")

	e.set(ids[0], "title", "Clerk")
	p := e.plan()
	for c, err := range p.Changes(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, "CN=s0000,OU=Vertrieb,"+root, c.Name)
	}
}

// S-08: the names of people come from the tree, at once for all of them.
func TestS08_AllNamesBelowARenamedUnitFollow(t *testing.T) {
	e := estateOf(t, nil)
	e.staff(1000, "s", e.inside)
	require.Equal(t, 1000, e.sync().Created)
	require.True(t, e.src.Rename(e.sales, "OU=Vertrieb,"+root))
	e.sync()
	e.opt.Scope = &mapping.Scope{Exclude: []string{string(e.sales)}}
	e.scope(e.opt.Scope)
	p := e.plan()
	require.Equal(t, 1000, p.Counts.Leave)
	for c, err := range p.Changes(t.Context()) {
		require.NoError(t, err)
		require.True(t, strings.HasSuffix(c.Name, ",OU=Inside,OU=Vertrieb,"+root), c.Name)
	}
}

// S-07: a unit that is moved within the scope costs nothing, one that is moved out
// of it takes 1,000 people along: the guard halts, and approved, they are
// disabled. Moved back, they are enabled.
func TestS07_AMovedUnit(t *testing.T) {
	e := estateOf(t, func(e *estate) { e.opt.Scope = &mapping.Scope{Include: []string{string(e.sales)}} })
	e.staff(1000, "s", e.inside)
	branch := e.unit("Branch", e.sales)
	require.Equal(t, 1000, e.sync().Created)

	require.True(t, e.src.Move(e.inside, branch))
	rep := e.sync()
	require.Zero(t, rep.Changed())
	require.Zero(t, rep.Unchanged, "the scope's answer is the same, so nobody is looked at")
	e.mustRest()

	require.True(t, e.src.Move(e.inside, e.lab))
	h := e.halted()
	require.Equal(t, 1000, h.Counts.Leave)
	require.Equal(t, plan.Removals, h.Breaches[0].Effect)
	for _, b := range h.Breaches {
		require.NotEqual(t, plan.Rescoped, b.Effect, "nobody changed the configuration")
	}
	require.Contains(t, sorted(e.changes(e.waiting()))[0], "leaves disable CN=s0000: left the scope: in OU=Inside,OU=Lab,"+root+" (not included)")
	require.Equal(t, 1000, e.enabled())
	e.approve(h.Hash)
	rep = e.sync()
	require.Equal(t, 1000, rep.Disabled)
	require.Zero(t, e.enabled())
	require.Len(t, e.upns(), 1000, "nobody is deleted")
	e.mustRest()

	require.True(t, e.src.Move(e.inside, e.sales))
	p := e.plan()
	require.Equal(t, 1000, p.Counts.Enter)
	require.Contains(t, sorted(e.changes(p))[0], "enters enable CN=s0000: entered the scope")
	require.Equal(t, 1000, e.sync().Enabled)
	require.Equal(t, 1000, e.enabled())
	e.mustRest()
}

// S-07: one person who is moved is the ordinary case, within the budgets.
func TestS07_AMovedPerson(t *testing.T) {
	e := estateOf(t, byPlace)
	ids := e.staff(3, "s", e.sales)
	e.sync()
	require.True(t, e.src.Move(ids[0], e.lab))
	require.Equal(t, 1, e.sync().Disabled)
	e.mustRest()
	require.True(t, e.src.Move(ids[0], e.inside))
	require.Zero(t, e.sync().Changed())
	require.True(t, e.src.Move(ids[0], e.sales))
	require.Equal(t, 1, e.sync().Enabled)
	e.mustRest()
}

// S-07: a changed configuration is planned as such: who enters and who leaves, and
// whoever leaves needs somebody's word, be it one.
func TestS07_AChangedScopeNeedsApproval(t *testing.T) {
	e := estateOf(t, func(e *estate) { e.opt.Scope = &mapping.Scope{Include: []string{string(e.sales)}} })
	e.staff(4, "s", e.sales)
	e.staff(1, "i", e.inside)
	e.staff(2, "l", e.lab)
	require.Equal(t, 5, e.sync().Created)
	e.mustRest()

	e.scope(&mapping.Scope{Include: []string{string(e.sales), string(e.lab)}, Exclude: []string{string(e.inside)}})
	p, err := e.eng.Preview(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, plan.Counts{Create: 2, Disable: 1, Removals: 1, Enter: 2, Leave: 1}, p.Counts)
	require.Equal(t, []string{
		"enters create CN=l0000: the scope was changed", "enters create CN=l0001: the scope was changed",
		"leaves disable CN=i0000: the scope was changed: in OU=Inside,OU=Sales," + root + " (excluded)",
	}, sorted(e.changes(p)))
	require.Len(t, p.Breaches, 1)
	require.Equal(t, plan.Rescoped, p.Breaches[0].Effect)
	require.Equal(t, "1 accounts whose object the changed scope leaves out, and 0 may go without approval", p.Breaches[0].String())

	h := e.halted()
	require.Equal(t, h.Hash, e.halted().Hash, "and again, until somebody decides")
	e.approve(h.Hash)
	rep := e.sync()
	require.Equal(t, []int{2, 1}, []int{rep.Created, rep.Disabled})
	e.mustRest()
}

// S-07: a rejected one keeps who would leave, and lets in who enters. Put back, it
// is as if it had never been.
func TestS07_AChangedScopeCanBeRejectedAndPutBack(t *testing.T) {
	wide := func(e *estate) *mapping.Scope { return &mapping.Scope{Include: []string{string(e.sales)}} }
	e := estateOf(t, func(e *estate) { e.opt.Scope = wide(e) })
	e.staff(4, "s", e.sales)
	e.staff(1, "i", e.inside)
	e.staff(1, "l", e.lab)
	e.sync()
	e.scope(&mapping.Scope{Include: []string{string(e.sales), string(e.lab)}, Exclude: []string{string(e.inside)}})
	h := e.halted()
	require.NoError(t, e.eng.Reject(t.Context(), h.Hash, "eve"))
	rep := e.sync()
	require.Equal(t, []int{1, 0}, []int{rep.Created, rep.Disabled})
	require.Equal(t, []string{"held"}, codes(rep))
	require.Equal(t, 6, e.enabled())

	e.scope(wide(e))
	h = e.halted()
	require.Equal(t, plan.Counts{Disable: 1, Removals: 1, Leave: 1}, h.Counts, "who came in goes out")
	e.approve(h.Hash)
	rep = e.sync()
	require.Equal(t, 1, rep.Disabled)
	require.Empty(t, codes(rep))
	e.mustRest()
}

// S-07: what happens in the directory after a change of the scope was approved is
// judged by the ordinary budgets again.
func TestS07_AfterTheApprovalTheOrdinaryBudgetsHold(t *testing.T) {
	e := estateOf(t, nil)
	ids := e.staff(3, "s", e.sales)
	e.staff(1, "l", e.lab)
	e.sync()
	e.scope(&mapping.Scope{Exclude: []string{string(e.lab)}})
	e.approve(e.halted().Hash)
	require.Equal(t, 1, e.sync().Disabled)
	require.True(t, e.src.Move(ids[0], e.lab))
	require.Equal(t, 1, e.sync().Disabled, "moved, not re-scoped")
	e.mustRest()
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}
