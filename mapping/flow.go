package mapping

import (
	"fmt"
	"strconv"
	"strings"
)

// attrAnchor is what the source anchor is called in Office 365.
const attrAnchor = "onPremisesImmutableId"

// A row is one line of the flow: what an attribute of the target is made of.
type row struct {
	name     string   // of the target
	from     []string // attributes of the source, the first that has a value counts
	most     int      // UTF-16 code units, 0 is no limit
	trim     bool     // white space at both ends isn't part of the value
	required bool     // an object can't be created without
	keep     bool     // the target can't clear it

	// decide takes the decision; plain for most rows.
	decide func(*work, *row)

	// What plain says, made once.
	branch  []string // "from NAME" for each of from
	nothing []Value  // the inputs when there is no value
}

// flow returns the default flow of people, in the order in which it is
// documented. The manager isn't part of it: a reference needs a second pass.
func flow() []row {
	rows := []row{
		{name: "userPrincipalName", from: []string{attrUPN, attrSAM}, required: true, keep: true, decide: (*work).decideUPN},
		{name: "displayName", from: []string{"displayName", "cn", "name"}, most: 256, trim: true, required: true, keep: true},
		{name: "mailNickname", from: []string{attrNickname, attrProxies, attrMail, attrUPN, attrSAM}, most: 64, required: true, keep: true, decide: (*work).decideNickname},
		{name: "accountEnabled", from: []string{attrUAC, attrExpires}, required: true, keep: true, decide: (*work).decideEnabled},
		{name: attrAnchor, from: []string{attrConsistency, attrGUID}, required: true, decide: (*work).decideAnchor},
		{name: "givenName", from: []string{"givenName"}, most: 64},
		{name: "surname", from: []string{"sn"}, most: 64},
		{name: "jobTitle", from: []string{"title"}, most: 128},
		{name: "department", from: []string{"department"}, most: 64},
		{name: "companyName", from: []string{"company"}, most: 64},
		{name: "officeLocation", from: []string{"physicalDeliveryOfficeName"}, most: 128},
		{name: "streetAddress", from: []string{"streetAddress"}, most: 1024},
		{name: "city", from: []string{"l"}, most: 128},
		{name: "state", from: []string{"st"}, most: 128},
		{name: "postalCode", from: []string{"postalCode"}, most: 40},
		{name: "country", from: []string{"co"}, most: 128},
		{name: "businessPhones", from: []string{"telephoneNumber"}, most: 64},
		{name: "mobilePhone", from: []string{"mobile"}, most: 64},
		{name: "faxNumber", from: []string{"facsimileTelephoneNumber"}, most: 64},
		{name: "mail", from: []string{attrMail}, most: 256, keep: true, decide: (*work).decideMail},
		{name: "otherMails", from: []string{"otherMailbox"}, most: 250, decide: (*work).decideOtherMails},
		{name: "employeeId", from: []string{"employeeID"}, most: 16},
		{name: "employeeType", from: []string{"employeeType"}},
		{name: "preferredLanguage", from: []string{"preferredLanguage"}},
		{name: "usageLocation", from: []string{attrExchLocation, "c"}, keep: true, decide: (*work).decideLocation},
	}
	for i := range 15 {
		name := "extensionAttribute" + strconv.Itoa(i+1)
		rows = append(rows, row{name: name, from: []string{name}, most: 1024})
	}
	for i := range rows {
		r := &rows[i]
		if r.decide == nil {
			r.decide = (*work).plain
		}
		for _, name := range r.from {
			r.branch = append(r.branch, "from "+name)
			r.nothing = append(r.nothing, Value{Name: name})
		}
	}
	return rows
}

// cannotClear returns the names of the rows that the target can't clear.
func cannotClear(rows []row) []string {
	var names []string
	for i := range rows {
		if rows[i].keep {
			names = append(names, rows[i].name)
		}
	}
	return names
}

// plain gives the target the first value that there is.
func (w *work) plain(r *row) {
	v := w.first(r)
	d := Decision{Rule: "flow", Branch: v.branch, Inputs: v.inputs}
	switch {
	case v.unread != nil:
		w.refuse(*v.unread, d)
	case v.value == "" && r.required:
		d.Branch = "no value"
		w.refuse(missing(r), d)
	default:
		w.setWithin(r, v, d)
	}
}

// setWithin sets the value that was found unless it is too long.
func (w *work) setWithin(r *row, v found, d Decision) {
	// A string has at least as many bytes as UTF-16 code units.
	if r.most > 0 && len(v.value) > r.most {
		if n := utf16Len(v.value); n > r.most {
			d.Branch = fmt.Sprintf("%s: %d characters, at most %d fit", d.Branch, n, r.most)
			w.refuse(tooLong(r.name, v.value, n, r.most, v.from, r.required), d)
			return
		}
	}
	w.set(r.name, v.value, d)
}

// found is the first value of a row.
type found struct {
	value  string // "" if there is none
	from   string // the attribute that it comes from
	branch string
	inputs []Value  // what was looked at: the attribute found and those before it
	unread *Problem // it can't be said, because an attribute is unreadable
}

// first finds a row's first value. Blank values are none. An attribute that the
// source couldn't read ends the search: what it holds isn't known, and a later
// attribute must not take its place for as long as that lasts.
func (w *work) first(r *row) found {
	start, any := len(w.inputs), false
	for i, name := range r.from {
		values := w.in.Object.Attributes[name]
		w.inputs = append(w.inputs, Value{Name: name, Values: values})
		any = any || len(values) > 0
		if len(w.in.Object.Faults) > 0 {
			if f, ok := fault(w.in.Object.Faults, name); ok {
				p := unreadable(r.name, f, r.required)
				return found{branch: name + " can't be read", inputs: w.inputsFrom(start), unread: &p}
			}
		}
		for _, raw := range values {
			value, dropped := cleanText(raw)
			if blank(value) {
				continue
			}
			f := found{value: value, from: name, branch: r.branch[i], inputs: w.inputsFrom(start)}
			if r.trim {
				f.value = strings.TrimSpace(value)
			}
			if dropped > 0 {
				f.branch += fmt.Sprintf(", %d control characters dropped", dropped)
			}
			return f
		}
	}
	if any {
		return found{branch: "no value", inputs: w.inputsFrom(start)}
	}
	w.inputs = w.inputs[:start]
	return found{branch: "no value", inputs: r.nothing}
}

func missing(r *row) Problem {
	return Problem{
		Code:      CodeMissing,
		Attribute: r.name,
		Message:   "there is no " + r.name + ", which every account must have",
		Remedy:    "set " + r.from[0] + " in the directory",
		Fatal:     true,
	}
}
