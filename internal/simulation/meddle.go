package simulation

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// meddle has administrators change and delete our accounts behind the engine's
// back, in some schedules, with numbers of its own.
func (g *generator) meddle() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 9))
	if g.IntN(3) != 0 {
		return
	}
	purges, again := g.IntN(6) == 0, g.IntN(3) == 0
	steps := g.s.Steps
	g.s.Steps = nil
	for _, s := range steps {
		if s.Do == "run" && g.IntN(3) > 0 {
			for range 1 + g.IntN(2) {
				g.meddling(purges)
			}
			if g.IntN(3) == 0 {
				s.Faults = append(s.Faults, g.deltaFault())
			}
		}
		g.add(s)
		if s.Do == "run" && g.IntN(3) == 0 {
			g.add(Step{Do: "clock", N: pick(g, 1, 20, 20, 60, 9*1440)})
			if again {
				g.meddling(false)
			}
			g.add(Step{Do: "run"})
		}
	}
}

func (g *generator) meddling(purges bool) {
	switch n := g.IntN(10); {
	case n < 3:
		g.add(Step{Do: "clouddelete", P: g.who()})
	case n == 3 && purges:
		g.add(Step{Do: "cloudpurge", P: g.who()})
	case n < 5:
		g.add(Step{Do: "cloudclear", P: g.who(), S: "jobTitle"})
	case n < 6:
		g.add(Step{Do: "cloudedit", P: g.who(), S: "accountEnabled", T: pick(g, "true", "false")})
	default:
		g.add(Step{Do: "cloudedit", P: g.who(), S: pick(g, "jobTitle", "displayName"), T: fmt.Sprint("meddled ", g.IntN(3))})
	}
}

func (g *generator) deltaFault() Fault {
	switch g.IntN(4) {
	case 0:
		return Fault{Kind: "delta expired"}
	case 1:
		return Fault{Kind: "delta cut", N: 1 + g.IntN(3)}
	case 2:
		return Fault{Kind: "read", N: g.IntN(4), S: "delta"}
	}
	return Fault{Kind: "commit", N: 1 + g.IntN(6), S: pick(g, "die before", "die after")}
}

// meddled carries out what an administrator does to an account of ours. The
// engine has to find it, and to put it back.
func (w *world) meddled(a *account, s *Step) {
	if w.oracle.clean != w.runs || w.oracle.answered[a.anchor] == 0 || w.rolledBack {
		return // the engine may not know of it
	}
	w.hit("T-09")
	w.tenant.changing(a)
	switch s.Do {
	case "clouddelete":
		a.deleted = time.Now()
		w.tenant.unbind(a)
		w.takenAway[s.P] = a.id
	case "cloudpurge":
		a.deleted = time.Now()
		w.tenant.unbind(a)
		delete(w.tenant.accounts, a.id)
		w.lost[s.P], w.purgedAway[s.P] = true, a.id
	case "cloudedit":
		a.attrs[s.S] = []string{s.T}
		w.edits[string(a.id)+s.S]++
	case "cloudclear":
		delete(a.attrs, s.S)
		w.edits[string(a.id)+s.S]++
	}
}

// stays reports whether what an administrator wrote may stay: the directory has
// no value, they insisted, or an old state doesn't know what is ours.
func (o *oracle) stays(p *person, a *account, attr, got string, rep *dirsync.Report) bool {
	n := o.w.edits[string(a.id)+attr]
	insists := slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool {
		return x.Object == p.id && x.Attribute == attr && x.Code == "drift-persists"
	})
	switch {
	case n == 0:
		return false
	case attr == "jobTitle" && p.attrs["title"] == "", o.w.config.Drift == string(dirsync.IgnoreDrift):
		return true
	case o.w.config.Drift == string(dirsync.ReportDrift):
		if told := slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool {
			return x.Object == p.id && x.Attribute == attr && x.Code == "drift"
		}); told {
			return true
		}
	}
	return n > 1 && insists || o.w.rolledBack
}

// meddledWith reports whether a problem may be of what an administrator did to an
// account of somebody who left.
func (o *oracle) meddledWith(x dirsync.Problem) bool {
	for _, p := range o.w.dir.people {
		if a := o.w.accountOf(p.num); p.id == x.Object && a != nil && (o.w.edits[string(a.id)+x.Attribute] > 0 || o.w.touched[string(a.id)+x.Attribute]) {
			return strings.HasPrefix(x.Code, "drift")
		}
	}
	return false
}

// outOfReach reports whether a deleted account can't be brought back: its time in
// the bin is over, it is an administrator's, or somebody else has its names or
// its anchor, which is reported.
func (o *oracle) outOfReach(p *person, live *account, rep *dirsync.Report) bool {
	id := o.w.takenAway[p.num]
	a := o.w.tenant.accounts[id]
	if id != "" && !o.w.putsBack() {
		return live == nil
	}
	return id != "" && (a == nil || a.locked || !a.taken.IsZero() || live == nil && slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool {
		return x.Object == p.id && strings.HasPrefix(x.Code, "conflict")
	}))
}

// missed: of an account that is nowhere any more somebody is told.
func (o *oracle) missed(p *person, live *account, rep *dirsync.Report) {
	id := o.w.purgedAway[p.num]
	if id == "" || live != nil || !o.mine[id] || o.w.rolledBack || o.w.config.Drift == string(dirsync.IgnoreDrift) || !p.deleted.IsZero() || o.gone(p) || reported(rep, p) {
		return
	}
	for _, anchor := range o.w.anchors[p.num] { // it may have been made for another, who has the same anchor
		for _, num := range o.w.numbers[anchor] {
			if q := o.w.dir.people[num]; q != nil && reported(rep, q) {
				return
			}
		}
	}
	o.complain("I1", "the account of p%d was purged, and nobody is told", p.num)
}

// broughtBack: an account that an administrator deleted is restored, not made
// anew, as long as it was in the bin.
func (o *oracle) broughtBack(x wish) {
	id := o.w.takenAway[x.p.num]
	old := o.w.tenant.accounts[id]
	if id == "" || old == nil || o.w.rolledBack || !o.mine[id] || old.deleted.IsZero() {
		return
	}
	if x.account != nil && x.account.id != id {
		o.complain("T-09", "p%d has a new account, though the one that was deleted is in the bin", x.p.num)
	}
}

// meantFor: nothing is put back that nobody has changed.
func (w *world) meantFor(e dirsync.Applied) {
	if e.Change.Refer != nil {
		w.meantForRefs(&e.Change)
		return
	}
	a := w.tenant.accounts[e.Change.ID]
	if e.Change.Reason == plan.ReasonDrift && !w.putsBack() {
		w.oracle.complain("T-09", "%s is put back, though the policy is %s", w.who(e.Change.Anchor), w.config.Drift)
	}
	if e.Change.Reason != plan.ReasonDrift || e.Repeat || a == nil || w.rolledBack {
		return
	}
	for key := range w.edits {
		if strings.HasPrefix(key, string(a.id)) {
			return // the change may hold what else there was to do
		}
	}
	for attr := range e.Change.Set {
		if w.touched[string(a.id)+attr] {
			return
		}
	}
	w.oracle.complain("T-03", "%v of %s is put back, and nobody had changed it", target.Attributes(e.Change.Set).Names(), w.who(a.anchor))
}
