package simulation

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
)

// Confirm denies references that the directory doesn't hold.
func (s *reader) Confirm(ctx context.Context, w source.Watermark, to source.ID, attribute string, holders []source.ID) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		if err := s.isDown(); err != nil {
			yield(source.Event{}, err)
			return
		}
		if s.run.findFails {
			yield(source.Event{}, fmt.Errorf("confirm: %w", source.ErrUnavailable))
			return
		}
		d := s.dc()
		if _, err := s.trust(d, w); err != nil {
			yield(source.Event{}, fmt.Errorf("%w: %w", source.ErrWatermarkExpired, err))
			return
		}
		p := d.numbered(to)
		if p != nil {
			if ev, ok := s.event(d, p); !ok || ev.Op == source.Deleted {
				p = nil
			}
		}
		if p == nil || !p.deleted.IsZero() || p.hidden || s.run.blind {
			yield(source.Event{}, fmt.Errorf("%w: it isn't found", source.ErrIncomplete))
			return
		}
		s.w.hit("S-13")
		var list []source.Event
		for _, id := range holders {
			q := d.numbered(id)
			if q == nil {
				continue
			}
			ev, ok := s.event(d, q)
			if x, said := q.refs[refTo{attribute, p.num}]; !ok || ev.Op != source.Upsert || said && !x.gone {
				continue
			}
			list = append(list, source.Event{Op: source.Refers, Object: source.Object{ID: id, Kind: ev.Object.Kind},
				References: &source.References{Attribute: attribute, Remove: []source.ID{to}}})
		}
		s.give(ctx, list, nil, 0, yield)
	}
}

// numbered is the person with this ID.
func (d *directory) numbered(id source.ID) *person {
	for _, p := range d.people {
		if p.id == id {
			return p
		}
	}
	return nil
}

// withRevivals has somebody who is in groups deleted and brought back, in some
// schedules with groups: by a random source of its own.
func (s *Schedule) withRevivals(people int) {
	g := rand.New(rand.NewPCG(s.Seed, 15))
	if s.World.Groups == 0 || g.IntN(2) > 0 {
		return
	}
	var groups []int
	for _, x := range s.Steps {
		if x.Do == "group" {
			groups = append(groups, x.P)
		}
	}
	for range 1 + g.IntN(3) {
		p := 1 + g.IntN(max(1, people))
		if g.IntN(4) == 0 {
			p = groups[g.IntN(len(groups))]
		}
		at := len(groups) + g.IntN(len(s.Steps)-len(groups)+1)
		steps := []Step{{Do: "refer", P: groups[g.IntN(len(groups))], Q: p}, {Do: "refer", P: 1 + g.IntN(max(1, people)), Q: p}, {Do: "run", Retry: g.IntN(2) == 0}}
		if g.IntN(3) == 0 {
			steps = append(steps, Step{Do: "lock", P: p})
		}
		steps = append(steps, Step{Do: "remove", P: p})
		if g.IntN(2) == 0 {
			steps = append(steps, Step{Do: "run", Retry: g.IntN(2) == 0})
		}
		if g.IntN(4) > 0 {
			steps = append(steps, Step{Do: "undelete", P: p})
		}
		if g.IntN(4) == 0 {
			steps = append(steps, Step{Do: "refer", P: groups[g.IntN(len(groups))], Q: p})
		}
		if g.IntN(2) == 0 {
			steps = append(steps, Step{Do: "run", Faults: []Fault{{Kind: "find fails"}}})
		}
		s.Steps = slices.Insert(s.Steps, at, steps...)
	}
}

// judgeDeleted sees that somebody who was deleted, and whose account stays, is
// referred to by nobody.
func (o *oracle) judgeDeleted(steady func(*person) *account, rep *dirsync.Report) {
	w := o.w
	for _, q := range w.dir.sorted() {
		b := w.accountOf(q.num)
		if q.deleted.IsZero() || b == nil || !b.deleted.IsZero() || !o.mine[b.id] || o.doubt[b.id] || len(w.numbers[b.anchor]) != 1 || w.binned[q.num] ||
			w.takenAway[q.num] != "" || w.lost[q.num] {
			continue
		}
		if _, given := w.given[b.id]; given {
			continue
		}
		for _, p := range w.dir.sorted() {
			if a := steady(p); a != nil && !a.off() && !w.binned[p.num] && w.takenAway[p.num] == "" && slices.Contains(w.tenant.referred(a), b.id) && !o.leftByOthers(p, a, b, rep) {
				o.complain("I1", "p%d refers to p%d, who was deleted", p.num, q.num)
			}
		}
	}
}
