package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func TestUPNByPrefix(t *testing.T) {
	long := strings.Repeat("x", 64)
	for _, tt := range []struct {
		name    string
		login   string
		want    string
		branch  string
		problem string
	}{
		{"a verified suffix is used as it is", "ann@contoso.com", "ann@contoso.com", "own domain", ""},
		{"suffixes compare without case and keep theirs", "Ann@Contoso.COM", "Ann@Contoso.COM", "own domain", ""},
		{"the initial domain is verified", "ann@contoso.onmicrosoft.com", "ann@contoso.onmicrosoft.com", "own domain", ""},
		{"an unverified suffix keeps the local part", "bob@corp.local", "bob@contoso.onmicrosoft.com", "fallback domain: corp.local isn't verified", ""},
		{"a part of a verified domain isn't verified", "bob@mail.contoso.com", "bob@contoso.onmicrosoft.com", "fallback domain: mail.contoso.com isn't verified", ""},
		{"every character that Entra takes stays", "aZ09'.-_!#^~x@contoso.com", "aZ09'.-_!#^~x@contoso.com", "own domain", ""},
		{"diacritics are folded", "jürgen.groß@contoso.com", "jurgen.gross@contoso.com",
			`own domain, refused characters replaced: "jürgen.groß" became "jurgen.gross"`, ""},
		{"combining marks are dropped", "zoe\u0308@contoso.com", "zoe@contoso.com", "own domain, refused characters replaced: \"zoe\u0308\" became \"zoe\"", ""},
		{"white space and line breaks are dropped", "b \r\n2@contoso.com", "b2@contoso.com", `own domain, refused characters replaced: "b \r\n2" became "b2"`, ""},
		{"the last @ counts and the others are dropped", "a@b@corp.local", "ab@contoso.onmicrosoft.com",
			`fallback domain: corp.local isn't verified, refused characters replaced: "a@b" became "ab"`, ""},
		{"no period before the @", "ann..@contoso.com", "ann@contoso.com", `own domain, refused characters replaced: "ann.." became "ann"`, ""},
		{"a homoglyph doesn't become its Latin double", "аdmin@contoso.com", "dmin@contoso.com", `own domain, refused characters replaced: "аdmin" became "dmin"`, ""},
		{"zero width and bidirectional marks are dropped", "a\u200bd\u202em@contoso.com", "adm@contoso.com",
			`own domain, refused characters replaced: "a\u200bd\u202em" became "adm"`, ""},
		{"no domain", "ann", "ann@contoso.onmicrosoft.com", "fallback domain: the login ID has no domain", ""},
		{"an empty domain", "ann@", "ann@contoso.onmicrosoft.com", "fallback domain: the login ID has no domain", ""},
		{"a domain that is none", "ann@contoso.com ", "ann@contoso.onmicrosoft.com", `fallback domain: "contoso.com " is no domain`, ""},
		{"nothing before the @", "@contoso.com", "", "own domain: nothing is left after cleaning", mapping.CodeNoLegalName},
		{"nothing left before the @", "山田@contoso.com", "", "own domain: nothing is left after cleaning", mapping.CodeNoLegalName},
		{"only periods", "...@contoso.com", "", "own domain: nothing is left after cleaning", mapping.CodeNoLegalName},
		{"no login ID", "", "", "fallback domain: there is no login ID: nothing is left after cleaning", mapping.CodeNoLegalName},
		{"64 before the @ fit", long + "@contoso.com", long + "@contoso.com", "own domain", ""},
		{"65 before the @ don't", long + "x@contoso.com", "", "own domain: too long before the @", mapping.CodeTooLong},
		{"what cleaning makes longer counts", "ß" + long[:63] + "@contoso.com", "",
			`own domain, refused characters replaced: "ß` + long[:63] + `" became "ss` + long[:62] + `"...: too long before the @`, mapping.CodeTooLong},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rules := mapping.UPNRules{Domains: contoso()}
			got, why, problem := rules.UPN(mapping.UPNInput{LoginID: tt.login})
			require.Equal(t, tt.want, got)
			require.Equal(t, "upn", why.Rule)
			if tt.problem == "" {
				require.Nil(t, problem)
			} else {
				require.NotNil(t, problem)
				require.Equal(t, tt.problem, problem.Code)
				require.Equal(t, "userPrincipalName", problem.Attribute)
				require.True(t, problem.Fatal)
			}
			require.Equal(t, tt.branch, why.Branch)
		})
	}
}

