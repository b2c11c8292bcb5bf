package simulation

import (
	"fmt"
	"math/rand/v2"
)

// again plays what was found once in many thousands of schedules a little more often. It
// comes after all else, with numbers of its own.
func (g *generator) again() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 17))
	switch n := g.IntN(40); {
	case n == 0:
		g.barred()
	case n < 4 && g.s.World.Units:
		g.unseenUnit()
	}
}

// barred: the account of somebody who comes back lies in the bin with an address
// that somebody else has by now, and another one is to have the name.
func (g *generator) barred() {
	p, q := g.who(), g.who()
	name, mail := fmt.Sprint("barred", g.IntN(100), "@contoso.com"), fmt.Sprint("barred", g.IntN(100), "@mail.com")
	g.add(Step{Do: "set", P: p, S: "userPrincipalName", T: name})
	g.add(Step{Do: "set", P: p, S: "mail", T: mail})
	g.add(Step{Do: "run", Retry: true})
	g.add(Step{Do: "remove", P: p})
	g.add(Step{Do: "run", Retry: true})
	g.add(Step{Do: "undelete", P: p})
	g.add(Step{Do: "foreign", S: fmt.Sprint("in-the-way", p, "@contoso.com"), T: mail})
	g.add(Step{Do: "set", P: q, S: "userPrincipalName", T: name})
	g.add(Step{Do: "run", Retry: g.IntN(2) == 0})
}

// unseenUnit: a unit is moved while the reader can't see it, and then somebody in it
// is to be adopted.
func (g *generator) unseenUnit() {
	g.people++
	p, u := g.people, 2+g.IntN(4)
	g.add(Step{Do: "hire", P: p, S: g.upn()})
	g.add(Step{Do: "foreign", P: p, S: g.upn()})
	g.add(Step{Do: "place", P: p, Q: u})
	g.add(Step{Do: "run"})
	g.add(Step{Do: "unithide", P: u})
	g.add(Step{Do: "unitmove", P: u, Q: g.IntN(6)})
	g.add(Step{Do: "match"})
	g.add(Step{Do: "adopt", N: 255})
}
