package adsim

import (
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Matching rules of Active Directory.
const (
	ruleBitAnd  = "1.2.840.113556.1.4.803"
	ruleBitOr   = "1.2.840.113556.1.4.804"
	ruleInChain = "1.2.840.113556.1.4.1941"
)

// A matcher says whether an object fits a filter. Callers hold the lock.
type matcher func(*record) bool

func nothing(*record) bool { return false }

// A filter is a compiled search filter.
type filter struct {
	match matcher

	// Narrowings that an index can use; set if the filter demands them.
	guid   *GUID
	minUSN int64
}

// compile turns the BER form of a filter (go-ldap makes it from text, and
// clients send it) into a matcher. Attributes that the schema lacks match
// nothing and are no error, as in AD.
func (d *Directory) compile(p *ber.Packet) (filter, error) {
	f := filter{}
	var err error
	f.match, err = d.matcher(p)
	if err == nil {
		f.narrow(d, p)
	}
	return f, err
}

// narrow finds demands for one objectGUID or a least uSNChanged at the top.
func (f *filter) narrow(d *Directory, p *ber.Packet) {
	switch p.Tag {
	case ldap.FilterAnd:
		for _, c := range p.Children {
			f.narrow(d, c)
		}
	case ldap.FilterEqualityMatch:
		if name, value := assertion(p); strings.EqualFold(name, "objectGUID") && len(value) == 16 {
			g := GUID([]byte(value))
			f.guid = &g
		}
	case ldap.FilterGreaterOrEqual:
		if name, value := assertion(p); strings.EqualFold(name, "uSNChanged") {
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				f.minUSN = max(f.minUSN, n)
			}
		}
	}
}

func badFilter(why string) error {
	return fail(ldap.LDAPResultProtocolError, "0000203D: LdapErr: DSID-0C090E16, comment: Error decoding ldap message, data 0: filter: %s", why)
}

func (d *Directory) matcher(p *ber.Packet) (matcher, error) {
	if p.ClassType != ber.ClassContext {
		return nil, badFilter("unexpected class")
	}
	switch p.Tag {
	case ldap.FilterAnd, ldap.FilterOr:
		all := make([]matcher, len(p.Children))
		for i, c := range p.Children {
			m, err := d.matcher(c)
			if err != nil {
				return nil, err
			}
			all[i] = m
		}
		stop := p.Tag == ldap.FilterOr // an or ends at the first true, an and at the first false
		return func(r *record) bool {
			for _, m := range all {
				if m(r) == stop {
					return stop
				}
			}
			return !stop
		}, nil
	case ldap.FilterNot:
		if len(p.Children) != 1 {
			return nil, badFilter("not without one part")
		}
		m, err := d.matcher(p.Children[0])
		if err != nil {
			return nil, err
		}
		return func(r *record) bool { return !m(r) }, nil
	case ldap.FilterPresent:
		return d.present(theSchema().attr(p.Data.String())), nil
	case ldap.FilterSubstrings:
		return d.substrings(p)
	case ldap.FilterExtensibleMatch:
		return d.extensible(p)
	case ldap.FilterEqualityMatch, ldap.FilterApproxMatch, ldap.FilterGreaterOrEqual, ldap.FilterLessOrEqual:
		if len(p.Children) != 2 {
			return nil, badFilter("assertion without two parts")
		}
		name, value := assertion(p)
		def := theSchema().attr(name)
		switch {
		case def == nil:
			return nothing, nil
		case p.Tag == ldap.FilterGreaterOrEqual:
			return d.ordered(def, value, 1), nil
		case p.Tag == ldap.FilterLessOrEqual:
			return d.ordered(def, value, -1), nil
		}
		return d.equal(def, value), nil
	}
	return nil, badFilter("unknown choice")
}

// assertion takes an attribute-value assertion apart.
func assertion(p *ber.Packet) (name, value string) {
	if len(p.Children) != 2 {
		return "", ""
	}
	return p.Children[0].Data.String(), p.Children[1].Data.String()
}

func (d *Directory) present(def *attribute) matcher {
	if def == nil {
		return nothing
	}
	return func(r *record) bool { return d.hasValue(r, def) }
}

// equal is equality by the attribute's syntax.
func (d *Directory) equal(def *attribute, value string) matcher {
	switch {
	case def == d.a.objectCategory:
		// the shorthand: a class's name stands for its category
		if c := theSchema().classes[fold(value)]; c != nil {
			return d.pointsTo(def, "CN="+c.category+","+d.schemaDN())
		}
		return d.pointsTo(def, value)
	case def.syntax == dnRef || def.name == "distinguishedName":
		return d.pointsTo(def, value)
	case def.syntax == sidValue:
		return func(r *record) bool {
			return d.anyValue(r, def, func(v string) bool { return v == value || sidText(v) == strings.ToUpper(value) })
		}
	}
	want := norm(def, value)
	return func(r *record) bool {
		return d.anyValue(r, def, func(v string) bool { return norm(def, v) == want })
	}
}