func TestUPNDomains(t *testing.T) {
	d48 := strings.Repeat("d", 44) + ".com"
	for _, tt := range []struct {
		name    string
		rules   mapping.UPNRules
		in      mapping.UPNInput
		want    string
		problem string
	}{
		{"the default domain by option", mapping.UPNRules{Domains: contoso(), FallbackDomain: mapping.DefaultDomain},
			mapping.UPNInput{LoginID: "bob@corp.local"}, "bob@contoso.com", ""},
		{"a refused domain counts as not verified", mapping.UPNRules{Domains: contoso()},
			mapping.UPNInput{LoginID: "bob@contoso.com", RefusedDomain: "contoso.com"}, "bob@contoso.onmicrosoft.com", ""},
		{"a refused fallback domain isn't one", mapping.UPNRules{Domains: contoso(), FallbackDomain: mapping.DefaultDomain},
			mapping.UPNInput{LoginID: "bob@corp.local", RefusedDomain: "contoso.com"}, "bob@contoso.onmicrosoft.com", ""},
		{"a tenant without a known initial domain uses the default", mapping.UPNRules{Domains: mapping.Domains{Restricted: true, Default: "x.test"}},
			mapping.UPNInput{LoginID: "bob@corp.local"}, "bob@x.test", ""},
		{"no domain at all", mapping.UPNRules{Domains: mapping.Domains{Restricted: true}},
			mapping.UPNInput{LoginID: "bob@corp.local"}, "", mapping.CodeNoDomain},
		{"a target without restrictions takes any domain", mapping.UPNRules{}, mapping.UPNInput{LoginID: "bob@corp.local"}, "bob@corp.local", ""},
		{"a target without restrictions gets clean names", mapping.UPNRules{}, mapping.UPNInput{LoginID: "böb x@corp.local"}, "bobx@corp.local", ""},
		{"a target without restrictions still needs a domain", mapping.UPNRules{}, mapping.UPNInput{LoginID: "bob"}, "", mapping.CodeNoDomain},
		{"48 behind the @ fit, and 113 in all", mapping.UPNRules{}, mapping.UPNInput{LoginID: strings.Repeat("x", 64) + "@" + d48}, strings.Repeat("x", 64) + "@" + d48, ""},
		{"49 behind the @ don't", mapping.UPNRules{}, mapping.UPNInput{LoginID: "x@d" + d48}, "", mapping.CodeTooLong},
		{"a function gives the local part", mapping.UPNRules{Domains: contoso()},
			mapping.UPNInput{LoginID: "bob@corp.local", Local: func() string { return "é.1" }}, "e.1@contoso.onmicrosoft.com", ""},
		{"the function isn't asked about a verified suffix", mapping.UPNRules{Domains: contoso()},
			mapping.UPNInput{LoginID: "bob@contoso.com", Local: func() string { return "x" }}, "bob@contoso.com", ""},
		{"a function may have no answer", mapping.UPNRules{Domains: contoso()},
			mapping.UPNInput{LoginID: "bob@corp.local", Local: func() string { return "" }}, "", mapping.CodeNoLegalName},
		{"the mailNickname fallback needs a mailNickname", mapping.UPNRules{Domains: contoso(), Fallback: mapping.MailNickname},
			mapping.UPNInput{LoginID: "bob@corp.local"}, "", mapping.CodeNoLegalName},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, _, problem := tt.rules.UPN(tt.in)
			require.Equal(t, tt.want, got)
			if tt.problem == "" {
				require.Nil(t, problem)
			} else {
				require.NotNil(t, problem)
				require.Equal(t, tt.problem, problem.Code)
			}
		})
	}
}

