package mapping

import (
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// skipInputs are the attributes that only the rules about skipping look at.
var skipInputs = []string{attrCritical, attrExchType}

// Bits and values of msExchRecipientTypeDetails.
const (
	exchSystemTypes   = 0x21C07000 // mail public folder, system attendant, system mailbox, mailbox plan, discovery and legacy group types
	exchLinkedMailbox = 2
)

// Bits of userAccountControl.
const (
	uacDisabled = 0x2
	uacMachines = 0x800 | 0x1000 | 0x2000 // trusts, computers, domain controllers
)

// skip says why the object isn't synchronized, nil if it is. The rules are those
// that Microsoft Entra Connect has for users by default; names compare without
// case, as in Active Directory. An attribute that the source couldn't read skips
// nothing: it becomes a Problem where it is needed.
func (r *Rules) skip(in *Input) *Decision {
	if in.Object.Kind != source.User && in.Object.Kind != "" {
		return skipped("isn't a person", Value{Name: "kind", Values: []string{string(in.Object.Kind)}})
	}
	if victim(in.Object.DN) {
		return skipped("left over from a replication conflict", Value{Name: "dn", Values: []string{in.Object.DN}})
	}
	a := in.Object.Attributes
	input := func(name string) Value { return Value{Name: name, Values: a[name]} }
	if v := a.First(attrCritical); v != "" && !strings.EqualFold(v, "FALSE") {
		return skipped("critical system object", input(attrCritical))
	}

	sam := a.First(attrSAM)
	if sam == "" && !(r.opts.AnyDirectory && a.First(attrUPN) != "") {
		if _, unread := fault(in.Object.Faults, attrSAM); !unread {
			return skipped("has no sAMAccountName", input(attrSAM))
		}
	}
	switch nick := a.First(attrNickname); {
	case hasFoldPrefix(sam, "AAD_"), hasFoldPrefix(sam, "MSOL_"), strings.EqualFold(sam, "SUPPORT_388945a0"):
		return skipped("service account of a synchronization or of Windows", input(attrSAM))
	case strings.HasSuffix(sam, "$"):
		return skipped("account of a computer, a managed service or a trust", input(attrSAM))
	case hasFoldPrefix(nick, "SystemMailbox{"):
		return skipped("system mailbox", input(attrNickname))
	case casMailbox(nick):
		return skipped("mailbox of an Exchange monitoring task", input(attrNickname))
	case casMailbox(sam):
		return skipped("mailbox of an Exchange monitoring task", input(attrSAM))
	}
	// A value that is no number names no type, so it skips nothing.
	if details, err := strconv.ParseInt(a.First(attrExchType), 10, 64); err == nil {
		switch {
		case details&exchSystemTypes != 0:
			return skipped("system recipient of Exchange", input(attrExchType))
		case details == exchLinkedMailbox:
			return skipped("linked mailbox: its account is in another forest", input(attrExchType))
		}
	}

	uac := a.First(attrUAC)
	if uac == "" && !r.opts.AnyDirectory {
		if _, unread := fault(in.Object.Faults, attrUAC); !unread {
			return skipped("has no userAccountControl", input(attrUAC))
		}
	}
	if bits, err := strconv.ParseInt(uac, 10, 64); err == nil && bits&uacMachines != 0 {
		return skipped("account of a computer or a trust", input(attrUAC))
	}
	if r.opts.Skip != nil {
		if reason := r.opts.Skip(in.Object); reason != "" {
			return skipped(reason)
		}
	}
	return nil
}

func skipped(reason string, inputs ...Value) *Decision {
	return &Decision{Rule: "skip", Branch: reason, Inputs: inputs}
}

// casMailbox reports whether name is that of a mailbox which Exchange's
// monitoring makes: CAS_{guid}.
func casMailbox(name string) bool {
	return hasFoldPrefix(name, "CAS_") && strings.Contains(name, "}")
}

// victim reports whether dn names the loser of a replication conflict: its first
// part holds a newline and CNF:. Directories write that newline as \0A.
func victim(dn string) bool {
	rdn := firstRDN(dn)
	for i := range len(rdn) {
		if rest := rdn[i:]; rest[0] == '\\' && hasFoldPrefix(rest, `\0ACNF:`) || rest[0] == '\n' && hasFoldPrefix(rest, "\nCNF:") {
			return true
		}
	}
	return false
}

// firstRDN returns dn up to its first comma that isn't escaped.
func firstRDN(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return dn[:i]
		}
	}
	return dn
}
