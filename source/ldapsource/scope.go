package ldapsource

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// A scope is the base DNs as configured.
type scope struct {
	bases  []string
	parsed []*ldap.DN
	domain string // the domain's DNS name
	root   string // the domain's distinguished name
}

// newScope checks base DNs against themselves: one domain, none within another.
func newScope(bases []string) (scope, error) {
	var s scope
	if len(bases) == 0 {
		return s, errors.New("no base DN: name the domain (DC=corp,DC=example,DC=com) or organizational units in it")
	}
	for _, b := range bases {
		dn, err := ldap.ParseDN(b)
		if err != nil || len(dn.RDNs) == 0 {
			return s, fmt.Errorf("base DN %q: not a distinguished name", b)
		}
		labels, root := domainOf(dn)
		if len(labels) == 0 {
			return s, fmt.Errorf("base DN %q: doesn't end in DC=, as every name of an Active Directory domain does", b)
		}
		domain := strings.ToLower(strings.Join(labels, "."))
		if s.domain != "" && domain != s.domain {
			return s, fmt.Errorf("base DN %q: in domain %s, another one in %s: a source reads one domain, make one for each", b, domain, s.domain)
		}
		for i, other := range s.parsed {
			if within(dn, other) || within(other, dn) {
				return s, fmt.Errorf("base DN %q: contains or is contained in %q: name the outer one alone", b, s.bases[i])
			}
		}
		s.bases, s.parsed, s.domain, s.root = append(s.bases, b), append(s.parsed, dn), domain, root
	}
	return s, nil
}

// domainOf are the DNS labels at the end of dn, and the DN that they make.
func domainOf(dn *ldap.DN) (labels []string, root string) {
	i := len(dn.RDNs)
	for i > 0 && len(dn.RDNs[i-1].Attributes) == 1 && strings.EqualFold(dn.RDNs[i-1].Attributes[0].Type, "DC") {
		i--
	}
	for _, r := range dn.RDNs[i:] {
		labels = append(labels, r.Attributes[0].Value)
	}
	return labels, (&ldap.DN{RDNs: dn.RDNs[i:]}).String()
}

// within reports whether dn is base or below it.
func within(dn, base *ldap.DN) bool { return base.EqualFold(dn) || base.AncestorOfFold(dn) }

// withinAny reports whether the object at dn is at or below one of bases.
func withinAny(dn string, bases []*ldap.DN) (bool, error) {
	p, err := ldap.ParseDN(dn)
	if err != nil {
		return false, fmt.Errorf("distinguished name %q can't be parsed", dn)
	}
	return slices.ContainsFunc(bases, func(b *ldap.DN) bool { return within(p, b) }), nil
}

// hash changes whenever a watermark taken under s no longer tells everything:
// other bases, other attributes, other kinds, other rules.
func (s scope) hash(attrs attributeSet, k kinds) string {
	const rules = "1" // of this package: what a person is, what a delta asks for
	bases := make([]string, len(s.parsed))
	for i, dn := range s.parsed {
		bases[i] = strings.ToLower(dn.String())
	}
	slices.Sort(bases)
	h := sha256.New()
	for _, part := range slices.Concat([]string{rules}, bases, []string{""}, attrs.names(), k.strings()) {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}