func TestTheImplicitLoginIDIsMadeOfSAMAccountNameAndTheDomain(t *testing.T) {
	verified := contoso()
	verified.Verified["corp.example.com"] = true
	for _, tt := range []struct {
		name  string
		opts  *mapping.Options
		dn    string
		upn   string
		login string
		want  string
	}{
		{"the DN names the domain", nil, "CN=B\\,ob,OU=DC=x,DC=Corp,DC=example,DC=com", "", "bob@corp.example.com", "bob@corp.example.com"},
		{"an option names the domain", &mapping.Options{ADDomain: "Contoso.com."}, "CN=Bob,DC=corp,DC=example,DC=com", "", "bob@contoso.com", "bob@contoso.com"},
		{"a DN without DC names none", nil, "uid=bob,o=Corp", "", "bob", "bob@contoso.onmicrosoft.com"},
		{"a blank userPrincipalName is none", nil, "CN=Bob,DC=corp,DC=example,DC=com", " ", "bob@corp.example.com", "bob@corp.example.com"},
		{"the userPrincipalName comes first", nil, "CN=Bob,DC=corp,DC=example,DC=com", "b@contoso.com", "b@contoso.com", "b@contoso.com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := bare(nil)
			o.DN = tt.dn
			if tt.upn != "" {
				o.Attributes["userPrincipalName"] = []string{tt.upn}
			}
			res := newRules(t, tt.opts).Map(mapping.Input{Object: o, Domains: verified})
			require.Equal(t, tt.login, res.LoginID)
			require.Equal(t, []string{tt.want}, res.Attributes["userPrincipalName"])
		})
	}
}

// The table of sync-rules.md 2.7: five published scenarios, one after the other
// on one object, and two objects at first sight.
func TestMailNicknameFallbackFollowsConnectsSevenRows(t *testing.T) {
	acme := mapping.Domains{
		Restricted: true,
		Verified:   map[string]bool{"corp.acme.test": true, "acme.onmicrosoft.com": true},
		Initial:    "acme.onmicrosoft.com",
		Default:    "acme.onmicrosoft.com",
	}
	rules := newRules(t, &mapping.Options{Fallback: mapping.MailNickname})
	var memory mapping.Memory
	for _, row := range []struct {
		name                       string
		first                      bool
		nick, primary, mail, login string
		wantNick, wantUPN          string
	}{
		{"1 first sync", true, "", "a1@acme.test", "a2@acme.test", "a3@acme.test", "a1", "a1@acme.onmicrosoft.com"},
		{"2 set nickname", false, "a4", "a1@acme.test", "a2@acme.test", "a3@acme.test", "a4", "a1@acme.onmicrosoft.com"},
		{"3 change login ID", false, "a4", "a1@acme.test", "a2@acme.test", "a5@acme.test", "a4", "a4@acme.onmicrosoft.com"},
		{"4 change SMTP and mail", false, "a4", "a6@acme.test", "a7@acme.test", "a5@acme.test", "a4", "a4@acme.onmicrosoft.com"},
		{"5 login ID to verified suffix", false, "a4", "a6@acme.test", "a7@acme.test", "a5@corp.acme.test", "a4", "a5@corp.acme.test"},
		{"6 no attribute but login ID, first sync", true, "", "", "", "b1@acme.local", "b1", "b1@acme.onmicrosoft.com"},
		{"7 login ID has a blank, suffix verified", true, "", "", "", "b 2@corp.acme.test", "b2", "b2@acme.onmicrosoft.com"},
	} {
		o := bare(source.Attributes{"sAMAccountName": {"sam"}, "userPrincipalName": {row.login}})
		if row.nick != "" {
			o.Attributes["mailNickname"] = []string{row.nick}
		}
		if row.primary != "" {
			o.Attributes["proxyAddresses"] = []string{"SMTP:" + row.primary}
		}
		if row.mail != "" {
			o.Attributes["mail"] = []string{row.mail}
		}
		if row.first {
			memory = mapping.Memory{}
		}
		res := rules.Map(mapping.Input{Object: o, Domains: acme, Previous: memory})
		require.Empty(t, res.Problems, row.name)
		require.Equal(t, []string{row.wantNick}, res.Attributes["mailNickname"], row.name)
		require.Equal(t, []string{row.wantUPN}, res.Attributes["userPrincipalName"], row.name)
		memory = res.Memory
	}
}

