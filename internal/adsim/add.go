package adsim

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Attrs are attribute values by name, in any case.
type Attrs map[string][]string

// Add makes an object. objectClass may be the structural class alone; AD's own
// attributes (objectSid, sAMAccountType, instanceType, …) are made as AD makes
// them. A user without userAccountControl is 546, which is disabled, as in AD.
// An objectGUID may be given.
func (d *Directory) Add(dn string, attrs Attrs) (GUID, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.add(dn, attrs)
}

func (d *Directory) add(dn string, attrs Attrs) (GUID, error) {
	p, err := d.locate(dn)
	switch {
	case err != nil:
		return GUID{}, err
	case p.rec != nil:
		return GUID{}, fail(ldap.LDAPResultEntryAlreadyExists, "00002071: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
	case p.parent == nil || p.parent.deleted:
		return GUID{}, d.noSuchObject(p)
	}
	return d.insert(p.parent, p.parent.nc, p.rdn, attrs)
}

// insert puts a new object under parent, which is nil for the head of a naming
// context.
func (d *Directory) insert(parent *record, nc GUID, at rdn, attrs Attrs) (GUID, error) {
	c := d.begin()
	rec := &record{nc: nc, rdnType: at.typ}
	if parent != nil {
		rec.parent = parent.guid
	}
	classes, cls, err := structuralClass(valuesOf(attrs, "objectClass"))
	if err != nil {
		return GUID{}, err
	}
	if !strings.EqualFold(cls.rdn, at.typ) {
		return GUID{}, fail(ldap.LDAPResultNamingViolation, "00002099: NameErr: DSID-0305109C, problem 2005 (NAMING_VIOLATION), data 0: %s is named by %s", cls.name, cls.rdn)
	}
	rec.attrs = make([]attrState, 0, len(attrs)+22)
	if err := d.given(rec, attrs, c.usn); err != nil {
		return GUID{}, err
	}
	if rec.guid == (GUID{}) {
		rec.guid = d.newGUID()
	}
	if d.records[rec.guid] != nil {
		return GUID{}, fail(ldap.LDAPResultEntryAlreadyExists, "00002071: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0: objectGUID is in use")
	}
	if rec.nc == (GUID{}) {
		rec.nc = rec.guid
	}
	rec.put(attrState{def: d.a.objectClass, usn: c.usn, values: classes})
	rec.bin = rec.first(d.a.isDeleted) == "TRUE"
	d.nameIt(rec, at.value, c.usn)
	d.defaults(rec, cls, c.usn)
	if err := d.checkUnique(rec); err != nil {
		return GUID{}, err
	}
	rec.attrs = slices.Clone(rec.attrs) // without the spare room
	d.commit(c, nil, rec)
	return rec.guid, nil
}

// given puts the attributes that the caller gave into rec.
func (d *Directory) given(rec *record, attrs Attrs, usn int64) error {
	for _, name := range slices.Sorted(maps.Keys(attrs)) {
		values := attrs[name]
		def := theSchema().attr(name)
		switch {
		case def == nil:
			return fail(ldap.LDAPResultNoSuchAttribute, "00000057: LdapErr: DSID-0C090E85, comment: Error in attribute conversion operation, data 0: no attribute %s", name)
		case def == d.a.objectClass || def == d.a.name || def.name == "distinguishedName" || strings.EqualFold(def.name, rec.rdnType):
			continue // made from the DN and the class
		case def == d.a.objectGUID:
			if len(values) != 1 || len(values[0]) != 16 {
				return fail(ldap.LDAPResultInvalidAttributeSyntax, "objectGUID has 16 bytes")
			}
			copy(rec.guid[:], values[0])
			continue
		case len(values) == 0:
			continue
		}
		s, err := d.newState(def, slices.Clone(values), usn)
		if def.syntax == dnRef && ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
			return fail(ldap.LDAPResultConstraintViolation, "000020B5: AtrErr: DSID-03152804, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, %s names no object", def.name)
		}
		if err != nil {
			return err
		}
		rec.put(s)
	}
	return nil
}

