package mapping_test

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// legalUPN says again, apart from the rules, what Entra takes.
func legalUPN(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || domain == "" || len(local) > 64 || len(domain) > 48 || len(s) > 113 || strings.HasSuffix(local, ".") {
		return false
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return strings.Trim(local, letters+"'.-_!#^~") == "" && strings.Trim(domain, letters+".-_") == ""
}

func legalNickname(s string) bool {
	if s == "" || len(s) > 64 || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`@()\[]";:<>,`, r) })
}

// hostile are values that directories hold and nobody expects.
var hostile = []string{"", " ", "\x00", "\r\n", "@", "@@", ".", "a@", "@b", "a@b", "\xff\xfe", "\u202e", "аdmin@contoso.com", "😀", "山田@contoso.com",
	"ann\x00@contoso.com", "ann@contoso.com@contoso.com", "'; DROP TABLE users;--@contoso.com", "SMTP:@", "SMTP:x@", "CAS_", "9223372036854775808", "-1", "0x2",
	strings.Repeat("x", 2000), strings.Repeat("ß", 40) + "@contoso.com", strings.Repeat("a.", 600) + "@contoso.com"}

func TestMapIsPureAndItsResultsAreLegal(t *testing.T) {
	for _, opts := range []*mapping.Options{nil, {Fallback: mapping.MailNickname}, {AnyDirectory: true, ExpiredIsDisabled: true, FallbackDomain: mapping.DefaultDomain}} {
		rules := newRules(t, opts)
		for _, name := range rules.SourceAttributes() {
			for _, value := range hostile {
				o := ann()
				o.Attributes[name] = []string{value}
				checkMap(t, rules, mapping.Input{Object: o, Domains: contoso()})
			}
		}
	}
}

func FuzzMap(f *testing.F) {
	for _, v := range hostile {
		f.Add(v, v, v, v, "CN=x,DC=contoso,DC=com", true)
	}
	f.Add("ann@contoso.com", "ann", "Ann", "512", "CN=Ann,DC=corp,DC=local", false)
	plain, connect := newRules(f, nil), newRules(f, &mapping.Options{Fallback: mapping.MailNickname, AnyDirectory: true, ExpiredIsDisabled: true})
	f.Fuzz(func(t *testing.T, upn, nick, text, number, dn string, restricted bool) {
		domains := contoso()
		domains.Restricted = restricted
		o := source.Object{ID: source.ID(text), Kind: source.User, DN: dn, Attributes: source.Attributes{
			"sAMAccountName": {nick}, "userPrincipalName": {upn}, "userAccountControl": {number}, "accountExpires": {number},
			"msExchRecipientTypeDetails": {number}, "mailNickname": {nick}, "displayName": {text}, "proxyAddresses": {"SMTP:" + upn},
			"mail": {upn}, "otherMailbox": {nick, upn}, "title": {text}, "streetAddress": {text}, "c": {nick}, "objectGUID": {text}, "mS-DS-ConsistencyGuid": {number},
		}}
		for _, rules := range []*mapping.Rules{plain, connect} {
			res := checkMap(t, rules, mapping.Input{Object: o, Domains: domains})
			checkMap(t, rules, mapping.Input{Object: o, Domains: domains, Previous: res.Memory})
		}
	})
}

func FuzzNames(f *testing.F) {
	for _, v := range hostile {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n := mapping.CleanNickname(s); n != "" && len(n) <= 64 {
			require.True(t, legalNickname(n), "%q", n)
			require.Equal(t, n, mapping.CleanNickname(n), "cleaning twice changes nothing")
		}
		local := mapping.CleanLocalPart(s)
		require.Equal(t, local, mapping.CleanLocalPart(local), "cleaning twice changes nothing")
		require.True(t, legalUPN(mapping.Placeholder(s, s, "contoso.onmicrosoft.com")))
		name, _, problem := mapping.UPNRules{Domains: contoso()}.UPN(mapping.UPNInput{LoginID: s})
		require.Equal(t, problem == nil, legalUPN(name), "%q", name)
	})
}

// checkMap maps in twice and holds the results against what is always true.
func checkMap(t *testing.T, rules *mapping.Rules, in mapping.Input) mapping.Result {
	t.Helper()
	before := in
	before.Object.Attributes = in.Object.Attributes.Clone()
	res := rules.Map(in)
	require.True(t, reflect.DeepEqual(res, rules.Map(in)), "equal inputs give equal results")
	require.True(t, reflect.DeepEqual(before, in), "the input stays as it was")
	if res.Skip != nil {
		require.Empty(t, res.Attributes)
		return res
	}
	named := map[string]bool{}
	for _, p := range res.Problems {
		require.NotContains(t, res.Attributes, p.Attribute)
		named[p.Attribute] = true
	}
	for _, name := range rules.Attributes() {
		_, ok := res.Attributes[name]
		require.True(t, ok != named[name], "%s has either a value or a problem", name)
	}
	if v, ok := res.Attributes["userPrincipalName"]; ok {
		require.True(t, legalUPN(v[0]), "%q", v)
		if in.Domains.Restricted {
			_, domain, _ := strings.Cut(v[0], "@")
			require.True(t, in.Domains.Verified[strings.ToLower(domain)], "%q", v)
		}
	}
	if v, ok := res.Attributes["mailNickname"]; ok {
		require.True(t, legalNickname(v[0]), "%q", v)
	}
	if v, ok := res.Attributes["displayName"]; ok {
		require.NotEmpty(t, strings.TrimSpace(v[0]))
		require.LessOrEqual(t, len(utf16.Encode([]rune(v[0]))), 256)
	}
	if res.Anchor != "" {
		require.NotContains(t, res.Anchor, "$")
		require.NotContains(t, res.Anchor, "_")
	}
	return res
}