func TestMailNicknameFallbackDecidesAgainOnlyOnItsEvents(t *testing.T) {
	rules := newRules(t, &mapping.Options{Fallback: mapping.MailNickname})
	o := bare(source.Attributes{"userPrincipalName": {"bob@corp.local"}, "mailNickname": {"one"}})
	first := rules.Map(mapping.Input{Object: o, Domains: contoso()})
	require.Equal(t, "one@contoso.onmicrosoft.com", first.Attributes.First("userPrincipalName"))

	o.Attributes["mailNickname"] = []string{"two"}
	kept := rules.Map(mapping.Input{Object: o, Domains: contoso(), Previous: first.Memory})
	require.Equal(t, "one@contoso.onmicrosoft.com", kept.Attributes.First("userPrincipalName"))
	require.Equal(t, "two", kept.Attributes.First("mailNickname"))

	more := contoso()
	more.Verified["fabrikam.com"] = true
	moved := rules.Map(mapping.Input{Object: o, Domains: more, Previous: kept.Memory})
	require.Equal(t, "two@contoso.onmicrosoft.com", moved.Attributes.First("userPrincipalName"), "any change of the verified domains counts")

	delete(o.Attributes, "mailNickname")
	gone := rules.Map(mapping.Input{Object: o, Domains: more, Previous: moved.Memory})
	require.Equal(t, "two", gone.Attributes.First("mailNickname"), "a nickname that is removed on premises stays")

	more.Verified["corp.local"] = true
	own := rules.Map(mapping.Input{Object: o, Domains: more, Previous: gone.Memory})
	require.Equal(t, "bob@corp.local", own.Attributes.First("userPrincipalName"))
	back := rules.Map(mapping.Input{Object: o, Domains: more, Previous: own.Memory, RefusedDomain: "corp.local"})
	require.Equal(t, "two@contoso.onmicrosoft.com", back.Attributes.First("userPrincipalName"), "a refusal counts at once")
}

func TestAProblemWithTheNameIsNotRemembered(t *testing.T) {
	rules := newRules(t, &mapping.Options{Fallback: mapping.MailNickname})
	o := bare(source.Attributes{"userPrincipalName": {"bob@corp.local"}, "mailNickname": {strings.Repeat("n", 65)}})
	res := rules.Map(mapping.Input{Object: o, Domains: contoso()})
	require.Len(t, res.Problems, 2)
	o.Attributes["mailNickname"] = []string{"bob"}
	res = rules.Map(mapping.Input{Object: o, Domains: contoso(), Previous: res.Memory})
	require.Empty(t, res.Problems)
	require.Equal(t, "bob@contoso.onmicrosoft.com", res.Attributes.First("userPrincipalName"))
}

func TestTheNameFollowsTheVerifiedDomains(t *testing.T) {
	rules := newRules(t, nil)
	o := bare(source.Attributes{"userPrincipalName": {"bob@fabrikam.com"}})
	domains := contoso()
	before := rules.Map(mapping.Input{Object: o, Domains: domains})
	require.Equal(t, "bob@contoso.onmicrosoft.com", before.Attributes.First("userPrincipalName"))
	require.Equal(t, "fabrikam.com", before.Suffix)
	domains.Verified["fabrikam.com"] = true
	during := rules.Map(mapping.Input{Object: o, Domains: domains, Previous: before.Memory})
	require.Equal(t, "bob@fabrikam.com", during.Attributes.First("userPrincipalName"))
	after := rules.Map(mapping.Input{Object: o, Domains: contoso(), Previous: during.Memory})
	require.Equal(t, before.Attributes, after.Attributes)
}
