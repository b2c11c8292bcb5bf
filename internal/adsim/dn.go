package adsim

import (
	"encoding/hex"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// escapeRDN writes a value as Active Directory writes it in a DN: RFC 4514's
// escapes, and \0A for the line feed in the names of tombstones.
func escapeRDN(v string) string {
	v = ldap.EscapeDN(v)
	if strings.ContainsAny(v, "\r\n=") {
		v = strings.NewReplacer("\n", `\0A`, "\r", `\0D`, "=", `\=`).Replace(v)
	}
	return v
}

// An rdn is one step of a DN. Names with several values (cn=a+sn=b) don't exist
// in Active Directory.
type rdn struct{ typ, value string }

func parseDN(s string) ([]rdn, error) {
	parsed, err := ldap.ParseDN(s)
	if err != nil {
		return nil, fail(ldap.LDAPResultInvalidDNSyntax, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350: %v", err)
	}
	out := make([]rdn, 0, len(parsed.RDNs))
	for _, r := range parsed.RDNs {
		if len(r.Attributes) != 1 {
			return nil, fail(ldap.LDAPResultInvalidDNSyntax, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350: multi-valued RDN")
		}
		out = append(out, rdn{strings.ToUpper(r.Attributes[0].Type), r.Attributes[0].Value})
	}
	return out, nil
}

// nameKey finds an object by its place.
type nameKey struct {
	parent GUID
	rdn    string // folded "CN=value"
}

func (r rdn) key(parent GUID) nameKey { return nameKey{parent, fold(r.typ + "=" + r.value)} }

// A place is what a DN leads to.
type place struct {
	rec     *record // nil if nothing is there
	parent  *record // set if it is there
	rdn     rdn
	matched *record // the nearest object above that exists
}

// locate walks a DN from the naming context down. Callers hold the lock.
func (d *Directory) locate(s string) (place, error) {
	if rec, special, err := d.bySpecialDN(s); special {
		p := place{rec: rec}
		if rec != nil {
			p.parent, p.rdn = d.records[rec.parent], rdn{rec.rdnType, rec.first(d.a.name)}
		}
		return p, err
	}
	steps, err := parseDN(s)
	if err != nil {
		return place{}, err
	}
	for i := range steps {
		head, ok := d.heads[headKey(steps[i:])]
		if !ok {
			continue
		}
		at := d.records[head]
		for j := i - 1; j >= 0; j-- {
			next := d.records[d.names[steps[j].key(at.guid)]]
			if next == nil {
				if j == 0 {
					return place{parent: at, rdn: steps[0], matched: at}, nil
				}
				return place{matched: at, rdn: steps[0]}, nil
			}
			at = next
		}
		return place{rec: at, parent: d.records[at.parent], rdn: steps[0]}, nil
	}
	return place{}, nil
}

// headKey is the folded DN of a naming context's head.
func headKey(steps []rdn) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteString(fold(s.typ + "=" + s.value + ","))
	}
	return b.String()
}

// bySpecialDN finds <GUID=…>, <SID=…> and <WKGUID=…,DN>, whatever follows.
func (d *Directory) bySpecialDN(s string) (rec *record, special bool, err error) {
	if !strings.HasPrefix(s, "<") {
		return nil, false, nil
	}
	inner, _, ok := strings.Cut(s[1:], ">")
	kind, value, ok2 := strings.Cut(inner, "=")
	if !ok || !ok2 {
		return nil, true, fail(ldap.LDAPResultInvalidDNSyntax, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350")
	}
	switch strings.ToUpper(kind) {
	case "GUID":
		g, err := ParseGUID(value)
		if err != nil {
			return nil, true, fail(ldap.LDAPResultInvalidDNSyntax, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350: %v", err)
		}
		return d.records[g], true, nil
	case "SID":
		raw, err := hex.DecodeString(value)
		for _, g := range d.order {
			r := d.records[g]
			if v := r.first(d.a.objectSid); v != "" && (sidText(v) == strings.ToUpper(value) || err == nil && v == string(raw)) {
				return r, true, nil
			}
		}
		return nil, true, nil
	case "WKGUID":
		id, _, _ := strings.Cut(value, ",")
		return d.records[d.wellKnown[strings.ToUpper(id)]], true, nil
	}
	return nil, true, fail(ldap.LDAPResultInvalidDNSyntax, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350")
}

// lookup finds the object at a DN; hidden from this reader is as absent.
func (d *Directory) lookup(dn string, who *reader) (*record, error) {
	p, err := d.locate(dn)
	if err != nil {
		return nil, err
	}
	if p.rec == nil || !who.sees(d, p.rec) {
		return nil, d.noSuchObject(p)
	}
	return p.rec, nil
}

func (d *Directory) noSuchObject(p place) error {
	e := fail(ldap.LDAPResultNoSuchObject, "0000208D: NameErr: DSID-03100238, problem 2001 (NO_OBJECT), data 0, best match of: ''").(*ldap.Error)
	if p.matched != nil {
		e.MatchedDN = d.dnOf(p.matched)
	}
	return e
}

// dnOf is the DN of an object now.
func (d *Directory) dnOf(r *record) string { return (&dnCache{d: d}).of(r) }

// A dnCache remembers the DNs of parents while many children are written. It is
// good only while the lock is held.
type dnCache struct {
	d       *Directory
	parents map[GUID]string
}

func (c *dnCache) of(r *record) string {
	if r.guid == r.nc {
		return c.d.headDN[r.guid]
	}
	return r.rdnType + "=" + escapeRDN(r.first(c.d.a.name)) + "," + c.parent(r.parent)
}

func (c *dnCache) parent(g GUID) string {
	if dn, ok := c.parents[g]; ok {
		return dn
	}
	p := c.d.records[g]
	if p == nil {
		return "" // a parent is never removed before its children
	}
	dn := c.of(p)
	if c.parents == nil {
		c.parents = map[GUID]string{}
	}
	c.parents[g] = dn
	return dn
}
