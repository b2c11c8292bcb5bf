package simulation

import (
	"fmt"
	"math/rand/v2"
)

// speak has somebody speak about plans, in some schedules. It comes last, with
// numbers of its own, so that all other schedules stay as they were.
func (g *generator) speak() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 5))
	if g.s.World.Audit = g.IntN(3) == 0; g.s.World.Audit {
		for i := range g.s.Steps {
			if s := &g.s.Steps[i]; s.Do == "run" && g.IntN(12) == 0 {
				s.Faults = append(s.Faults, Fault{Kind: "audit", N: 1 + g.IntN(3), Done: g.IntN(2) == 0})
			}
		}
	}
	if g.IntN(3) != 0 {
		return
	}
	if g.IntN(2) == 0 {
		g.s.World.Removals = 1
	}
	steps := g.s.Steps
	g.s.Steps = nil
	menu := []func(){g.say("approve"), g.say("approve"), g.say("reject"), g.say("apply"), func() {
		s := Step{Do: "only"}
		for range 1 + g.IntN(2) {
			s.L = append(s.L, g.who())
		}
		g.add(s)
	}, func() { g.add(Step{Do: "policy", S: pick(g, "sync", "sync", "upsert-only", "create-only")}) },
		func() { g.add(Step{Do: "preview", Full: g.IntN(2) == 0}) },
		func() { g.add(Step{Do: "set", P: g.who(), S: "title"}) },
		func() { // somebody takes their time
			g.add(Step{Do: "plan"})
			if g.say(pick(g, "approve", "approve", "reject"))(); g.IntN(2) == 0 {
				g.add(Step{Do: pick(g, "remove", "out", "in", "undelete"), P: g.who()})
				if g.IntN(3) == 0 {
					g.add(Step{Do: "plan"})
				}
			}
			g.add(Step{Do: pick(g, "apply", "run", "run")})
		}}
	if g.IntN(4) == 0 {
		menu = append(menu, g.doubt, g.doubtfulLeaver, g.doubtfulRemoval, g.occupied, g.returner, g.halfMarked)
	}
	if g.s.World.Audit {
		menu = append(menu, g.rollback)
	}
	if g.s.World.Removals > 0 {
		menu = append(menu, g.lateWord)
	}
	for _, s := range steps {
		if g.add(s); s.Do == "plan" && g.IntN(2) == 0 || s.Do == "run" && g.IntN(2) == 0 {
			for range 1 + g.IntN(2) {
				menu[g.IntN(len(menu))]()
			}
			if g.IntN(3) == 0 {
				g.add(Step{Do: "run"})
			}
		}
	}
}

func (g *generator) say(word string) func() {
	return func() { g.add(Step{Do: word, N: pick(g, 1, 60, 2000)}) }
}

// unsure is a run whose first writes are made, and nobody knows.
func (g *generator) unsure() {
	s := Step{Do: "run", Retry: true}
	for n := range 1 + g.IntN(3) {
		s.Faults = append(s.Faults, Fault{Kind: "write", N: n + 1, S: "unknown", Done: true})
	}
	g.add(s)
}

// doubt: a value goes back and forth while it isn't known what the target has,
// and the repeat that would tell finds no account.
func (g *generator) doubt() {
	p := g.who()
	g.add(Step{Do: "set", P: p, S: "displayName", T: "cnry B"})
	g.unsure()
	g.add(Step{Do: "set", P: p, S: "displayName", T: pick(g, "cnry A", fmt.Sprint("cnry D", p))})
	g.add(Step{Do: "admindelete", P: p})
	g.add(Step{Do: "run", Retry: true})
}

