package graphsim_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestCreatedUserIsReadBackWithTheDefaultProperties(t *testing.T) {
	s := open(t, nil)
	a := s.do("POST", "/users", person("ann@contoso.com", props{"jobTitle": "Pilot", "city": "Graz"}))
	require.Equal(t, 201, a.status)
	id := a.str("id")
	want := props{
		"@odata.context": s.url + "/$metadata#users/$entity", "id": id, "businessPhones": []any{}, "displayName": "ann",
		"givenName": nil, "jobTitle": "Pilot", "mail": nil, "mobilePhone": nil, "officeLocation": nil,
		"preferredLanguage": nil, "surname": nil, "userPrincipalName": "ann@contoso.com",
	}
	require.Equal(t, want, a.body)
	require.Equal(t, want, s.do("GET", "/users/"+id, nil).body)
	require.Equal(t, want, s.do("GET", "/users/ANN@contoso.com", nil).body)
	require.Equal(t, "city,id", strings.Join(keys(s.do("GET", "/users/"+id+"?$select=id,city", nil).body), ","))
	require.Equal(t, "city,id", strings.Join(keys(s.do("GET", "/users/"+id+"?%24select=id%2Ccity", nil).body), ","))
	require.NotContains(t, s.do("GET", "/users/"+id+"?$select=id,passwordProfile", nil).body, "passwordProfile")
}

func TestCreateNeedsItsRequiredProperties(t *testing.T) {
	s := open(t, nil)
	for _, name := range []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"} {
		a := s.wrong("POST", "/users", person("ann@contoso.com", props{name: nil}))
		code, message := a.fault()
		require.Equal(t, 400, a.status, name)
		require.Equal(t, "Request_BadRequest", code)
		require.Equal(t, "A value is required for property '"+name+"' of resource 'User'.", message)
	}
	require.Zero(t, s.Size())
	require.Zero(t, s.Counts().TotalWrites())
}

func TestUpdateChangesOnlyWhatItNamesAndNullClears(t *testing.T) {
	s := open(t, nil)
	id := s.create("ann@contoso.com", props{"jobTitle": "Pilot", "city": "Graz", "otherMails": []string{"a@x.org"}, "onPremisesImmutableId": "AAEC=="})
	a := s.do("PATCH", "/users/"+id, props{"city": nil, "department": "Air", "otherMails": []string{}, "onPremisesImmutableId": nil})
	require.Equal(t, 204, a.status)
	require.Empty(t, a.raw)
	got := s.do("GET", "/users/"+id+"?$select=city,department,jobTitle,otherMails,onPremisesImmutableId", nil).body
	delete(got, "@odata.context")
	require.Equal(t, props{"city": nil, "department": "Air", "jobTitle": "Pilot", "otherMails": []any{}, "onPremisesImmutableId": nil}, got)
	require.Equal(t, 1, s.Counts().Writes["PATCH /users/{id}"])
}

func TestExtensionAttributesAreMerged(t *testing.T) {
	s := open(t, nil)
	id := s.create("ann@contoso.com", props{"onPremisesExtensionAttributes": props{"extensionAttribute1": "a", "extensionAttribute2": "b"}})
	require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"onPremisesExtensionAttributes": props{"extensionAttribute2": nil, "extensionAttribute15": "o"}}).status)
	u, _ := s.User(id)
	require.Equal(t, props{"extensionAttribute1": "a", "extensionAttribute15": "o"}, u.Properties["onPremisesExtensionAttributes"])
	shown := s.do("GET", "/users/"+id+"?$select=onPremisesExtensionAttributes", nil).body["onPremisesExtensionAttributes"].(props)
	require.Len(t, shown, 15)
	require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"onPremisesExtensionAttributes": nil}).status)
	u, _ = s.User(id)
	require.Nil(t, u.Properties["onPremisesExtensionAttributes"])
}

