package adsim

import (
	"slices"

	"github.com/go-ldap/ldap/v3"
)

// deletedObjects is the well-known GUID of CN=Deleted Objects.
const deletedObjects = "18E2EA80684F11D2B9AA00C04F79F805"

// Delete makes an object without children a tombstone, or, with the recycle bin
// on, a deleted object that keeps its attributes.
func (d *Directory) Delete(dn string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.lookup(dn, nil)
	if err != nil {
		return err
	}
	return d.delete(old)
}

// DeleteTree deletes an object and all below it, the lowest first, each with
// its own USN.
func (d *Directory) DeleteTree(dn string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.lookup(dn, nil)
	if err != nil {
		return err
	}
	return d.deleteTree(old)
}

func (d *Directory) deleteTree(top *record) error {
	for _, g := range slices.Clone(d.order) {
		if r := d.records[g]; r.parent == top.guid && !r.deleted && r.guid != r.nc {
			if err := d.deleteTree(r); err != nil {
				return err
			}
		}
	}
	return d.delete(d.records[top.guid])
}

func (d *Directory) delete(old *record) error {
	switch {
	case old.deleted:
		return d.noSuchObject(place{})
	case d.kids[old.guid] > 0:
		return fail(ldap.LDAPResultNotAllowedOnNonLeaf, "00002015: UpdErr: DSID-031A11EC, problem 6003 (CANT_ON_NON_LEAF), data 0")
	case old.guid == old.nc || old.first(d.a.isCritical) == "TRUE":
		return fail(ldap.LDAPResultUnwillingToPerform, "000020D6: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM), data 0: a system object")
	}
	bin, err := d.locate("CN=Deleted Objects," + d.headDN[old.nc])
	if err != nil || bin.rec == nil {
		return fail(ldap.LDAPResultUnwillingToPerform, "no CN=Deleted Objects in this naming context")
	}
	c := d.begin()
	rec := old.edit()
	if !d.opts.RecycleBin { // its links go without a word: they aren't reported as cleared
		rec.attrs = slices.DeleteFunc(rec.attrs, func(s attrState) bool { return s.def.forwardLink() })
	}
	for i := range rec.attrs {
		if s := &rec.attrs[i]; !s.empty() && !d.survives(s.def) {
			*s = attrState{def: s.def, usn: c.usn}
		}
	}
	if !d.opts.RecycleBin {
		d.unlinkAll(old.guid)
		rec.put(attrState{def: d.a.isRecycled, usn: c.usn, values: []string{"TRUE"}})
	} else {
		rec.put(attrState{def: theSchema().must("msDS-LastKnownRDN"), usn: c.usn, values: []string{old.first(d.a.name)}})
	}
	rec.put(attrState{def: d.a.isDeleted, usn: c.usn, values: []string{"TRUE"}})
	if !d.refersTo(old, d.a.lastKnownParent, old.parent) { // it stays from an earlier deletion
		rec.put(attrState{def: d.a.lastKnownParent, usn: c.usn, refs: []ref{{target: old.parent, usn: c.usn}}})
	}
	rec.lastParent = d.dnOf(d.records[old.parent])
	rec.parent, rec.deleted = bin.rec.guid, true
	d.nameIt(rec, old.first(d.a.name)+"\nDEL:"+old.guid.String(), c.usn)
	d.commit(c, d.records[old.guid], rec)
	return nil
}

// survives says whether an attribute stays on a deleted object (ad-facts.md 5).
func (d *Directory) survives(def *attribute) bool {
	if d.opts.RecycleBin {
		return def != d.a.objectCategory && def != d.a.samType
	}
	switch def {
	case d.a.objectClass, d.a.objectSid, d.a.sam, d.a.uac, d.a.name, d.a.instanceType, d.a.groupType, d.a.lastKnownParent:
		return true
	}
	switch def.name {
	case "legacyExchangeDN", "sIDHistory", "nTSecurityDescriptor":
		return true
	}
	return def.is(preserved)
}

// Undelete brings a deleted object back to life at dn, with what its tombstone
// kept.
func (d *Directory) Undelete(id GUID, dn string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old := d.records[id]
	if old == nil || !old.deleted {
		return d.noSuchObject(place{})
	}
	return d.undelete(old, dn, nil)
}

// undelete is the reanimation; mods are the other changes of the same modify
// request.
func (d *Directory) undelete(old *record, dn string, mods []Mod) error {
	p, err := d.locate(dn)
	switch {
	case err != nil:
		return err
	case p.rec != nil && p.rec.guid != old.guid:
		return fail(ldap.LDAPResultEntryAlreadyExists, "00002071: UpdErr: DSID-031B0DB5, problem 6005 (ENTRY_EXISTS), data 0")
	case p.parent == nil || p.parent.deleted || p.rec != nil:
		return d.noSuchObject(p)
	case p.rdn.typ != old.rdnType:
		return fail(ldap.LDAPResultNamingViolation, "00002099: NameErr: DSID-0305109C, problem 2005 (NAMING_VIOLATION), data 0")
	}
	if d.opts.Samba && d.opts.RecycleBin { // Samba 4.17 can't (ad-facts.md 5)
		return noSuchValue(d.a.isRecycled)
	}
	c := d.begin()
	rec := old.edit()
	rec.parent, rec.deleted = p.parent.guid, false
	for _, def := range []*attribute{d.a.isDeleted, d.a.isRecycled} {
		if s := rec.attr(def); s != nil && !s.empty() {
			rec.put(attrState{def: def, usn: c.usn})
		}
	}
	d.nameIt(rec, p.rdn.value, c.usn)
	if _, cls, err := structuralClass(rec.attr(d.a.objectClass).values); err == nil {
		d.revive(rec, cls, c.usn)
	}
	for _, m := range mods {
		if _, err := d.applyMod(rec, m, c.usn); err != nil {
			return err
		}
	}
	if err := d.checkUnique(rec); err != nil {
		return err
	}
	d.commit(c, old, rec)
	return nil
}

// revive gives an undeleted object back what AD computes: its category, and for
// accounts the attributes that every account has, accountExpires being 0 now.
func (d *Directory) revive(rec *record, cls *class, usn int64) {
	if !d.opts.RecycleBin && rec.first(d.a.sam) != "" {
		names := []string{"adminCount", "operatorCount"}
		if rec.first(d.a.uac) != "" {
			names = append(names, "accountExpires")
		}
		for _, name := range names {
			rec.put(attrState{def: theSchema().must(name), usn: usn, values: []string{"0"}})
		}
	}
	if s := rec.attr(d.a.objectCategory); s != nil && s.empty() {
		i := slices.IndexFunc(rec.attrs, func(s attrState) bool { return s.def == d.a.objectCategory })
		rec.attrs = slices.Delete(rec.attrs, i, i+1)
	}
	d.defaults(rec, cls, usn)
}
