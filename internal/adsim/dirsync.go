package adsim

import (
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

const (
	flagObjectSecurity = 0x1
	flagIncremental    = 0x80000000
)

// A syncPage is one answer to a DirSync search.
type syncPage struct {
	entries []*ber.Packet
	more    bool
	cookie  string
}

// A syncRun makes one page.
type syncRun struct {
	view
	query
	since       syncCookie
	all         bool
	wanted      map[*attribute]bool
	incremental bool
	bare        bool // deleted objects that may not be read come bare
}

// dirSync answers one DirSync search: the objects that changed after the
// cookie, each with the asked attributes that did.
func (d *Directory) dirSync(who *reader, s *searchRequest, c *controls) (syncPage, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	run, err := d.newSyncRun(who, s, c)
	if err != nil {
		return syncPage{}, err
	}
	limit, maxBytes := d.opts.DirSyncPage, max(c.dirSync.maxBytes, 0x100000)
	if s.sizeLimit > 0 && int(s.sizeLimit) < limit {
		limit = max(int(s.sizeLimit), min(100, limit))
	}
	var page syncPage
	var links []*ber.Packet
	size, count := int64(0), 0
	next := run.since
	for _, e := range d.log[d.logFrom(run.since.object+1):] {
		r := d.records[e.guid]
		if r.usnChanged != e.usn || r.nc != run.base.guid {
			continue
		}
		if !d.opts.Samba && (count >= limit || size >= maxBytes) {
			page.more = true
			break
		}
		object, link := run.entries(r)
		for _, p := range []*ber.Packet{object, link} {
			if p != nil {
				size += int64(p.Data.Len())
			}
		}
		if object != nil {
			page.entries = append(page.entries, object)
			count++
		}
		if link != nil {
			links = append(links, link)
		}
		next.object = e.usn
	}
	page.entries = append(page.entries, links...)
	if !page.more {
		next.object, next.property = d.usn, d.usn
	}
	page.cookie = next.encode(d.now())
	return page, nil
}

func (d *Directory) newSyncRun(who *reader, s *searchRequest, c *controls) (*syncRun, error) {
	ds := c.dirSync
	security := ds.flags&flagObjectSecurity != 0
	base, err := d.lookup(s.base, who)
	switch {
	case err != nil:
		return nil, err
	case !ds.critical:
		return nil, fail(ldap.LDAPResultOperationsError, "00000057: LdapErr: DSID-0C09079A, comment: the dirsync control must be critical, data 0")
	case ds.flagsLen > 4 && !d.opts.Samba:
		return nil, fail(ldap.LDAPResultUnavailableCriticalExtension, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0: dirsync flags of %d bytes", ds.flagsLen)
	case base.guid != base.nc && security:
		return nil, fail(ldap.LDAPResultUnwillingToPerform, "00002105: LdapErr: DSID-0C090B8A, comment: dirsync needs the root of a naming context, data 0")
	case base.guid != base.nc || !security && !who.admin() && !who.acct.GetChanges:
		return nil, fail(ldap.LDAPResultInsufficientAccessRights, "00002105: LdapErr: DSID-0C090B8A, comment: Error processing control, data 0: DS-Replication-Get-Changes")
	}
	since, err := decodeCookie(ds.cookie, d.opts.InvocationID)
	if err != nil {
		return nil, err
	}
	f, err := d.compile(s.filter)
	if err != nil {
		return nil, err
	}
	reads := *who
	reads.replicates = !security && !d.opts.Samba
	run := &syncRun{
		view:  view{d: d, who: &reads, names: dnCache{d: d}, extended: c.extendedDN, enc: newEncoder(s.typesOnly)},
		query: query{who: &reads, base: base, scope: ldap.ScopeWholeSubtree, filter: f, showDeleted: true},
		since: since, wanted: map[*attribute]bool{}, incremental: ds.flags&flagIncremental&0xffffffff != 0,
		bare: security && !d.opts.Samba,
	}
	sel := newSelection(s.attrs, true)
	run.all = len(s.attrs) == 0 || sel.all && (d.opts.Samba || len(s.attrs) == 1)
	for _, w := range sel.named {
		run.wanted[w.def] = true
	}
	return run, nil
}

// entries are what one changed object is given as: its attributes, and, as
// Windows does, its changed link values apart. Either may be nil.
func (v *syncRun) entries(r *record) (object, link *ber.Packet) {
	if !v.d.fits(&v.query, r) {
		if v.bare && r.deleted && r.usnChanged > v.since.property && v.filter.match(r) && !v.query.who.sees(v.d, r) {
			return v.enc.entry("<GUID="+r.guid.String()+">", []field{{"isDeleted", []string{"TRUE"}}, {"objectGUID", []string{string(r.guid[:])}}}), nil
		}
		return nil, nil
	}
	var fields, links []field
	for i := range r.attrs {
		s := &r.attrs[i]
		if !v.asks(r, s.def) || s.lastUSN() <= v.since.property {
			continue
		}
		switch {
		case s.def.forwardLink() && v.incremental && !r.deleted:
			links = append(links, v.linkValues(s)...)
		case s.def == v.d.a.lastKnownParent && !s.empty() && v.extended == 0:
			// comes with the GUID, asked for or not, and with the DN of then
			fields = append(fields, field{s.def.name, []string{"<GUID=" + s.refs[0].target.String() + ">;" + r.lastParent}})
		default:
			fields = append(fields, field{s.def.name, v.values(r, s.def)})
		}
	}
	if name := r.attr(v.d.a.name); name.usn > v.since.property && (v.all || v.wanted[v.d.a.parentGUID]) && r.parent != (GUID{}) {
		fields = append(fields, field{v.d.a.parentGUID.name, []string{string(r.parent[:])}})
	}
	if v.d.opts.Samba {
		fields, links = append(fields, links...), nil
	}
	return v.entry(r, fields), v.entry(r, links)
}

// asks says whether a kept attribute may come in a DirSync answer.
func (v *syncRun) asks(r *record, def *attribute) bool {
	if def.is(local) || def.is(constructed) || def == v.d.a.instanceType || fold(def.name) == fold(r.rdnType) {
		return false
	}
	return v.all || v.wanted[def]
}

// entry is nil if there is nothing to say about the object.
func (v *syncRun) entry(r *record, fields []field) *ber.Packet {
	if len(fields) == 0 {
		return nil
	}
	fields = append(fields, field{"objectGUID", []string{string(r.guid[:])}})
	if s := r.attr(v.d.a.instanceType); s != nil {
		fields = append(fields, field{"instanceType", s.values})
	}
	return v.enc.entry(v.dn(r), fields)
}

// linkValues are the link values that came (range=1-1) and went (range=0-0).
func (v *syncRun) linkValues(s *attrState) []field {
	var out []field
	for _, part := range []struct {
		suffix string
		gone   bool
	}{{";range=1-1", false}, {";range=0-0", true}} {
		var values []string
		for _, f := range s.refs {
			if t := v.d.records[f.target]; f.gone == part.gone && f.usn > v.since.property && t != nil {
				values = append(values, v.dn(t))
			}
		}
		if len(values) > 0 {
			out = append(out, field{s.def.name + part.suffix, values})
		}
	}
	return out
}
