package simulation

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// takeover has another tool begin to synchronize accounts of ours, and end that,
// in some schedules, with numbers of its own like [generator.speak].
func (g *generator) takeover() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 17))
	if g.IntN(4) != 0 {
		return
	}
	steps := g.s.Steps
	g.s.Steps = nil
	for _, s := range steps {
		if s.Do != "run" {
			g.add(s)
			continue
		}
		switch p := g.who(); g.IntN(8) {
		case 0, 1:
			g.add(Step{Do: "takeover", P: p})
		case 2:
			g.add(Step{Do: "handback", P: p})
		case 3: // and then the directory turns on them
			g.add(Step{Do: "takeover", P: p})
			g.add(Step{Do: pick(g, "remove", "out"), P: p})
		case 4:
			g.add(Step{Do: "takeover", P: p})
			g.add(Step{Do: "set", P: p, S: pick(g, "userPrincipalName", "mail"), T: pick(g, logins...) + "@contoso.com"})
		case 5:
			g.add(Step{Do: "takeover", P: p})
			g.add(Step{Do: "run"})
			g.add(Step{Do: "set", P: p, S: "title", T: "cnry taken"})
		case 6:
			s.Faults = append(slices.Clone(s.Faults), Fault{Kind: "between", N: p, S: "takeover"})
		}
		g.add(s)
	}
}

// synced is what another tool does to an account of ours.
func (w *world) synced(a *account, s *Step) {
	if a.group {
		return // what becomes of groups, nobody tells
	}
	w.tenant.changing(a)
	if s.Do == "handback" {
		a.taken = time.Time{}
		delete(w.oracle.known, a.id)
	} else if a.taken.IsZero() {
		w.hit("taken over")
		a.taken = time.Now()
		if w.oracle.answered[a.anchor] == 0 {
			w.oracle.doubt[a.id] = true // an account in doubt that is found in another tool's hands doesn't become ours
		}
	}
}

// showed: the engine was just shown an account, as it is.
func (t *caller) showed(a *account) {
	if !a.taken.IsZero() {
		if t.run.showed == nil {
			t.run.showed = map[target.ID]bool{}
		}
		t.run.showed[a.id] = true
	}
}

// look notes that a run asks for an account by its ID. What it is shown may be old.
func (r *runState) look(a *account) {
	if r.looked == nil {
		r.looked = map[target.ID]time.Time{}
	}
	r.looked[a.id] = time.Now()
}

// learned: what a run was shown, and ended well, is known to those after it.
func (o *oracle) learned(r *runState) {
	for id := range r.showed {
		if a := o.w.tenant.accounts[id]; a != nil && !a.taken.IsZero() {
			o.known[id] = true
		}
	}
}

// takenOver judges a write to an account that another tool synchronizes: none by
// who has been shown that, none of a sort before which one has to ask.
func (o *oracle) takenOver(c target.Change, before *account, r *runState, sent sending) {
	if before.taken.IsZero() || !before.deleted.IsZero() && c.Op != target.Restore {
		return // it meets nothing
	}
	who := o.w.who(c.Anchor)
	switch {
	case o.known[before.id]:
		o.complain("I6", "%s of the account of %s, of which an earlier run knew that another tool synchronizes it", c.Op, who)
	case c.Repeat: // an old call is settled before anything is read
	case r.showed[before.id]:
		o.complain("I6", "%s of the account of %s, of which this run knew that another tool synchronizes it", c.Op, who)
	case touchy(c) && c.Op != target.Restore && before.taken.Before(sent.at) && !time.Now().Before(before.shown) && r.looked[before.id].Before(before.taken):
		o.complain("I6", "%s of the account of %s, and nobody asked right before whether another tool synchronizes it", c.Op, who)
	default:
		o.w.hit("taken over too late")
	}
}
