package graphsim

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
)

// valid checks a value of a property: length, characters, whether it may be
// null. It knows nothing of other objects.
func (t *Tenant) valid(p *property, v any, create bool) bool {
	switch v := v.(type) {
	case nil:
		return t.clearable(p.name, create)
	case string:
		if v == "" || p.max > 0 && utf16Len(v) > p.max {
			return false
		}
		return validText(p.name, v)
	case []string:
		if p.maxItems > 0 && len(v) > p.maxItems {
			return false
		}
		return !slices.ContainsFunc(v, func(s string) bool { return s == "" || p.max > 0 && utf16Len(s) > p.max })
	case map[string]any:
		return validComplex(p.name, v)
	}
	return true
}

// clearable says whether null is a value for a property.
func (t *Tenant) clearable(name string, create bool) bool {
	s := &t.opts.Switches
	switch name {
	case "displayName", "userPrincipalName", "mailNickname", "passwordProfile":
		return false
	case "accountEnabled":
		return s.NullAccountEnabledAccepted && !create
	case "mail":
		return create || s.NullMailAccepted
	case "usageLocation":
		return create || s.NullUsageLocationAccepted
	case "onPremisesImmutableId":
		return create || !s.NullAnchorRefused
	}
	return true
}

func validText(name, v string) bool {
	switch name {
	case "mail":
		local, domain, ok := strings.Cut(v, "@")
		return ok && local != "" && validDomain(domain) && isASCII(v) && !strings.ContainsAny(v, " \t\r\n<>(),;:\\\"[]")
	case "mailNickname":
		return isASCII(v) && !strings.ContainsAny(v, "@()\\[]\";:<>, ")
	case "usageLocation":
		return len(v) == 2 && v[0] >= 'A' && v[0] <= 'Z' && v[1] >= 'A' && v[1] <= 'Z'
	case "onPremisesImmutableId":
		return !strings.ContainsAny(v, "$_")
	case "userType":
		return v == "Member" || v == "Guest"
	}
	return !strings.ContainsFunc(v, func(r rune) bool { return r == 0 || r == unicode.ReplacementChar })
}

func validComplex(name string, m map[string]any) bool {
	switch name {
	case "onPremisesExtensionAttributes":
		for k, v := range m {
			s, str := v.(string)
			if !slices.Contains(extensionNames, k) || v != nil && (!str || s == "" || utf16Len(s) > 1024) {
				return false
			}
		}
	case "passwordProfile":
		s, _ := m["password"].(string)
		return len(s) > 0 && len(s) <= 256
	}
	return true
}

// strong is the directory's password rule: at least eight characters of three
// kinds.
func strong(password string) bool {
	kinds := 0
	for _, in := range []func(rune) bool{unicode.IsUpper, unicode.IsLower, unicode.IsDigit,
		func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }} {
		if strings.ContainsFunc(password, in) {
			kinds++
		}
	}
	return len(password) >= 8 && kinds >= 3
}

// validUPN checks the form of a userPrincipalName, not its domain. False for
// malformed means that it isn't even a name with a domain.
func validUPN(upn string) (wellFormed, valid bool) {
	local, domain, ok := strings.Cut(upn, "@")
	if !ok || local == "" || domain == "" || strings.Contains(domain, "@") {
		return false, false
	}
	if len(upn) > 113 || len(local) > 64 || len(domain) > 48 || strings.HasSuffix(local, ".") {
		return true, false
	}
	for _, r := range local {
		if !isAlnum(r) && !strings.ContainsRune("'.-_!#^~", r) {
			return true, false
		}
	}
	return true, validDomain(domain)
}

func validDomain(s string) bool {
	if s == "" || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return !isAlnum(r) && r != '.' && r != '-' })
}

func isAlnum(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// utf16Len is the length of s as the service counts it.
func utf16Len(s string) int {
	if isASCII(s) {
		return len(s)
	}
	return len(utf16.Encode([]rune(s)))
}
