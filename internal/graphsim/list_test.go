package graphsim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestListIsPagedByAnOpaqueNextLink(t *testing.T) {
	s := open(t, nil)
	for i := range 250 {
		_, err := s.AddUser(props{"userPrincipalName": fmt.Sprintf("u%d@contoso.com", i)})
		require.NoError(t, err)
	}
	for _, tt := range []struct {
		query string
		sizes []int
	}{
		{"", []int{100, 100, 50}},
		{"?$top=999", []int{250}},
		{"?$top=125&$select=id,userPrincipalName", []int{125, 125}},
		{"?%24top=240&%24filter=startsWith(userPrincipalName,'u')", []int{240, 10}},
	} {
		var sizes []int
		seen := map[any]bool{}
		for next := s.url + "/users" + tt.query; next != ""; {
			a := s.do("GET", next, nil)
			require.Equal(t, 200, a.status, a.raw)
			for _, id := range a.column("id") {
				require.False(t, seen[id], "twice")
				seen[id] = true
			}
			sizes = append(sizes, len(a.value()))
			if next = a.str("@odata.nextLink"); next != "" {
				require.Contains(t, next, "$skiptoken=")
			}
		}
		require.Equal(t, tt.sizes, sizes, tt.query)
	}
}

func TestPagingSurvivesDeletionsBetweenThePages(t *testing.T) {
	s := open(t, nil)
	var ids []string
	for i := range 10 {
		ids = append(ids, s.create(fmt.Sprintf("u%d@contoso.com", i)))
	}
	a := s.do("GET", "/users?$top=5", nil)
	require.NoError(t, s.DeleteUser(ids[0]))
	require.NoError(t, s.DeleteUser(ids[4]))
	b := s.do("GET", a.str("@odata.nextLink"), nil)
	require.Equal(t, []any{ids[5], ids[6], ids[7], ids[8], ids[9]}, b.column("id"))
}

func TestExpiredPageToken(t *testing.T) {
	for _, gone := range []bool{false, true} {
		s := open(t, &graphsim.Options{PageSize: 1, Switches: graphsim.Switches{PageTokenGone: gone}})
		s.create("ann@contoso.com")
		s.create("bob@contoso.com")
		next := s.do("GET", "/users", nil).str("@odata.nextLink")
		s.ExpirePages()
		a := s.do("GET", next, nil)
		code, _ := a.fault()
		require.Equal(t, map[bool]int{false: 400, true: 410}[gone], a.status)
		require.Equal(t, "Directory_ExpiredPageToken", code)
		require.Equal(t, 400, s.do("GET", "/users?$skiptoken=forged", nil).status)
	}
}

func TestFilters(t *testing.T) {
	s := open(t, nil)
	for _, p := range []props{
		{"userPrincipalName": "ann@contoso.com", "onPremisesImmutableId": "q+/0AA==", "mail": "ann@contoso.com", "employeeId": "1"},
		{"userPrincipalName": "bob@contoso.com", "onPremisesImmutableId": "Q+/0AA==", "mail": "o'brien@contoso.com", "accountEnabled": false},
		{"userPrincipalName": "cy@contoso.com", "onPremisesSyncEnabled": true, "proxyAddresses": []string{"SMTP:cy@contoso.com", "smtp:cyril@contoso.com"}},
	} {
		_, err := s.AddUser(p)
		require.NoError(t, err)
	}
	for filter, want := range map[string]string{
		`onPremisesImmutableId eq 'q+/0AA=='`:                                       "ann",
		`onPremisesImmutableId eq 'Q+/0AA=='`:                                       "bob",
		`onPremisesImmutableId in ('q+/0AA==', 'Q+/0AA==','zz')`:                    "ann bob",
		`userPrincipalName eq 'ANN@contoso.com'`:                                    "ann",
		`userPrincipalName eq 'nobody@contoso.com'`:                                 "",
		`mail eq 'o''brien@contoso.com'`:                                            "bob",
		`proxyAddresses/any(p:p eq 'smtp:CYRIL@contoso.com')`:                       "cy",
		`proxyAddresses/any(p:p eq 'smtp:cy@contoso.com')`:                          "cy",
		`proxyAddresses/any(x:startswith(x,'smtp:an'))`:                             "ann",
		`startsWith(userPrincipalName,'b')`:                                         "bob",
		`onPremisesSyncEnabled eq true`:                                             "cy",
		`accountEnabled eq false or employeeId eq '1'`:                              "ann bob",
		`(mail eq 'ann@contoso.com' or mail eq 'x@y.z') and accountEnabled eq true`: "ann",
		`userPrincipalName eq 'ann@contoso.com' or onPremisesImmutableId eq 'zz'`:   "ann",
		`onPremisesImmutableId ge 'Q' and onPremisesImmutableId le 'Qz'`:            "bob",
		`startswith(displayName,'a') or startswith(displayName,'c')`:                "ann cy",
	} {
		a := s.do("GET", "/users?$select=displayName&$filter="+url.QueryEscape(filter), nil)
		require.Equal(t, 200, a.status, a.raw)
		require.Equal(t, want, strings.Trim(fmt.Sprint(a.column("displayName")), "[]"), filter)
	}
}