// doubtfulLeaver: somebody leaves while it isn't known whether the account is
// enabled, and the repeat that would tell is refused.
func (g *generator) doubtfulLeaver() {
	p := g.who()
	g.add(Step{Do: "set", P: p, S: "userAccountControl", T: "514"})
	g.add(Step{Do: "run", Retry: true})
	g.add(Step{Do: "set", P: p, S: "userAccountControl", T: "512"})
	g.add(Step{Do: "set", P: p, S: "userPrincipalName", T: fmt.Sprint("new", p, "@contoso.com")})
	g.unsure()
	g.add(Step{Do: "out", P: p})
	g.add(Step{Do: "dropdomain", S: "contoso.com"})
	g.add(Step{Do: "run", Retry: true})
}

// doubtfulRemoval: it isn't known whether somebody was removed, and then the next
// one is to be.
func (g *generator) doubtfulRemoval() {
	g.add(Step{Do: "remove", P: g.who()})
	g.unsure()
	g.add(Step{Do: pick(g, "remove", "out"), P: g.who()})
	g.unsure()
}

// rollback puts an old state back, after which somebody is as before.
func (g *generator) rollback() {
	p := g.who()
	g.add(Step{Do: "backup"})
	do, undo := Step{Do: "set", P: p, S: "displayName", T: "cnry B"}, Step{Do: "set", P: p, S: "displayName", T: fmt.Sprint("cnry D", p)}
	switch g.IntN(4) {
	case 0:
		do, undo = Step{Do: "remove", P: p}, Step{Do: "undelete", P: p}
	case 1:
		do, undo = Step{Do: "out", P: p}, Step{Do: "in", P: p}
	}
	g.add(do)
	g.add(Step{Do: "run", Retry: true})
	if g.IntN(3) > 0 {
		g.add(undo)
	}
	g.add(Step{Do: "restore"})
	if g.IntN(3) == 0 {
		g.add(Step{Do: "remove", P: g.who()})
	}
	g.add(Step{Do: "run"})
}

// occupied: somebody is to have a name that an account which isn't ours has, and
// something else as well.
func (g *generator) occupied() {
	p, name := g.who(), fmt.Sprint("taken", g.IntN(100), "@contoso.com")
	g.add(Step{Do: "foreign", S: name, N: g.IntN(2)})
	g.add(Step{Do: "set", P: p, S: "userPrincipalName", T: name})
	g.add(Step{Do: "set", P: p, S: "title", T: fmt.Sprint("cnry T", g.IntN(100))})
	g.add(Step{Do: "run"})
}

// returner: somebody is deleted and comes back, and then another wants the name.
func (g *generator) returner() {
	p, name := g.who(), fmt.Sprint("back", g.IntN(100), "@contoso.com")
	g.add(Step{Do: "set", P: p, S: "userPrincipalName", T: name})
	for _, do := range []string{"run", "remove", "run", "undelete", "run"} {
		if do == "run" {
			g.add(Step{Do: do, Retry: true})
			continue
		}
		g.add(Step{Do: do, P: p})
	}
	q := g.who()
	g.add(Step{Do: "set", P: q, S: "userPrincipalName", T: name})
	g.add(Step{Do: "set", P: q, S: "title", T: fmt.Sprint("cnry T", g.IntN(100))})
	g.add(Step{Do: "run"})
}

// halfMarked: the domains change, and the process dies while it marks whom that
// concerns.
func (g *generator) halfMarked() {
	g.add(Step{Do: "run"})
	g.add(Step{Do: pick(g, "verify", "unverify"), S: pick(g, domains[:3]...)})
	g.add(Step{Do: "run", Faults: []Fault{{Kind: "commit", N: 1 + g.IntN(4), S: "die after"}}})
}

// lateWord: an approval is past when the plan is carried out.
func (g *generator) lateWord() {
	for range 3 {
		g.add(Step{Do: pick(g, "remove", "out"), P: g.who()})
	}
	g.add(Step{Do: "run", Retry: true})
	g.add(Step{Do: "approve", N: 1})
	g.add(Step{Do: "clock", N: 10})
	g.add(Step{Do: pick(g, "run", "apply")})
}
