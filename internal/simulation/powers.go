package simulation

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// Protected says who is protected now.
func (t *caller) Protected(ctx context.Context, _ target.Kind) (map[target.ID]target.Protection, error) {
	if err := t.ask(ctx, "protected"); err != nil {
		return nil, err
	}
	if t.run.asked.IsZero() {
		t.run.asked = time.Now()
	}
	t.run.askedLast = time.Now()
	who := map[target.ID]target.Protection{}
	for id, a := range t.w.tenant.accounts {
		if a.power != "" {
			who[id] = target.Protection(a.power)
		}
	}
	return who, nil
}

// A sending is the beginning of a call, which takes no time after the question
// who is protected.
type sending struct {
	at    time.Time
	asked bool // just now
}

// touchy reports whether it has to be asked right before a change who it is about.
func touchy(c target.Change) bool {
	return c.Op != target.Update || slices.ContainsFunc([]string{"userPrincipalName", "mail", "accountEnabled", target.AttrAnchor},
		func(attr string) bool { return c.Set[attr] != nil })
}

// offLimits judges a write by who has power over others. Between the last
// question and the write anything can happen.
func (o *oracle) offLimits(c target.Change, before *account, r *runState, sent sending) {
	if c.Kind != target.User { // a group doesn't become one that holds roles, and in units Graph itself refuses
		if before.power != "" && before.since.Before(r.asked) {
			o.complain("I7", "%s of the group of %s, which %s", c.Op, o.w.who(c.Anchor), before.power)
		}
		return
	}
	touchy := touchy(c)
	known := r.asked
	if touchy && !c.Repeat {
		known = sent.at
	}
	switch {
	case r.asked.IsZero():
		o.complain("I7", "%s of %s, and nobody asked who is protected", c.Op, o.w.who(c.Anchor))
	case touchy && !c.Repeat && !sent.asked:
		o.complain("I7", "%s of %s, and nobody asked right before who is protected", c.Op, o.w.who(c.Anchor))
	case before.power != "" && before.since.Before(known):
		o.complain("I7", "%s of the account of %s, which %s", c.Op, o.w.who(c.Anchor), before.power)
	case before.power != "":
		o.w.hit("granted too late")
	}
	if before.power == "" && touchy {
		o.w.hit("I7")
	}
}

// empower has roles come and go, in some schedules. Like [generator.speak] it
// has numbers of its own.
func (g *generator) empower() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 9))
	if g.IntN(4) != 0 {
		return
	}
	steps := g.s.Steps
	g.s.Steps = nil
	for _, s := range steps {
		if s.Do != "run" && s.Do != "plan" {
			g.add(s)
			continue
		}
		switch p := g.who(); g.IntN(8) {
		case 0, 1:
			g.add(Step{Do: "grant", P: p})
		case 2:
			g.add(Step{Do: "revoke", P: p})
		case 3: // somebody is given a role, and then the directory turns on them
			g.add(Step{Do: "grant", P: p})
			g.add(Step{Do: pick(g, "remove", "out", "undelete"), P: p})
		case 4:
			g.add(Step{Do: "grant", P: p})
			g.add(Step{Do: "set", P: p, S: pick(g, "userPrincipalName", "mail"), T: pick(g, logins...) + "@contoso.com"})
		case 5:
			g.add(Step{Do: "set", P: p, S: "userAccountControl", T: pick(g, "512", "514")})
			if s.Do == "run" {
				s.Faults = append(slices.Clone(s.Faults), Fault{Kind: "between", N: g.who(), S: "grant"})
			}
		case 6:
			if s.Do == "run" {
				s.Faults = append(slices.Clone(s.Faults), Fault{Kind: "read", N: g.IntN(4), S: "protected"})
			}
		}
		g.add(s)
	}
}

// keptDown reports whether the account of a person lies in the bin with a role, or
// as another tool's, so that it must not be restored.
func (w *world) keptDown(p *person) bool {
	for _, a := range w.tenant.accounts {
		if !a.deleted.IsZero() && (a.power != "" || !a.taken.IsZero()) && slices.Contains(w.anchors[p.num], a.anchor) {
			return true
		}
	}
	return false
}