func TestUnsupportedFiltersAreRefused(t *testing.T) {
	s := open(t, nil)
	for filter, code := range map[string]string{
		`jobTitle`: "Request_BadRequest", `mail eq 'x`: "Request_BadRequest", `mail eq 'x' or`: "Request_BadRequest",
		`mail is 'x'`: "Request_BadRequest", ``: "Request_BadRequest", `(((mail eq 'x')`: "Request_BadRequest",
		`mail ne 'x'`: "Request_UnsupportedQuery", `not(mail eq 'x')`: "Request_UnsupportedQuery",
		`endsWith(mail,'x')`: "Request_UnsupportedQuery", `companyName eq 'x'`: "Request_UnsupportedQuery",
		`onPremisesExtensionAttributes/extensionAttribute1 eq 'x'`: "Request_UnsupportedQuery",
		`shoeSize eq 44`: "Request_UnsupportedQuery",
		"mail in ('" + strings.Repeat("x','", 15) + "x')": "Request_UnsupportedQuery",
		strings.Repeat("(", 300) + "mail eq 'x'":          "Request_BadRequest",
	} {
		a := s.do("GET", "/users?$filter="+url.QueryEscape(filter), nil)
		got, _ := a.fault()
		require.Equal(t, 400, a.status, filter)
		require.Equal(t, code, got, filter)
	}
	require.Equal(t, 400, s.do("GET", "/users?$orderby=displayName", nil).status)
	require.Equal(t, 400, s.wrong("GET", "/users?$top=1000", nil).status)
	require.Equal(t, 400, s.wrong("GET", "/users?$select=shoeSize", nil).status)
}

func TestAdvancedQueriesNeedTheConsistencyHeader(t *testing.T) {
	s := open(t, nil)
	s.create("ann@contoso.com", props{"companyName": "A"})
	s.create("bob@contoso.com", props{"companyName": "B"})
	const q = "/users?$count=true&$filter=companyName%20ne%20'A'"
	require.Equal(t, 400, s.do("GET", q, nil).status)
	a := s.do("GET", q, nil, "ConsistencyLevel", "eventual")
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, []any{"bob"}, a.column("displayName"))
	require.EqualValues(t, 1, a.body["@odata.count"])
	require.NotContains(t, s.do("GET", "/users?$count=true", nil).body, "@odata.count")

	b := s.do("GET", "/users/$count", nil)
	_, message := b.fault()
	require.Equal(t, "$count is not currently supported.", message)
	require.Equal(t, "2", s.do("GET", "/users/$count", nil, "ConsistencyLevel", "eventual").raw)
}

func TestClauseLimitIsASwitch(t *testing.T) {
	s := open(t, &graphsim.Options{Switches: graphsim.Switches{MaxFilterClauses: -1}})
	require.Equal(t, 200, s.do("GET", "/users?$filter="+url.QueryEscape("mail in ('"+strings.Repeat("x','", 15)+"x')"), nil).status)
}
