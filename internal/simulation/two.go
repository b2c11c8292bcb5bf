package simulation

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
)

// Two directories (Config.Two): each person lives in one of them, half of those
// who are hired in each. Groups and units are told by the first. Who moves keeps
// the objectGUID; the directory that was left has a tombstone. Until the move is
// over (land), both may show the person, or neither.

// names of the directories, in the order of their numbers.
var sideNames = []string{"corp", "east"}

// A transit is how far a move is.
type transit int

const (
	settled transit = iota
	inBoth          // the old directory shows the person still
	inNone          // the new one doesn't yet
)

// event is what the directory of this reader says of a person.
func (s *reader) event(d *directory, p *person) (source.Event, bool) {
	if !s.w.config.Two || p.side == s.side && (p.moving != inNone || !p.deleted.IsZero()) {
		return d.event(p)
	}
	if !p.lived[s.side] {
		return source.Event{}, false
	}
	if p.side != s.side && p.moving == inBoth && p.deleted.IsZero() {
		return d.event(p)
	}
	ev := source.Event{Op: source.Deleted, Object: source.Object{ID: p.id, Kind: source.User}}
	ev.Evidence = source.Evidence{Kind: "tombstone", Detail: fmt.Sprint("USN ", p.usn), Seen: time.Now().UTC()}
	return ev, true
}

// elsewhere reports whether what this reader says of a person is no proof of
// anything, since the other directory holds it and would say so.
func (s *reader) elsewhere(ev source.Event) bool {
	if !s.w.config.Two || s.run.forgets {
		return false
	}
	key, here := [2]string{string(ev.Object.ID), sideNames[s.side]}, ev.Op == source.Upsert
	s.w.heldBy[key] = here || ev.Op == source.Unreadable && s.w.heldBy[key]
	if here || ev.Op == source.Unreadable {
		return false
	}
	if s.w.heldBy[[2]string{key[0], sideNames[1-s.side]}] {
		return true // it is at home there, or moves there
	}
	if ev.Op != source.Deleted || s.run.blind {
		return false
	}
	d := s.dc()
	for _, p := range d.people {
		if p.id != ev.Object.ID || p.side == s.side || p.moving == inNone {
			continue
		}
		now, ok := d.event(p)
		return ok && now.Op != source.Deleted
	}
	return false
}

// moved reports whether p ever moved.
func (p *person) moved() bool { return p.lived != [2]bool{} }

// isDown is the error of a directory that can't be reached in this run.
func (s *reader) isDown() error {
	if s.w.config.Two && s.run.down == 1+s.side {
		s.w.hit("down")
		return fmt.Errorf("%s: %w", s.Name(), source.ErrUnavailable)
	}
	return nil
}

// sideStep is a step that has to do with two directories.
func (w *world) sideStep(s *Step) bool {
	p := w.dir.alive(s.P)
	switch s.Do {
	case "move":
		if p != nil && w.config.Two && !p.group && !p.hidden && p.moving == settled {
			w.hit("move")
			p.lived[p.side] = true
			p.side, p.moving = 1-p.side, transit(s.N%3)
			if p.moving == inNone && !w.everTold(p.id) {
				p.moving = settled
			}
			w.dir.touch(p)
		}
	case "land":
		if p := w.dir.people[s.P]; p != nil && p.moving != settled {
			p.moving = settled
			w.dir.touch(p)
		}
	default:
		return false
	}
	return true
}

// everTold reports whether either directory ever told of an object.
func (w *world) everTold(id source.ID) bool {
	for _, side := range sideNames {
		if _, told := w.heldBy[[2]string{string(id), side}]; told {
			return true
		}
	}
	return false
}

// land ends all moves.
func (w *world) land() {
	for _, p := range w.dir.sorted() {
		w.sideStep(&Step{Do: "land", P: p.num})
	}
}

// withTwo makes one schedule in eight one of two directories.
func (s *Schedule) withTwo(people int) {
	g := rand.New(rand.NewPCG(s.Seed, 11))
	if g.IntN(8) != 0 {
		return
	}
	s.World.Two = true
	if g.IntN(2) == 0 {
		s.World.MoveWait = []int{1, 60, 3600}[g.IntN(3)]
	}
	s.World.Swapped = g.IntN(2) == 0
	var steps []Step
	for _, st := range s.Steps {
		if g.IntN(3) == 0 {
			steps = append(steps, Step{Do: "move", P: 1 + g.IntN(max(1, people)), N: g.IntN(3)})
		}
		if g.IntN(5) == 0 {
			steps = append(steps, Step{Do: "land", P: 1 + g.IntN(max(1, people))})
		}
		if st.Do == "run" && g.IntN(5) == 0 {
			st.Faults = append(st.Faults, Fault{Kind: "down", N: 1 + g.IntN(2)})
		}
		steps = append(steps, st)
	}
	s.Steps = steps
}

// sources are the two directories as the configuration has them: the first one is
// returned, the other becomes one of the options.
func (w *world) sources(r *runState, opt *dirsync.Options) *reader {
	first, other := &reader{w, r, 0}, &reader{w, r, 1}
	if w.config.Swapped != (w.runs%2 == 0) {
		first, other = other, first
	}
	opt.Sources = []source.Source{other}
	return first
}

// unmove: the directories forget moves of which tombstones were told.
func (w *world) unmove() {
	for _, p := range w.dir.people {
		if p.moved() {
			w.oracle.beliefs[p.id] |= deleted
			w.oracle.ever[p.id] |= deleted
		}
	}
}

// tell has the oracle take note of an event.
func (s *reader) tell(ev source.Event) {
	if s.elsewhere(ev) {
		return
	}
	o, id := s.w.oracle, ev.Object.ID
	o.told(ev, s.run)
	if _, ever := s.w.heldBy[[2]string{string(id), sideNames[1-s.side]}]; ever && s.run.toldNow[id] != 0 {
		// Which of the two the engine believes depends on what of it was kept.
		s.run.toldNow[id] |= o.beliefs[id]
	}
}
