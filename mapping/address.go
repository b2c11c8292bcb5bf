package mapping

import (
	"fmt"
	"slices"
	"strings"
)

// decideMail takes mail over if it is an address.
func (w *work) decideMail(r *row) {
	v := w.first(r)
	d := Decision{Rule: "flow", Branch: v.branch, Inputs: v.inputs}
	switch {
	case v.unread != nil:
		w.refuse(*v.unread, d)
	case v.value != "" && !legalAddress(v.value):
		d.Branch += ": not an address"
		w.refuse(badAddress(r, v.value), d)
	default:
		w.setWithin(r, v, d)
	}
}

// decideOtherMails takes over a set of at most 250 addresses. One that isn't an
// address makes the whole set a Problem: the target replaces sets as a whole.
func (w *work) decideOtherMails(r *row) {
	d := Decision{Rule: "otherMails", Branch: "no value", Inputs: r.nothing}
	if f, ok := w.fault(r.from); ok {
		d.Branch = f.Attribute + " can't be read"
		w.refuse(unreadable(r.name, f, false), d)
		return
	}
	all := w.in.Object.Attributes[r.from[0]]
	if len(all) == 0 {
		w.set(r.name, "", d)
		return
	}
	d.Branch, d.Inputs = r.branch[0], w.look(r.from)
	values := make([]string, 0, len(all))
	for _, raw := range all {
		v, _ := cleanText(raw)
		switch v = strings.TrimSpace(v); {
		case v == "":
		case !legalAddress(v):
			d.Branch += ": not an address"
			w.refuse(badAddress(r, v), d)
			return
		case len(v) > r.most: // ASCII
			d.Branch += ": too long"
			w.refuse(tooLong(r.name, v, len(v), r.most, r.from[0], false), d)
			return
		default:
			values = append(values, v)
		}
	}
	// Addresses that differ in case are one; the first in order stays.
	slices.Sort(values)
	seen := make(map[string]bool, len(values))
	values = slices.DeleteFunc(values, func(v string) bool {
		low := strings.ToLower(v)
		was := seen[low]
		seen[low] = true
		return was
	})
	const most = 250
	if len(values) > most {
		d.Branch += ": too many"
		w.refuse(Problem{
			Code:      CodeTooLong,
			Attribute: r.name,
			Message:   fmt.Sprintf("otherMailbox has %d addresses, the target takes %d", len(values), most),
			Remedy:    fmt.Sprintf("leave at most %d addresses in otherMailbox", most),
		}, d)
		return
	}
	if len(values) == 0 {
		d.Branch = "no value"
		w.set(r.name, "", d)
		return
	}
	d.Attribute, d.Result = r.name, slices.Clone(values)
	w.res.Attributes[r.name] = values
	w.res.Decisions = append(w.res.Decisions, d)
}

func badAddress(r *row, value string) Problem {
	return Problem{
		Code:      CodeInvalidAddress,
		Attribute: r.name,
		Message:   fmt.Sprintf("%s %s isn't an address that the target takes", r.from[0], quote(value)),
		Remedy:    fmt.Sprintf("correct %s in the directory: name@domain, without spaces and accents", r.from[0]),
	}
}

// legalAddress reports whether s has the form of a mail address that the target
// takes: printable ASCII, one '@' with something on both sides, and none of the
// characters that only quoted addresses may have.
func legalAddress(s string) bool {
	at := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ' || c >= 0x7f || strings.IndexByte(`<>()[];:,"\`, c) >= 0:
			return false
		case c == '@':
			at++
		}
	}
	return at == 1 && s[0] != '@' && s[len(s)-1] != '@'
}
