package compare_test

import (
	"fmt"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

// An account that the directory disabled is still enabled in the tenant.
func Example() {
	directory := &compare.Directory{Live: []compare.Entry{{
		DN: "CN=Ann,DC=corp,DC=example,DC=com",
		Values: map[string][]string{
			"objectguid": {"0123456789abcdef"}, "samaccountname": {"ann"}, "userprincipalname": {"ann@corp.local"},
			"displayname": {"Ann"}, "useraccountcontrol": {"514"},
		},
	}}}
	tenant := &compare.Tenant{
		Initial:  "contoso.onmicrosoft.com",
		Verified: map[string]bool{"contoso.onmicrosoft.com": true},
		Live: []compare.Account{{ID: "7", Anchor: "MDEyMzQ1Njc4OWFiY2RlZg==", Values: map[string]string{
			"userPrincipalName": "ann@contoso.onmicrosoft.com", "displayName": "Ann", "mailNickname": "ann", "accountEnabled": "true",
		}}},
	}
	for _, d := range compare.New("corp.example.com").Compare(directory, tenant) {
		fmt.Println(d)
	}
	// Output:
	// CN=Ann,DC=corp,DC=example,DC=com: accountEnabled: want "false", have "true"
}
