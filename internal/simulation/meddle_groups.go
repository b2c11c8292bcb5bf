package simulation

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// A binding is a reference between two accounts of the tenant.
type binding [2]target.ID

// meddleGroups has administrators add and remove members behind the engine's
// back, and chooses what becomes of what others do: in some schedules, with
// numbers of their own.
func (s *Schedule) meddleGroups(people int) {
	g := rand.New(rand.NewPCG(s.Seed, 13))
	switch g.IntN(12) {
	case 0:
		s.World.Drift = string(dirsync.ReportDrift)
	case 1:
		s.World.Drift = string(dirsync.IgnoreDrift)
	}
	if s.World.Groups == 0 || g.IntN(2) == 0 {
		return
	}
	one := func() Step {
		p, q := firstGroup+g.IntN(3), 1+g.IntN(people)
		if g.IntN(8) == 0 {
			q = firstGroup + g.IntN(3)
		}
		switch n := g.IntN(12); {
		case n < 4:
			return Step{Do: "cloudjoin", P: p, Q: q}
		case n < 8:
			return Step{Do: "cloudpart", P: p, Q: q}
		case n < 10: // somebody who isn't ours
			return Step{Do: "cloudguest", P: p, N: g.IntN(2)}
		case n < 11:
			return Step{Do: "clouddelete", P: p}
		}
		return Step{Do: "cloudedit", P: p, S: "displayName", T: "meddled"}
	}
	var steps []Step
	for _, x := range s.Steps {
		if x.Do == "run" && g.IntN(2) == 0 {
			for range 1 + g.IntN(3) {
				steps = append(steps, one())
			}
			if g.IntN(4) == 0 {
				x.Faults = append(slices.Clip(x.Faults), []Fault{{Kind: "delta expired"}, {Kind: "delta cut", N: 1 + g.IntN(4)},
					{Kind: "read", N: g.IntN(4), S: "refs"}, {Kind: "commit", N: 1 + g.IntN(6), S: "die after"}}[g.IntN(4)])
			}
		}
		if steps = append(steps, x); x.Do == "run" && g.IntN(3) == 0 {
			steps = append(steps, Step{Do: "clock", N: []int{1, 20, 60, 9 * 1440}[g.IntN(4)]}, one(), Step{Do: "run"})
		}
	}
	s.Steps = steps
}

// cloudRefs is a step in which an administrator adds or removes a member.
func (w *world) cloudRefs(s *Step) {
	a, t := w.accountOf(s.P), w.tenant
	if a == nil || !a.group || !w.oracle.mine[a.id] || w.rolledBack {
		return
	}
	to := w.accountOf(s.Q)
	if s.Do == "cloudguest" {
		to = nil
		for _, b := range t.sorted(true) {
			if b.foreign != "" && (to == nil || s.N == 1) {
				to = b
			}
		}
		if to == nil && t.holder("userPrincipalName", "guest@contoso.com") == nil {
			to = t.add("", map[string][]string{"userPrincipalName": {"guest@contoso.com"}, "displayName": {"guest"}, "mailNickname": {"guest"},
				"accountEnabled": {"true"}}, "admin")
		}
	}
	if to == nil || to == a || a.refs[to.id] == (s.Do != "cloudpart") {
		return
	}
	if s.Do != "cloudpart" && (nests(a, to) || t.most > 0 && len(t.referred(a)) >= t.most) {
		return // the tenant doesn't take it
	}
	w.hit("T-09 members")
	t.changing(a)
	if s.Do == "cloudpart" {
		delete(a.refs, to.id)
	} else {
		if a.refs == nil {
			a.refs = map[target.ID]bool{}
		}
		a.refs[to.id] = true
	}
	t.referring(a, to.id)
	w.refEdits[binding{a.id, to.id}]++
}

// referring notes that a reference of a was added or removed.
func (t *tenant) referring(a *account, to target.ID) {
	t.history = append(t.history, happening{id: a.id, at: time.Now(), group: a.group, to: to})
}

