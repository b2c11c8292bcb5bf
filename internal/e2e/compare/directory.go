package compare

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
)

// An Entry is one directory entry as LDAP gives it.
type Entry struct {
	DN string

	// Values are the raw values by attribute name in lower case.
	Values map[string][]string
}

// first is the first value of name, "" if there is none.
func (e Entry) first(name string) string {
	if v := e.Values[strings.ToLower(name)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// GUID is the objectGUID as text, as the first three fields are written in
// reverse: "b9ab2ef7-091b-50bf-845c-72bb8a00e909". It is "" for an entry
// without one.
func (e Entry) GUID() string {
	b := []byte(e.first("objectGUID"))
	if len(b) != 16 {
		return ""
	}
	slices.Reverse(b[0:4])
	slices.Reverse(b[4:6])
	slices.Reverse(b[6:8])
	h := hex.EncodeToString(b)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// anchor is what the account would carry if the entry were seen for the first
// time.
func (e Entry) anchor() string {
	raw := e.first("mS-DS-ConsistencyGuid")
	if raw == "" {
		raw = e.first("objectGUID")
	}
	return base64.StdEncoding.EncodeToString([]byte(raw))
}

// A Directory is what Active Directory holds.
type Directory struct {
	Live    []Entry // all users, computers left out
	Deleted []Entry // tombstones of users

	Groups        []Entry // all groups, each with all of its member values
	DeletedGroups []Entry // tombstones of groups
}

// Attributes are those that an [Entry] needs for the comparison.
func Attributes() []string {
	names := []string{
		"objectGUID", "mS-DS-ConsistencyGuid", "sAMAccountName", "userPrincipalName", "userAccountControl", "isCriticalSystemObject",
		"msExchRecipientTypeDetails", "mailNickname", "proxyAddresses", "mail", "otherMailbox", "displayName", "cn", "name",
		"msExchUsageLocation", "c", "manager", "groupType", "description",
	}
	for _, r := range plainRows() {
		names = append(names, r.from)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// In reports whether an entry is synchronized (sync-rules 2.3: the defaults of
// Microsoft Entra Connect for users).
func (e Entry) in() bool {
	sam, nick := e.first("sAMAccountName"), strings.ToLower(e.first("mailNickname"))
	low := strings.ToLower(sam)
	cas := func(s string) bool { return strings.HasPrefix(s, "cas_") && strings.Contains(s, "}") }
	switch {
	case e.GUID() == "", e.first("userAccountControl") == "", sam == "":
		return false
	case len(e.Values["iscriticalsystemobject"]) > 0 && e.first("isCriticalSystemObject") != "FALSE":
		return false
	case strings.HasPrefix(low, "aad_"), strings.HasPrefix(low, "msol_"), low == "support_388945a0":
		return false
	case strings.HasPrefix(nick, "systemmailbox{"), cas(nick), cas(low):
		return false
	}
	if e.conflicting() {
		return false
	}
	details, err := strconv.ParseInt(e.first("msExchRecipientTypeDetails"), 10, 64)
	// A linked mailbox (2) gives neither anchor nor name.
	return err != nil || details&0x21C07000 == 0 && details != 2
}

// conflicting reports whether an entry is left over from a replication conflict.
func (e Entry) conflicting() bool {
	rdn, _, _ := strings.Cut(strings.ReplaceAll(e.DN, `\,`, "·"), ",")
	return strings.Contains(strings.ToUpper(rdn), `\0ACNF:`)
}
