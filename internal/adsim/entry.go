package adsim

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// A view writes objects for one search while the lock is held.
type view struct {
	d     *Directory
	who   *reader
	names dnCache

	extended  int // 0: plain DNs, 1: <GUID=…>;<SID=…>;DN in hexadecimal, 2: in text form
	rangeOpen bool
	enc       *encoder
}

func newView(d *Directory, who *reader, c *controls, enc *encoder) *view {
	return &view{d: d, who: who, names: dnCache{d: d}, extended: c.extendedDN, rangeOpen: c.rangeNoError, enc: enc}
}

// dn is an object's DN in the form that the client asked for.
func (v *view) dn(r *record) string {
	plain := v.names.of(r)
	if v.extended == 0 {
		return plain
	}
	sid := r.first(v.d.a.objectSid)
	guid := hex.EncodeToString(r.guid[:])
	if v.extended == 2 {
		guid = r.guid.String()
		sid = sidText(sid)
	} else {
		sid = hex.EncodeToString([]byte(sid))
	}
	out := "<GUID=" + guid + ">;"
	if sid != "" {
		out += "<SID=" + sid + ">;"
	}
	return out + plain
}

// A field is one attribute as an answer has it.
type field struct {
	name   string
	values []string
}

// values are all values of an attribute, kept or computed.
func (v *view) values(r *record, def *attribute) []string {
	switch {
	case def.name == "distinguishedName":
		return []string{v.dn(r)}
	case def.name == "subSchemaSubEntry":
		return []string{"CN=Aggregate," + v.d.schemaDN()}
	case def.name == "structuralObjectClass":
		return r.attr(v.d.a.objectClass).values
	case def.name == "canonicalName":
		return []string{v.canonical(r)}
	case def.syntax == dnRef:
		ids := v.d.targetsOf(r, def)
		out := make([]string, 0, len(ids))
		for _, g := range ids {
			if t := v.d.records[g]; t != nil && v.who.sees(v.d, t) {
				out = append(out, v.dn(t))
			}
		}
		return out
	}
	if s := r.attr(def); s != nil {
		return s.values
	}
	if x, ok := v.d.computed(r, def); ok {
		return []string{x}
	}
	return nil
}

func (v *view) canonical(r *record) string {
	if r.guid == r.nc && r.parent == (GUID{}) {
		return v.d.opts.Domain + "/"
	}
	parent := strings.TrimSuffix(v.canonical(v.d.records[r.parent]), "/")
	return parent + "/" + strings.ReplaceAll(r.first(v.d.a.name), "/", `\/`)
}

// A selection is what a search wants of each object.
type selection struct {
	all   bool
	named []selected
}

type selected struct {
	def    *attribute
	ranged bool
	lo, hi int // hi -1: to the end
}

// newSelection reads an attribute list. What the schema lacks is left out
// without an error, as AD does.
func newSelection(names []string, sambaRanges bool) selection {
	sel := selection{all: len(names) == 0}
	for _, n := range names {
		if n == "*" {
			sel.all = true
			continue
		}
		base, options, _ := strings.Cut(n, ";")
		def := theSchema().attr(base)
		if def == nil {
			continue
		}
		s := selected{def: def}
		if text, ok := strings.CutPrefix(fold(options), "range="); ok && !(sambaRanges && options != fold(options)) {
			s.lo, s.hi, s.ranged = parseRange(text)
		}
		if !slices.ContainsFunc(sel.named, func(have selected) bool { return have.def == def && have.ranged == s.ranged }) {
			sel.named = append(sel.named, s)
		}
	}
	return sel
}

func parseRange(text string) (lo, hi int, ok bool) {
	a, b, found := strings.Cut(text, "-")
	lo, err := strconv.Atoi(a)
	if err != nil || !found || lo < 0 {
		return 0, 0, false
	}
	if b == "*" {
		return lo, -1, true
	}
	hi, err = strconv.Atoi(b)
	return lo, hi, err == nil && hi >= lo
}

// fields are the attributes of r that a selection asks for.
func (v *view) fields(r *record, sel selection) ([]field, error) {
	var out []field
	if !v.who.reads(r) {
		return nil, nil
	}
	add := func(s selected) error {
		fs, err := v.ranged(r, s)
		out = append(out, fs...)
		return err
	}
	if sel.all {
		out = make([]field, 0, len(r.attrs)+8)
		for _, def := range theSchema().ordered {
			if !unasked(def) || slices.ContainsFunc(sel.named, func(s selected) bool { return s.def == def && s.ranged }) {
				continue
			}
			if err := add(selected{def: def}); err != nil {
				return nil, err
			}
		}
	}
	for _, s := range sel.named {
		if sel.all && unasked(s.def) && !s.ranged {
			continue
		}
		if err := add(s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// ranged gives one attribute, in pieces when it has more values than the server
// gives at once.
func (v *view) ranged(r *record, s selected) ([]field, error) {
	values := v.values(r, s.def)
	n, most := len(values), v.d.opts.MaxValRange
	if n == 0 {
		return nil, nil
	}
	if !s.ranged {
		if v.d.opts.SambaRanges || n <= most {
			return []field{{s.def.name, values}}, nil
		}
		return []field{{s.def.name, nil}, {fmt.Sprintf("%s;range=0-%d", s.def.name, most-1), values[:most]}}, nil
	}
	if s.lo >= n {
		if v.d.opts.SambaRanges || v.rangeOpen {
			return []field{{fmt.Sprintf("%s;range=%d-*", s.def.name, s.lo), nil}}, nil
		}
		return nil, fail(ldap.LDAPResultOperationsError, "00002121: LdapErr: DSID-0C090D8A, comment: range is past the end of %s, data 0", s.def.name)
	}
	end := n
	if s.hi >= 0 {
		end = min(end, s.hi+1)
	}
	if !v.d.opts.SambaRanges {
		end = min(end, s.lo+most)
	}
	hi := "*"
	if end < n {
		hi = strconv.Itoa(end - 1)
	}
	return []field{{fmt.Sprintf("%s;range=%d-%s", s.def.name, s.lo, hi), values[s.lo:end]}}, nil
}
