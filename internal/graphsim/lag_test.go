package graphsim_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

func TestNewUserIsInvisibleForALagButItsNamesAreTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Lag: 10 * time.Second})
		id := s.create("ann@contoso.com", props{"onPremisesImmutableId": "QU5O"})
		time.Sleep(9 * time.Second)
		require.Equal(t, 404, s.do("GET", "/users/"+id, nil).status)
		require.Equal(t, 404, s.do("GET", "/users/ann@contoso.com", nil).status)
		require.Equal(t, 404, s.do("PATCH", "/users/"+id, props{"city": "Graz"}).status)
		require.Equal(t, 404, s.do("DELETE", "/users/"+id, nil).status)
		require.Empty(t, s.do("GET", "/users", nil).value())
		require.Empty(t, s.do("GET", "/users?$filter=onPremisesImmutableId%20eq%20'QU5O'", nil).value())
		require.Equal(t, []string{"ObjectConflict userPrincipalName"}, s.do("POST", "/users", person("ann@contoso.com")).details())
		require.Equal(t, 1, s.Size())
		time.Sleep(time.Second)
		require.Equal(t, 200, s.do("GET", "/users/"+id, nil).status)
		require.Len(t, s.do("GET", "/users?$filter=onPremisesImmutableId%20eq%20'QU5O'", nil).value(), 1)
		require.Equal(t, 204, s.do("PATCH", "/users/"+id, props{"city": "Graz"}).status)
	})
}

func TestFlappingReplicasShowAUserEverySecondTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Lag: time.Second, Flap: time.Minute})
		id := s.create("ann@contoso.com")
		time.Sleep(time.Second)
		for _, want := range []int{200, 404, 200, 404} {
			require.Equal(t, want, s.do("GET", "/users/"+id, nil).status)
		}
		time.Sleep(time.Minute)
		require.Equal(t, 200, s.do("GET", "/users/"+id, nil).status)
		require.Equal(t, 200, s.do("GET", "/users/"+id, nil).status)
	})
}

func TestDeletionsLagWhenSwitched(t *testing.T) {
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Lag: 10 * time.Second, Switches: graphsim.Switches{LagDeletes: on}})
			u, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com"})
			require.NoError(t, err)
			require.Equal(t, 204, s.do("DELETE", "/users/"+u.ID, nil).status)
			live, binned := 0, 1
			if on {
				live, binned = 1, 0
			}
			require.Len(t, s.do("GET", "/users", nil).value(), live)
			require.Len(t, s.do("GET", "/directory/deletedItems/graph.user", nil).value(), binned)
			if on {
				require.Equal(t, "ann@contoso.com", s.do("GET", "/users/"+u.ID, nil).str("userPrincipalName"))
			}
			require.Equal(t, 404, s.do("PATCH", "/users/"+u.ID, props{"city": "Graz"}).status)
			require.Empty(t, s.Users())
			time.Sleep(10 * time.Second)
			require.Empty(t, s.do("GET", "/users", nil).value())
			require.Len(t, s.do("GET", "/directory/deletedItems/graph.user", nil).value(), 1)
			require.Equal(t, 200, s.do("POST", "/directory/deletedItems/"+u.ID+"/restore", nil).status)
			require.Len(t, s.do("GET", "/users", nil).value(), 1)
		})
	}
}

func TestUpdatesLagWhenSwitched(t *testing.T) {
	for _, on := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Lag: 10 * time.Second, Switches: graphsim.Switches{LagUpdates: on}})
			u, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com", "jobTitle": "old"})
			require.NoError(t, err)
			require.Equal(t, 204, s.do("PATCH", "/users/"+u.ID, props{"jobTitle": "new"}).status)
			want := "new"
			if on {
				want = "old"
			}
			require.Equal(t, want, s.do("GET", "/users/"+u.ID, nil).str("jobTitle"))
			got, _ := s.User(u.ID)
			require.Equal(t, "new", got.Get("jobTitle"))
			time.Sleep(10 * time.Second)
			require.Equal(t, "new", s.do("GET", "/users/"+u.ID, nil).str("jobTitle"))
		})
	}
}
