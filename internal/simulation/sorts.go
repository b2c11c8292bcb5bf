package simulation

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// Sorts of groups (Config.Sorts): a group whose description says so is to become a
// Microsoft 365 group. Of these no two have one nickname, they don't nest, and no
// group becomes another sort. The tenant may have groups of its own.

func isTeam(o source.Object) bool { return o.Attributes.First("description") == "team" }

func unified(attrs map[string][]string) bool { return slices.Contains(attrs["groupTypes"], "Unified") }

// nicknamed is the live Microsoft 365 group with a nickname.
func (t *tenant) nicknamed(nickname string) *account {
	for _, a := range t.accounts {
		if a.group && a.deleted.IsZero() && unified(a.attrs) && strings.EqualFold(a.first("mailNickname"), nickname) {
			return a
		}
	}
	return nil
}

// admitsSort says why the tenant doesn't take attrs in the place of what a has; a
// is nil for a new group.
func (t *tenant) admitsSort(a *account, attrs map[string][]string, id target.ID) error {
	if a != nil && unified(a.attrs) != unified(attrs) {
		return refuse(target.ErrInvalid, target.AttrGroupTypes, "it stays what it was made as")
	}
	if !unified(attrs) || len(attrs["mailNickname"]) == 0 {
		return nil
	}
	if h := t.nicknamed(attrs["mailNickname"][0]); h != nil && h.id != id {
		return refuse(target.ErrExists, target.AttrMailNickname, "held by %s", h.id)
	}
	return nil
}

// nests reports whether a can't have b as a member.
func nests(a, b *account) bool {
	return a.group && b.group && (unified(a.attrs) || unified(b.attrs))
}

// RefLimit is how many members a group may have, in some worlds.
func (t *caller) RefLimit(kind target.Kind, attr string) int {
	if kind == target.Group && attr == target.RefMembers {
		return t.w.config.Most
	}
	return 0
}

// sortStep is a step that is about sorts of groups.
func (w *world) sortStep(s *Step) bool {
	switch s.Do {
	case "describe":
		if p := w.dir.alive(s.P); p != nil && p.group && w.config.Sorts {
			if p.attrs["description"] != s.S && w.dir.people[s.P] != nil {
				w.hit("sorts")
			}
			p.attrs["description"], p.attrs["mailNickname"] = s.S, s.T
			w.dir.touch(p)
		}
	case "foreigngroup":
		w.foreignGroup(s)
	default:
		return false
	}
	return true
}

// foreignGroup puts a group into the tenant that isn't ours: N says what sort, T
// its nickname, S its display name, P whose unique name it carries, L who is in it.
func (w *world) foreignGroup(s *Step) {
	t, anchor := w.tenant, ""
	if s.P != 0 {
		anchor = "dirbridge-" + string(guid(w.seed, s.P))
	}
	attrs := map[string][]string{"displayName": {s.S}, "mailNickname": {s.T}, "mailEnabled": {"false"}, "securityEnabled": {"true"}}
	if s.N%5 == 1 {
		attrs["groupTypes"], attrs["mailEnabled"], attrs["securityEnabled"] = []string{"Unified"}, []string{"true"}, []string{"false"}
	}
	if t.holder(target.AttrAnchor, anchor) != nil || t.admitsSort(nil, attrs, "") != nil {
		return
	}
	w.rough = true
	w.hit("their groups")
	a := t.add(anchor, attrs, []string{"admin", "admin", "another tool", "another tool", "admin"}[s.N%5])
	a.group, a.refs = true, map[target.ID]bool{}
	switch s.N % 5 {
	case 3:
		a.power, a.since = string(target.RoleGroup), time.Now()
	case 4:
		a.power, a.since = string(target.InRestrictedUnit), time.Now()
	}
	for _, num := range s.L {
		if b := w.accountOf(num); b != nil && !nests(a, b) {
			a.refs[b.id] = true
		}
	}
}

// adoptedGroup judges the adoption of a group, and notes whom it has that is ours:
// who isn't in the directory's group has to go.
func (o *oracle) adoptedGroup(p *person, x *account) {
	if p.group != x.group {
		o.complain("I6", "adopted %s, which is of another kind", x.id)
		return
	}
	if !p.group {
		return
	}
	if (p.attrs["description"] == "team") != unified(x.attrs) {
		o.complain("I6", "adopted %s, which is another sort of group", x.id)
	}
	o.w.hit("adopted groups")
	took := map[target.ID]bool{}
	for id := range x.refs {
		if o.mine[id] && !o.doubt[id] && o.w.tenant.accounts[id].deleted.IsZero() {
			took[id] = true
		}
	}
	o.w.took[x.id] = took
}

// sorted judges a change of a group before it is made.
func (o *oracle) sorting(c target.Change, before *account) {
	if before == nil || !before.group {
		return
	}
	if v, named := c.Set[target.AttrGroupTypes]; named && c.Op != target.Create && slices.Contains(v, "Unified") != unified(before.attrs) {
		o.complain("contract", "%s is to become another sort of group", o.w.who(c.Anchor))
	}
	if c.Refs == nil {
		return
	}
	for _, id := range c.Refs.Add {
		if b := o.w.tenant.accounts[id]; b != nil && nests(before, b) {
			o.complain("contract", "%s is to nest %s", o.w.who(c.Anchor), id)
		}
	}
	if most := o.w.config.Most; most > 0 && c.Refs.Attribute == target.RefMembers {
		n := len(o.w.tenant.referred(before))
		for _, id := range c.Refs.Add {
			if !before.refs[id] {
				n++
			}
		}
		if len(c.Refs.Add) > 0 && n > most && !o.w.rough {
			o.complain("contract", "%s is to have %d members, and there is room for %d", o.w.who(c.Anchor), n, most)
		}
	}
}

