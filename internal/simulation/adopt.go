package simulation

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// adoptStep is a step in which somebody has pairs proposed, or adopts some of
// those that were proposed last.
func (w *world) adoptStep(s *Step) bool {
	switch s.Do {
	case "match":
		w.match(s)
	case "adopt":
		w.adopt(s)
	default:
		return false
	}
	return true
}

// match keeps the proposals, as a file would.
func (w *world) match(s *Step) {
	w.runs++
	r := &runState{number: w.runs, began: time.Now(), dry: true, forgets: true, toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	list, err := eng.Match(ctx, &dirsync.MatchPolicy{UserPrincipalName: strings.Contains(s.S, "n"), Mail: strings.Contains(s.S, "m"), MailNickname: strings.Contains(s.S, "g"), DisplayName: strings.Contains(s.S, "g")})
	r.dead = true
	w.logf("  match: %d pairs, %v", len(list), err)
	if r.writes+r.commits > 0 {
		w.oracle.complain("I6", "a proposal wrote: %d changes, %d commits", r.writes, r.commits)
	}
	if err != nil {
		if !w.config.Circles || !errors.Is(err, dirsync.ErrScope) {
			w.oracle.complain("I1", "match: %v", err)
		}
		return
	}
	w.file = list
}

// adopt gives some of the proposals back. N says which; this operator doesn't
// care for conflicts.
func (w *world) adopt(s *Step) {
	var pairs []dirsync.Pair
	for i, m := range w.file {
		if s.N>>(i%8)&1 == 1 {
			pairs = append(pairs, m.Pair)
		}
	}
	if len(pairs) == 0 {
		return
	}
	w.rough = true
	w.runs++
	r := &runState{number: w.runs, began: time.Now(), toldNow: map[source.ID]bits{}}
	eng, ctx, cancel := w.engine(r)
	defer cancel()
	done, err := eng.Adopt(context.WithoutCancel(ctx), pairs, "the operator")
	r.dead = true
	w.oracle.believe(r)
	if err != nil && !(w.config.Circles && errors.Is(err, dirsync.ErrScope)) {
		w.oracle.complain("I1", "adopt: %v", err)
	}
	if r.writes > 0 {
		w.oracle.complain("I6", "an adoption wrote to the target")
	}
	for i, a := range done {
		w.logf("    %s %s for %.8s by %s: %s", a.Outcome, a.Account, a.Object, a.By, a.Reason)
		if a.Pair != pairs[i] {
			w.oracle.complain("I6", "adopted %v, which nobody asked for", a.Pair)
		}
		w.oracle.adopted(a)
	}
}

// adopted judges what was adopted, and takes note of it.
func (o *oracle) adopted(a dirsync.Adopted) {
	if a.Outcome != dirsync.AdoptDone && a.Outcome != dirsync.AdoptRebound {
		return
	}
	w, p, x := o.w, o.w.dir.byID(a.Object), o.w.tenant.accounts[a.Account]
	rebound := a.Outcome == dirsync.AdoptRebound
	switch {
	case p == nil || !p.deleted.IsZero() || o.gone(p) && o.placed(p) || p.hidden:
		o.complain("I6", "adopted for %.8s, which isn't in scope", a.Object)
	case x == nil, !rebound && !x.deleted.IsZero() && !w.tenant.mayShowLive(x):
		o.complain("I6", "adopted %s, which isn't there", a.Account)
	case x.foreign == "another tool":
		o.complain("I6", "adopted %s, which another tool synchronizes", a.Account)
	case x.power != "":
		o.complain("I7", "adopted %s, which %s", a.Account, x.power)
	case !rebound && o.mine[x.id] && !o.doubt[x.id]:
		o.complain("I6", "adopted %s, which was ours already", a.Account)
	case rebound && !o.mine[x.id]:
		o.complain("I6", "rebound %s, which wasn't ours", a.Account)
	case x.anchor != "" && !slices.Contains(w.anchors[p.num], x.anchor):
		o.complain("I6", "adopted the account of %s for p%d", w.who(x.anchor), p.num)
	}
	if len(o.wrong) > 0 {
		return
	}
	o.adoptedGroup(p, x)
	if from := w.dir.byID(a.From); rebound && from != nil && from.deleted.IsZero() && from.moving != inNone && !o.gone(from) {
		o.complain("I6", "the account of p%d was taken away from it", from.num)
	}
	w.hit(string(a.Outcome))
	x.foreign = ""
	o.mine[x.id], o.doubt[x.id] = true, false
	w.given[x.id], w.rebound[x.id] = p.num, rebound
}

// mayShowLive reports whether some replica still shows an account that was just
// deleted as it was before: who looks at it can't know better.
func (t *tenant) mayShowLive(a *account) bool {
	return a.was != nil && a.was.deleted.IsZero() && time.Now().Before(a.was.until.Add(t.lagging()))
}

func (d *directory) byID(id source.ID) *person {
	for _, p := range d.people {
		if p.id == id {
			return p
		}
	}
	return nil
}

// contact has accounts in the tenant that may be somebody's, and an operator who
// adopts some, in some schedules. It has numbers of its own, like
// [generator.speak].
func (g *generator) contact() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 11))
	if g.IntN(4) != 0 {
		return
	}
	steps := g.s.Steps
	g.s.Steps = nil
	for i, s := range steps {
		if s.Do == "run" && g.IntN(2) == 0 {
			g.meet(i == len(steps)-1)
		}
		g.add(s)
	}
}