// TestRefusedUpdates is the table of error bodies for PATCH of a user ann whose
// neighbour bob holds bob@contoso.com, the anchor Qk9C and bob's addresses.
func TestRefusedUpdates(t *testing.T) {
	for _, tt := range []struct {
		name    string
		body    any
		message string
		details []string
	}{
		{"an empty string is an invalid value", props{"mailNickname": ""},
			"Invalid value specified for property 'mailNickname' of resource 'User'.", []string{"InvalidValue mailNickname"}},
		{"several invalid values are refused in general", props{"givenName": "", "surname": ""},
			"One or more properties contains invalid values.", []string{"InvalidValue givenName", "InvalidValue surname"}},
		{"too long", props{"department": strings.Repeat("x", 65)},
			"Invalid value specified for property 'department' of resource 'User'.", []string{"InvalidValue department"}},
		{"two business phones", props{"businessPhones": []string{"1", "2"}},
			"Invalid value specified for property 'businessPhones' of resource 'User'.", []string{"InvalidValue businessPhones"}},
		{"a null name", props{"displayName": nil},
			"Invalid value specified for property 'displayName' of resource 'User'.", []string{"InvalidValue displayName"}},
		{"a null for a collection", props{"businessPhones": nil},
			"A null value was found for the property named 'businessPhones', which has the expected type 'Collection(Edm.String)[Nullable=False]'. The expected type 'Collection(Edm.String)[Nullable=False]' does not allow null values.", nil},
		{"a number for a string", props{"city": 7}, "Cannot convert the value of property 'city' to the expected type 'Edm.String'.", nil},
		{"a string for a boolean", props{"accountEnabled": "no"}, "Cannot convert the value of property 'accountEnabled' to the expected type 'Edm.Boolean'.", nil},
		{"usage location of three letters", props{"usageLocation": "AUT"},
			"Invalid value specified for property 'usageLocation' of resource 'User'.", []string{"InvalidValue usageLocation"}},
		{"an accent in mail", props{"mail": "renée@contoso.com"},
			"Invalid value specified for property 'mail' of resource 'User'.", []string{"InvalidValue mail"}},
		{"an anchor with $", props{"onPremisesImmutableId": "a$b"},
			"Invalid value specified for property 'onPremisesImmutableId' of resource 'User'.", []string{"InvalidValue onPremisesImmutableId"}},
		{"a UPN without @", props{"userPrincipalName": "ann"}, "One or more properties contains invalid values.", []string{"InvalidValue userPrincipalName"}},
		{"a UPN with a dot before @", props{"userPrincipalName": "ann.@contoso.com"},
			"Invalid value specified for property 'userPrincipalName' of resource 'User'.", []string{"InvalidValue userPrincipalName"}},
		{"a UPN with a space", props{"userPrincipalName": "ann b@contoso.com"},
			"Invalid value specified for property 'userPrincipalName' of resource 'User'.", []string{"InvalidValue userPrincipalName"}},
		{"65 characters before @", props{"userPrincipalName": strings.Repeat("x", 65) + "@contoso.com"},
			"Invalid value specified for property 'userPrincipalName' of resource 'User'.", []string{"InvalidValue userPrincipalName"}},
		{"an unverified domain", props{"userPrincipalName": "ann@fabrikam.com"},
			"The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
			[]string{"InvalidValue userPrincipalName"}},
		{"a taken UPN, in other letters", props{"userPrincipalName": "BOB@contoso.com"},
			"Another object with the same value for property userPrincipalName already exists.", []string{"ObjectConflict userPrincipalName"}},
		{"a taken address", props{"mail": "bob@contoso.com", "city": "Linz"},
			"Another object with the same value for property proxyAddresses already exists.",
			[]string{"ObjectConflict proxyAddresses", "ConflictingObjects User_BOB"}},
		{"a taken anchor", props{"onPremisesImmutableId": "Qk9C"},
			"Another object with the same value for property onPremisesImmutableId already exists.",
			[]string{"ObjectConflict onPremisesImmutableId", "ConflictingObjects User_BOB"}},
		{"a read-only property", props{"onPremisesSyncEnabled": true}, "Property 'onPremisesSyncEnabled' is read-only and cannot be set.", nil},
		{"proxyAddresses", props{"proxyAddresses": []string{"smtp:x@contoso.com"}}, "Property 'proxyAddresses' is read-only and cannot be set.", nil},
		{"an unknown property", props{"shoeSize": "44"}, "Property 'shoeSize' does not exist as a declared property or extension property.", nil},
		{"an unknown extension attribute", props{"onPremisesExtensionAttributes": props{"extensionAttribute16": "x"}},
			"Invalid value specified for property 'onPremisesExtensionAttributes' of resource 'User'.", []string{"InvalidValue onPremisesExtensionAttributes"}},
		{"a weak password", props{"passwordProfile": props{"password": "secret"}},
			"The specified password does not comply with password complexity requirements. Please provide a different password.", nil},
		{"an empty body", "", "An unexpected 'EndOfInput' node was found when reading from the JSON reader. A 'StartObject' node was expected.", nil},
		{"half a body", `{"city":"Gr`, "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, nil)
			bob := s.create("bob@contoso.com", props{"mail": "bob@contoso.com", "onPremisesImmutableId": "Qk9C"})
			id := s.create("ann@contoso.com", props{"city": "Graz", "mail": "ann@contoso.com"})
			before, _ := s.User(id)
			a := s.wrong("PATCH", "/users/"+id, tt.body)
			code, message := a.fault()
			require.Equal(t, 400, a.status, a.raw)
			require.Equal(t, "Request_BadRequest", code)
			require.Equal(t, tt.message, message)
			for i := range tt.details {
				tt.details[i] = strings.Replace(tt.details[i], "User_BOB", "User_"+bob, 1)
			}
			require.Equal(t, tt.details, a.details())
			after, _ := s.User(id)
			require.Equal(t, before, after, "a refused update changes nothing")
		})
	}
}