var nickPlaceholder = regexp.MustCompile(`-[0-9a-f]{8}$`)

// judgeNickname: who wants a nickname has it, unless it must be unique and somebody
// else has it for a good reason.
func (o *oracle) judgeNickname(p *person, a *account, rep *dirsync.Report) {
	w := o.w
	want, has := p.attrs["mailNickname"], a.first("mailNickname")
	if want == "" || has == want || !o.mine[a.id] || o.doubt[a.id] || a.off() || w.rolledBack || p.hidden || p.poison || w.lost[p.num] || w.binned[p.num] || !o.placed(p) {
		return
	}
	if !unified(a.attrs) {
		o.complain("I1", "the group p%d has the nickname %s, must be %s", p.num, has, want)
		return
	}
	h := w.tenant.nicknamed(want)
	switch {
	case h == nil && o.keptFor(p, want) && nickPlaceholder.MatchString(has) && reported(rep, p):
	case h == nil:
		o.complain("I1", "the group p%d has the nickname %s, must be %s, which nobody has", p.num, has, want)
	case o.theirs(h) || h.off() || h == a:
	case !nickPlaceholder.MatchString(has):
		o.complain("I1", "the group p%d lost %s and has %s, not a placeholder", p.num, want, has)
	case !reported(rep, p):
		o.complain("I6", "the group p%d has %s instead of %s, and nobody is told", p.num, has, want)
	default:
		for _, q := range w.dir.sorted() { // does the holder want it?
			if b := w.accountOf(q.num); b == h && q.deleted.IsZero() && !o.gone(q) && q.attrs["mailNickname"] != "" && o.placed(q) && !q.hidden && !q.poison &&
				!strings.EqualFold(q.attrs["mailNickname"], want) && w.tenant.nicknamed(q.attrs["mailNickname"]) == nil {
				o.complain("I1", "the group p%d goes without %s, which p%d has and doesn't want", p.num, want, q.num)
			}
		}
	}
}

// keptFor reports whether another group is to have a nickname whose account an
// administrator deleted where what others do stays. Nobody else gets it: as with
// the names of people, the account may be restored, and an engine that doesn't look
// at what others do can't even know that it is gone.
func (o *oracle) keptFor(p *person, nickname string) bool {
	for _, q := range o.w.dir.sorted() {
		if q == p || !q.group || o.w.accountOf(q.num) != nil || o.w.putsBack() {
			continue
		}
		if a := o.w.tenant.accounts[o.w.takenAway[q.num]]; a != nil && strings.EqualFold(a.first("mailNickname"), nickname) {
			return true
		}
		if !o.w.binned[q.num] {
			continue
		}
		for _, a := range o.w.tenant.accounts {
			if !a.deleted.IsZero() && o.w.owner(a) == q.num && strings.EqualFold(a.first("mailNickname"), nickname) {
				return true
			}
		}
	}
	return false
}

// inTheWay reports whether a group can't be made since somebody else's has its
// unique name or its nickname.
func (o *oracle) inTheWay(p *person) bool {
	for _, anchor := range o.w.anchors[p.num] {
		if h := o.w.tenant.holder(target.AttrAnchor, anchor); h != nil && o.theirs(h) {
			return true
		}
	}
	h := o.w.tenant.nicknamed(p.attrs["mailNickname"])
	return p.attrs["description"] == "team" && h != nil && (o.theirs(h) || h.off())
}

// withSorts adds sorts of groups to some of the schedules that have groups, by a
// random source of its own.
func (s *Schedule) withSorts(people int) {
	g := rand.New(rand.NewPCG(s.Seed, 13))
	if s.World.Groups == 0 {
		return
	}
	if g.IntN(6) == 0 {
		s.World.Most = 1 + g.IntN(2)
	}
	if g.IntN(4) == 0 {
		return
	}
	s.World.Sorts = true
	groups := 0
	for _, x := range s.Steps {
		if x.Do == "group" {
			groups++
		}
	}
	nick := func() string { return []string{"sales", "Sales", "crew", "board"}[g.IntN(4)] }
	describe := func(num, odds int) Step {
		x := Step{Do: "describe", P: num, S: "team", T: nick()}
		if g.IntN(odds) == 0 {
			x.S = ""
		}
		return x
	}
	group := func() int { return firstGroup + g.IntN(groups) }
	var steps []Step
	for _, x := range s.Steps {
		if x.Do == "run" {
			switch g.IntN(7) {
			case 0, 1:
				steps = append(steps, describe(group(), 6))
			case 2:
				steps = append(steps, s.theirGroup(g, people, group, nick))
			case 3: // adoption in the course of things
				steps = append(steps, s.theirGroup(g, people, group, nick), Step{Do: "match", S: "g"})
				if g.IntN(4) == 0 {
					steps = append(steps, describe(group(), 4))
				}
				steps = append(steps, Step{Do: "adopt", N: 255})
			}
		}
		steps = append(steps, x)
		if x.Do == "group" {
			steps = append(steps, describe(x.P, 3))
		}
	}
	s.Steps = steps
}

func (s *Schedule) theirGroup(g *rand.Rand, people int, group func() int, nick func() string) Step {
	x := Step{Do: "foreigngroup", N: g.IntN(5), T: nick(), S: "theirs"}
	if g.IntN(2) == 0 {
		x.N = g.IntN(2)
	}
	if g.IntN(3) == 0 {
		x.P = group()
	}
	if g.IntN(3) == 0 {
		x.S = fmt.Sprint("cnry G", group())
	}
	for range g.IntN(4) {
		x.L = append(x.L, 1+g.IntN(people))
	}
	return x
}
