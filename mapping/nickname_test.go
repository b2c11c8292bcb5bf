package mapping_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

func TestMailNicknameIsTheFirstThatHasAValue(t *testing.T) {
	all := source.Attributes{
		"mailNickname":      {"nick"},
		"proxyAddresses":    {"SMTP:primary@contoso.com", "X500:/o=x", "smtp:second@contoso.com"},
		"mail":              {"mail@contoso.com"},
		"userPrincipalName": {"login@contoso.com"},
		"sAMAccountName":    {"sam"},
	}
	without := func(names ...string) source.Attributes {
		a := all.Clone()
		for _, n := range names {
			delete(a, n)
		}
		return a
	}
	for _, tt := range []struct {
		name string
		with source.Attributes
		want string
	}{
		{"mailNickname", all, "nick"},
		{"primary SMTP address", without("mailNickname"), "primary"},
		{"a secondary address isn't one", source.Attributes{"proxyAddresses": {"smtp:second@contoso.com"}, "mail": {"mail@contoso.com"}}, "mail"},
		{"a primary address without @ isn't one", source.Attributes{"proxyAddresses": {"SMTP:primary"}, "mail": {"mail@contoso.com"}}, "mail"},
		{"mail", without("mailNickname", "proxyAddresses"), "mail"},
		{"mail without @ has no local part", source.Attributes{"mail": {"mail"}, "userPrincipalName": {"login@contoso.com"}}, "login"},
		{"login ID", without("mailNickname", "proxyAddresses", "mail"), "login"},
		{"login ID of which nothing is left", source.Attributes{"userPrincipalName": {"山田@contoso.com"}}, "bob"},
		{"implicit login ID", nil, "bob"},
		{"blank mailNickname", source.Attributes{"mailNickname": {" "}, "mail": {"mail@contoso.com"}}, "mail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res := newRules(t, nil).Map(mapping.Input{Object: bare(tt.with), Domains: contoso()})
			require.Equal(t, tt.want, res.Attributes.First("mailNickname"))
			require.Equal(t, []string{tt.want}, decision(t, res, "mailNickname").Result)
		})
	}
}

func TestMailNicknameFollowsItsSourcesByDefault(t *testing.T) {
	rules := newRules(t, nil)
	o := bare(source.Attributes{"mail": {"one@contoso.com"}})
	res := rules.Map(mapping.Input{Object: o, Domains: contoso()})
	o.Attributes["mail"] = []string{"two@contoso.com"}
	res = rules.Map(mapping.Input{Object: o, Domains: contoso(), Previous: res.Memory})
	require.Equal(t, "two", res.Attributes.First("mailNickname"))
}

func TestMailNicknameLengthIsThatOfTheCleanedValue(t *testing.T) {
	fits := strings.Repeat("n", 64)
	res := newRules(t, nil).Map(mapping.Input{Object: bare(source.Attributes{"mailNickname": {"." + fits + " "}}), Domains: contoso()})
	require.Empty(t, res.Problems)
	require.Equal(t, fits, res.Attributes.First("mailNickname"))
	res = newRules(t, nil).Map(mapping.Input{Object: bare(source.Attributes{"mailNickname": {fits + "n"}}), Domains: contoso()})
	p := problem(t, res)
	require.Equal(t, mapping.CodeTooLong, p.Code)
	require.True(t, p.Fatal)
	require.NotContains(t, res.Attributes, "mailNickname")
}

func TestNoLegalMailNicknameIsFatal(t *testing.T) {
	res := newRules(t, nil).Map(mapping.Input{
		Object:  bare(source.Attributes{"userPrincipalName": {"山田@contoso.com"}, "sAMAccountName": {"山田"}}),
		Domains: contoso(),
	})
	require.Len(t, res.Problems, 2)
	for _, p := range res.Problems {
		require.Equal(t, mapping.CodeNoLegalName, p.Code)
		require.True(t, p.Fatal)
	}
}
