package adsim

import (
	"math/rand/v2"
	"slices"
)

// Replica makes a second domain controller of the same domain: the same objects
// with their GUIDs and SIDs, but a database of its own, with its own
// invocationId and USNs that have nothing to do with the first one's. Later
// changes come by [Directory.Pull] only. host is its name without the domain,
// "dc2"; it panics if there is such a domain controller already.
func (d *Directory) Replica(host string) *Directory {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &Directory{opts: d.opts, a: d.a, rng: rand.New(rand.NewPCG(d.opts.Seed, d.rng.Uint64()))}
	r.opts.Host, r.opts.InvocationID = host, d.newGUID()
	d.makeServer(host, r.opts.InvocationID)
	r.state, r.pulled = d.state.clone(), d.usn
	r.renumber()
	return r
}

// renumber gives every object USNs of this database: higher ones than the
// first's, and in the opposite order.
func (d *Directory) renumber() {
	slices.Reverse(d.order)
	d.log = nil
	d.usn += 5000
	for _, g := range d.order {
		d.usn++
		rec := d.records[g].edit()
		for i := range rec.attrs {
			restamp(&rec.attrs[i], 0, d.usn, nil)
		}
		rec.usnCreated, rec.usnChanged = d.usn, d.usn
		d.records[g] = rec
		d.log = append(d.log, logEntry{d.usn, g})
	}
}

// Pull replicates what changed in from since the last Pull, or since the
// Replica was made. Replication goes this one way: a change made here to the
// same object is lost.
func (d *Directory) Pull(from *Directory) {
	from.mu.RLock()
	defer from.mu.RUnlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range from.log[from.logFrom(d.pulled+1):] {
		theirs := from.records[e.guid]
		if theirs.usnChanged != e.usn {
			continue
		}
		old, c := d.records[e.guid], d.begin()
		rec := theirs.edit()
		for i := range rec.attrs {
			var mine *attrState
			if old != nil {
				mine = old.attr(rec.attrs[i].def)
			}
			restamp(&rec.attrs[i], d.pulled, c.usn, mine)
		}
		if old != nil {
			rec.usnCreated = old.usnCreated
			if rec.deleted && !d.opts.RecycleBin {
				d.unlinkAll(rec.guid)
				old = d.records[rec.guid]
			}
		}
		created := rec.created
		d.commit(c, old, rec)
		rec.created = created
	}
	d.nextRID = max(d.nextRID, from.nextRID)
	d.pulled = from.usn
}

// restamp gives the parts of an attribute that are newer than since a stamp of
// this database; the others keep the stamp that they have here.
func restamp(s *attrState, since, usn int64, mine *attrState) {
	switch {
	case s.usn > since:
		s.usn = usn
	case mine != nil:
		s.usn = mine.usn
	}
	if len(s.refs) == 0 {
		return
	}
	s.refs = slices.Clone(s.refs)
	for i := range s.refs {
		f := &s.refs[i]
		if f.usn > since {
			f.usn = usn
			continue
		}
		if mine == nil {
			continue
		}
		if at := slices.IndexFunc(mine.refs, func(m ref) bool { return m.target == f.target }); at >= 0 {
			f.usn = mine.refs[at].usn
		}
	}
}