// event is what a delta says of h, as some replica has it; false for nothing.
func (t *tenant) event(h happening) (ev target.DeltaEvent, ok bool) {
	kind := target.User
	if h.group {
		kind = target.Group
	}
	ev = target.DeltaEvent{Op: target.Purged, Object: target.Object{ID: h.id, Kind: kind}}
	a := t.accounts[h.id]
	if a == nil {
		return ev, h.to == ""
	}
	if !t.visible(a) {
		return ev, false
	}
	s := t.stale(a)
	switch {
	case h.to != "" && (!s.group || !s.deleted.IsZero()):
		return ev, false // of managers nothing is told
	case h.to != "":
		refs := target.Refs{Attribute: target.RefMembers, Remove: []target.ID{h.to}}
		if s.refs[h.to] {
			refs.Add, refs.Remove = refs.Remove, nil
		}
		ev.Op, ev.Refs = target.Referred, []target.Refs{refs}
	case s.deleted.IsZero():
		ev = target.DeltaEvent{Op: target.Changed, Object: s.object()}
	default:
		ev.Op = target.Binned
	}
	return ev, true
}

// FindRefs is of single references, as some replica has them.
func (t *caller) FindRefs(ctx context.Context, _ target.Kind, id target.ID, _ string, to []target.ID) ([]bool, error) {
	if err := t.ask(ctx, "refs"); err != nil {
		return nil, err
	}
	a := t.w.tenant.accounts[id]
	if a == nil || !a.deleted.IsZero() || !t.w.tenant.visible(a) {
		return nil, refuse(target.ErrNotFound, "", "no account %s", id)
	}
	has := t.w.tenant.referred(t.w.tenant.stale(a))
	is := make([]bool, len(to))
	for i, one := range to {
		is[i] = slices.Contains(has, one)
	}
	return is, nil
}

// putsBack reports whether what others do is to be put back.
func (w *world) putsBack() bool {
	return w.config.Drift == "" || w.config.Drift == string(dirsync.PutBack)
}

// meantForRefs: no reference is put back that nobody has changed. What went into a
// bin, or out of it, the tenant may have changed itself.
func (w *world) meantForRefs(c *plan.Change) {
	if c.Reason != plan.ReasonDrift || w.rolledBack || c.Refs == nil {
		return
	}
	if _, adopted := w.given[c.ID]; adopted {
		return // it came with what others had put into it
	}
	if !w.putsBack() {
		w.oracle.complain("T-09", "references are put back, though the policy is %s", w.config.Drift)
	}
	for _, to := range slices.Concat(c.Refs.Add, c.Refs.Remove) {
		_, given := w.given[to] // with what it had before
		if w.refEdits[binding{c.ID, to}] == 0 && !w.tenant.unbound[c.ID] && !w.tenant.unbound[to] && !given {
			w.oracle.complain("T-03", "a reference of %s is put back, and nobody had changed it", w.who(c.Anchor))
		}
	}
}

// judgeStrangers: whom an administrator added to our group, and who isn't ours,
// is gone again, or somebody is told.
func (o *oracle) judgeStrangers(p *person, a *account, rep *dirsync.Report) {
	for _, id := range slices.Sorted(maps.Keys(a.refs)) {
		b := o.w.tenant.accounts[id]
		if b == nil || !b.deleted.IsZero() || b.foreign == "" || o.leftByOthers(p, a, b, rep) {
			continue
		}
		o.complain("I1", "a stranger is a member of p%d", p.num)
	}
}

// leftByOthers reports whether a reference between a and b may be as an
// administrator made it: the policy says so, they insisted, or one of the two is
// protected. Somebody has to be told, unless nobody wants to know.
func (o *oracle) leftByOthers(p *person, a, b *account, rep *dirsync.Report) bool {
	w := o.w
	n := w.refEdits[binding{a.id, b.id}]
	if n == 0 {
		return false
	}
	for to, x := range p.refs { // an account that waits to be adopted keeps its place
		q := w.dir.people[to.num]
		if q == nil || x.gone || b.foreign == "" {
			continue
		}
		if slices.Contains(w.numbers[b.anchor], to.num) || slices.ContainsFunc(q.names, func(n string) bool {
			return strings.EqualFold(n, b.first("userPrincipalName")) || strings.EqualFold(n, b.first("mail"))
		}) {
			return true
		}
	}
	told := slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool {
		return x.Object == p.id && strings.HasPrefix(x.Code, "reference-drift")
	})
	switch {
	case w.config.Drift == string(dirsync.IgnoreDrift):
		return true
	case w.config.Drift == string(dirsync.ReportDrift), n > 1, b.power != "", a.power != "":
		if !told {
			o.complain("I1", "an administrator changed a member of p%d, and nobody is told", p.num)
		}
		return true
	}
	return false
}
