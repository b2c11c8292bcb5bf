package mapping_test

import (
	"fmt"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// One rule alone: what becomes of a login ID.
func ExampleUPNRules_UPN() {
	rules := mapping.UPNRules{Domains: mapping.NewDomains([]target.Domain{
		{Name: "contoso.onmicrosoft.com", Verified: true, Initial: true},
		{Name: "contoso.com", Verified: true},
		{Name: "fabrikam.com"},
	})}
	for _, ad := range []string{"ann@contoso.com", "bob@corp.local", "jürgen@fabrikam.com", "山田@contoso.com"} {
		upn, why, problem := rules.UPN(mapping.UPNInput{LoginID: ad})
		if problem != nil {
			fmt.Println(problem.Code+":", problem.Remedy)
			continue
		}
		fmt.Println(upn, "by", why.Branch)
	}
	// Output:
	// ann@contoso.com by own domain
	// bob@contoso.onmicrosoft.com by fallback domain: corp.local isn't verified
	// jurgen@contoso.onmicrosoft.com by fallback domain: fabrikam.com isn't verified, refused characters replaced: "jürgen" became "jurgen"
	// no-legal-name: set a userPrincipalName in the directory with letters A to Z or digits before the @
}

// The default rules for one object: what it should be, and why.
func ExampleRules_Map() {
	rules, err := mapping.New(&mapping.Options{UsageLocation: "DE"})
	if err != nil {
		fmt.Println(err)
		return
	}
	result := rules.Map(mapping.Input{
		Object: source.Object{
			ID:   "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
			Kind: source.User,
			DN:   "CN=Bob Baker,OU=Sales,DC=corp,DC=local",
			Attributes: source.Attributes{
				"sAMAccountName":     {"bob"},
				"userAccountControl": {"514"},
				"cn":                 {"Bob Baker"},
				"postalCode":         {"a postal code that is longer than the forty that fit"},
			},
		},
		Domains: mapping.Domains{Restricted: true, Initial: "contoso.onmicrosoft.com"},
	})
	fmt.Println("anchor", result.Anchor)
	for _, d := range result.Decisions {
		if len(d.Result) > 0 {
			fmt.Println(d.Attribute, d.Result, "-", d.Branch)
		}
	}
	for _, p := range result.Problems {
		fmt.Println(p.Code, p.Attribute, "-", p.Remedy)
	}
	// Output:
	// anchor 9y6ruRsJv1CEXHK7igDpCQ==
	// userPrincipalName [bob@contoso.onmicrosoft.com] - fallback domain: corp.local isn't verified
	// displayName [Bob Baker] - from cn
	// mailNickname [bob] - from the login ID
	// accountEnabled [false] - userAccountControl bit 2 is set
	// onPremisesImmutableId [9y6ruRsJv1CEXHK7igDpCQ==] - from objectGUID
	// usageLocation [DE] - configured default: no value
	// value-too-long postalCode - shorten postalCode in the directory to at most 40 characters
}

// badges are the default rules, with a jobTitle that says who comes from outside.
type badges struct{ *mapping.Rules }

func (b badges) Map(in mapping.Input) mapping.Result {
	res := b.Rules.Map(in)
	if res.Skip == nil && in.Object.Attributes.First("employeeType") == "contractor" {
		res.Attributes["jobTitle"] = []string{"Contractor"}
		res.Decisions = append(res.Decisions, mapping.Decision{
			Attribute: "jobTitle", Rule: "badges", Branch: "contractors have no other title", Result: []string{"Contractor"},
		})
	}
	return res
}

// Fingerprint makes the engine map every object again when badges change.
func (b badges) Fingerprint() string { return b.Rules.Fingerprint() + " badges=1" }

// A Mapper of one's own that stands on the default rules.
func ExampleMapper() {
	rules, err := mapping.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var mapper mapping.Mapper = badges{rules}
	res := mapper.Map(mapping.Input{Object: source.Object{
		ID: "b9ab2ef7-091b-50bf-845c-72bb8a00e909",
		Attributes: source.Attributes{
			"userPrincipalName": {"ann@contoso.com"}, "sAMAccountName": {"ann"}, "userAccountControl": {"512"},
			"displayName": {"Ann"}, "title": {"Engineer"}, "employeeType": {"contractor"},
		},
	}})
	fmt.Println(res.Attributes.First("userPrincipalName"), res.Attributes.First("jobTitle"))
	// Output: ann@contoso.com Contractor
}

func ExamplePlaceholder() {
	fmt.Println(mapping.Placeholder("bob@contoso.com", "9y6ruRsJv1CEXHK7igDpCQ==", "contoso.onmicrosoft.com"))
	// Output: bob-b268760d@contoso.onmicrosoft.com
}

func ExampleCleanLocalPart() {
	for _, s := range []string{"Jürgen Groß", "o'brien.", "山田"} {
		fmt.Printf("%q\n", mapping.CleanLocalPart(s))
	}
	// Output:
	// "JurgenGross"
	// "o'brien"
	// ""
}
