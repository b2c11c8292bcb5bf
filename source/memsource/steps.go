package memsource

import (
	"cmp"
	"slices"

	"github.com/dirbridge/dirbridge/source"
)

// A step is what a read says of one set of references. Its place among the
// changes is that of the oldest one that it tells: whoever resumes before it
// gets it again, and whoever resumes after it misses nothing.
type step struct {
	seq         uint64
	from        source.Object // ID and Kind
	attribute   string
	whole       bool
	add, remove []source.ID
}

// steps collects what a read above seq tells of references. A delta tells what
// changed, as differences. A complete read, or the rest of one that had come to
// seq, tells first whole what it had not told. Entries are the objects that the
// read gives. s.mu is held.
func (s *Source) steps(seq uint64, complete bool, entries []*entry) []step {
	if len(s.attributes) == 0 {
		return nil
	}
	var steps []step
	whole := map[*refSet]bool{}
	if complete {
		steps = s.wholes(seq, entries, whole)
	}
	if seq > 0 {
		steps = append(steps, s.differences(seq, whole)...)
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.seq, b.seq) })
	return steps
}

// wholes tells the sets of which a complete read had told nothing at seq, and
// notes them. s.mu is held.
func (s *Source) wholes(seq uint64, entries []*entry, noted map[*refSet]bool) []step {
	var steps []step
	seen := map[*refSet]bool{}
	for _, c := range s.log {
		if seen[c.set] || c.void() || c.set.marks[c.to].gone {
			continue
		}
		seen[c.set] = true
		if c.seq > seq && s.entries[c.set.from].tells() {
			noted[c.set] = true
			steps = append(steps, s.step(c.set, c.seq, true))
		}
	}
	for _, set := range s.sets { // emptied since: perhaps not told before
		if at := set.oldest(seq); seq > 0 && at > 0 && set.live == 0 && s.entries[set.from].tells() {
			noted[set] = true
			steps = append(steps, s.step(set, at, true))
		}
	}
	for _, e := range entries {
		if !e.tells() {
			continue
		}
		for _, attribute := range s.attrs[e.kind] {
			set := s.sets[setKey{e.id, attribute}]
			if set == nil {
				set = &refSet{setKey: setKey{e.id, attribute}}
			}
			if set.live == 0 && !noted[set] {
				noted[set] = true
				steps = append(steps, s.step(set, e.seq, true))
			}
		}
	}
	return steps
}

// oldest is the number of the oldest change after seq, 0 if there is none.
func (s *refSet) oldest(seq uint64) uint64 {
	at := uint64(0)
	for _, m := range s.marks {
		if m.seq > seq && (at == 0 || m.seq < at) {
			at = m.seq
		}
	}
	return at
}

// differences tells what changed after seq in sets that aren't told whole. s.mu
// is held.
func (s *Source) differences(seq uint64, whole map[*refSet]bool) []step {
	var steps []step
	at := map[*refSet]int{}
	from, _ := slices.BinarySearchFunc(s.log, seq+1, func(c refChange, seq uint64) int { return cmp.Compare(c.seq, seq) })
	for _, c := range s.log[from:] {
		if c.void() || whole[c.set] || !s.entries[c.set.from].tells() {
			continue
		}
		i, ok := at[c.set]
		if !ok {
			i = len(steps)
			at[c.set] = i
			steps = append(steps, s.step(c.set, c.seq, false))
		}
		if c.set.marks[c.to].gone {
			steps[i].remove = append(steps[i].remove, c.to)
		} else {
			steps[i].add = append(steps[i].add, c.to)
		}
	}
	return steps
}

// step begins one for set, of which it holds all if it is to be whole. s.mu is
// held.
func (s *Source) step(set *refSet, seq uint64, whole bool) step {
	t := step{seq: seq, from: source.Object{ID: set.from, Kind: s.entries[set.from].kind}, attribute: set.attribute, whole: whole}
	if whole {
		t.add = set.list()
	}
	return t
}

// say yields t in events of at most size references, until yield says no.
func (t step) say(size int, yield func(source.Event, error) bool) bool {
	first := true
	for add, remove := t.add, t.remove; first || len(add)+len(remove) > 0; first = false {
		n := min(size, len(add))
		m := min(size-n, len(remove))
		r := &source.References{Attribute: t.attribute, Add: add[:n:n], Remove: remove[:m:m]}
		add, remove = add[n:], remove[m:]
		if t.whole {
			r.First, r.Last = first, len(add) == 0
		}
		if !yield(source.Event{Op: source.Refers, Object: t.from, References: r}, nil) {
			return false
		}
	}
	return true
}
