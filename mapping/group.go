package mapping

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

const (
	attrGroupType       = "groupType"
	attrMailEnabled     = "mailEnabled"
	attrSecurityEnabled = "securityEnabled"
	attrGroupTypes      = "groupTypes"
)

// Bits of groupType.
const (
	groupBuiltin  = 0x1
	groupSecurity = 0x80000000
)

// exchRoleGroup is the bit of msExchRecipientTypeDetails of a role group.
const exchRoleGroup = 0x40000000

// groupInputs are the attributes that the rules for groups look at.
var groupInputs = []string{attrGroupType, attrCritical, attrExchType, attrMail, attrProxies, attrSAM, attrNickname, attrGUID,
	"displayName", "cn", "name", "description"}

// groupFlow returns the default flow of groups. Members, owners and managers are
// no attributes.
func groupFlow() []row {
	rows := []row{
		{name: "displayName", from: []string{"displayName", "cn", "name"}, most: 256, trim: true, required: true, keep: true},
		{name: "description", from: []string{"description"}, most: 1024},
		{name: "mailNickname", from: []string{attrNickname, attrSAM}, most: 64, required: true, keep: true, decide: (*work).decideGroupNickname},
		{name: attrMailEnabled, from: []string{attrGroupType}, required: true, keep: true, decide: (*work).decideGroupKind},
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

// mapGroup decides about a group: a security group becomes one, nested as it
// is; what Exchange has to do with is skipped.
func (r *Rules) mapGroup(in *Input) Result {
	res := Result{Kind: target.Group, Anchor: in.Previous.Anchor, Memory: in.Previous}
	if res.Anchor == "" {
		res.Anchor = uniqueName(in.Object)
		res.Memory.Anchor = res.Anchor
	}
	unified := r.opts.Microsoft365 != nil && r.opts.Microsoft365(in.Object)
	if why := r.skipGroup(in, unified); why != nil {
		res.Skip, res.Decisions = why, []Decision{*why}
		res.Anchor, res.Memory = in.Previous.Anchor, in.Previous
		return res
	}
	w := &work{rules: r, in: in, unified: unified,
		values: make([]string, 0, 16), inputs: make([]Value, 0, 16)}
	w.res = res
	w.res.Address = in.Object.Attributes.First(attrMail)
	if primary := primarySMTP(in.Object.Attributes[attrProxies]); primary != "" {
		w.res.Address = primary
	}
	w.res.Attributes = make(target.Attributes, len(r.groupRows)+2)
	w.res.CannotClear = append(cannotClear(r.groupRows), attrSecurityEnabled, attrGroupTypes)
	for i := range r.groupRows {
		r.groupRows[i].decide(w, &r.groupRows[i])
	}
	return w.res
}

// skipGroup says why a group isn't synchronized, nil if it is. An attribute that
// the source couldn't read skips nothing.
func (r *Rules) skipGroup(in *Input, unified bool) *Decision {
	a := in.Object.Attributes
	input := func(name string) Value { return Value{Name: name, Values: a[name]} }
	if victim(in.Object.DN) {
		return skipped("left over from a replication conflict", Value{Name: "dn", Values: []string{in.Object.DN}})
	}
	if v := a.First(attrCritical); v != "" && !strings.EqualFold(v, "FALSE") {
		return skipped("critical system object", input(attrCritical))
	}
	if strings.EqualFold(a.First(attrSAM), "MSOL_AD_Sync_RichCoexistence") {
		return skipped("group of a synchronization", input(attrSAM))
	}
	if details, err := strconv.ParseInt(a.First(attrExchType), 10, 64); err == nil && details&exchRoleGroup != 0 {
		return skipped("role group of Exchange", input(attrExchType))
	}
	bits, err := strconv.ParseInt(a.First(attrGroupType), 10, 64)
	security := err == nil && bits&groupSecurity != 0 || err != nil && r.opts.AnyDirectory
	_, unread := fault(in.Object.Faults, attrGroupType)
	switch {
	case err == nil && bits&groupBuiltin != 0:
		return skipped("built-in group", input(attrGroupType))
	case unified:
	case !security && !unread:
		return skipped("distribution group: for Exchange", input(attrGroupType))
	case mailEnabled(a):
		return skipped("mail-enabled security group: for Exchange", input(attrMail), input(attrProxies))
	}
	if r.opts.Skip != nil {
		if reason := r.opts.Skip(in.Object); reason != "" {
			return skipped(reason)
		}
	}
	return nil
}

// mailEnabled reports whether a group has mail, by Connect's rule: an SMTP
// address of either case among proxyAddresses, or, where that is empty, mail.
func mailEnabled(a source.Attributes) bool {
	for _, p := range a[attrProxies] {
		if hasFoldPrefix(p, "smtp:") {
			return true
		}
	}
	return len(a[attrProxies]) == 0 && a.First(attrMail) != ""
}

// decideGroupKind makes a security group, or by rule a Microsoft 365 group.
func (w *work) decideGroupKind(r *row) {
	d := Decision{Rule: "group", Branch: "security group", Inputs: w.look(r.from)}
	if f, unread := w.fault(r.from); unread && !w.unified {
		d.Branch = f.Attribute + " can't be read"
		w.refuse(unreadable(r.name, f, true), d)
		return
	}
	if w.unified {
		d.Branch = "Microsoft 365 group, by a function"
		w.set(attrGroupTypes, "Unified", d)
	}
	w.set(attrMailEnabled, strconv.FormatBool(w.unified), d)
	w.set(attrSecurityEnabled, strconv.FormatBool(!w.unified), d)
}

// decideGroupNickname takes the first name of which something is left after
// cleaning, and else the unique name: a security group's need not be unique.
func (w *work) decideGroupNickname(r *row) {
	d := Decision{Rule: "mailNickname", Branch: "from the unique name", Inputs: w.look(r.from)}
	if f, unread := w.fault(r.from); unread {
		d.Branch = f.Attribute + " can't be read"
		w.refuse(unreadable(r.name, f, true), d)
		return
	}
	name := w.res.Anchor
	for i, from := range r.from {
		if clean := CleanNickname(w.in.Object.Attributes.First(from)); clean != "" && len(clean) <= r.most {
			name, d.Branch = clean, r.branch[i]
			break
		}
	}
	w.set(r.name, name, d)
}

// uniqueName is a group's anchor: made of what identifies it at its source, so
// that it never changes and no other group has it.
func uniqueName(o source.Object) string {
	const prefix = "dirbridge-"
	if _, ok := parseGUID(string(o.ID)); ok {
		return prefix + strings.ToLower(string(o.ID))
	}
	if v, ok := guidBase64(o.Attributes.First(attrGUID)); ok {
		if b, err := base64.StdEncoding.DecodeString(v); err == nil {
			return prefix + fmt.Sprintf("%02x%02x%02x%02x-%02x%02x-%02x%02x-%x-%x", b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6], b[8:10], b[10:])
		}
	}
	sum := sha256.Sum256([]byte(o.ID))
	return prefix + hex.EncodeToString(sum[:16])
}
