package adsim

import (
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// A Mod changes one attribute.
type Mod struct {
	op     int64 // as on the wire: 0 add, 1 delete, 2 replace
	name   string
	values []string
}

// Replace makes the values of an attribute exactly these; none clears it.
func Replace(name string, values ...string) Mod { return Mod{2, name, values} }

// AddValues adds values to an attribute.
func AddValues(name string, values ...string) Mod { return Mod{0, name, values} }

// DeleteValues removes values from an attribute; none removes all.
func DeleteValues(name string, values ...string) Mod { return Mod{1, name, values} }

// Modify changes attributes of one object in one transaction. Writing what is
// there already uses no USN.
func (d *Directory) Modify(dn string, mods ...Mod) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	old, err := d.lookup(dn, nil)
	if err != nil {
		return err
	}
	if old.deleted {
		return d.noSuchObject(place{})
	}
	return d.modify(old, mods)
}

func (d *Directory) modify(old *record, mods []Mod) error {
	c := d.begin()
	rec := old.edit()
	changed := false
	for _, m := range mods {
		ok, err := d.applyMod(rec, m, c.usn)
		if err != nil {
			return err
		}
		changed = changed || ok
	}
	if !changed {
		return nil
	}
	if err := d.checkUnique(rec); err != nil {
		return err
	}
	d.commit(c, old, rec)
	return nil
}

// applyMod changes one attribute of rec and reports whether anything changed.
func (d *Directory) applyMod(rec *record, m Mod, usn int64) (bool, error) {
	def := theSchema().attr(m.name)
	if def == nil {
		return false, fail(ldap.LDAPResultNoSuchAttribute, "00000057: LdapErr: DSID-0C090E85, comment: Error in attribute conversion operation, data 0: no attribute %s", m.name)
	}
	if strings.EqualFold(def.name, rec.rdnType) || def == d.a.name {
		return false, fail(ldap.LDAPResultNotAllowedOnRDN, "000020B1: UpdErr: DSID-030F1230, problem 6004 (CANT_ON_RDN), data 0")
	}
	if def.is(systemOnly) || def.is(constructed) || def.backLink() || def == d.a.objectClass || def == d.a.objectGUID {
		return false, fail(ldap.LDAPResultConstraintViolation, "000020B1: AtrErr: DSID-030F1230, problem 1005 (CONSTRAINT_ATT_TYPE), data 0: %s is the system's own", def.name)
	}
	state := rec.attr(def)
	if state == nil {
		state = &attrState{def: def}
	}
	var next attrState
	var err error
	if def.syntax == dnRef {
		next, err = d.modRefs(*state, m, usn)
	} else {
		next, err = d.modValues(*state, m, usn)
	}
	if err != nil {
		return false, err
	}
	if next.usn != usn && next.lastUSN() != usn {
		return false, nil
	}
	rec.put(next)
	return true, nil
}

// modValues applies m to an attribute that is no reference. The returned state
// has usn only if something changed.
func (d *Directory) modValues(s attrState, m Mod, usn int64) (attrState, error) {
	def := s.def
	switch m.op {
	case 2:
		next, err := d.newState(def, slices.Clone(m.values), usn)
		if err != nil || sameValues(s.values, m.values) {
			return s, err
		}
		return next, nil
	case 0:
		all := slices.Concat(s.values, m.values)
		if def.is(single) && len(s.values) > 0 {
			return s, fail(ldap.LDAPResultAttributeOrValueExists, "00002083: AtrErr: DSID-03151817, problem 1006 (ATT_OR_VALUE_EXISTS), data 0, attribute %s", def.name)
		}
		return d.newState(def, all, usn)
	}
	if s.empty() {
		return s, noSuchValue(def)
	}
	rest := slices.Clone(s.values)
	for _, v := range m.values {
		i := slices.IndexFunc(rest, func(have string) bool { return norm(def, have) == norm(def, v) })
		if i < 0 {
			return s, noSuchValue(def)
		}
		rest = slices.Delete(rest, i, i+1)
	}
	if len(m.values) == 0 {
		rest = nil
	}
	s.values, s.usn = rest, usn
	return s, nil
}

// modRefs applies m to an attribute of references.
func (d *Directory) modRefs(s attrState, m Mod, usn int64) (attrState, error) {
	def := s.def
	if def.is(single) && (len(m.values) > 1 || m.op == 0 && !s.empty()) {
		return s, fail(ldap.LDAPResultAttributeOrValueExists, "00002083: AtrErr: DSID-03151817, problem 1006 (ATT_OR_VALUE_EXISTS), data 0, attribute %s", def.name)
	}
	s.refs = slices.Clone(s.refs)
	switch m.op {
	case 0:
		return s, d.appendRefs(&s, m.values, usn)
	case 2:
		return s, d.replaceRefs(&s, m.values, usn)
	}
	if s.empty() && len(m.values) == 0 {
		return s, noSuchValue(def)
	}
	var gone map[GUID]bool
	if len(m.values) > 0 {
		gone = make(map[GUID]bool, len(m.values))
		for _, v := range m.values {
			p, err := d.locate(v)
			if err != nil {
				return s, err
			}
			if p.rec == nil || !slices.ContainsFunc(s.refs, func(r ref) bool { return r.target == p.rec.guid && !r.gone }) {
				return s, fail(ldap.LDAPResultUnwillingToPerform, "00000561: SvcErr: DSID-031A1254, problem 5003 (WILL_NOT_PERFORM), data 0")
			}
			gone[p.rec.guid] = true
		}
	}
	for i, r := range s.refs {
		if !r.gone && (gone == nil || gone[r.target]) {
			s.refs[i].gone, s.refs[i].usn = true, usn
		}
	}
	return s, nil
}

func noSuchValue(def *attribute) error {
	return fail(ldap.LDAPResultNoSuchAttribute, "00002085: AtrErr: DSID-03151817, problem 1001 (NO_ATTRIBUTE_OR_VAL), data 0, attribute %s", def.name)
}

// sameValues reports whether two value sets are byte for byte the same; a
// change of case alone is a change.
func sameValues(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) == 1 {
		return a[0] == b[0]
	}
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}
