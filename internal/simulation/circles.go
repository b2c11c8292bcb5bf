package simulation

import (
	"maps"
	"math/rand/v2"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// firstCircle is the number of the first of the groups by which a scope goes, in
// worlds that have some (Config.Circles): 600 and 601 can be named, 602 and 603
// are only ever within others.
const firstCircle = 600

// circles are the configurations: the groups that a scope names. With the first one
// it doesn't go by groups.
var circles = []struct {
	named  []int
	nested bool
}{{}, {[]int{600}, false}, {[]int{600}, true}, {[]int{600, 601}, true}, {[]int{601}, true}}

// refers reports whether the directory tells references.
func (w *world) refers() bool { return w.config.Groups > 0 || w.config.Circles }

// circle adds to a scope the groups that are configured.
func (w *world) circle(s *mapping.Scope) *mapping.Scope {
	c := circles[w.circled]
	if len(c.named) == 0 {
		return s
	}
	if s == nil {
		s = &mapping.Scope{}
	}
	for _, g := range c.named {
		s.Groups = append(s.Groups, string(guid(w.seed, g)))
	}
	s.Nested = c.nested
	return s
}

// circleStep is a step about the groups by which the scope goes.
func (w *world) circleStep(s *Step) bool {
	if s.Do != "circle" {
		return false
	}
	if n := s.N % len(circles); w.config.Circles && n != w.circled {
		w.hit("circle")
		w.circled = n
		w.circlesUsed[n] = true
		clear(w.oracle.words.rejected)
	}
	return true
}

// An edge is a membership, by objectGUIDs: who holds, who is held.
type edge [2]source.ID

// membersTold notes what the directory says of memberships: what it told once to
// be there may be believed at any time, and so may what it told to be gone. What it
// told in a run that came to plan, and never took back, has to be believed.
func (o *oracle) membersTold(ev source.Event) {
	x := ev.References
	if !o.w.config.Circles || x.Attribute != "member" {
		return
	}
	g := ev.Object.ID
	if x.First {
		o.telling[g] = map[source.ID]bool{}
	}
	for _, id := range x.Add {
		o.saidIn[edge{g, id}], o.saidNow[edge{g, id}] = true, true
		if o.telling[g] != nil {
			o.telling[g][id] = true
		}
	}
	for _, id := range x.Remove {
		o.saidOut[edge{g, id}] = true
	}
	if !x.First && len(x.Remove) > 0 {
		delete(o.telling, g)
	}
	if whole := o.telling[g]; whole != nil && x.Last {
		for e := range o.saidIn {
			if e[0] == g && !whole[e[1]] {
				o.saidOut[e] = true
			}
		}
		delete(o.telling, g)
	}
}

// holds reports whether a configuration takes somebody by memberships.
func (o *oracle) holds(n int, id source.ID, is func(edge) bool) bool {
	seen := map[source.ID]bool{}
	var in func(g source.ID) bool
	in = func(g source.ID) bool {
		if seen[g] {
			return false
		}
		seen[g] = true
		if is(edge{g, id}) {
			return true
		}
		if !circles[n].nested {
			return false
		}
		for num, p := range o.w.dir.people {
			if p.group && is(edge{g, guid(o.w.seed, num)}) && in(guid(o.w.seed, num)) {
				return true
			}
		}
		return false
	}
	for _, g := range circles[n].named {
		if in(guid(o.w.seed, g)) {
			return true
		}
	}
	return false
}

// mayBelong says on which sides of the groups of the scope the engine may take
// somebody to be. That a group which the scope names is gone changes nothing; with
// one within it that was deleted, its members are out.
func (o *oracle) mayBelong(num int, repeat bool) (in, out bool) {
	id := guid(o.w.seed, num)
	if p := o.w.dir.people[num]; !o.w.config.Circles || p != nil && p.group {
		return true, false
	}
	firm := func(n int) func(edge) bool {
		return func(e edge) bool {
			dead := o.ever[e[0]]&deleted != 0 || o.unseen[e[0]]
			for _, g := range circles[n].named {
				dead = dead && e[0] != guid(o.w.seed, g)
			}
			return o.believed[e] && !o.saidOut[e] && !dead
		}
	}
	for n, c := range circles {
		switch {
		case n != o.w.circled && !(repeat && o.w.circlesUsed[n]):
		case len(c.named) == 0:
			in = true
		default:
			in = in || o.holds(n, id, func(e edge) bool { return o.saidIn[e] })
			out = out || !o.holds(n, id, firm(n))
		}
	}
	return in, out
}

// settledCircles reports whether nobody can have left a group: nobody was ever
// told to, and no group was deleted.
func (o *oracle) settledCircles() bool {
	for _, p := range o.w.dir.people {
		if p.group && o.ever[p.id]&deleted != 0 {
			return false
		}
	}
	return len(o.saidOut) == 0
}

// outOfCircle reports whether the groups of the scope don't hold a person, and
// whether that can be told: of a group that can't be seen nobody knows it.
func (w *world) outOfCircle(p *person) (out, known bool) {
	c := circles[w.circled]
	if !w.config.Circles || len(c.named) == 0 || p.group {
		return false, true
	}
	known = true
	for _, g := range w.dir.people {
		if g.group && !w.seen(g) && (g.deleted.IsZero() || g.num <= firstCircle+1) {
			known = false
		}
	}
	is := func(e edge) bool {
		for _, g := range w.dir.people {
			if g.id == e[0] && g.group && w.seen(g) {
				for to, x := range g.refs {
					if !x.gone && guid(w.seed, to.num) == e[1] {
						return true
					}
				}
			}
		}
		return false
	}
	if w.oracle.holds(w.circled, p.id, is) {
		return false, true
	}
	return true, known
}

// unseenGroups notes which groups the directory doesn't give.
func (w *world) unseenGroups() {
	if !w.config.Circles {
		return
	}
	for _, p := range w.dir.people {
		if p.group && !w.seen(p) {
			w.oracle.unseen[p.id] = true
		}
	}
}

// seen reports whether the directory gives a group.
func (w *world) seen(g *person) bool {
	return g.deleted.IsZero() && !g.hidden && !g.poison && !g.out && !w.dir.outside(g.unit)
}

// calmCircles: a scope that names a group that nobody can see is corrected.
func (w *world) calmCircles() {
	for _, num := range circles[w.circled].named {
		if g := w.dir.people[num]; g == nil || !w.seen(g) {
			w.circled = 0
			w.circlesUsed[0] = true
			return
		}
	}
}

// circles gives some schedules groups by which the scope goes. It comes after all
// else, with numbers of its own.
func (g *generator) circles() {
	g.Rand = rand.New(rand.NewPCG(g.s.Seed, 13))
	if g.IntN(4) != 0 {
		return
	}
	g.s.World.Circles = true
	steps := g.s.Steps
	g.s.Steps = nil
	group := func() int { return firstCircle + max(0, g.IntN(7)-3) } // mostly the first
	member := func() int {
		if g.IntN(3) == 0 {
			return group()
		}
		return g.who()
	}
	menu := []func(){
		func() { g.add(Step{Do: "refer", P: group(), Q: member()}) }, func() { g.add(Step{Do: "refer", P: group(), Q: member()}) },
		func() { g.add(Step{Do: "refer", P: firstCircle, Q: member()}) },
		func() { g.add(Step{Do: "unrefer", P: group(), Q: member()}) },
		func() { g.add(Step{Do: "unrefer", P: group(), Q: group()}) },
		func() { g.add(Step{Do: "circle", N: g.IntN(len(circles))}) },
	}
	if g.IntN(2) == 0 {
		fate := func() {
			g.add(Step{Do: pick(g, "remove", "undelete", "out", "in", "hide", "show", "poison", "heal", "in", "show", "heal", "undelete"), P: group()})
		}
		menu = append(menu, fate, fate)
	}
	for n := range 4 {
		g.add(Step{Do: "group", P: firstCircle + n})
	}
	if g.IntN(2) == 0 {
		g.add(Step{Do: "circle", N: 1 + g.IntN(len(circles)-1)})
	}
	nested := g.IntN(2) == 0
	if nested { // one within another, perhaps in a circle, comes and goes
		inner, other := firstCircle+2, firstCircle+3
		g.add(Step{Do: "circle", N: 2})
		g.add(Step{Do: "refer", P: firstCircle, Q: inner})
		menu = append(menu,
			func() { g.add(Step{Do: pick(g, "refer", "unrefer"), P: firstCircle, Q: inner}) },
			func() { g.add(Step{Do: pick(g, "refer", "unrefer"), P: firstCircle, Q: inner}) },
			func() { g.add(Step{Do: "refer", P: inner, Q: other}) }, func() { g.add(Step{Do: "refer", P: other, Q: inner}) })
	}
	for _, s := range steps {
		if s.Do == "run" {
			for range g.IntN(4) {
				menu[g.IntN(len(menu))]()
			}
		}
		switch g.add(s); {
		case s.Do != "hire" || g.IntN(3) == 0:
		case nested && g.IntN(2) == 0:
			g.add(Step{Do: "refer", P: firstCircle + 2 + g.IntN(2), Q: s.P})
		default:
			g.add(Step{Do: "refer", P: group(), Q: s.P})
		}
		if s.Do == "run" && g.IntN(3) == 0 {
			g.add(Step{Do: pick(g, "approve", "approve", "reject"), N: pick(g, 1, 60, 2000)})
			g.add(Step{Do: "run", Retry: g.IntN(2) == 0})
		}
	}
}

// A circleState is what the oracle knows of memberships.
type circleState struct {
	saidIn, saidOut, saidNow, believed map[edge]bool
	telling                            map[source.ID]map[source.ID]bool // sets that are being told
	unseen                             map[source.ID]bool               // groups that couldn't be seen for a time
}

func newCircleState() circleState {
	return circleState{map[edge]bool{}, map[edge]bool{}, map[edge]bool{}, map[edge]bool{}, map[source.ID]map[source.ID]bool{}, map[source.ID]bool{}}
}

// believeMembers: what this run was told is durable now.
func (o *oracle) believeMembers(r *runState) {
	if !r.dry && !r.forgets {
		maps.Copy(o.believed, o.saidNow)
	}
	clear(o.saidNow)
}
