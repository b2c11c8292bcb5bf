package mapping

import (
	"fmt"
	"strings"
)

// named is a decision about a name.
type named struct {
	value    string
	source   string // the directory's own mailNickname, as it is
	decision Decision
	problem  *Problem
}

// nickname decides the mailNickname: the first of these of which something is
// left after cleaning.
//
//	mailNickname
//	the local part of the primary SMTP address (SMTP: in capitals)
//	the local part of mail
//	the local part of the login ID
//	sAMAccountName
//
// With the fallback [MailNickname] it changes after that only when the
// directory's own mailNickname does (Connect's rule). With others it follows the
// list.
func (r *Rules) nickname(in *Input, l login) named {
	a := in.Object.Attributes
	n := named{source: a.First(attrNickname), decision: Decision{Rule: "mailNickname"}}
	d := &n.decision
	d.Inputs = make([]Value, 0, 6)
	// look notes an attribute as looked at. False says that it can't be read:
	// what comes later in the list must not take its place.
	look := func(name string) bool {
		d.Inputs = append(d.Inputs, Value{Name: name, Values: a[name]})
		f, unread := fault(in.Object.Faults, name)
		if unread {
			n = n.fail(unreadable("mailNickname", f, true), name+" can't be read")
		}
		return !unread
	}
	if !look(attrNickname) {
		return n
	}

	if p := in.Previous; r.opts.Fallback == MailNickname && p.Nickname != "" &&
		(n.source == p.SourceNickname || CleanNickname(n.source) == "") {
		n.value = p.Nickname
		d.Branch = "as before: the directory's own mailNickname didn't change"
		d.Inputs = append(d.Inputs, Value{Name: "before", Values: []string{p.Nickname}})
		return n
	}
	try := func(branch, v string) bool {
		n.value = CleanNickname(v)
		if n.value == "" {
			return false
		}
		d.Branch = branch
		if n.value != v {
			d.Branch += ", cleaned"
		}
		return true
	}
	if try("from mailNickname", n.source) {
		return n.within()
	}
	if !look(attrProxies) {
		return n
	}
	if try("from the primary SMTP address", localPart(primarySMTP(a[attrProxies]))) {
		return n.within()
	}
	if !look(attrMail) {
		return n
	}
	if try("from mail", localPart(a.First(attrMail))) {
		return n.within()
	}
	if l.unread != nil {
		return n.fail(unreadable("mailNickname", *l.unread, true), l.unread.Attribute+" can't be read")
	}
	d.Inputs = append(d.Inputs, Value{Name: "loginID", Values: nonEmpty(l.id)})
	local, _ := splitLogin(l.id)
	if try("from the login ID", local) {
		return n.within()
	}
	if !look(attrSAM) {
		return n
	}
	if try("from sAMAccountName", a.First(attrSAM)) {
		return n.within()
	}
	return n.fail(Problem{
		Code:      CodeNoLegalName,
		Attribute: "mailNickname",
		Message:   "no name of this object has a character that a mailNickname may have",
		Remedy:    "set mailNickname in the directory, in Latin letters and digits",
		Fatal:     true,
	}, "nothing is left after cleaning")
}

// within makes a nickname that is too long a Problem.
func (n named) within() named {
	const most = 64
	if len(n.value) <= most { // ASCII
		return n
	}
	p := tooLong("mailNickname", n.value, len(n.value), most, "mailNickname", true)
	p.Remedy = fmt.Sprintf("set a mailNickname of at most %d characters in the directory", most)
	return n.fail(p, n.decision.Branch+": too long")
}

func (n named) fail(p Problem, branch string) named {
	n.value, n.problem, n.decision.Branch = "", &p, branch
	return n
}

func (w *work) decideNickname(r *row) { w.give(r, w.nick) }

// give sets what was decided about a name, or says what is wrong with it.
func (w *work) give(r *row, n named) {
	if n.problem != nil {
		w.refuse(*n.problem, n.decision)
		return
	}
	w.set(r.name, n.value, n.decision)
}

// primarySMTP returns the address that is marked as primary, "" if none is.
func primarySMTP(proxies []string) string {
	for _, p := range proxies {
		if address, ok := strings.CutPrefix(p, "SMTP:"); ok && strings.Contains(address, "@") {
			return address
		}
	}
	return ""
}

// localPart returns what stands before the last '@', "" if there is none.
func localPart(address string) string {
	if i := strings.LastIndexByte(address, '@'); i >= 0 {
		return address[:i]
	}
	return ""
}

func nonEmpty(v string) []string {
	if v == "" {
		return nil
	}
	return []string{v}
}
