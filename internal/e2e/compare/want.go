package compare

import (
	"fmt"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
)

// A wish is what an attribute should be.
type wish struct {
	value string // "" is nothing
	keep  bool   // what was there before should still be there; at a new account nothing
}

// A person is what the account of a directory entry should be.
type person struct {
	guid, dn, anchor string
	wishes           map[string]wish // by the name in Graph
	unjudged         []string        // what this package has no rule for
}

// A plainRow is a line of the flow that is taken over as it is.
type plainRow struct {
	from, to string
	limit    int // UTF-16 code units; 0 is none
}

func plainRows() []plainRow {
	rows := []plainRow{
		{"givenName", "givenName", 64}, {"sn", "surname", 64}, {"title", "jobTitle", 128}, {"department", "department", 64},
		{"company", "companyName", 64}, {"physicalDeliveryOfficeName", "officeLocation", 128}, {"streetAddress", "streetAddress", 1024},
		{"l", "city", 128}, {"st", "state", 128}, {"postalCode", "postalCode", 40}, {"co", "country", 128},
		{"telephoneNumber", "businessPhones", 64}, {"mobile", "mobilePhone", 64}, {"facsimileTelephoneNumber", "faxNumber", 64},
		{"employeeID", "employeeId", 16}, {"employeeType", "employeeType", 0}, {"preferredLanguage", "preferredLanguage", 0},
	}
	for i := 1; i <= 15; i++ {
		n := "extensionAttribute" + strconv.Itoa(i)
		rows = append(rows, plainRow{n, n, 1024})
	}
	return rows
}

// judge says what e's account should be in a tenant with these domains.
func (e Entry) judge(adDomain string, t *Tenant) person {
	p := person{guid: e.GUID(), dn: e.DN, anchor: e.anchor(), wishes: map[string]wish{}}
	for _, r := range plainRows() {
		v := e.first(r.from)
		if strings.TrimSpace(v) == "" {
			v = ""
		}
		p.wish(r.to, v, r.limit)
	}
	p.displayName(e)
	login := e.first("userPrincipalName")
	if login == "" {
		login = e.first("sAMAccountName") + "@" + adDomain
	}
	p.userPrincipalName(login, t)
	p.mailNickname(e, login)
	uac, err := strconv.ParseInt(e.first("userAccountControl"), 10, 64)
	if err != nil {
		p.unjudge("userAccountControl %q", e.first("userAccountControl"))
	}
	p.wishes["accountEnabled"] = wish{value: strconv.FormatBool(uac&2 == 0)}
	p.mails(e)
	p.usageLocation(e)
	return p
}

func (p *person) unjudge(format string, a ...any) {
	p.unjudged = append(p.unjudged, fmt.Sprintf(format, a...))
}

func (p *person) wish(name, value string, limit int) {
	if limit > 0 && len(utf16.Encode([]rune(value))) > limit {
		p.wishes[name] = wish{keep: true}
		return
	}
	p.wishes[name] = wish{value: value}
}

func (p *person) displayName(e Entry) {
	for _, from := range []string{"displayName", "cn", "name"} {
		if v := strings.TrimSpace(e.first(from)); v != "" {
			p.wish("displayName", v, 256)
			return
		}
	}
	p.unjudge("there is no displayName, cn or name")
}

func (p *person) userPrincipalName(login string, t *Tenant) {
	at := strings.LastIndex(login, "@")
	if at < 0 {
		p.unjudge("login ID %q without @", login)
		return
	}
	local, domain := login[:at], login[at+1:]
	if !t.Verified[strings.ToLower(domain)] {
		domain = t.Initial
	}
	local = p.only(local, "'.-_!#^~", "login ID")
	if strings.HasSuffix(local, ".") || local == "" || len(local) > 64 || len(domain) > 48 || len(local)+1+len(domain) > 113 {
		p.unjudge("login ID %q", login)
		return
	}
	p.wishes["userPrincipalName"] = wish{value: local + "@" + domain}
}

// only drops from s what isn't an ASCII letter, a digit or one of more.
func (p *person) only(s, more, what string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(more, r):
			return r
		case r > 0x7e:
			p.unjudge("%s %q isn't ASCII", what, s)
		}
		return -1
	}, s)
}

// mailNickname is the first name that there is, without what Graph refuses:
// white space and @ ( ) \ [ ] " ; : < > ,
func (p *person) mailNickname(e Entry, login string) {
	before := func(s string) string {
		if i := strings.LastIndex(s, "@"); i >= 0 {
			return s[:i]
		}
		return ""
	}
	primary := ""
	for _, a := range e.Values["proxyaddresses"] {
		if rest, ok := strings.CutPrefix(a, "SMTP:"); ok {
			primary = before(rest)
		}
	}
	for _, v := range []string{e.first("mailNickname"), primary, before(e.first("mail")), before(login), e.first("sAMAccountName")} {
		if v == "" {
			continue
		}
		v = p.only(v, "!#$%&'*+-./=?^_`{|}~", "mailNickname")
		if v == "" || strings.HasPrefix(v, ".") || strings.HasSuffix(v, ".") || len(v) > 64 {
			p.unjudge("mailNickname %q", v)
			return
		}
		p.wishes["mailNickname"] = wish{value: v}
		return
	}
	p.unjudge("there is nothing to make a mailNickname of")
}

func (p *person) mails(e Entry) {
	legal := func(v string) bool {
		a, err := mail.ParseAddress(v)
		return err == nil && a.Address == v && !strings.ContainsFunc(v, func(r rune) bool { return r <= ' ' || r > 0x7e })
	}
	// Graph can't clear mail.
	if v := strings.TrimSpace(e.first("mail")); v != "" && legal(v) {
		p.wishes["mail"] = wish{value: v}
	} else {
		p.wishes["mail"] = wish{keep: true}
	}
	others := slices.Clone(e.Values["othermailbox"])
	if slices.ContainsFunc(others, func(v string) bool { return !legal(v) }) {
		p.wishes["otherMails"] = wish{keep: true}
		return
	}
	slices.Sort(others)
	p.wishes["otherMails"] = wish{value: strings.Join(others, "\n")}
}

func (p *person) usageLocation(e Entry) {
	for _, from := range []string{"msExchUsageLocation", "c"} {
		switch v := strings.ToUpper(e.first(from)); {
		case v == "":
		case len(v) == 2 && v[0] >= 'A' && v[0] <= 'Z' && v[1] >= 'A' && v[1] <= 'Z':
			p.wishes["usageLocation"] = wish{value: v}
			return
		default:
			p.wishes["usageLocation"] = wish{keep: true}
			return
		}
	}
	p.wishes["usageLocation"] = wish{keep: true} // Graph can't clear it
}
