package simulation

import (
	"cmp"
	"math/rand/v2"
)

// places gives some schedules units, a scope that changes, and people who speak
// about that. It comes after all else, with numbers of its own.
func (g *generator) places() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 11))
	if g.IntN(4) != 0 {
		return
	}
	g.s.World.Units = true
	steps := g.s.Steps
	g.s.Steps = nil
	n := func() int { return g.IntN(6) }
	menu := []func(){
		func() { g.add(Step{Do: "place", P: g.who(), Q: n()}) }, func() { g.add(Step{Do: "place", P: g.who(), Q: n()}) },
		func() { g.add(Step{Do: "unitmove", P: 2 + g.IntN(4), Q: n()}) },
		func() { g.add(Step{Do: "unitrename", P: 1 + g.IntN(5)}) },
		func() { g.add(Step{Do: "scope", N: n()}) },
	}
	if g.IntN(2) == 0 {
		menu = append(menu, func() { g.add(Step{Do: pick(g, "unithide", "unitshow"), P: 4 + g.IntN(2)}) })
	}
	if g.IntN(2) == 0 {
		menu = append(menu, func() { g.add(Step{Do: pick(g, "unitout", "unitin"), P: 4 + g.IntN(2)}) })
	}
	if g.IntN(2) == 0 {
		g.add(Step{Do: "scope", N: n()})
	}
	for _, s := range steps {
		if s.Do == "run" {
			for range g.IntN(3) {
				menu[g.IntN(len(menu))]()
			}
		}
		if g.add(s); s.Do == "hire" && g.IntN(2) == 0 {
			g.add(Step{Do: "place", P: s.P, Q: n()})
		}
		if s.Do == "run" && g.IntN(3) == 0 {
			g.add(Step{Do: pick(g, "approve", "approve", "reject"), N: pick(g, 1, 60, 2000)})
			g.add(Step{Do: "run", Retry: g.IntN(2) == 0})
		}
	}
	if g.IntN(3) == 0 { // a unit moves while its people are left alone
		u := 2 + g.IntN(4)
		for p := range g.people {
			g.add(Step{Do: "place", P: p + 1, Q: u})
		}
		g.add(Step{Do: "run", Retry: true})
		g.add(Step{Do: "unitmove", P: u, Q: cmp.Or(n(), 3)})
		last := Step{Do: "run", Retry: true}
		if g.IntN(2) == 0 {
			last.Faults = []Fault{{Kind: "commit", N: 1 + g.IntN(6), S: pick(g, "die after", "die before")}}
		}
		g.add(last)
	}
}
