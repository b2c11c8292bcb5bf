package simulation

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// firstGroup is the number of the first group: groups stand among the people of
// the directory.
const firstGroup = 500

// isGroup reports whether an anchor is a group's.
func isGroup(anchor string) bool { return strings.HasPrefix(anchor, "dirbridge-") }

// A told reference says when it was last changed.
type toldRef struct {
	usn  int64
	gone bool // taken out by somebody; a deletion takes out without a word
}

// A refTo names a reference of the directory.
type refTo struct {
	attr string
	num  int
}

// found makes a group in the directory.
func (w *world) found(num int) {
	if w.dir.people[num] != nil {
		return
	}
	p := &person{num: num, id: guid(w.seed, num), group: true, attrs: map[string]string{
		"sAMAccountName": fmt.Sprint("grp", num), "groupType": "-2147483646", "displayName": fmt.Sprint("cnry G", num)}}
	w.dir.people[num] = p
	w.dir.touch(p)
	w.anchor(num, "dirbridge-"+string(p.id))
	w.hit("groups")
}

// refer makes p refer to another, or not any more.
func (w *world) refer(p *person, to refTo, is bool) {
	if now, ok := p.refs[to]; is == (ok && !now.gone) || !is && !ok {
		return
	}
	if p.refs == nil {
		p.refs = map[refTo]toldRef{}
	}
	w.dir.usn++
	p.refs[to] = toldRef{w.dir.usn, !is}
	if is && to.attr == "manager" {
		for other, r := range p.refs {
			if other != to && other.attr == to.attr && !r.gone {
				p.refs[other] = toldRef{w.dir.usn, true}
			}
		}
	}
}

// unlinked: p is deleted, which takes it out of what others refer to without a
// word, and it refers to nobody.
func (d *directory) unlinked(p *person) {
	p.refs = nil
	for _, q := range d.people {
		maps.DeleteFunc(q.refs, func(to refTo, _ toldRef) bool { return to.num == p.num })
	}
}

// attr is what p refers to others by.
func (p *person) attr() string {
	if p.group {
		return "member"
	}
	return "manager"
}

// event of references of p after usn, whole for 0; nil if nothing changed.
func (d *directory) refers(w *world, p *person, usn int64) (*source.Event, int64) {
	r := &source.References{Attribute: p.attr(), First: usn == 0, Last: usn == 0}
	lowest := int64(0)
	for _, to := range slices.SortedFunc(maps.Keys(p.refs), func(a, b refTo) int { return a.num - b.num }) {
		x := p.refs[to]
		if usn > 0 && x.usn <= usn {
			continue
		}
		if lowest == 0 || x.usn < lowest {
			lowest = x.usn
		}
		switch {
		case !x.gone:
			r.Add = append(r.Add, guid(w.seed, to.num))
		case usn > 0:
			r.Remove = append(r.Remove, guid(w.seed, to.num))
		}
	}
	if usn > 0 && len(r.Add)+len(r.Remove) == 0 {
		return nil, 0
	}
	kind := source.User
	if p.group {
		kind = source.Group
	}
	return &source.Event{Op: source.Refers, Object: source.Object{ID: p.id, Kind: kind}, References: r}, lowest
}

// parted is ev in two parts, if it is a set of more than one: a read may break
// off between them.
func parted(ev source.Event) []source.Event {
	r := ev.References
	if r == nil || !r.Whole() || len(r.Add) < 2 {
		return []source.Event{ev}
	}
	a, b := *r, *r
	half := len(r.Add) / 2
	a.Add, a.Last, b.Add, b.First = r.Add[:half], false, r.Add[half:], false
	first, last := ev, ev
	first.References, last.References = &a, &b
	return []source.Event{first, last}
}

// groupStep is a step that is about groups and references.
func (w *world) groupStep(s *Step) bool {
	switch s.Do {
	case "group":
		w.found(s.P)
	case "refer", "unrefer":
		if p := w.dir.alive(s.P); p != nil && w.dir.alive(s.Q) != nil {
			w.refer(p, refTo{p.attr(), s.Q}, s.Do == "refer")
		}
	default:
		return false
	}
	return true
}

