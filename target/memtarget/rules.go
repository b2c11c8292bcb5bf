package memtarget

import (
	"strings"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/target"
)

// check says why the tenant refuses to hold o after set was written. An
// unchanged name isn't held against its domain, unless named says so: who has
// it keeps it when the domain goes. t.mu is held.
func (t *Target) check(o *object, set target.Attributes, named bool) error {
	for _, name := range set.Names() {
		if err := t.checkValues(name, set[name]); err != nil {
			return err
		}
	}
	if o.kind == target.Group {
		if err := checkGroup(o, set); err != nil {
			return err
		}
	} else if _, renamed := set[target.AttrUserPrincipalName]; renamed || named {
		upn := o.first(target.AttrUserPrincipalName)
		local, domain, ok := strings.Cut(upn, "@")
		if !ok || local == "" || strings.Contains(domain, "@") || strings.ContainsAny(upn, " \t") {
			return refuse(target.ErrInvalid, target.AttrUserPrincipalName, "%q isn't of the form local@domain", upn)
		}
		if !t.domains[strings.ToLower(domain)].Verified {
			return refuse(target.ErrDomainNotVerified, target.AttrUserPrincipalName, "%q", domain)
		}
	}
	for _, k := range o.keys() {
		if holder, held := t.unique[k]; held && holder != o.id {
			return refuse(target.ErrExists, k.attribute, "%s %s holds it", t.live[holder].kind, holder)
		}
	}
	return nil
}

// checkValues says why the tenant refuses values for an attribute.
func (t *Target) checkValues(name string, values []string) error {
	if len(values) == 0 {
		switch name {
		case target.AttrAccountEnabled, target.AttrUserPrincipalName, target.AttrMail, attrDisplayName, attrMailNickname, attrUsage,
			attrMailEnabled, attrSecurityEnabled:
			return refuse(target.ErrInvalid, name, "it can't be cleared")
		}
	}
	for _, v := range values {
		limit, limited := t.limits[name]
		switch n := utf8.RuneCountInString(v); {
		case v == "":
			return refuse(target.ErrInvalid, name, "an empty text isn't a value")
		case limited && n > limit:
			return refuse(target.ErrInvalid, name, "%d characters, at most %d", n, limit)
		case !utf8.ValidString(v):
			return refuse(target.ErrInvalid, name, "not UTF-8")
		}
	}
	if name == target.AttrAccountEnabled && (len(values) != 1 || values[0] != "true" && values[0] != "false") {
		return refuse(target.ErrInvalid, name, "neither true nor false")
	}
	return nil
}
