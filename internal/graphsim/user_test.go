package graphsim_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestTenantCanBeEditedBehindTheAPI(t *testing.T) {
	s := open(t, &graphsim.Options{Lag: 1 << 40})
	u, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com", "mail": "ann@contoso.com", "onPremisesSyncEnabled": true})
	require.NoError(t, err)
	a := s.do("GET", "/users/"+u.ID+"?$select=displayName,mailNickname,accountEnabled,proxyAddresses,onPremisesSyncEnabled", nil)
	delete(a.body, "@odata.context")
	require.Equal(t, props{"displayName": "ann", "mailNickname": "ann", "accountEnabled": true,
		"proxyAddresses": []any{"SMTP:ann@contoso.com"}, "onPremisesSyncEnabled": true}, a.body)

	require.NoError(t, s.SetUser(u.ID, props{"jobTitle": "Pilot", "mail": nil, "userPrincipalName": "ann.b@fabrikam.com"}))
	got, ok := s.User("ANN.B@fabrikam.com")
	require.True(t, ok)
	require.Equal(t, "Pilot", got.Get("jobTitle"))
	require.Empty(t, got.Get("mail"))
	require.Zero(t, s.Counts().TotalWrites())

	got.Properties["proxyAddresses"].([]string)[0] = "changed"
	again, _ := s.User(u.ID)
	require.Equal(t, []string{"SMTP:ann@contoso.com"}, again.Properties["proxyAddresses"], "what is returned is a copy")

	require.NoError(t, s.DeleteUser(u.ID))
	require.Len(t, s.DeletedUsers(), 1)
	require.NoError(t, s.PurgeUser(u.ID))
	require.Empty(t, s.DeletedUsers())
	for _, err := range []error{s.DeleteUser(u.ID), s.PurgeUser(u.ID), s.SetUser(u.ID, nil), s.Protect(u.ID, true)} {
		require.Error(t, err)
	}
}

func TestAddUserRefusesWhatATenantCannotHold(t *testing.T) {
	s := open(t, nil)
	s.create("ann@contoso.com", props{"mail": "ann@contoso.com"})
	for _, p := range []props{
		{}, {"userPrincipalName": "ann@contoso.com"}, {"userPrincipalName": "b@contoso.com", "mail": "ann@contoso.com"},
		{"userPrincipalName": "b@contoso.com", "shoeSize": "44"}, {"userPrincipalName": "b@contoso.com", "city": true},
		{"userPrincipalName": "b@contoso.com", "id": "x"},
	} {
		_, err := s.AddUser(p)
		require.Error(t, err, "%v", p)
	}
	require.Equal(t, 1, s.Size())
}

func TestSeedMakesIDsReproducible(t *testing.T) {
	ids := map[string]bool{}
	for _, seed := range []uint64{1, 1, 2} {
		tenant := graphsim.New(&graphsim.Options{Seed: seed})
		u, err := tenant.AddUser(props{"userPrincipalName": "ann@contoso.onmicrosoft.com"})
		require.NoError(t, err)
		ids[u.ID] = true
	}
	require.Len(t, ids, 2)
}

// TestHundredThousandUsers holds the simulator to the size that it is for:
// creating, listing and looking up stay quick, memory stays in bounds.
func TestHundredThousandUsers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s := open(t, nil)
	const n = 100_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := range n {
		_, err := s.AddUser(props{"userPrincipalName": fmt.Sprintf("user%06d@contoso.com", i), "mail": fmt.Sprintf("user%06d@contoso.com", i),
			"onPremisesImmutableId": fmt.Sprintf("%024d", i), "givenName": "Given", "surname": fmt.Sprint("Sur", i), "department": "Sales",
			"jobTitle": "Agent", "city": "Graz", "country": "Austria", "usageLocation": "AT", "companyName": "Contoso", "officeLocation": "B7"})
		require.NoError(t, err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	perUser := (after.HeapAlloc - before.HeapAlloc) / n
	require.Less(t, perUser, uint64(4000), "bytes per user")
	a := s.do("GET", "/users?$select=id&$filter=onPremisesImmutableId%20in%20('000000000000000000099999','x')", nil)
	require.Len(t, a.value(), 1)
	a = s.do("GET", "/users?$top=999&$select=id,userPrincipalName", nil)
	require.Len(t, a.value(), 999)
	t.Logf("%d bytes per user", perUser)
}

func BenchmarkListPageOf999(b *testing.B) {
	tenant := graphsim.New(&graphsim.Options{Domains: []string{"contoso.com"}})
	for i := range 2000 {
		if _, err := tenant.AddUser(props{"userPrincipalName": fmt.Sprintf("u%d@contoso.com", i), "city": "Graz", "jobTitle": "Agent"}); err != nil {
			b.Fatal(err)
		}
	}
	benchmarkGet(b, tenant, "/users?$top=999&$select=id,userPrincipalName,displayName,mail,city,jobTitle,department,accountEnabled,onPremisesImmutableId,onPremisesExtensionAttributes")
}
