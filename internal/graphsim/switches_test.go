package graphsim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func with(sw graphsim.Switches) *graphsim.Options { return &graphsim.Options{Switches: sw} }

func TestDuplicateAnchorSwitch(t *testing.T) {
	for choice, status := range map[graphsim.DuplicateAnchor]int{
		graphsim.DuplicateAnchorRefused: 400, graphsim.DuplicateAnchorAs500: 500, graphsim.DuplicateAnchorAllowed: 201,
	} {
		s := open(t, with(graphsim.Switches{DuplicateAnchor: choice}))
		s.create("ann@contoso.com", props{"onPremisesImmutableId": "QU5O"})
		s.create("cy@contoso.com", props{"onPremisesImmutableId": "qu5o"}) // another anchor: case counts
		a := s.do("POST", "/users", person("bob@contoso.com", props{"onPremisesImmutableId": "QU5O"}))
		require.Equal(t, status, a.status)
		want := 1
		if status == 201 {
			want = 2
		}
		require.Len(t, s.do("GET", "/users?$filter=onPremisesImmutableId%20eq%20'QU5O'", nil).value(), want)
	}
}

func TestDeletedAnchorSwitch(t *testing.T) {
	for blocks, status := range map[bool]int{false: 201, true: 400} {
		s := open(t, with(graphsim.Switches{DeletedAnchorBlocks: blocks}))
		id := s.create("ann@contoso.com", props{"onPremisesImmutableId": "QU5O"})
		require.NoError(t, s.DeleteUser(id))
		a := s.do("POST", "/users", person("ann@contoso.com", props{"onPremisesImmutableId": "QU5O"}))
		require.Equal(t, status, a.status, a.raw)
		if blocks {
			require.Equal(t, []string{"ObjectConflict onPremisesImmutableId", "ConflictingObjects User_" + id}, a.details())
			require.Equal(t, 200, s.do("POST", "/directory/deletedItems/"+id+"/restore", nil).status, "it doesn't block itself")
		}
	}
}

func TestDeletedNameBlocksSwitch(t *testing.T) {
	for blocks, status := range map[bool]int{false: 201, true: 400} {
		s := open(t, with(graphsim.Switches{DeletedUPNBlocks: blocks}))
		id := s.create("ann@contoso.com")
		require.NoError(t, s.DeleteUser(id))
		require.Equal(t, status, s.do("POST", "/users", person("Ann@contoso.com")).status)
		if blocks {
			require.Equal(t, 200, s.do("POST", "/directory/deletedItems/"+id+"/restore", nil).status, "it doesn't block itself")
		}
	}
}

func TestAnchorFilterCaseSwitch(t *testing.T) {
	for fold, found := range map[bool]int{false: 0, true: 1} {
		s := open(t, with(graphsim.Switches{AnchorFilterIgnoresCase: fold}))
		s.create("ann@contoso.com", props{"onPremisesImmutableId": "QU5O"})
		require.Len(t, s.do("GET", "/users?$filter=onPremisesImmutableId%20eq%20'qu5o'", nil).value(), found)
		s.create("bob@contoso.com", props{"onPremisesImmutableId": "qu5o"}) // uniqueness stays exact
	}
}

func TestNullSwitches(t *testing.T) {
	all := graphsim.Switches{NullMailAccepted: true, NullUsageLocationAccepted: true, NullAccountEnabledAccepted: true}
	for _, name := range []string{"mail", "usageLocation", "accountEnabled"} {
		for accepted, sw := range map[bool]graphsim.Switches{false: {}, true: all} {
			s := open(t, with(sw))
			id := s.create("ann@contoso.com", props{"mail": "ann@contoso.com", "usageLocation": "AT"})
			a := s.do("PATCH", "/users/"+id, props{name: nil})
			u, _ := s.User(id)
			if accepted {
				require.Equal(t, 204, a.status)
				require.Nil(t, u.Properties[name])
				continue
			}
			_, message := a.fault()
			require.Equal(t, 400, a.status)
			require.Equal(t, "Invalid value specified for property '"+name+"' of resource 'User'.", message)
			require.NotNil(t, u.Properties[name])
		}
	}
	s := open(t, with(graphsim.Switches{NullAnchorRefused: true}))
	id := s.create("ann@contoso.com", props{"onPremisesImmutableId": "QU5O"})
	require.Equal(t, 400, s.do("PATCH", "/users/"+id, props{"onPremisesImmutableId": nil}).status)
}

