package graphsim

import (
	"slices"
	"strings"
	"time"
)

// index enters the version r of a live object; unindex takes it out. Both are
// called with mu held for writing.
func (t *Tenant) index(s *slot, r record) {
	if s.group {
		t.indexGroup(s, r)
		return
	}
	t.byUPN[t.upnKey(r.str("userPrincipalName"))] = s
	if m := r.str("mail"); m != "" {
		k := strings.ToLower(m)
		t.byMail[k] = append(t.byMail[k], s)
	}
	if a := r.str("onPremisesImmutableId"); a != "" {
		k := t.anchorKey(a)
		t.byAnchor[k] = append(t.byAnchor[k], s)
	}
	for _, p := range r.strs("proxyAddresses") {
		t.byProxy[t.proxyKey(p)] = s
	}
}

func (t *Tenant) unindex(s *slot, r record) {
	if s.group {
		t.unindexGroup(s, r)
		return
	}
	if k := t.upnKey(r.str("userPrincipalName")); t.byUPN[k] == s {
		delete(t.byUPN, k)
	}
	if m := r.str("mail"); m != "" {
		drop(t.byMail, strings.ToLower(m), s)
	}
	if a := r.str("onPremisesImmutableId"); a != "" {
		drop(t.byAnchor, t.anchorKey(a), s)
	}
	for _, p := range r.strs("proxyAddresses") {
		if k := t.proxyKey(p); t.byProxy[k] == s {
			delete(t.byProxy, k)
		}
	}
}

func drop(m map[string][]*slot, key string, s *slot) {
	rest := slices.DeleteFunc(m[key], func(e *slot) bool { return e == s })
	if len(rest) == 0 {
		delete(m, key)
		return
	}
	m[key] = rest
}

// unique checks that r, the next version of s (nil for a new user, a deleted one
// when it comes back), takes no value that another user holds. The caller holds mu.
func (t *Tenant) unique(s *slot, r record) *apiError {
	if o := t.byUPN[t.upnKey(r.str("userPrincipalName"))]; o != nil && o != s {
		return t.conflict("userPrincipalName", o)
	}
	if o := t.deletedHolder(s, r.str("userPrincipalName")); o != nil {
		return t.conflict("userPrincipalName", o)
	}
	for _, p := range r.strs("proxyAddresses") {
		if o := t.byProxy[t.proxyKey(p)]; o != nil && o != s {
			return t.conflict("proxyAddresses", o)
		}
	}
	a := r.str("onPremisesImmutableId")
	// A live user keeps the anchor that it has, even if another has it too.
	if a == "" || s != nil && s.cur.str("onPremisesImmutableId") == a && s.deleted.IsZero() {
		return nil
	}
	if o := t.anchorHolder(s, a); o != nil {
		switch t.opts.Switches.DuplicateAnchor {
		case DuplicateAnchorAs500:
			return statusError(500)
		case DuplicateAnchorRefused:
			return t.conflict("onPremisesImmutableId", o)
		}
	}
	return nil
}

func (t *Tenant) anchorHolder(s *slot, anchor string) *slot {
	for _, o := range t.byAnchor[t.anchorKey(anchor)] {
		if o != s && o.cur.str("onPremisesImmutableId") == anchor {
			return o
		}
	}
	if t.opts.Switches.DeletedAnchorBlocks {
		for _, e := range t.bin.entries {
			if e.s != nil && e.s != s && e.s.cur.str("onPremisesImmutableId") == anchor {
				return e.s
			}
		}
	}
	return nil
}

// deletedHolder is the soft-deleted user that still blocks a name.
func (t *Tenant) deletedHolder(s *slot, upn string) *slot {
	if !t.opts.Switches.DeletedUPNBlocks {
		return nil
	}
	for _, e := range t.bin.entries {
		if e.s != nil && e.s != s && t.upnKey(e.s.liveUPN) == t.upnKey(upn) {
			return e.s
		}
	}
	return nil
}

// insert adds a new live object. The caller holds mu and has checked r.
func (t *Tenant) insert(s *slot) {
	t.seq++
	s.seq = t.seq
	t.slots[s.id] = s
	t.liveOf(s).add(s.seq, s)
	t.index(s, s.cur)
	t.changed(s)
}

// replace makes r the current version of a live object. The caller holds mu.
func (t *Tenant) replace(s *slot, r record, now time.Time) {
	if t.opts.Switches.LagUpdates && t.opts.Lag > 0 {
		if s.stale == nil || !now.Before(s.staleUntil) {
			s.stale = s.cur
		}
		s.staleUntil = now.Add(t.opts.Lag)
	}
	t.unindex(s, s.cur)
	s.cur = r
	t.index(s, r)
	t.changed(s)
}

// bury moves a live object into the bin. The caller holds mu.
func (t *Tenant) bury(s *slot, now time.Time) {
	t.unindex(s, s.cur)
	s.deleted, s.stale = now, s.cur
	s.liveUPN = s.cur.str("userPrincipalName")
	if !t.opts.Switches.DeletedUPNKept && !s.group {
		r := cloneRecord(s.cur)
		r["userPrincipalName"] = strings.ReplaceAll(s.id, "-", "") + s.liveUPN
		s.cur = r
	}
	if t.opts.Switches.LagDeletes && t.opts.Lag > 0 {
		s.ghost, s.ghostSeq = true, s.seq
		t.ghosts = append(t.ghosts, s)
	} else {
		s.stale = nil
		t.liveOf(s).remove(s.seq)
	}
	t.seq++
	s.seq = t.seq
	t.binOf(s).add(s.seq, s)
	t.changed(s)
	t.membershipsChanged(s)
}

// raise moves an object out of the bin as version r. The caller holds mu and has
// checked r.
func (t *Tenant) raise(s *slot, r record) {
	t.layGhost(s)
	t.binOf(s).remove(s.seq)
	s.deleted, s.liveUPN, s.cur, s.stale = time.Time{}, "", r, nil
	t.insert(s)
	t.membershipsChanged(s)
}

// purge forgets an object in the bin. The caller holds mu.
func (t *Tenant) purge(s *slot) {
	t.layGhost(s)
	t.binOf(s).remove(s.seq)
	t.refs.forget(s)
	delete(t.slots, s.id)
	t.changed(s)
}

func (t *Tenant) layGhost(s *slot) {
	if s.ghost {
		t.liveOf(s).remove(s.ghostSeq)
		s.ghost = false
	}
}

// sweep drops what time has ended: ghosts, and objects past their retention. It
// opens every write; the caller holds mu.
func (t *Tenant) sweep(now time.Time) {
	for len(t.ghosts) > 0 && (!t.ghosts[0].ghost || !now.Before(t.ghosts[0].deleted.Add(t.opts.Lag))) {
		t.layGhost(t.ghosts[0])
		t.ghosts = t.ghosts[1:]
	}
	for _, bin := range []*ordered{&t.bin, &t.groupBin} {
		for _, e := range bin.entries {
			if e.s == nil {
				continue
			}
			if !now.Before(e.s.deleted.Add(t.opts.Retention)) {
				t.purge(e.s) // one at a time is enough: reads look at the clock themselves
			}
			break
		}
	}
}

func cloneRecord(r record) record {
	c := make(record, len(r)+1)
	for k, v := range r {
		c[k] = v
	}
	return c
}
