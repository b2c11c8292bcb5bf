package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A Join says which objects of several sources are one person: those that have
// the same key. Each source may give one object of a person. Groups are never
// joined.
//
// By is an attribute (mail, sAMAccountName, mailNickname, employeeID, whatever
// is unique): objects with the same value are one person, without regard to case,
// and an object without a value isn't synchronized. [ByMasterAccount] joins the
// accounts of one forest with the mailboxes that another forest keeps for them.
//
// What an object says of itself decides whose person it is: whoever may write
// that attribute in one of the sources may give values to a person of another.
type Join struct {
	By string `json:"by"`
}

// ByMasterAccount joins a mailbox, by its msExchMasterAccountSid, with the account
// that has this objectSid. An object without a mailbox's master is joined by its
// own objectSid; one that nobody joins is a person of its own.
const ByMasterAccount = "msExchMasterAccountSid"

// RuleJoin is the [Decision].Rule of objects that are a part of another one's
// person, or can't be one for want of a key.
const RuleJoin = "join"

// The codes of the Problems of persons that can't be put together. Nothing is
// changed for any of their parts.
const (
	CodeAmbiguousJoin = "ambiguous-join" // two objects of one source
	CodeJoinConflict  = "join-conflict"  // two that have an account each
)

const attrSID = "objectSid"

// Check returns what is wrong with j. Nil is fine: nothing is joined.
func (j *Join) Check() error {
	if j != nil && (j.By == "" || strings.ContainsFunc(j.By, func(r rune) bool { return r <= ' ' || r == '/' || r > '~' })) {
		return fmt.Errorf("mapping: join: %q is no attribute's name", j.By)
	}
	return nil
}

// Fingerprint identifies the rule; "" joins nothing.
func (j *Join) Fingerprint() string {
	if j == nil {
		return ""
	}
	return "1 " + j.By
}

// SourceAttributes are what the rule looks at beside what the mapping does: a
// source has to read them.
func (j *Join) SourceAttributes() []string {
	switch {
	case j == nil:
		return nil
	case j.By == ByMasterAccount:
		return []string{attrSID, ByMasterAccount, attrExchType, attrMailbox}
	}
	return []string{j.By, attrExchType, attrMailbox}
}

// Key is what the parts of a person have in common; "" for none.
func (j *Join) Key(o *source.Object) string {
	if j == nil || o.Kind != source.User && o.Kind != "" {
		return ""
	}
	if j.By == ByMasterAccount {
		if v := o.Attributes.First(ByMasterAccount); v != "" {
			return v
		}
		return o.Attributes.First(attrSID)
	}
	return strings.ToLower(strings.TrimSpace(o.Attributes.First(j.By)))
}

// Lacks reports that an object isn't synchronized since it has no key.
func (j *Join) Lacks(o *source.Object) bool {
	return j != nil && (o.Kind == source.User || o.Kind == "") && j.By != ByMasterAccount && j.Key(o) == ""
}

// attrMailbox is what every mailbox has.
const attrMailbox = "msExchMailboxGuid"

// enabled reports whether o is an account that may sign in.
func enabled(o *source.Object) bool {
	bits, err := strconv.ParseInt(o.Attributes.First(attrUAC), 10, 64)
	return (err == nil || o.Attributes.First(attrUAC) == "") && bits&uacDisabled == 0 && !linkedMailbox(o)
}

func linkedMailbox(o *source.Object) bool {
	return o.Attributes.First(attrExchType) == strconv.Itoa(exchLinkedMailbox) || o.Attributes.First(ByMasterAccount) != ""
}

func mailbox(o *source.Object) bool {
	details, err := strconv.ParseInt(o.Attributes.First(attrExchType), 10, 64)
	return o.Attributes.First(attrMailbox) != "" || err == nil && details&exchMailboxes != 0
}

// exchMailboxes are the bits of msExchRecipientTypeDetails of mailboxes: of a
// user, linked, shared, legacy, of a room, of equipment.
const exchMailboxes = 1 | exchLinkedMailbox | 4 | 8 | 16 | 32