func TestErrorEnvelopeCarriesTheRequestIDs(t *testing.T) {
	s := open(t, nil)
	a := s.do("GET", "/users/6f0c2a34-0000-4000-8000-000000000000", nil, "client-request-id", "mine")
	code, message := a.fault()
	require.Equal(t, 404, a.status)
	require.Equal(t, "Request_ResourceNotFound", code)
	require.Equal(t, "Resource '6f0c2a34-0000-4000-8000-000000000000' does not exist or one of its queried reference-property objects are not present.", message)
	inner := a.body["error"].(props)["innerError"].(props)
	require.Equal(t, "mine", inner["client-request-id"])
	require.Equal(t, a.header.Get("request-id"), inner["request-id"])
	require.Regexp(t, `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`, inner["date"])
	require.Equal(t, "mine", a.header.Get("client-request-id"))
	require.Contains(t, a.header.Get("Content-Type"), "application/json;odata.metadata=minimal")
	require.NotEmpty(t, a.header.Get("Date"))
}

func TestMailBecomesThePrimaryAddress(t *testing.T) {
	s := open(t, nil)
	id := s.create("ann@contoso.com", props{"mail": "ann@contoso.com"})
	require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"mail": "a.smith@contoso.com"}).status)
	u, _ := s.User(id)
	require.Equal(t, []string{"SMTP:a.smith@contoso.com", "smtp:ann@contoso.com"}, u.Properties["proxyAddresses"])
	require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"mail": "ann@contoso.com"}).status)
	u, _ = s.User(id)
	require.Equal(t, []string{"SMTP:ann@contoso.com", "smtp:a.smith@contoso.com"}, u.Properties["proxyAddresses"])
}

func TestFederatedDomainNeedsAnAnchor(t *testing.T) {
	s := open(t, nil)
	s.Federate("fed.example")
	a := s.do("POST", "/users", person("ann@fed.example"))
	_, message := a.fault()
	require.Equal(t, 400, a.status)
	require.Equal(t, "One or more properties contains invalid values.", message)
	s.create("ann@fed.example", props{"onPremisesImmutableId": "QU5O"})
}

func TestSynchronizedUserRefusesUpdatesAndDeletion(t *testing.T) {
	s := open(t, nil)
	u, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com", "onPremisesSyncEnabled": true})
	require.NoError(t, err)
	const text = "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration."
	for _, a := range []answer{s.do("PATCH", "/users/"+u.ID, props{"city": "Graz"}), s.do("DELETE", "/users/"+u.ID, nil)} {
		_, message := a.fault()
		require.Equal(t, 400, a.status)
		require.Equal(t, text, message)
	}
	require.Equal(t, 204, s.do("PATCH", "/users/"+u.ID, props{"usageLocation": "AT"}).status)
	s2 := open(t, &graphsim.Options{Switches: graphsim.Switches{SyncedDeleteAllowed: true}})
	u, err = s2.AddUser(props{"userPrincipalName": "ann@contoso.com", "onPremisesSyncEnabled": true})
	require.NoError(t, err)
	require.Equal(t, 204, s2.do("DELETE", "/users/"+u.ID, nil).status)
}

func TestOnceSynchronizedUserKeepsItsExtensionAttributes(t *testing.T) {
	s := open(t, nil)
	u, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com", "onPremisesSyncEnabled": false})
	require.NoError(t, err)
	a := s.do("PATCH", "/users/"+u.ID, props{"onPremisesExtensionAttributes": props{"extensionAttribute1": "x"}})
	_, message := a.fault()
	require.Equal(t, 400, a.status)
	require.Equal(t, "Unable to update the specified properties for objects that have originated within an external service.", message)
	require.Equal(t, 204, s.do("PATCH", "/users/"+u.ID, props{"city": "Graz"}).status)
}

func TestApplicationsCannotWriteWhatNeedsASignedInUser(t *testing.T) {
	s := open(t, nil)
	id := s.create("ann@contoso.com")
	for _, body := range []props{{"aboutMe": "x"}, {"employeeHireDate": "2026-01-01T00:00:00Z"}} {
		a := s.do("PATCH", "/users/"+id, body)
		code, _ := a.fault()
		require.Equal(t, 403, a.status)
		require.Equal(t, "Authorization_RequestDenied", code)
	}
	require.Equal(t, 501, s.do("GET", "/users?$select=id,skills", nil).status)
}

func keys(m props) (out []string) {
	for _, k := range []string{"city", "id", "displayName", "jobTitle", "department"} {
		if _, ok := m[k]; ok {
			out = append(out, k)
		}
	}
	return out
}
