package adsim

import (
	"github.com/go-ldap/ldap/v3"
)

// Rename gives an object another relative name, "CN=New name", in its place.
func (d *Directory) Rename(dn, newRDN string) error {
	return d.Move(dn, newRDN, "")
}

// Move puts an object under newParent with the relative name newRDN; either may
// be empty to keep it. What is below it moves along without a change of its own
// (ad-facts.md 2).
func (d *Directory) Move(dn, newRDN, newParent string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.lookup(dn, nil)
	if err != nil {
		return err
	}
	return d.move(old, newRDN, newParent)
}

func (d *Directory) move(old *record, newRDN, newParent string) error {
	if old.deleted {
		return d.noSuchObject(place{})
	}
	if old.guid == old.nc || old.first(d.a.isCritical) == "TRUE" {
		return fail(ldap.LDAPResultUnwillingToPerform, "000020A7: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0: a system object")
	}
	to := rdn{old.rdnType, old.first(d.a.name)}
	if newRDN != "" {
		steps, err := parseDN(newRDN)
		if err != nil || len(steps) != 1 {
			return fail(ldap.LDAPResultInvalidDNSyntax, "0000208F: NameErr: DSID-03100225, problem 2006 (BAD_NAME), data 8350")
		}
		to = steps[0]
	}
	if to.typ != old.rdnType {
		return fail(ldap.LDAPResultNamingViolation, "00002099: NameErr: DSID-0305109C, problem 2005 (NAMING_VIOLATION), data 0: named by %s", old.rdnType)
	}
	parent := d.records[old.parent]
	if newParent != "" {
		p, err := d.locate(newParent)
		if err != nil {
			return err
		}
		if p.rec == nil || p.rec.deleted {
			return d.noSuchObject(p)
		}
		parent = p.rec
	}
	if d.within(parent, old.guid) || parent.nc != old.nc {
		return fail(ldap.LDAPResultUnwillingToPerform, "00002089: UpdErr: DSID-030F0C83, problem 5003 (WILL_NOT_PERFORM), data 0")
	}
	if err := d.checkFree(old.guid, to, parent.guid); err != nil {
		return err
	}
	if parent.guid == old.parent && to.value == old.first(d.a.name) {
		return nil
	}
	c := d.begin()
	rec := old.edit()
	rec.parent = parent.guid
	d.nameIt(rec, to.value, c.usn)
	d.commit(c, old, rec)
	return nil
}

// within reports whether r is the object above or lies below it.
func (d *Directory) within(r *record, above GUID) bool {
	for r != nil {
		if r.guid == above {
			return true
		}
		r = d.records[r.parent]
	}
	return false
}

// checkFree refuses a place that another object has.
func (d *Directory) checkFree(self GUID, at rdn, parent GUID) error {
	if g, taken := d.names[at.key(parent)]; taken && g != self {
		return fail(ldap.LDAPResultEntryAlreadyExists, "00002071: UpdErr: DSID-031B0DB5, problem 6005 (ENTRY_EXISTS), data 0")
	}
	return nil
}
