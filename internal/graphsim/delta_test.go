package graphsim_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// delta reads a round from path on: what each user is said to be, the ids as they
// came, and the next round's link.
func (s *sim) delta(path string) (is map[string]string, ids []string, next string) {
	s.t.Helper()
	is = map[string]string{}
	for {
		a := s.do("GET", path, nil)
		require.Equal(s.t, 200, a.status, a.raw)
		for _, u := range a.value() {
			id := u["id"].(string)
			ids, is[id] = append(ids, id), fmt.Sprint(u["jobTitle"])
			if r, ok := u["@removed"].(map[string]any); ok {
				is[id] = r["reason"].(string)
			}
		}
		if path = a.str("@odata.nextLink"); path == "" {
			return is, ids, a.str("@odata.deltaLink")
		}
	}
}

func TestDeltaTellsWhatHappenedSinceTheToken(t *testing.T) {
	s := open(t, nil)
	kept, edited, deleted, purged := s.create("k@contoso.com"), s.create("e@contoso.com"), s.create("d@contoso.com"), s.create("p@contoso.com")
	_, all, link := s.delta("/users/delta()?$select=jobTitle&$top=3")
	require.Equal(t, []string{kept, edited, deleted, purged}, all)
	none, _, latest := s.delta("/users/delta?$deltatoken=latest&$select=id,jobTitle")
	require.Empty(t, none)
	for _, l := range []string{link, latest} {
		is, _, _ := s.delta(l)
		require.Empty(t, is)
	}

	require.Equal(t, 204, s.do("PATCH", "/users/"+edited, props{"jobTitle": "x"}).status)
	require.NoError(t, s.DeleteUser(deleted))
	require.NoError(t, s.DeleteUser(purged))
	require.NoError(t, s.PurgeUser(purged))
	made := s.create("m@contoso.com")
	want := map[string]string{edited: "x", deleted: "changed", purged: "deleted", made: "<nil>"}
	var next string
	for _, l := range []string{link, latest, latest} { // a token may be used again
		var is map[string]string
		is, _, next = s.delta(l)
		require.Equal(t, want, is)
	}
	require.Equal(t, 200, s.do("POST", "/directory/deletedItems/"+deleted+"/restore", nil).status)
	is, _, _ := s.delta(next)
	require.Equal(t, map[string]string{deleted: "<nil>"}, is)
	require.Contains(t, next, "$deltatoken=")
	require.NotContains(t, next, "$select", "the token carries the options")
}

func TestDeltaTokensExpireAfterAWeek(t *testing.T) {
	for _, refused := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Switches: graphsim.Switches{DeltaTokenRefused: refused}})
			_, _, link := s.delta("/users/delta?$deltatoken=latest")
			time.Sleep(7 * 24 * time.Hour)
			_, _, next := s.delta(link)
			time.Sleep(time.Second)
			a := s.do("GET", link, nil)
			code, _ := a.fault()
			require.Equal(t, "syncStateNotFound", code)
			require.Equal(t, map[bool]int{false: 410, true: 400}[refused], a.status)
			require.Equal(t, !refused, strings.Contains(a.header.Get("Location"), "/users/delta?"))
			s.ExpireDeltas()
			require.Equal(t, a.status, s.do("GET", next, nil).status)
			require.Equal(t, 400, s.do("GET", "/users/delta?$deltatoken=x", nil).status)
			require.Equal(t, 400, s.do("GET", "/users/delta?$orderby=displayName", nil).status)
		})
	}
}

func TestDeltaLagsAndReplays(t *testing.T) {
	for _, replays := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := bubble(t, &graphsim.Options{Lag: time.Minute, Switches: graphsim.Switches{DeltaReplays: replays, LagUpdates: true}})
			ann := s.create("ann@contoso.com")
			time.Sleep(time.Minute)
			_, _, link := s.delta("/users/delta?$deltatoken=latest&$select=jobTitle")
			require.Equal(t, 204, s.do("PATCH", "/users/"+ann, props{"jobTitle": "x"}).status)
			time.Sleep(59 * time.Second)
			is, _, link := s.delta(link)
			require.Equal(t, map[bool]map[string]string{false: {}, true: {ann: "<nil>"}}[replays], is, "the value of before the change")
			time.Sleep(time.Second)
			is, _, link = s.delta(link)
			require.Equal(t, map[string]string{ann: "x"}, is)
			is, _, _ = s.delta(link)
			require.Equal(t, replays, len(is) == 1)
		})
	}
}

func TestDeltaNeedsThePermissionToReadUsers(t *testing.T) {
	s := open(t, &graphsim.Options{Permissions: []string{"Domain.Read.All"}})
	require.Equal(t, 403, s.do("GET", "/users/delta?$deltatoken=latest", nil).status)
	s = open(t, &graphsim.Options{Permissions: []string{"User.Read.All"}})
	require.Equal(t, 200, s.do("GET", "/users/delta?$deltatoken=latest", nil).status)
}
