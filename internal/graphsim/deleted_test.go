package graphsim_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestDeletedUserCanBeRestoredWithEverythingItHad(t *testing.T) {
	s := open(t, nil)
	id := s.create("ann@contoso.com", props{"mail": "ann@contoso.com", "jobTitle": "Pilot", "onPremisesImmutableId": "QU5O"})
	before, _ := s.User(id)
	require.Equal(t, 204, s.do("DELETE", "/users/ann@contoso.com", nil).status)
	require.Equal(t, 404, s.do("GET", "/users/"+id, nil).status)
	require.Equal(t, 404, s.do("PATCH", "/users/"+id, props{"city": "x"}).status)
	require.Equal(t, 404, s.do("DELETE", "/users/"+id, nil).status)
	require.Empty(t, s.do("GET", "/users", nil).value())

	for _, cast := range []string{"microsoft.graph.user", "graph.user"} {
		a := s.do("GET", "/directory/deletedItems/"+cast+"?$select=id,deletedDateTime,userPrincipalName,onPremisesImmutableId", nil)
		require.Len(t, a.value(), 1)
		u := a.value()[0]
		require.NotNil(t, u["deletedDateTime"])
		require.Equal(t, "QU5O", u["onPremisesImmutableId"])
		require.Equal(t, strings.ReplaceAll(id, "-", "")+"ann@contoso.com", u["userPrincipalName"])
	}
	one := s.do("GET", "/directory/deletedItems/"+id, nil)
	require.Equal(t, "#microsoft.graph.user", one.str("@odata.type"))
	require.Equal(t, 400, s.wrong("GET", "/directory/deletedItems", nil).status)

	a := s.do("POST", "/directory/deletedItems/"+id+"/restore", nil)
	require.Equal(t, 200, a.status, a.raw)
	require.Equal(t, "#microsoft.graph.user", a.str("@odata.type"))
	require.Equal(t, "ann@contoso.com", a.str("userPrincipalName"))
	after, _ := s.User(id)
	require.Equal(t, before, after)
	require.Empty(t, s.DeletedUsers())
	require.Equal(t, 404, s.do("POST", "/directory/deletedItems/"+id+"/restore", nil).status)
}

func TestDeletionFreesNamesAndARestoreMeetsWhoTookThem(t *testing.T) {
	s := open(t, nil)
	old := s.create("ann@contoso.com", props{"mail": "ann@contoso.com"})
	require.Equal(t, 204, s.do("DELETE", "/users/"+old, nil).status)
	s.create("ann@contoso.com", props{"mail": "ann@contoso.com"})

	restore := "/directory/deletedItems/" + old + "/restore"
	a := s.do("POST", restore, nil)
	require.Equal(t, 400, a.status)
	require.Equal(t, []string{"ObjectConflict userPrincipalName"}, a.details())
	a = s.do("POST", restore, props{"newUserPrincipalName": "ann2@contoso.com"})
	require.Equal(t, "ObjectConflict proxyAddresses", a.details()[0])
	a = s.do("POST", restore, props{"newUserPrincipalName": "ann2@fabrikam.com", "autoReconcileProxyConflict": true})
	require.Equal(t, []string{"InvalidValue userPrincipalName"}, a.details())
	a = s.do("POST", restore, props{"newUserPrincipalName": "ann2@contoso.com", "autoReconcileProxyConflict": true})
	require.Equal(t, 200, a.status, a.raw)
	u, _ := s.User("ann2@contoso.com")
	require.Equal(t, old, u.ID)
	require.Empty(t, u.Properties["proxyAddresses"])
	require.Equal(t, 400, s.wrong("POST", restore, props{"force": true}).status)
}

func TestPurgedUserIsGone(t *testing.T) {
	s := open(t, nil)
	id := s.create("ann@contoso.com")
	require.Equal(t, 404, s.do("DELETE", "/directory/deletedItems/"+id, nil).status, "it is live")
	require.Equal(t, 204, s.do("DELETE", "/users/"+id, nil).status)
	require.Equal(t, 204, s.do("DELETE", "/directory/deletedItems/"+id, nil).status)
	require.Equal(t, 404, s.do("GET", "/directory/deletedItems/"+id, nil).status)
	_, ok := s.User(id)
	require.False(t, ok)
}

func TestDeletedUserIsKeptForThirtyDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, nil)
		id := s.create("ann@contoso.com")
		require.Equal(t, 204, s.do("DELETE", "/users/"+id, nil).status)
		time.Sleep(30*24*time.Hour - time.Second)
		require.Equal(t, 200, s.do("GET", "/directory/deletedItems/"+id, nil).status)
		time.Sleep(time.Second)
		require.Equal(t, 404, s.do("GET", "/directory/deletedItems/"+id, nil).status)
		require.Equal(t, 404, s.do("POST", "/directory/deletedItems/"+id+"/restore", nil).status)
		require.Empty(t, s.do("GET", "/directory/deletedItems/graph.user", nil).value())
		require.Empty(t, s.DeletedUsers())
	})
}

func TestObjectQuota(t *testing.T) {
	for _, full := range []bool{false, true} {
		s := open(t, &graphsim.Options{ObjectQuota: 2, Switches: graphsim.Switches{DeletedCountsInQuota: full}})
		s.create("ann@contoso.com")
		id := s.create("bob@contoso.com")
		a := s.do("POST", "/users", person("cy@contoso.com"))
		code, _ := a.fault()
		require.Equal(t, 403, a.status)
		require.Equal(t, "Directory_QuotaExceeded", code)
		require.Equal(t, 204, s.do("DELETE", "/users/"+id, nil).status)
		want := 201 // one deleted user counts as a quarter, rounded down
		if full {
			want = 403
		}
		require.Equal(t, want, s.do("POST", "/users", person("cy@contoso.com")).status)
	}
}
