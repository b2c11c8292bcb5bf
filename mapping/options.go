package mapping

import (
	"fmt"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A Fallback says how the local part of a name is made when the login ID's own
// domain can't be used. Its text is what configuration files say.
type Fallback string

const (
	// UPNPrefix keeps the login ID's own local part: bob@corp.local becomes
	// bob@contoso.onmicrosoft.com. It is the rule that DirSync's documentation
	// gives. The name follows the login ID and the verified domains.
	UPNPrefix Fallback = "upnPrefix"

	// MailNickname takes the mailNickname, as Microsoft Entra Connect does.
	// The name is then decided again only when the login ID or the set of
	// verified domains changes, not when the mailNickname does, and the
	// mailNickname itself only when the directory's own mailNickname changes.
	MailNickname Fallback = "mailNickname"
)

// A FallbackDomain says which of the target's domains takes names whose own
// domain can't be used. Its text is what configuration files say.
type FallbackDomain string

const (
	InitialDomain FallbackDomain = "initial" // NAME.onmicrosoft.com
	DefaultDomain FallbackDomain = "default" // what the tenant gives new users
)

// Options change the default rules. The zero value, like nil, is the default.
type Options struct {
	// Fallback says how names are made whose own domain can't be used.
	//
	// Defaults to [UPNPrefix].
	Fallback Fallback

	// FallbackFunc gives the local part of such a name, instead of Fallback.
	// It must be pure and safe for concurrent use. What the target refuses is
	// cleaned from its result; "" is a Problem of the object. Set Version too.
	FallbackFunc func(in Input) string

	// FallbackDomain is where such a name lies. If that domain is unknown or
	// was refused, the other one is taken.
	//
	// Defaults to [InitialDomain].
	FallbackDomain FallbackDomain

	// ADDomain is the DNS name of the directory's domain. An account without a
	// userPrincipalName signs in as sAMAccountName@ADDomain.
	//
	// Defaults to the DC= parts of the object's DN, which is right unless DNs
	// aren't Active Directory's.
	ADDomain string

	// UsageLocation is the country (two ASCII letters) of accounts for which
	// the directory names none. Defaults to none.
	UsageLocation string

	// ExpiredIsDisabled makes accounts whose accountExpires has passed at
	// [Input].Now disabled, as Samba's script does and Connect doesn't.
	ExpiredIsDisabled bool

	// AnyDirectory is for sources that aren't Active Directory: an object
	// without userAccountControl counts as an enabled account, and one without
	// sAMAccountName is taken if it has a userPrincipalName. With AD, such
	// objects aren't accounts and are skipped.
	AnyDirectory bool

	// Microsoft365 says that a Microsoft 365 group is to come of a group,
	// whatever kind it is in the directory: the target doesn't nest those. It
	// must be pure, keep obj as it is, and be safe for concurrent use. Set
	// Version too. Defaults to none.
	Microsoft365 func(obj source.Object) bool

	// Skip gives the reason why an object isn't synchronized, or "". It is
	// asked about objects that the default rules don't skip. It must be pure,
	// keep obj as it is, and be safe for concurrent use. Set Version too.
	Skip func(obj source.Object) string

	// Version identifies FallbackFunc, Microsoft365 and Skip in [Rules.Fingerprint]. Change
	// it when their results change, so that every object is mapped again.
	Version string
}

// check returns opts with its defaults filled in, or what contradicts itself.
func (o Options) check() (Options, error) {
	switch o.Fallback {
	case "":
		o.Fallback = UPNPrefix
	case UPNPrefix, MailNickname:
	default:
		return o, fmt.Errorf("mapping: fallback %q is unknown: use %q or %q", o.Fallback, UPNPrefix, MailNickname)
	}
	if o.FallbackFunc != nil && o.Fallback == MailNickname {
		return o, fmt.Errorf("mapping: FallbackFunc and fallback %q exclude each other", MailNickname)
	}
	switch o.FallbackDomain {
	case "":
		o.FallbackDomain = InitialDomain
	case InitialDomain, DefaultDomain:
	default:
		return o, fmt.Errorf("mapping: fallback domain %q is unknown: use %q or %q", o.FallbackDomain, InitialDomain, DefaultDomain)
	}
	if o.UsageLocation != "" {
		c, ok := country(o.UsageLocation)
		if !ok {
			return o, fmt.Errorf("mapping: usage location %q isn't a country code of two letters, such as DE", o.UsageLocation)
		}
		o.UsageLocation = c
	}
	o.ADDomain = strings.ToLower(strings.TrimSuffix(o.ADDomain, "."))
	if o.ADDomain != "" && !legalDomain(o.ADDomain) {
		return o, fmt.Errorf("mapping: AD domain %q isn't a DNS name", o.ADDomain)
	}
	return o, nil
}

// rulesVersion is part of the fingerprint. Raise it when the same options give
// other results than before, so that engines map every object again.
const rulesVersion = 1

// fingerprint identifies the rules that o selects.
func (o Options) fingerprint() string {
	fallback := string(o.Fallback)
	if o.FallbackFunc != nil {
		fallback = "func"
	}
	unified := ""
	if o.Microsoft365 != nil {
		unified = " m365=true"
	}
	return fmt.Sprintf("rules=%d fallback=%s/%s adDomain=%q usageLocation=%q expired=%t any=%t skip=%t version=%q",
		rulesVersion, fallback, o.FallbackDomain, o.ADDomain, o.UsageLocation, o.ExpiredIsDisabled, o.AnyDirectory, o.Skip != nil, o.Version) + unified
}