// withGroups adds groups to the schedule of some seeds: by a random source of its
// own, so that the rest of it stays as it was.
func (s *Schedule) withGroups(people int) {
	g := rand.New(rand.NewPCG(s.Seed, 11))
	if g.IntN(3) > 0 {
		return
	}
	s.World.Groups = 1 + g.IntN(3)
	groups := 1 + g.IntN(3)
	some := func() int {
		if g.IntN(3) == 0 {
			return firstGroup + g.IntN(groups)
		}
		return 1 + g.IntN(people)
	}
	holder := func() int {
		if g.IntN(3) > 0 {
			return firstGroup + g.IntN(groups)
		}
		return 1 + g.IntN(people)
	}
	one := func() Step {
		switch n := g.IntN(20); {
		case n < 11:
			return Step{Do: "refer", P: holder(), Q: some()}
		case n < 15:
			return Step{Do: "unrefer", P: holder(), Q: some()}
		}
		do := []string{"remove", "undelete", "out", "in", "hide", "show", "poison", "heal", "admindelete", "undelete", "in", "show", "heal"}
		return Step{Do: do[g.IntN(len(do))], P: firstGroup + g.IntN(groups)}
	}
	var steps []Step
	for n := range groups {
		steps = append(steps, Step{Do: "group", P: firstGroup + n})
	}
	for _, x := range s.Steps {
		for range g.IntN(4) {
			steps = append(steps, one())
		}
		steps = append(steps, x)
	}
	s.Steps = steps
}

// admits says why a cannot refer to the account id.
func (t *tenant) admits(a *account, attr string, id target.ID) error {
	to := t.accounts[id]
	switch {
	case to == nil || !to.deleted.IsZero():
		return refuse(target.ErrNotFound, attr, "no account %s", id)
	case time.Now().Before(to.shown) && !t.visible(to):
		return refuse(target.ErrNotYet, attr, "account %s", id)
	case attr == target.RefManager && to.group:
		return refuse(target.ErrInvalid, attr, "a group")
	case nests(a, to):
		return refuse(target.ErrInvalid, attr, "it doesn't nest")
	case t.most > 0 && a.group && !a.refs[id] && len(t.referred(a)) >= t.most:
		return refuse(target.ErrQuota, attr, "at most %d", t.most)
	}
	return nil
}

// refer adds and removes references of a; changed says that something became
// another.
func (t *tenant) refer(a *account, r *target.Refs, most int) (changed int, err error) {
	if len(r.Add) > most || len(r.Remove) > most || (r.Attribute == target.RefMembers) != a.group {
		return 0, refuse(target.ErrInvalid, r.Attribute, "too many, or not of this kind")
	}
	refused := map[target.ID]error{}
	if a.refs == nil {
		a.refs = map[target.ID]bool{}
	}
	for _, id := range r.Add {
		if err := t.admits(a, r.Attribute, id); err != nil {
			refused[id] = err
			continue
		}
		if !a.refs[id] {
			changed++
			t.changing(a)
			t.referring(a, id)
		}
		if r.Attribute == target.RefManager {
			clear(a.refs)
		}
		a.refs[id] = true
	}
	for _, id := range r.Remove {
		if to := t.accounts[id]; to != nil && to.deleted.IsZero() && a.refs[id] {
			changed++
			t.changing(a)
			t.referring(a, id)
			delete(a.refs, id)
		}
	}
	if len(refused) > 0 {
		return changed, &target.RefsError{Refused: refused}
	}
	return changed, nil
}

// unbind: what goes into the bin of some tenants comes back without its
// references and those to it. Most bring them back.
func (t *tenant) unbind(a *account) {
	t.unbound[a.id] = true
	if t.seed%3 > 0 {
		return
	}
	clear(a.refs)
	for _, b := range t.accounts {
		delete(b.refs, a.id)
	}
}

// referred are the live accounts to which a refers.
func (t *tenant) referred(a *account) (ids []target.ID) {
	for id := range a.refs {
		if to := t.accounts[id]; to != nil && to.deleted.IsZero() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
