package mapping

import (
	"fmt"
	"hash/fnv"
	"strconv"
)

// The lengths that Entra takes, in characters (names are ASCII).
const (
	mostLocal  = 64
	mostDomain = 48
	mostUPN    = 113
)

// UPNRules decide the userPrincipalName. The zero value of the options is the
// default, as in [Options].
type UPNRules struct {
	Domains        Domains
	Fallback       Fallback
	FallbackDomain FallbackDomain
}

// A UPNInput is what the userPrincipalName of one object depends on.
type UPNInput struct {
	// LoginID is what the person signs in with on premises.
	LoginID string

	// Nickname is the mailNickname at the target, for [MailNickname].
	Nickname string

	// Local gives the local part at the fallback domain instead of the
	// Fallback, if it isn't nil.
	Local func() string

	// Previous and RefusedDomain are as in [Input].
	Previous      Memory
	RefusedDomain string
}

// UPN returns the name and why it is that one. It is "" if problem isn't nil.
//
// A login ID whose suffix is verified is used as it is, but for the characters
// that Entra refuses (see [CleanLocalPart]). Any other gets the fallback domain:
//
//	ann@contoso.com  ->  ann@contoso.com                 own domain
//	bob@corp.local   ->  bob@contoso.onmicrosoft.com     fallback domain
//	a@b@corp.local   ->  ab@contoso.onmicrosoft.com      the last @ counts
//
// With [MailNickname], a login ID that needs cleaning gets the fallback too, and
// a name once decided stays until the login ID or the verified domains change.
func (u UPNRules) UPN(in UPNInput) (name string, why Decision, problem *Problem) {
	n := u.decide(in, []Value{{Name: "loginID", Values: nonEmpty(in.LoginID)}})
	return n.value, n.decision, n.problem
}

func (u UPNRules) decide(in UPNInput, inputs []Value) named {
	n := named{decision: Decision{Rule: "upn", Inputs: inputs}}
	d := &n.decision
	local, suffix := splitLogin(in.LoginID)
	connect := u.Fallback == MailNickname && in.Local == nil

	if p := in.Previous; connect && p.UPN != "" && p.LoginID == in.LoginID && p.Domains == u.memory() && !u.refused(in, p.UPN) {
		n.value = p.UPN
		d.Branch = "as before: neither login ID nor verified domains changed"
		return n
	}

	clean := CleanLocalPart(local)
	var why string
	switch {
	case in.LoginID == "":
		why = "there is no login ID"
	case suffix == "":
		why = "the login ID has no domain"
	case !legalDomain(suffix):
		why = fmt.Sprintf("%s is no domain", quote(suffix))
	case suffix == in.RefusedDomain:
		why = suffix + " was refused by the target"
	case !u.Domains.Accepts(suffix):
		why = suffix + " isn't verified"
	case connect && clean != local:
		why = "the login ID has characters that the target refuses"
	default:
		domain := in.LoginID[len(local)+1:]
		d.Branch = "own domain"
		return n.join(local, clean, domain)
	}

	domain := u.fallbackDomain(in.RefusedDomain)
	d.Branch = "fallback domain: " + why
	if domain == "" {
		return n.fail(Problem{
			Code:      CodeNoDomain,
			Attribute: "userPrincipalName",
			Message:   fmt.Sprintf("login ID %s can't be used (%s), and the target names no domain to use instead", quote(in.LoginID), why),
			Remedy:    "verify the domain at the target or change the userPrincipalName in the directory",
			Fatal:     true,
		}, "no fallback domain: "+why)
	}
	switch {
	case in.Local != nil:
		local = in.Local()
		clean = CleanLocalPart(local)
		d.Inputs = append(d.Inputs, Value{Name: "fallback", Values: nonEmpty(local)})
	case connect && in.Nickname == "":
		return n.fail(Problem{
			Code:      CodeNoLegalName,
			Attribute: "userPrincipalName",
			Message:   "there is no mailNickname to make a name of",
			Remedy:    "set mailNickname in the directory",
			Fatal:     true,
		}, d.Branch+": there is no mailNickname")
	case connect:
		local = in.Nickname
		clean = CleanLocalPart(local)
		d.Inputs = append(d.Inputs, Value{Name: "mailNickname", Values: nonEmpty(local)})
	}
	return n.join(local, clean, domain)
}

