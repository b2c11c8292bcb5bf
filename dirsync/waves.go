package dirsync

import (
	"context"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A place is where a change goes in the plan.
type place struct {
	wave  int
	aside bool // its object is in a cycle, and gives up first what others wait for
}

// lastWave is what the keys of a plan have room for, before the wave of
// references.
const lastWave = plan.ReferWave - 1

// place finds the place of the change of id, which takes what those in waits
// free. A change is made whole or not at all, so it comes after the whole
// change of each of them, whatever else that waits for. Where they wait for one
// another in a cycle, across names and addresses, the one with the lowest ID
// steps aside in the first wave, which breaks the cycle for the others.
//
// The places of all on the way are remembered until the round ends; they are
// the same from wherever the search begins.
func (r *run) place(ctx context.Context, id source.ID, waits []source.ID) (place, error) {
	if p, ok := r.places[id]; ok || len(waits) == 0 {
		return p, nil
	}
	all := map[source.ID][]source.ID{id: waits}
	for todo := slices.Clone(waits); len(todo) > 0; {
		x := todo[0]
		todo = todo[1:]
		if _, seen := all[x]; seen {
			continue
		}
		if _, placed := r.places[x]; placed {
			continue
		}
		next, err := r.waitsFor(ctx, x)
		if err != nil {
			return place{}, err
		}
		all[x] = next
		todo = append(todo, next...)
	}
	r.order(all)
	return r.places[id], nil
}

// waitsFor returns who has to free something before the change of id.
func (r *run) waitsFor(ctx context.Context, id source.ID) ([]source.ID, error) {
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil || e.Presence != plan.Present {
		return nil, err
	}
	_, upn, err := r.contest(ctx, e, nameAttr(e.Kind()), e.UPN)
	if err != nil {
		return nil, err
	}
	_, mail, err := r.contest(ctx, e, target.AttrMail, e.Mail)
	return holders(upn, mail), err
}

// holders are those of ids that aren't empty.
func holders(ids ...source.ID) []source.ID {
	return slices.DeleteFunc(ids, func(id source.ID) bool { return id == "" })
}

// order places all, each with those that it waits for: in all, or placed before.
func (r *run) order(all map[source.ID][]source.ID) {
	if r.places == nil {
		r.places = map[source.ID]place{}
	}
	open, behind := map[source.ID]int{}, map[source.ID][]source.ID{} // how many it waits for; who waits for it
	var free []source.ID
	for id, waits := range all {
		for _, w := range waits {
			if _, placed := r.places[w]; !placed {
				open[id]++
				behind[w] = append(behind[w], id)
			}
		}
		if open[id] == 0 {
			free = append(free, id)
		}
	}
	put := func(id source.ID, p place) {
		r.places[id] = p
		for _, b := range behind[id] {
			if open[b]--; open[b] == 0 {
				free = append(free, b)
			}
		}
	}
	settle := func() {
		for len(free) > 0 {
			id := free[len(free)-1]
			free = free[:len(free)-1]
			if _, placed := r.places[id]; placed {
				continue
			}
			wave := 0
			for _, w := range all[id] {
				wave = max(wave, min(r.places[w].wave+1, lastWave))
			}
			put(id, place{wave: wave})
		}
	}
	for id, waits := range all {
		if r.aside[id] && len(waits) > 0 {
			put(id, place{aside: true})
		}
	}
	settle()
	// What is left is in a cycle, or behind one.
	for _, id := range slices.Sorted(maps.Keys(open)) {
		if _, placed := r.places[id]; !placed && r.inCycle(id, all) {
			put(id, place{aside: true})
			settle()
		}
	}
}

// inCycle reports whether id waits, by way of others without a place, for itself.
func (r *run) inCycle(id source.ID, all map[source.ID][]source.ID) bool {
	seen := map[source.ID]bool{}
	for todo := []source.ID{id}; len(todo) > 0; {
		x := todo[0]
		todo = todo[1:]
		for _, w := range all[x] {
			if w == id {
				return true
			}
			if _, placed := r.places[w]; !placed && !seen[w] {
				seen[w] = true
				todo = append(todo, w)
			}
		}
	}
	return false
}

// longestChain bounds how far a chain of values that are passed on is followed.
const longestChain = 1000

// releases reports whether value, which id is to get, is freed in this plan: by
// its holder, for which in turn somebody else may have to make room.
func (r *run) releases(ctx context.Context, attr, value string, id source.ID) (bool, error) {
	seen := map[source.ID]bool{id: true}
	for n := range longestChain {
		holder, err := r.l.Holder(ctx, attr, value)
		if err != nil {
			return false, err
		}
		if holder == "" || seen[holder] {
			return true, nil // the end of the chain, or a cycle, which one of it breaks
		}
		seen[holder] = true
		wants, err := r.wish(ctx, attr, holder)
		if err != nil {
			return false, err
		}
		switch {
		case wants == nil:
			// It stays. Who waits for it loses: that one keeps its address,
			// or lets its name go for a placeholder.
			return n > 0 && attr != target.AttrMail, nil
		case *wants == "":
			return true, nil
		}
		value = *wants
	}
	return false, nil
}

// wish returns what id takes in this plan instead of what it has: nil if it
// stays as it is, "" if it lets go without wanting anything of others.
func (r *run) wish(ctx context.Context, attr string, id source.ID) (*string, error) {
	moves, err := r.moving(ctx, id)
	if err != nil || !moves {
		return nil, err
	}
	if in, err := r.l.Intent(ctx, id); in != nil || err != nil {
		return nil, err // its outcome is open; nothing is decided on top of it
	}
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil {
		return nil, err
	}
	goes := new(string)
	if e.Presence == plan.Deleted {
		return goes, nil
	}
	value := e.UPN
	if attr == target.AttrMail {
		value = e.Mail
	}
	if value == "" || r.unowned.holder(attr, value) != "" || ledger.SameName(attr, e.Taken[attr], value) ||
		ledger.SameName(attr, first(e.Refused[attr]), value) {
		return nil, nil // can't be cleared; isn't ours to take; isn't taken by the target
	}
	holder, err := r.l.Holder(ctx, attr, value)
	if err != nil {
		return nil, err
	}
	winner, err := r.winner(ctx, attr, value, holder)
	switch {
	case err != nil:
		return nil, err
	case winner == id:
		return &value, nil
	case attr != target.AttrMail:
		return goes, nil // for a placeholder
	}
	return nil, nil
}

// moving reports whether there is still something to do for id in this run.
func (r *run) moving(ctx context.Context, id source.ID) (bool, error) {
	if id == "" {
		return false, nil
	}
	due, err := r.l.Due(ctx, id)
	if due == nil || err != nil || !r.isDue(id, *due) {
		return false, err
	}
	// What somebody doesn't want isn't done; if it becomes another change, who
	// waits for it comes in the round after.
	if h, err := r.l.Hold(ctx, id); h != nil || err != nil {
		return false, err
	}
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return false, err
	}
	if off, err := r.isOffLimits(ctx, e); off || err != nil {
		return false, err
	}
	if e != nil {
		if why, _, err := r.waiting(ctx, e); why != "" || err != nil {
			return false, err
		}
	}
	switch r.opt.Policy {
	case plan.SyncAll:
		return true, nil
	case plan.CreateOnly:
		return false, nil
	}
	return e != nil && e.Presence == plan.Present, nil
}
