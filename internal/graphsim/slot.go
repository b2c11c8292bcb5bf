package graphsim

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A record is one version of a user's properties. It is never changed, so
// readers need no lock once they have it.
type record map[string]any

func (r record) str(name string) string { s, _ := r[name].(string); return s }

func (r record) strs(name string) []string { s, _ := r[name].([]string); return s }

// A slot is one user or group through all its versions. The tenant's lock guards it.
type slot struct {
	id        string
	seq       uint64 // place in live or bin
	cur       record
	created   time.Time
	deleted   time.Time // zero while it lives
	liveUPN   string    // what it was called before the deletion
	protected bool
	group     bool

	visible    time.Time // reads miss it before
	stale      record    // what reads show until staleUntil, or of a ghost
	staleUntil time.Time
	ghost      bool // deleted, but still in live for Lag
	ghostSeq   uint64
	reads      atomic.Uint32
}

// A view is a slot's version as a reader meets it.
type view struct {
	s *slot
	r record
	// deleted is set for what is in the bin.
	deleted time.Time
}

func (v view) get(name string) any {
	switch name {
	case "id":
		return v.s.id
	case "createdDateTime":
		return timestamp(v.s.created)
	case "deletedDateTime":
		if v.deleted.IsZero() {
			return nil
		}
		return timestamp(v.deleted)
	}
	return v.r[name]
}

// see returns what a read of a live user meets at now: nothing while it is too
// new, an old version where updates lag. The caller holds mu.
func (t *Tenant) see(s *slot, now time.Time) (view, bool) {
	if !s.deleted.IsZero() {
		return view{s: s, r: s.stale}, s.ghost && now.Before(s.deleted.Add(t.opts.Lag))
	}
	if now.Before(s.visible) {
		return view{}, false
	}
	if t.opts.Flap > 0 && now.Before(s.visible.Add(t.opts.Flap)) && s.reads.Add(1)%2 == 0 {
		return view{}, false
	}
	if s.stale != nil && now.Before(s.staleUntil) {
		return view{s: s, r: s.stale}, true
	}
	return view{s: s, r: s.cur}, true
}

// seeDeleted is see for what is in the bin.
func (t *Tenant) seeDeleted(s *slot, now time.Time) (view, bool) {
	if s.deleted.IsZero() || !now.Before(s.deleted.Add(t.opts.Retention)) {
		return view{}, false
	}
	if t.opts.Switches.LagDeletes && now.Before(s.deleted.Add(t.opts.Lag)) {
		return view{}, false
	}
	return view{s: s, r: s.cur, deleted: s.deleted}, true
}

// ordered keeps slots in the order of their arrival and finds a place in it
// quickly. Removing leaves a hole until there are too many.
type ordered struct {
	entries []entry
	holes   int
}

type entry struct {
	seq uint64
	s   *slot
}

func (o *ordered) add(seq uint64, s *slot) { o.entries = append(o.entries, entry{seq, s}) }

func (o *ordered) remove(seq uint64) {
	i := o.after(seq - 1)
	if i >= len(o.entries) || o.entries[i].seq != seq || o.entries[i].s == nil {
		return
	}
	o.entries[i].s = nil
	if o.holes++; o.holes > 64 && o.holes > len(o.entries)/2 {
		o.entries = slices.DeleteFunc(o.entries, func(e entry) bool { return e.s == nil })
		o.holes = 0
	}
}

// after is the index of the first entry beyond seq.
func (o *ordered) after(seq uint64) int {
	i, _ := slices.BinarySearchFunc(o.entries, seq+1, func(e entry, s uint64) int {
		if e.seq < s {
			return -1
		}
		if e.seq > s {
			return 1
		}
		return 0
	})
	return i
}

func (o *ordered) len() int { return len(o.entries) - o.holes }

// find returns the user called id: an object id, of a live or deleted user, or a
// live user's UPN. The caller holds mu.
func (t *Tenant) find(id string) *slot {
	if strings.Contains(id, "@") {
		return t.byUPN[t.upnKey(id)]
	}
	if s := t.slots[strings.ToLower(id)]; s != nil && !s.group {
		return s
	}
	return nil
}
