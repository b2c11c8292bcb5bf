package simulation

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A generator makes a schedule of a seed. Each seed enables its own part of the
// menu (swarm testing): a world in which everything goes wrong at once hides what
// two things do to each other.
type generator struct {
	*rand.Rand
	s      *Schedule
	people int             // hired so far
	on     map[string]bool // parts of the menu
	things []func()        // what can happen, some more often
}

var (
	logins  = []string{"ann", "bob", "Ann", "eve", "dan"}
	domains = []string{"contoso.com", "fabrikam.com", "corp.local", initialDomain}
	results = []string{"operationsError", "timeLimitExceeded", "sizeLimitExceeded", "adminLimitExceeded", "insufficientAccess",
		"busy", "unavailable", "invalidCredentials", "other", "connection lost", "unclassified"}
	refusals = []string{"unknown", "unknown", "unknown", "unclassified", "throttled", "unavailable", "unauthenticated", "forbidden", "notyet", "quota", "notapplied"}
	hostile  = []string{"a\nb", "x\u202ey", "nul\x00", "=cmd()", "'; DROP TABLE", strings.Repeat("long ", 40), "refused value", "ﬀ é ü"}
)

// Generate makes the schedule of a seed.
func Generate(seed uint64) *Schedule {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 3)), s: &Schedule{Seed: seed}, on: map[string]bool{}}
	for _, part := range []string{"cut", "source", "rights", "dc", "clock", "scope", "names", "anchors", "hostile", "cycles",
		"writes", "replies", "asks", "lag", "domains", "foreign", "admin", "locks", "quota", "store", "crash", "cancel", "state", "config", "guard", "between"} {
		g.on[part] = g.IntN(3) == 0
	}
	c := &g.s.World
	c.Leaving = pick(g, "disable", "delete", "keep")
	c.Parallel, c.Batch = 1, pick(g, 1, 2, 20, 20)
	if g.IntN(4) == 0 {
		c.Parallel = 2 + g.IntN(2)
	}
	c.Grace, c.Patience = pick(g, -1, 1, 20), pick(g, -1, -1, 2, 30)
	if g.on["guard"] {
		c.Removals = 1 + g.IntN(2)
	}
	if g.on["lag"] {
		c.Lag = pick(g, 1, 10, 100, 1000)
	}
	c.Normalise = g.IntN(8) == 0
	c.Every = g.IntN(4)
	c.Timed = g.IntN(4) == 0
	g.menu()
	for range 2 + g.IntN(3) {
		g.hire()
	}
	for range 2 + g.IntN(4) {
		for range g.IntN(5) {
			g.things[g.IntN(len(g.things))]()
		}
		g.run()
	}
	g.speak()
	g.meddle()
	g.empower()
	g.contact()
	g.takeover()
	g.places()
	g.again()
	g.s.withGroups(g.people)
	g.s.withSorts(g.people)
	g.s.withFaultsOfGroups(g.people)
	g.s.withRevivals(g.people)
	g.s.meddleGroups(g.people)
	g.circles()
	g.s.withTwo(g.people)
	return g.s
}

func pick[T any](g *generator, of ...T) T { return of[g.IntN(len(of))] }

func (g *generator) add(s Step) { g.s.Steps = append(g.s.Steps, s) }

// may adds things that can happen, n times as often, if their part is on.
func (g *generator) may(part string, n int, things ...func()) {
	if part == "" || g.on[part] {
		for range n {
			g.things = append(g.things, things...)
		}
	}
}

func (g *generator) who() int { return 1 + g.IntN(max(1, g.people)) }

func (g *generator) upn() string {
	if g.IntN(12) == 0 {
		return ""
	}
	return pick(g, logins...) + "@" + pick(g, domains...)
}

func (g *generator) mail() string {
	if g.IntN(2) == 0 {
		return ""
	}
	return pick(g, logins...) + "@mail.com"
}

func (g *generator) hire() {
	g.people++
	s := Step{Do: "hire", P: g.people, S: g.upn(), T: g.mail()}
	if g.on["anchors"] && g.IntN(3) == 0 {
		if s.Q = 1000 + g.people; g.IntN(2) == 0 {
			s.Q = g.who()
		}
	}
	g.add(s)
}

func (g *generator) set(attr string, values ...string) func() {
	return func() { g.add(Step{Do: "set", P: g.who(), S: attr, T: pick(g, values...)}) }
}

func (g *generator) to(do string) func() { return func() { g.add(Step{Do: do, P: g.who()}) } }

