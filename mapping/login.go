package mapping

import (
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A login is what a person signs in with on premises.
type login struct {
	id     string  // "" if there is none
	inputs []Value // what it was made of
	unread *source.Fault
}

// loginID returns the object's userPrincipalName or, without one, the implicit
// one that Active Directory accepts: sAMAccountName@DOMAIN.
func (r *Rules) loginID(in *Input) login {
	a := in.Object.Attributes
	if f, ok := fault(in.Object.Faults, attrUPN); ok {
		return login{unread: &f}
	}
	if upn := a.First(attrUPN); !blank(upn) {
		return login{id: upn, inputs: []Value{{Name: attrUPN, Values: a[attrUPN]}}}
	}
	if f, ok := fault(in.Object.Faults, attrSAM); ok {
		return login{unread: &f}
	}
	l := login{inputs: []Value{{Name: attrUPN}, {Name: attrSAM, Values: a[attrSAM]}}}
	sam := a.First(attrSAM)
	if blank(sam) {
		return l
	}
	domain := r.opts.ADDomain
	if domain == "" {
		domain = dnsDomain(in.Object.DN)
	}
	l.inputs = append(l.inputs, Value{Name: "domain", Values: []string{domain}})
	l.id = sam
	if domain != "" {
		l.id += "@" + domain
	}
	return l
}

// dnsDomain returns the DNS name of the domain that dn lies in: its DC= parts,
// in lower case. It is "" for a DN that has none or that isn't one.
func dnsDomain(dn string) string {
	var b strings.Builder
	for dn != "" {
		rdn := firstRDN(dn)
		dn = strings.TrimPrefix(dn[len(rdn):], ",")
		kind, value, ok := strings.Cut(rdn, "=")
		if !ok || !strings.EqualFold(strings.TrimSpace(kind), "DC") {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('.')
		}
		b.WriteString(strings.ToLower(strings.TrimSpace(value)))
	}
	if d := b.String(); legalDomain(d) {
		return d
	}
	return ""
}

// splitLogin cuts a login ID at its last '@'. The suffix is in lower case, ""
// if there is none.
func splitLogin(id string) (local, suffix string) {
	i := strings.LastIndexByte(id, '@')
	if i < 0 {
		return id, ""
	}
	return id[:i], strings.ToLower(id[i+1:])
}

// legalDomain reports whether name is a DNS name of letters, digits and hyphens.
// That the target accepts it is another question.
func legalDomain(name string) bool {
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			if c := label[i]; !asciiAlnum(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return true
}

func asciiAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