// nameIt gives rec its relative name.
func (d *Directory) nameIt(rec *record, value string, usn int64) {
	name := []string{value}
	rec.put(attrState{def: d.a.name, usn: usn, values: name})
	rec.put(attrState{def: theSchema().must(rec.rdnType), usn: usn, values: name})
}

// structuralClass completes objectClass and finds the class that counts: the
// most derived one.
func structuralClass(given []string) ([]string, *class, error) {
	s := theSchema()
	var best []string
	for _, name := range given {
		chain := s.chain(name)
		if chain == nil {
			return nil, nil, fail(ldap.LDAPResultNoSuchAttribute, "00000057: LdapErr: DSID-0C090E85, comment: Error in attribute conversion operation, data 0: no class %s", name)
		}
		if len(chain) > len(best) {
			best = chain
		}
	}
	if len(best) < 2 {
		return nil, nil, fail(ldap.LDAPResultObjectClassViolation, "0000207B: UpdErr: DSID-030511B9, problem 6002 (OBJ_CLASS_VIOLATION), data 0")
	}
	return best, s.classes[strings.ToLower(best[len(best)-1])], nil
}

// commonValues are the values that most accounts have: one copy serves all.
var commonValues = map[string][]string{
	"0": {"0"}, "4": {"4"}, "513": {"513"}, "805306368": {"805306368"}, never: {never}, "TRUE": {"TRUE"},
}

func oneValue(v string) []string {
	if shared := commonValues[v]; shared != nil {
		return shared
	}
	return []string{v}
}

// never is accountExpires of an account without an end.
const never = "9223372036854775807"

// defaults gives rec what AD makes itself, where the caller gave nothing.
func (d *Directory) defaults(rec *record, cls *class, usn int64) {
	set := func(name, value string) {
		def := theSchema().must(name)
		if s := rec.attr(def); s == nil || s.empty() {
			rec.put(attrState{def: def, usn: usn, values: oneValue(value)})
		}
	}
	set("instanceType", "4")
	d.setCategory(rec, cls, usn)
	chain := rec.attr(d.a.objectClass).values
	switch {
	case slices.Contains(chain, "user"):
		uac, group, accountType := "546", "513", "805306368"
		if cls.name == "computer" {
			uac, group, accountType = "4130", "515", "805306369"
			set("isCriticalSystemObject", "FALSE")
		}
		set("userAccountControl", uac)
		set("primaryGroupID", group)
		set("sAMAccountType", accountType)
		set("accountExpires", never)
		for _, name := range []string{"badPwdCount", "codePage", "countryCode", "badPasswordTime", "lastLogoff", "lastLogon", "logonCount", "pwdLastSet"} {
			set(name, "0")
		}
	case cls.name == "group":
		set("groupType", "-2147483646")
		set("sAMAccountType", groupAccountType(rec.first(d.a.groupType)))
	default:
		return
	}
	set("objectSid", sidBytes(d.domainSID(), d.nextRID+103))
	d.nextRID++
	set("sAMAccountName", fmt.Sprintf("$%X-%X", rec.guid[:3], rec.guid[10:16]))
}

func (d *Directory) setCategory(rec *record, cls *class, usn int64) {
	dn := "CN=" + cls.category + "," + d.schemaDN()
	if p, err := d.locate(dn); err == nil && p.rec != nil && rec.attr(d.a.objectCategory) == nil {
		rec.put(attrState{def: d.a.objectCategory, usn: usn, refs: []ref{{target: p.rec.guid, usn: usn}}})
	}
}

// groupAccountType is the sAMAccountType that goes with a groupType.
func groupAccountType(groupType string) string {
	t, _ := strconv.ParseInt(groupType, 10, 64)
	switch {
	case t&0x80000000 != 0 && t&4 != 0:
		return "536870912"
	case t&0x80000000 != 0:
		return "268435456"
	case t&4 != 0:
		return "536870913"
	}
	return "268435457"
}

func valuesOf(attrs Attrs, name string) []string {
	for k, v := range attrs {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return nil
}