// meet: accounts, proposals, something happens, and some are adopted.
func (g *generator) meet(last bool) {
	for range 1 + g.IntN(2) {
		s := Step{Do: "foreign", S: pick(g, logins...) + "@" + pick(g, domains...), T: g.mail(), N: g.IntN(5) / 4}
		if g.IntN(2) == 0 {
			s.P = g.who()
		}
		g.add(s)
	}
	switch g.IntN(8) {
	case 0: // somebody copies the anchor of another
		g.people++
		g.add(Step{Do: "hire", P: g.people, S: g.upn(), Q: g.who()})
	case 1: // and the other is gone: a move to another forest
		q := g.who()
		g.people++
		g.add(Step{Do: "hire", P: g.people, S: g.upn(), Q: q})
		g.add(Step{Do: pick(g, "remove", "out"), P: q})
	case 2: // or can't be seen
		q := g.who()
		g.add(Step{Do: "hide", P: q})
		g.add(Step{Do: "run", Full: true})
		g.people++
		g.add(Step{Do: "hire", P: g.people, S: g.upn(), Q: q})
	}
	g.add(Step{Do: "match", S: pick(g, "", "n", "nm", "nm")})
	switch p := g.who(); g.IntN(8) {
	case 0:
		g.add(Step{Do: pick(g, "remove", "out", "hide"), P: p})
	case 1:
		g.add(Step{Do: "set", P: p, S: "userPrincipalName", T: g.upn()})
	case 2:
		g.add(Step{Do: "empower", N: g.IntN(4)})
	case 3:
		g.add(Step{Do: "run"})
	case 4:
		g.add(Step{Do: "backup"})
	}
	g.add(Step{Do: "adopt", N: pick(g, 255, 255, 1+g.IntN(7))})
	if g.IntN(4) == 0 {
		g.add(Step{Do: "adopt", N: 255}) // once more
	}
	if last || g.IntN(3) > 0 {
		g.add(Step{Do: "run", Retry: g.IntN(2) == 0})
	}
	if g.IntN(6) == 0 {
		g.add(Step{Do: pick(g, "restore", "lose")})
	}
}

// empower gives a role to one of the accounts that nobody adopted yet.
func (t *tenant) empower(n int) {
	var theirs []*account
	for _, a := range t.sorted(true) {
		if a.foreign != "" {
			theirs = append(theirs, a)
		}
	}
	if len(theirs) > 0 {
		a := theirs[n%len(theirs)]
		a.power, a.since = string(target.EligibleForRole), time.Now()
	}
}
