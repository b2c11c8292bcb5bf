package mapping_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// contoso is a tenant with one verified domain of its own.
func contoso() mapping.Domains {
	return mapping.Domains{
		Restricted: true,
		Verified:   map[string]bool{"contoso.com": true, "contoso.onmicrosoft.com": true},
		Initial:    "contoso.onmicrosoft.com",
		Default:    "contoso.com",
	}
}

// ann is an ordinary person with a value for everything that the flow knows.
func ann() source.Object {
	o := source.Object{
		ID:   "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		Kind: source.User,
		DN:   "CN=Ann Adams,OU=Sales,DC=corp,DC=example,DC=com",
		Attributes: source.Attributes{
			"objectGUID":                 {"9y6ruRsJv1CEXHK7igDpCQ=="},
			"sAMAccountName":             {"ann"},
			"userPrincipalName":          {"ann.adams@contoso.com"},
			"userAccountControl":         {"512"},
			"cn":                         {"Ann Adams"},
			"name":                       {"Ann Adams"},
			"displayName":                {" Ann Adams "},
			"mailNickname":               {"ann.a"},
			"givenName":                  {"Ann"},
			"sn":                         {"Adams"},
			"title":                      {"Engineer"},
			"department":                 {"R&D, Labs"},
			"company":                    {"Contoso, Ltd."},
			"physicalDeliveryOfficeName": {"B1/2"},
			"streetAddress":              {"1 Main Street\r\nFloor 2"},
			"l":                          {"Zürich"},
			"st":                         {"ZH"},
			"postalCode":                 {"8001"},
			"co":                         {"Switzerland"},
			"c":                          {"CH"},
			"telephoneNumber":            {"+41 44 555 0001"},
			"mobile":                     {"+41 79 555 0001"},
			"facsimileTelephoneNumber":   {"+41 44 555 0002"},
			"mail":                       {"ann.adams@contoso.com"},
			"otherMailbox":               {"a@example.net", "ann@example.org"},
			"proxyAddresses":             {"SMTP:ann.adams@contoso.com", "smtp:ann@contoso.com"},
			"employeeID":                 {"E0000001"},
			"employeeType":               {"staff"},
			"preferredLanguage":          {"de-CH"},
		},
	}
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"} {
		o.Attributes["extensionAttribute"+n] = []string{"ea" + n}
	}
	return o
}

// bare is a person with no more than an account needs.
func bare(with source.Attributes) source.Object {
	o := source.Object{
		ID:   "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		Kind: source.User,
		DN:   "CN=Bob,OU=Sales,DC=corp,DC=example,DC=com",
		Attributes: source.Attributes{
			"sAMAccountName":     {"bob"},
			"userAccountControl": {"512"},
			"cn":                 {"Bob"},
		},
	}
	maps.Copy(o.Attributes, with)
	for name, values := range with {
		if len(values) == 0 {
			delete(o.Attributes, name)
		}
	}
	return o
}

func newRules(t testing.TB, opts *mapping.Options) *mapping.Rules {
	t.Helper()
	rules, err := mapping.New(opts)
	require.NoError(t, err)
	return rules
}

// decision returns what was decided about attribute.
func decision(t testing.TB, res mapping.Result, attribute string) mapping.Decision {
	t.Helper()
	for _, d := range res.Decisions {
		if d.Attribute == attribute {
			return d
		}
	}
	t.Fatalf("no decision about %s", attribute)
	return mapping.Decision{}
}

// problem returns the only problem of res.
func problem(t testing.TB, res mapping.Result) mapping.Problem {
	t.Helper()
	require.Len(t, res.Problems, 1)
	p := res.Problems[0]
	require.NotEmpty(t, p.Message)
	require.NotEmpty(t, p.Remedy)
	return p
}

func lower(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = strings.ToLower(n)
	}
	return out
}