// join makes the name of its two parts, if they are legal together.
func (n named) join(local, clean, domain string) named {
	if clean == "" {
		return n.fail(Problem{
			Code:      CodeNoLegalName,
			Attribute: "userPrincipalName",
			Message:   fmt.Sprintf("of the local part %s nothing is left that the target takes", quote(local)),
			Remedy:    "set a userPrincipalName in the directory with letters A to Z or digits before the @",
			Fatal:     true,
		}, n.decision.Branch+": nothing is left after cleaning")
	}
	if clean != local {
		n.decision.Branch += ", refused characters replaced: " + quote(local) + " became " + quote(clean)
	}
	name := clean + "@" + domain
	for _, part := range []struct {
		what   string
		length int
		most   int
	}{{"before the @", len(clean), mostLocal}, {"behind the @", len(domain), mostDomain}, {"in all", len(name), mostUPN}} {
		if part.length > part.most {
			return n.fail(Problem{
				Code:      CodeTooLong,
				Attribute: "userPrincipalName",
				Message:   fmt.Sprintf("userPrincipalName %s has %d characters %s, the target takes %d", quote(name), part.length, part.what, part.most),
				Remedy:    "shorten the userPrincipalName in the directory",
				Fatal:     true,
			}, n.decision.Branch+": too long "+part.what)
		}
	}
	n.value = name
	return n
}

// refused reports whether name lies in the domain that the target refused.
func (u UPNRules) refused(in UPNInput, name string) bool {
	_, suffix := splitLogin(name)
	return in.RefusedDomain != "" && suffix == in.RefusedDomain
}

// fallbackDomain returns the domain for names whose own can't be used, "" if
// there is none.
func (u UPNRules) fallbackDomain(refused string) string {
	first, second := u.Domains.Initial, u.Domains.Default
	if u.FallbackDomain == DefaultDomain {
		first, second = second, first
	}
	for _, d := range [...]string{first, second} {
		if d != refused && legalDomain(d) {
			return d
		}
	}
	return ""
}

// memory identifies what the decision depends on beside the object: which
// domains, and which of them is the fallback. It is short, for it is kept with
// every object. "" unless names have a memory.
func (u UPNRules) memory() string {
	if u.Fallback != MailNickname {
		return ""
	}
	var sum uint64 // a sum, since the set has no order
	for name, ok := range u.Domains.Verified {
		if ok {
			h := fnv.New64a()
			h.Write([]byte(name))
			sum += h.Sum64()
		}
	}
	h := fnv.New64a()
	fmt.Fprintf(h, "%t %d %d %s", u.Domains.Restricted, sum, len(u.Domains.Verified), u.fallbackDomain(""))
	return strconv.FormatUint(h.Sum64(), 16)
}

// name decides an object's userPrincipalName.
func (r *Rules) name(in *Input, l login, nick named) named {
	if l.unread != nil {
		n := named{decision: Decision{Rule: "upn"}}
		return n.fail(unreadable("userPrincipalName", *l.unread, true), l.unread.Attribute+" can't be read")
	}
	u := r.upn
	u.Domains = in.Domains
	ui := UPNInput{LoginID: l.id, Nickname: nick.value, Previous: in.Previous, RefusedDomain: in.RefusedDomain}
	if r.opts.FallbackFunc != nil {
		ui.Local = func() string { return r.opts.FallbackFunc(*in) }
	}
	return u.decide(ui, l.inputs)
}

// domainsMemory is what Memory says of the domains.
func (r *Rules) domainsMemory(d Domains) string {
	u := r.upn
	u.Domains = d
	return u.memory()
}

func (w *work) decideUPN(r *row) { w.give(r, w.name) }