func (g *generator) menu() {
	g.may("", 2, g.hire, func() { g.add(Step{Do: "set", P: g.who(), S: "userPrincipalName", T: g.upn()}) })
	g.may("", 1, func() { g.add(Step{Do: "set", P: g.who(), S: "mail", T: g.mail()}) },
		g.set("userAccountControl", "512", "514"), g.set("displayName", "cnry A", "cnry B"),
		func() { g.add(Step{Do: "set", P: g.who(), S: "title", T: fmt.Sprint("cnry T", g.IntN(100))}) },
		g.to("remove"))
	g.may("scope", 2, g.to("out"), g.to("in"), g.to("remove"), g.to("undelete"))
	g.may("scope", 1, g.set("isCriticalSystemObject", "TRUE", "FALSE"), g.to("renameou"))
	g.may("rights", 1, g.to("hide"), g.to("show"), g.to("poison"), g.to("heal"), g.to("faulty"))
	g.may("names", 2, func() {
		g.people++
		g.add(Step{Do: "recreate", P: g.people, Q: g.who()})
	}, g.to("remove"))
	g.may("cycles", 3, func() {
		s := Step{Do: "rotate", S: pick(g, "userPrincipalName", "userPrincipalName", "mail")}
		for range 2 + g.IntN(5) {
			s.L = append(s.L, g.who())
		}
		g.add(s)
	})
	g.may("anchors", 1, func() { g.add(Step{Do: "anchorset", P: g.who(), Q: pick(g, g.who(), 2000+g.who())}) })
	g.may("hostile", 1, g.set("title", hostile...), g.set("mail", "not an address"))
	g.may("dc", 1, g.to("image"), g.to("rollback"), func() { g.add(Step{Do: "second", N: g.IntN(9)}) })
	g.may("clock", 1, func() { g.add(Step{Do: "clock", N: pick(g, 1, 10, 60, 1440, 10*1440, 31*1440, 61*1440)}) })
	g.may("domains", 1, func() {
		g.add(Step{Do: pick(g, "verify", "verify", "unverify", "dropdomain"), S: pick(g, domains[:3]...)})
	},
		func() { g.add(Step{Do: "refusedomain", S: pick(g, domains[:2]...), N: g.IntN(2)}) })
	g.may("foreign", 1, func() {
		s := Step{Do: "foreign", S: pick(g, logins...) + "@" + pick(g, domains...), T: g.mail(), N: g.IntN(2)}
		if g.IntN(4) == 0 {
			s.P = g.who()
		}
		g.add(s)
	}, g.to("foreigngo"))
	g.may("admin", 1, g.to("admindelete"), func() {
		g.add(Step{Do: "drift", P: g.who(), S: pick(g, "jobTitle", "city"), T: "drifted"})
	})
	if g.IntN(4) == 0 {
		g.may("admin", 1, g.to("adminpurge"))
	}
	g.may("locks", 1, g.to("lock"), g.to("unlock"))
	g.may("quota", 1, func() { g.add(Step{Do: "full", N: g.IntN(2)}) })
	g.may("state", 1, g.to("backup"), g.to("restore"))
	if g.IntN(3) == 0 {
		g.may("state", 1, g.to("lose"))
	}
	g.may("config", 1, func() { g.add(Step{Do: "leaving", S: pick(g, "disable", "delete", "keep")}) },
		func() { g.add(Step{Do: "rules", N: g.IntN(2)}) }, g.set("title", skipTitle))
	g.may("", 1, func() { g.add(Step{Do: "plan", Full: g.IntN(3) == 0}) })
}

// run makes a run in which something may go wrong.
func (g *generator) run() {
	s := Step{Do: "run", Full: g.IntN(6) == 0, Retry: g.IntN(2) == 0}
	n := func() int { return 1 + g.IntN(6) }
	var menu []func() Fault
	may := func(part string, faults ...func() Fault) {
		if g.on[part] {
			menu = append(menu, faults...)
		}
	}
	may("cut", func() Fault { return Fault{Kind: "cut", N: g.IntN(6), S: pick(g, results...)} },
		func() Fault { return Fault{Kind: "no checkpoint"} })
	may("source", func() Fault { return Fault{Kind: "shuffle"} }, func() Fault { return Fault{Kind: "find fails"} },
		func() Fault { return Fault{Kind: "expired"} })
	may("rights", func() Fault { return Fault{Kind: pick(g, "blind", "half blind")} })
	may("dc", func() Fault { return Fault{Kind: "stale"} })
	may("writes", func() Fault {
		e := pick(g, refusals...)
		return Fault{Kind: "write", N: n(), S: e, Done: (e == "unknown" || e == "unclassified") && g.IntN(2) == 0}
	})
	may("replies", func() Fault { return Fault{Kind: "lose replies", N: 1 + g.IntN(3)} }, func() Fault { return Fault{Kind: "short reply"} },
		func() Fault { return Fault{Kind: "slow", N: pick(g, 1, 30, 300)} })
	may("asks", func() Fault {
		return Fault{Kind: "read", N: g.IntN(4), S: pick(g, "current", "find", "bin", "domains")}
	})
	may("store", func() Fault { return Fault{Kind: "commit", N: n(), S: pick(g, "fail", "unknown")} },
		func() Fault { return Fault{Kind: "disk full", N: n()} }, func() Fault { return Fault{Kind: "store reads", N: n()} })
	may("crash", func() Fault { return Fault{Kind: "commit", N: n(), S: pick(g, "die before", "die after")} },
		func() Fault { return Fault{Kind: "write", N: n(), S: "die", Done: g.IntN(2) == 0} })
	may("cancel", func() Fault { return Fault{Kind: "cancel", N: n()} })
	may("between", func() Fault {
		return Fault{Kind: "between", N: g.who(), S: pick(g, "lock", "delete", pick(g, logins...)+"@contoso.com")}
	})
	if len(menu) > 0 {
		for range g.IntN(3) {
			s.Faults = append(s.Faults, menu[g.IntN(len(menu))]())
		}
	}
	g.add(s)
}