// pointsTo matches a reference to the object at a DN.
func (d *Directory) pointsTo(def *attribute, value string) matcher {
	p, err := d.locate(value)
	if err != nil || p.rec == nil {
		return nothing
	}
	target := p.rec.guid
	if def.name == "distinguishedName" {
		return func(r *record) bool { return r.guid == target }
	}
	return func(r *record) bool { return d.refersTo(r, def, target) }
}

// ordered is >= (sign 1) or <= (sign -1).
func (d *Directory) ordered(def *attribute, value string, sign int) matcher {
	want, wantNumber := asNumber(def, value)
	text := fold(value)
	return func(r *record) bool {
		return d.anyValue(r, def, func(v string) bool {
			if n, ok := asNumber(def, v); ok && wantNumber {
				return sign > 0 && n >= want || sign < 0 && n <= want
			}
			return strings.Compare(fold(v), text)*sign >= 0
		})
	}
}

// asNumber is the number that a value of a numeric or time syntax stands for.
func asNumber(def *attribute, v string) (int64, bool) {
	switch def.syntax {
	case integer, enum, large, genTime, utcTime:
		n, err := strconv.ParseInt(norm(def, v), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func (d *Directory) substrings(p *ber.Packet) (matcher, error) {
	if len(p.Children) != 2 {
		return nil, badFilter("substrings without two parts")
	}
	def := theSchema().attr(p.Children[0].Data.String())
	if def == nil || def.syntax == dnRef {
		return nothing, nil
	}
	raw := def.syntax == octets
	var parts []string
	var first, last bool // anchored at the start, at the end
	for i, c := range p.Children[1].Children {
		part := c.Data.String()
		if !raw {
			part = fold(part)
		}
		parts = append(parts, part)
		first = first || i == 0 && c.Tag == ldap.FilterSubstringsInitial
		last = last || c.Tag == ldap.FilterSubstringsFinal
	}
	return func(r *record) bool {
		return d.anyValue(r, def, func(v string) bool {
			if !raw {
				v = fold(v)
			}
			return containsInOrder(v, parts, first, last)
		})
	}, nil
}

func containsInOrder(v string, parts []string, first, last bool) bool {
	for i, part := range parts {
		switch {
		case i == 0 && first:
			if !strings.HasPrefix(v, part) {
				return false
			}
			v = v[len(part):]
		case i == len(parts)-1 && last:
			return strings.HasSuffix(v, part)
		default:
			at := strings.Index(v, part)
			if at < 0 {
				return false
			}
			v = v[at+len(part):]
		}
	}
	return true
}

// extensible is attr:rule:=value with AD's three rules.
func (d *Directory) extensible(p *ber.Packet) (matcher, error) {
	var rule, name, value string
	for _, c := range p.Children {
		switch c.Tag {
		case ldap.MatchingRuleAssertionMatchingRule:
			rule = c.Data.String()
		case ldap.MatchingRuleAssertionType:
			name = c.Data.String()
		case ldap.MatchingRuleAssertionMatchValue:
			value = c.Data.String()
		}
	}
	def := theSchema().attr(name)
	if def == nil {
		return nothing, nil
	}
	switch rule {
	case "":
		return d.equal(def, value), nil
	case ruleInChain:
		return d.inChain(def, value), nil
	case ruleBitAnd, ruleBitOr:
		mask, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return nothing, nil
		}
		return func(r *record) bool {
			return d.anyValue(r, def, func(v string) bool {
				n, ok := asNumber(def, v)
				return ok && (rule == ruleBitAnd && n&mask == mask || rule == ruleBitOr && n&mask != 0)
			})
		}, nil
	}
	return nil, fail(ldap.LDAPResultInappropriateMatching, "00002115: LdapErr: DSID-0C090E16: matching rule %s is not known", rule)
}

// inChain follows links from the object through others to the target.
func (d *Directory) inChain(def *attribute, value string) matcher {
	p, err := d.locate(value)
	if err != nil || p.rec == nil {
		return nothing
	}
	return func(r *record) bool {
		seen := map[GUID]bool{r.guid: true}
		for queue := []*record{r}; len(queue) > 0; queue = queue[1:] {
			for _, g := range d.targetsOf(queue[0], def) {
				if g == p.rec.guid {
					return true
				}
				if next := d.records[g]; next != nil && !seen[g] {
					seen[g] = true
					queue = append(queue, next)
				}
			}
		}
		return false
	}
}
