package simulation

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// What a directory does with the members of groups in a run, of Fault{Kind: "dim"}.
const (
	strangers = 1 // every other member is a value that can't be identified
	unread    = 2 // the account may not read the attribute: it looks empty
)

var _ source.Emptier = (*reader)(nil)

// dims has the whole sets of groups tell less than there is.
func (s *reader) dims(p *person, ev *source.Event) {
	if s.run.dim == 0 || !p.group || p.num >= firstCircle || !ev.References.First {
		return
	}
	s.w.blinded = true // a complete read tells it
	x := ev.References
	all := len(x.Add)
	if s.run.dim == unread {
		x.Add = nil
		return
	}
	x.Add = slices.DeleteFunc(x.Add, func(id source.ID) bool { q := s.dc().byID(id); return q != nil && q.num%2 == 1 })
	x.Unidentified = all - len(x.Add)
	s.w.hit("strangers")
}

// Empty tells by the other ends of the links.
func (s *reader) Empty(_ context.Context, id source.ID, _ string) (bool, error) {
	p := s.dc().byID(id)
	if p == nil {
		return true, nil
	}
	for _, x := range p.refs {
		if !x.gone {
			return false, nil
		}
	}
	return true, nil
}

// amid has the tenant stop amid a change of references: the first of them is made,
// the others wait.
func (t *caller) amid(c *target.Change) (rest []target.ID) {
	r := t.run
	if c.Op != target.Refer || r.amid == 0 || len(c.Refs.Add)+len(c.Refs.Remove) < 2 || c.Refs.Attribute == target.RefManager {
		return nil
	}
	if r.amid--; r.amid > 0 {
		return nil
	}
	x := *c.Refs
	if len(x.Add) > 0 {
		rest, x.Add = append(slices.Clone(x.Add[1:]), x.Remove...), x.Add[:1]
		x.Remove = nil
	} else {
		rest, x.Remove = x.Remove[1:], x.Remove[:1]
	}
	c.Refs, r.ended = &x, time.Now()
	t.w.hit("amid")
	return rest
}

// throttled adds rest to what was refused.
func throttled(rest []target.ID, err error) error {
	if some, ok := err.(*target.RefsError); len(rest) > 0 && (ok || err == nil) { //nolint:errorlint // ours
		refused := map[target.ID]error{}
		if ok {
			refused = some.Refused
		}
		for _, id := range rest {
			refused[id] = sentinels["throttled"]
		}
		return &target.RefsError{Refused: refused}
	}
	return err
}

// owner is the number of the person or group whose account a is, 0 if it isn't sure.
func (w *world) owner(a *account) int {
	switch ns := w.numbers[a.anchor]; {
	case w.rebound[a.id]:
		return w.given[a.id]
	case len(ns) == 1:
		return ns[0]
	}
	return 0
}

// owners are all whose account a can be.
func (w *world) owners(a *account) []int {
	if w.rebound[a.id] {
		return []int{w.given[a.id]}
	}
	return w.numbers[a.anchor]
}

// withFaultsOfGroups adds to the schedules with groups what can go wrong with
// references, and somebody in a group who moves to another forest. It draws from a
// source of its own.
func (s *Schedule) withFaultsOfGroups(people int) {
	if s.World.Groups == 0 {
		return
	}
	g := rand.New(rand.NewPCG(s.Seed, 43))
	if g.IntN(2) > 0 {
		return
	}
	for i := range s.Steps {
		if x := &s.Steps[i]; x.Do == "run" {
			switch g.IntN(8) {
			case 0:
				x.Faults = append(slices.Clone(x.Faults), Fault{Kind: "dim", N: 1 + g.IntN(2)})
				x.Full = x.Full || g.IntN(2) > 0
			case 1:
				x.Faults = append(slices.Clone(x.Faults), Fault{Kind: "amid", N: 1 + g.IntN(2)})
			}
		}
	}
	if people == 0 || g.IntN(3) > 0 {
		return
	}
	q := 1 + g.IntN(people)
	story := []Step{{Do: "refer", P: firstGroup, Q: q}, {Do: "run"}, {Do: []string{"out", "remove"}[g.IntN(2)], P: q}, {Do: "run"},
		{Do: "hire", P: 400, S: "p400@" + domains[0], Q: q}}
	if g.IntN(3) == 0 {
		story = append(story, Step{Do: "refer", P: firstGroup, Q: 400})
	}
	story = append(story, Step{Do: "run"}, Step{Do: "match"}, Step{Do: "adopt", N: 255}, Step{Do: "run"})
	s.Steps = append(s.Steps, story...)
}
