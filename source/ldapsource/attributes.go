package ldapsource

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// defaultAttributes are what the flow of people needs (docs: the default flow,
// and what is skipped by default).
var defaultAttributes = []string{
	// identity
	"objectClass", "objectGUID", "mS-DS-ConsistencyGuid", "sAMAccountName", "userPrincipalName", "whenCreated",
	// names
	"name", "cn", "displayName", "givenName", "sn", "title", "department", "company",
	// places
	"physicalDeliveryOfficeName", "streetAddress", "l", "st", "postalCode", "co", "c",
	// numbers and addresses
	"telephoneNumber", "mobile", "facsimileTelephoneNumber", "mail", "otherMailbox", "proxyAddresses", "mailNickname",
	// work
	"employeeID", "employeeType", "preferredLanguage", "msExchUsageLocation",
	"extensionAttribute1", "extensionAttribute2", "extensionAttribute3", "extensionAttribute4", "extensionAttribute5",
	"extensionAttribute6", "extensionAttribute7", "extensionAttribute8", "extensionAttribute9", "extensionAttribute10",
	"extensionAttribute11", "extensionAttribute12", "extensionAttribute13", "extensionAttribute14", "extensionAttribute15",
	// the account
	"userAccountControl", "accountExpires", "isCriticalSystemObject", "msExchRecipientTypeDetails",
}

// bookkeeping are asked for as well, but never part of an object: they change
// without the object changing, or say where and whether it is.
var bookkeeping = []string{"uSNChanged", "isDeleted", "isRecycled", "lastKnownParent"}

// binaryAttributes are those of syntax Octet String or SID that people have.
var binaryAttributes = []string{
	"objectGUID", "mS-DS-ConsistencyGuid", "objectSid", "sIDHistory", "thumbnailPhoto", "jpegPhoto", "photo", "audio",
	"thumbnailLogo", "userCertificate", "userSMIMECertificate", "userPKCS12", "logonHours", "msExchMailboxGuid",
	"msExchArchiveGUID", "msExchSafeSendersHash", "msExchSafeRecipientsHash", "msExchBlockedSendersHash",
	"msExchMailboxSecurityDescriptor", "msRTCSIP-UserRoutingGroupId", "replicationSignature", "netbootGUID",
}

// denied are attributes that hold or prove secrets, by a pattern over the name
// in lower case. They are never asked for, whatever the account may read.
var denied = regexp.MustCompile(`^(unicodepwd|dbcspwd|ntpwdhistory|lmpwdhistory|supplementalcredentials|currentvalue|priorvalue|` +
	`(initial|trust)auth(incoming|outgoing)|userpassword|unixuserpassword|mssfu30password|oldpassword|` +
	`peklist|pekkeychangeinterval|krbprincipalkey|msds-managedpassword.*|msds-keycredentiallink.*|msds-keymaterial|` +
	`msds-groupmsamembership|ms-mcs-admpwd.*|mslaps-.*|msfve-.*|mspki-?.*(key|credential|masterkey).*|mstpm-.*|` +
	`msds-executescriptpassword|ntsecuritydescriptor)$`)

// local are attributes that aren't replicated or change by themselves: an
// object that holds them never reads equal twice, least of all on two domain
// controllers.
var local = []string{
	"usnchanged", "usncreated", "whenchanged", "lastlogon", "lastlogoff", "logoncount", "badpwdcount", "badpasswordtime",
	"replpropertymetadata", "replupdtodatevector", "dscorepropagationdata", "modifytimestamp", "isdeleted", "isrecycled",
	"lastknownparent", "parentguid", "distinguishedname",
}

// attributeName is RFC 4512's keystring.
var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,255}$`)

// DefaultAttributes returns the names of the attributes that a [Source] reads
// of every person, spelt as in Active Directory's schema. The caller owns the
// slice.
func DefaultAttributes() []string { return slices.Clone(defaultAttributes) }

// An attribute is what a source knows about an attribute that it reads.
type attribute struct {
	name   string // as it is spelt in objects
	binary bool
}

// attributeSet are the attributes that a source reads.
type attributeSet struct {
	exact  map[string]attribute // by name as spelt here, which servers nearly always use
	folded map[string]attribute // by name in lower case
}

// newAttributeSet checks and joins the default attributes, more, and binary.
func newAttributeSet(more, binary []string) (attributeSet, error) {
	set := attributeSet{exact: map[string]attribute{}, folded: map[string]attribute{}}
	for _, n := range slices.Concat(defaultAttributes, more, binary) {
		key := strings.ToLower(n)
		switch {
		case n == "*" || n == "+":
			return set, fmt.Errorf("attribute %q: name the attributes, all of them are never read", n)
		case strings.ContainsRune(n, ';'):
			return set, fmt.Errorf("attribute %q: options aren't taken, name the attribute alone", n)
		case !attributeName.MatchString(n):
			return set, fmt.Errorf("attribute %q: not an attribute's name", n)
		case denied.MatchString(key):
			return set, fmt.Errorf("attribute %q: holds secrets, so it is never read", n)
		case slices.Contains(local, key):
			return set, fmt.Errorf("attribute %q: changes without the object changing, or belongs to one domain controller", n)
		}
		if _, ok := set.folded[key]; !ok {
			set.folded[key] = attribute{name: n}
		}
	}
	for _, n := range slices.Concat(binaryAttributes, binary) {
		if a, ok := set.folded[strings.ToLower(n)]; ok {
			a.binary = true
			set.folded[strings.ToLower(n)] = a
		}
	}
	for _, a := range set.folded {
		set.exact[a.name] = a
	}
	return set, nil
}

// names are the attributes' names in order.
func (s attributeSet) names() []string {
	return slices.Sorted(maps.Keys(s.exact))
}

// lookup finds what is known of an attribute by the name that a server gave it.
func (s attributeSet) lookup(name string) (attribute, bool) {
	if a, ok := s.exact[name]; ok {
		return a, true
	}
	a, ok := s.folded[strings.ToLower(name)]
	return a, ok
}
