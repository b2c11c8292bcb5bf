package graphsim_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestDomainsShowInBothPlaces(t *testing.T) {
	s := open(t, &graphsim.Options{Initial: "fab.onmicrosoft.com", Domains: []string{"fabrikam.com", "fabrikam.de"}})
	s.Federate("fabrikam.de")
	s.VerifyDomain("sub.fabrikam.com")
	s.AddDomain("new.example")
	a := s.do("GET", "/domains?$select=id,isVerified,isInitial,isDefault,isRoot,authenticationType", nil)
	require.Equal(t, []any{"fab.onmicrosoft.com", "fabrikam.com", "fabrikam.de", "sub.fabrikam.com", "new.example"}, a.column("id"))
	require.Equal(t, []any{true, true, true, true, false}, a.column("isVerified"))
	require.Equal(t, []any{true, false, false, false, false}, a.column("isInitial"))
	require.Equal(t, []any{false, true, false, false, false}, a.column("isDefault"))
	require.Equal(t, []any{true, true, true, false, false}, a.column("isRoot"))
	require.Equal(t, []any{"Managed", "Managed", "Federated", "Managed", "Managed"}, a.column("authenticationType"))
	require.Equal(t, true, s.do("GET", "/domains/FABRIKAM.com", nil).body["isVerified"])
	require.Equal(t, 404, s.do("GET", "/domains/contoso.com", nil).status)

	org := s.do("GET", "/organization?$select=id,verifiedDomains", nil).value()[0]
	require.Equal(t, s.ID(), org["id"])
	var names []any
	for _, d := range org["verifiedDomains"].([]any) {
		require.IsType(t, "", d.(props)["capabilities"])
		names = append(names, d.(props)["name"])
	}
	require.Equal(t, []any{"fab.onmicrosoft.com", "fabrikam.com", "fabrikam.de", "sub.fabrikam.com"}, names)
	require.Equal(t, 200, s.do("GET", "/organization/"+s.ID(), nil).status)
	require.Equal(t, 404, s.do("GET", "/organization/x", nil).status)
}

func TestOnlyVerifiedDomainsCanBeUsedInNames(t *testing.T) {
	s := open(t, nil)
	s.AddDomain("fabrikam.com")
	require.Equal(t, 400, s.do("POST", "/users", person("ann@fabrikam.com")).status)
	s.VerifyDomain("fabrikam.com")
	id := s.create("ann@fabrikam.com")
	s.RemoveDomain("fabrikam.com")
	require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"city": "Graz"}).status, "the name it has stays")
	require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"userPrincipalName": "ann@contoso.onmicrosoft.com"}).status)
	require.Equal(t, 400, s.do("PATCH", "/users/"+id, props{"userPrincipalName": "ann@fabrikam.com"}).status)
	s.RemoveDomain("contoso.onmicrosoft.com")
	s.RemoveDomain("contoso.com")
	require.Equal(t, []graphsim.Domain{{Name: "contoso.onmicrosoft.com", Verified: true, Default: true, Initial: true}}, s.Domains())
}
