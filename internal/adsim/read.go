package adsim

import (
	"fmt"
	"slices"
	"strconv"
)

// anyValue reports whether any value of an attribute, kept or computed, fits.
func (d *Directory) anyValue(r *record, def *attribute, fits func(string) bool) bool {
	if s := r.attr(def); s != nil {
		return slices.ContainsFunc(s.values, fits)
	}
	v, ok := d.computed(r, def)
	return ok && fits(v)
}

// hasValue reports whether an attribute has any value.
func (d *Directory) hasValue(r *record, def *attribute) bool {
	if def.name == "distinguishedName" {
		return true
	}
	if def.syntax == dnRef {
		return len(d.targetsOf(r, def)) > 0
	}
	return d.anyValue(r, def, func(string) bool { return true })
}

// refersTo reports whether a DN-valued attribute holds a reference to target.
func (d *Directory) refersTo(r *record, def *attribute, target GUID) bool {
	if def.backLink() {
		return slices.Contains(d.back[backKey{r.guid, def.link - 1}], target)
	}
	s := r.attr(def)
	if s == nil {
		return false
	}
	return slices.ContainsFunc(s.refs, func(f ref) bool { return f.target == target && !f.gone })
}

// targetsOf are the objects that a DN-valued attribute points to: those that
// are there to be seen. Links to and from deleted objects, which the recycle
// bin keeps, are not.
func (d *Directory) targetsOf(r *record, def *attribute) []GUID {
	if def.backLink() {
		return d.alive(d.back[backKey{r.guid, def.link - 1}])
	}
	s := r.attr(def)
	if s == nil {
		return nil
	}
	out := make([]GUID, 0, len(s.refs))
	for _, f := range s.refs {
		if !f.gone {
			out = append(out, f.target)
		}
	}
	if def.link == 0 {
		return out
	}
	return d.alive(out)
}

func (d *Directory) alive(ids []GUID) []GUID {
	dead := func(g GUID) bool { return d.records[g] == nil || d.records[g].deleted }
	if !slices.ContainsFunc(ids, dead) {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), dead)
}

// computed gives the single value of an attribute that isn't kept as one.
func (d *Directory) computed(r *record, def *attribute) (string, bool) {
	switch def.name {
	case "objectGUID":
		return string(r.guid[:]), true
	case "parentGUID":
		return string(r.parent[:]), r.parent != (GUID{})
	case "uSNChanged":
		return strconv.FormatInt(r.usnChanged, 10), true
	case "uSNCreated":
		return strconv.FormatInt(r.usnCreated, 10), true
	case "whenChanged", "modifyTimeStamp":
		return generalizedTime(r.changed), true
	case "whenCreated", "createTimeStamp":
		return generalizedTime(r.created), true
	case "msDS-User-Account-Control-Computed":
		return "0", r.first(d.a.uac) != ""
	case "primaryGroupToken":
		v := r.first(d.a.objectSid)
		if r.first(d.a.groupType) == "" || len(v) < 4 {
			return "", false
		}
		return fmt.Sprint(uint32(v[len(v)-4]) | uint32(v[len(v)-3])<<8 | uint32(v[len(v)-2])<<16 | uint32(v[len(v)-1])<<24), true
	}
	return "", false
}

// unasked reports whether a search gives an attribute without its being named.
func unasked(def *attribute) bool { return !def.is(constructed) && !operational[def.name] }

// operational attributes are kept or cheap to know, but come only by name.
var operational = map[string]bool{
	"createTimeStamp": true, "modifyTimeStamp": true, "structuralObjectClass": true, "parentGUID": true,
	"primaryGroupToken": true, "msDS-User-Account-Control-Computed": true, "subSchemaSubEntry": true, "tokenGroups": true,
	"msDS-PrincipalName": true, "canonicalName": true,
}
