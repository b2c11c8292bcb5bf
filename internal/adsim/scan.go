package adsim

import (
	"sort"

	"github.com/go-ldap/ldap/v3"
)

// A query is a search that has been checked and compiled.
type query struct {
	who         *reader
	base        *record
	scope       int64
	filter      filter
	showDeleted bool
}

// A cursor is how far a query has come. Objects are visited in the order of
// their creation, or of their last change if the filter sets a least
// uSNChanged; either way a later call goes on from where an earlier one ended,
// whatever was changed meanwhile.
type cursor struct{ at int64 }

// visit calls f with the objects of q after the cursor until f returns false;
// the cursor is moved past every object for which f returned true. Callers hold
// the lock.
func (d *Directory) visit(q *query, c *cursor, f func(*record) bool) {
	try := func(r *record, at int64) bool {
		if d.fits(q, r) && !f(r) {
			return false
		}
		c.at = at
		return true
	}
	switch {
	case q.scope == ldap.ScopeBaseObject:
		if c.at == 0 {
			try(d.records[q.base.guid], 1)
		}
	case q.filter.guid != nil:
		if r := d.records[*q.filter.guid]; r != nil && c.at == 0 {
			try(r, 1)
		}
	case q.filter.minUSN > 0:
		from := max(q.filter.minUSN, c.at+1)
		for _, e := range d.log[d.logFrom(from):] {
			if r := d.records[e.guid]; r.usnChanged == e.usn && !try(r, e.usn) {
				return
			}
		}
	default:
		i := sort.Search(len(d.order), func(i int) bool { return d.records[d.order[i]].usnCreated > c.at })
		for _, g := range d.order[i:] {
			if r := d.records[g]; !try(r, r.usnCreated) {
				return
			}
		}
	}
}

// logFrom is the place of the first change of at least this USN.
func (d *Directory) logFrom(usn int64) int {
	return sort.Search(len(d.log), func(i int) bool { return d.log[i].usn >= usn })
}

// fits says whether an object is in the query's scope, may be seen and matches.
func (d *Directory) fits(q *query, r *record) bool {
	if r.nc != q.base.nc || (r.deleted || r.bin) && !q.showDeleted {
		return false
	}
	switch q.scope {
	case ldap.ScopeBaseObject:
		if r.guid != q.base.guid {
			return false
		}
	case ldap.ScopeSingleLevel:
		if r.parent != q.base.guid {
			return false
		}
	default:
		if q.base.guid != q.base.nc && !d.within(r, q.base.guid) {
			return false
		}
	}
	return q.who.sees(d, r) && q.filter.match(r)
}
