package adsim

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// norm is the form in which two values of an attribute are compared.
func norm(def *attribute, v string) string {
	switch def.syntax {
	case octets, secDesc, sidValue, caseExact, replicaLink:
		return v
	case integer, enum, large:
		if n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
		return v
	case genTime, utcTime:
		if t, ok := parseTime(v); ok {
			return strconv.FormatInt(t.Unix(), 10)
		}
		return v
	default:
		return fold(v)
	}
}

func parseTime(v string) (time.Time, bool) {
	for _, layout := range []string{"20060102150405.0Z", "20060102150405Z", "060102150405Z", "20060102150405.000Z"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

// checkValue says whether v is a value of the attribute's syntax.
func checkValue(def *attribute, v string) error {
	ok := true
	switch def.syntax {
	case integer, enum:
		_, err := strconv.ParseInt(v, 10, 32)
		ok = err == nil
	case large:
		_, err := strconv.ParseInt(v, 10, 64)
		ok = err == nil
	case boolean:
		ok = v == "TRUE" || v == "FALSE"
	case genTime, utcTime:
		_, ok = parseTime(v)
	case octets, secDesc, replicaLink:
	default:
		ok = v != ""
	}
	if !ok {
		return fail(ldap.LDAPResultInvalidAttributeSyntax, "00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion operation, data 0, attribute %s", def.name)
	}
	return nil
}

// newState makes the state of an attribute from values as a client writes them.
func (d *Directory) newState(def *attribute, values []string, usn int64) (attrState, error) {
	s := attrState{def: def, usn: usn}
	if def.is(single) && len(values) > 1 {
		return s, fail(ldap.LDAPResultAttributeOrValueExists, "00002081: AtrErr: DSID-03151817, problem 1006 (ATT_OR_VALUE_EXISTS), data 0, attribute %s has one value only", def.name)
	}
	if def.syntax == dnRef {
		return s, d.appendRefs(&s, values, usn)
	}
	for _, v := range values {
		if err := checkValue(def, v); err != nil {
			return s, err
		}
	}
	if len(values) > 1 {
		seen := make(map[string]bool, len(values))
		for _, v := range values {
			n := norm(def, v)
			if seen[n] {
				return s, fail(ldap.LDAPResultAttributeOrValueExists, "00002083: AtrErr: DSID-03151817, problem 1006 (ATT_OR_VALUE_EXISTS), data 0, attribute %s", def.name)
			}
			seen[n] = true
		}
	}
	s.values = values
	return s, nil
}

// appendRefs adds references to s, which must own its slice. A removed link
// value that is set again is revived.
func (d *Directory) appendRefs(s *attrState, values []string, usn int64) error {
	at := make(map[GUID]int, len(s.refs))
	for i, r := range s.refs {
		at[r.target] = i
	}
	for _, v := range values {
		p, err := d.locate(v)
		if err != nil {
			return err
		}
		if p.rec == nil || p.rec.deleted && s.def.link != 0 {
			return d.noSuchObject(p)
		}
		if i, ok := at[p.rec.guid]; ok {
			if !s.refs[i].gone {
				return fail(ldap.LDAPResultEntryAlreadyExists, "00000562: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
			}
			s.refs[i] = ref{target: p.rec.guid, usn: usn}
			continue
		}
		at[p.rec.guid] = len(s.refs)
		s.refs = append(s.refs, ref{target: p.rec.guid, usn: usn})
	}
	return nil
}

// replaceRefs makes the links of s exactly values: kept ones keep their stamp,
// removed ones stay as gone.
func (d *Directory) replaceRefs(s *attrState, values []string, usn int64) error {
	want := attrState{def: s.def}
	if err := d.appendRefs(&want, values, usn); err != nil {
		return err
	}
	wanted := targets(want.refs)
	s.refs = slices.Clone(s.refs)
	for i, r := range s.refs {
		if !wanted[r.target] && !r.gone {
			s.refs[i].gone, s.refs[i].usn = true, usn
		}
		if wanted[r.target] && r.gone {
			s.refs[i].gone, s.refs[i].usn = false, usn
		}
		delete(wanted, r.target)
	}
	for _, r := range want.refs {
		if wanted[r.target] {
			s.refs = append(s.refs, r)
		}
	}
	return nil
}

// checkUnique refuses a sAMAccountName or UPN that another live object has.
func (d *Directory) checkUnique(rec *record) error {
	if v := rec.first(d.a.sam); v != "" {
		if g, ok := d.sam[fold(v)]; ok && g != rec.guid {
			return fail(ldap.LDAPResultEntryAlreadyExists, "00000524: UpdErr: DSID-031A11E2, problem 6005 (ENTRY_EXISTS), data 0")
		}
	}
	if v := rec.first(d.a.upn); v != "" {
		if g, ok := d.upn[fold(v)]; ok && g != rec.guid {
			return fail(ldap.LDAPResultConstraintViolation, "000021C8: AtrErr: DSID-03200EA1, problem 1005 (CONSTRAINT_ATT_TYPE), data 0, Att 90290 (userPrincipalName)")
		}
	}
	return nil
}