// Carrier says which of a new person's parts gets the account: the enabled
// account, else what is no mailbox of somebody else's; of several, the one with
// the lowest ID. Once a part has the account, it keeps it.
func (j *Join) Carrier(parts []source.Object) int {
	rank := func(o *source.Object) int {
		switch {
		case enabled(o):
			return 0
		case !linkedMailbox(o):
			return 1
		}
		return 2
	}
	best := 0
	for i := range parts {
		a, b := rank(&parts[i]), rank(&parts[best])
		if a < b || a == b && parts[i].ID < parts[best].ID {
			best = i
		}
	}
	return best
}

// Attributes that belong together: what identifies the account is the carrier's,
// how it signs in is that of the enabled account. Whatever these lack, no other
// part fills in.
var (
	identity = []string{attrGUID, attrConsistency}
	signIn   = []string{attrUPN, attrSAM, attrUAC, attrExpires, attrSID, attrCritical, "objectClass", "pwdLastSet"}
)

// Merge makes one object of a person's parts. The result has
// the carrier's identity. It lies where the enabled account lies, and signs in
// as that: the carrier, if that is enabled, else the others by ID. Exchange's own
// attributes come from where mailNickname is set, all others from where the
// mailbox is, then from the enabled account, then from any part that has a value,
// by ID. The order of others makes no difference. If the carrier is gone, it gives
// its identity alone.
func (j *Join) Merge(carrier source.Object, others []source.Object, gone bool) source.Object {
	parts := slices.Clone(others)
	slices.SortFunc(parts, func(a, b source.Object) int { return strings.Compare(string(a.ID), string(b.ID)) })
	if !gone || len(parts) == 0 {
		parts = append([]source.Object{carrier}, parts...)
	}
	pick := func(list []source.Object, is func(*source.Object) bool) []source.Object {
		var yes, no []source.Object
		for _, o := range list {
			if is(&o) {
				yes = append(yes, o)
			} else {
				no = append(no, o)
			}
		}
		return append(yes, no...)
	}
	bySignIn := pick(parts, enabled)
	byMailbox := pick(bySignIn, mailbox)
	byNickname := pick(byMailbox, func(o *source.Object) bool { return o.Attributes.First(attrNickname) != "" })

	account := bySignIn[0]
	m := source.Object{ID: carrier.ID, Kind: carrier.Kind, DN: account.DN, Parent: account.Parent, Attributes: source.Attributes{}}
	for _, name := range namesOf(append([]source.Object{carrier}, parts...)) {
		order := byMailbox
		switch {
		case slices.Contains(identity, name):
			order = []source.Object{carrier}
		case slices.Contains(signIn, name):
			order = bySignIn[:1]
		case name == attrNickname || name == attrProxies || name == "targetAddress" || name == "legacyExchangeDN" || hasFoldPrefix(name, "msExch"):
			order = byNickname
		}
		take(&m, name, order)
	}
	// What is linked elsewhere is whole here.
	if len(others) > 0 && m.Attributes.First(attrExchType) == strconv.Itoa(exchLinkedMailbox) && !linkedMailbox(&account) {
		delete(m.Attributes, attrExchType)
		delete(m.Attributes, ByMasterAccount)
	}
	return m
}

// take gives m the values, or the fault, of the first of order that has any.
func take(m *source.Object, name string, order []source.Object) {
	for _, o := range order {
		if f, bad := fault(o.Faults, name); bad {
			m.Faults = append(m.Faults, f)
			return
		}
		if v := o.Attributes[name]; len(v) > 0 {
			m.Attributes[name] = slices.Clone(v)
			return
		}
	}
}

// namesOf are all attributes that the parts have, or that couldn't be read.
func namesOf(parts []source.Object) []string {
	var names []string
	for _, o := range parts {
		for name := range o.Attributes {
			names = append(names, name)
		}
		for _, f := range o.Faults {
			names = append(names, f.Attribute)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
