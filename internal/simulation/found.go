package simulation

import (
	"fmt"
	"math/rand/v2"
)

// again plays what was found once in many thousands of schedules a little more often. It
// comes after all else, with numbers of its own.
func (g *generator) again() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 17))
	if g.IntN(40) == 0 {
		g.barred()
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