func TestCaseSwitches(t *testing.T) {
	for sensitive, status := range map[bool]int{false: 400, true: 201} {
		s := open(t, with(graphsim.Switches{UPNCaseSensitive: sensitive}))
		s.create("ann@contoso.com")
		require.Equal(t, status, s.do("POST", "/users", person("Ann@contoso.com")).status)

		s = open(t, with(graphsim.Switches{ProxyCaseSensitive: sensitive}))
		s.create("ann@contoso.com", props{"mail": "ann@contoso.com"})
		require.Equal(t, status, s.do("POST", "/users", person("bob@contoso.com", props{"mail": "Ann@contoso.com"})).status)
		require.NotEmpty(t, s.do("GET", "/users?$filter=proxyAddresses/any(p:p%20eq%20'smtp:ANN@contoso.com')", nil).value())
	}
}

func TestConflictingObjectsSwitch(t *testing.T) {
	s := open(t, with(graphsim.Switches{NoConflictingObjects: true}))
	s.create("ann@contoso.com", props{"mail": "ann@contoso.com"})
	a := s.do("POST", "/users", person("bob@contoso.com", props{"mail": "ann@contoso.com"}))
	require.Equal(t, []string{"ObjectConflict proxyAddresses"}, a.details())
}

func TestReadOnlySwitch(t *testing.T) {
	for choice, want := range map[graphsim.ReadOnlyAnswer]string{
		graphsim.ReadOnlyNamed:   "Property 'proxyAddresses' is read-only and cannot be set.",
		graphsim.ReadOnlyGeneric: "One or more properties contains invalid values.",
		graphsim.ReadOnlyIgnored: "",
	} {
		s := open(t, with(graphsim.Switches{ReadOnly: choice}))
		id := s.create("ann@contoso.com")
		a := s.wrong("PATCH", "/users/"+id, props{"proxyAddresses": []string{"smtp:x@contoso.com"}})
		_, message := a.fault()
		require.Equal(t, want, message)
		u, _ := s.User(id)
		require.Nil(t, u.Properties["proxyAddresses"])
	}
}

func TestDeletedNameSwitch(t *testing.T) {
	s := open(t, with(graphsim.Switches{DeletedUPNKept: true}))
	id := s.create("ann@contoso.com")
	require.NoError(t, s.DeleteUser(id))
	require.Equal(t, "ann@contoso.com", s.do("GET", "/directory/deletedItems/"+id, nil).str("userPrincipalName"))
	require.Equal(t, 404, s.do("GET", "/users/ann@contoso.com", nil).status, "the name is free all the same")
}

func TestUnauthenticatedCodeSwitch(t *testing.T) {
	s := open(t, with(graphsim.Switches{UnauthenticatedCode: "Authentication_ExpiredToken"}))
	code, _ := s.do("GET", "/users", nil, "Authorization", "Bearer x").fault()
	require.Equal(t, "Authentication_ExpiredToken", code)
}

func TestDefaultPropertiesSwitch(t *testing.T) {
	for on, set := range map[bool]graphsim.Switches{false: {}, true: {SecurityIdentifierByDefault: true}} {
		s := open(t, with(set))
		id := s.create("ann@contoso.com")
		_, ok := s.do("GET", "/users/"+id, nil).body["securityIdentifier"]
		require.Equal(t, on, ok)
		require.Regexp(t, `^S-1-12-1(-\d+){4}$`, s.do("GET", "/users/"+id+"?$select=securityIdentifier", nil).str("securityIdentifier"))
	}
}

func TestDeleteRestorePermissionSwitch(t *testing.T) {
	for refused, status := range map[bool]int{false: 204, true: 403} {
		s := open(t, &graphsim.Options{Permissions: []string{"User.DeleteRestore.All"}, Switches: graphsim.Switches{DeleteRestoreRefused: refused}})
		u, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com"})
		require.NoError(t, err)
		require.Equal(t, status, s.do("DELETE", "/users/"+u.ID, nil).status)
	}
}

func TestTrimmingSwitch(t *testing.T) {
	for on, want := range map[bool]string{false: " Graz ", true: "Graz"} {
		s := open(t, with(graphsim.Switches{TrimsValues: on}))
		id := s.create("ann@contoso.com", props{"city": " Graz "})
		u, _ := s.User(id)
		require.Equal(t, want, u.Get("city"))
		require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"city": strings.Repeat(" ", 3)}).status)
	}
}
