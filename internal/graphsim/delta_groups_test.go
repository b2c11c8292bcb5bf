package graphsim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// members reads a round of a delta of groups: what became of each member, by
// group, and the next round's link.
func (s *sim) members(path string) (became map[string]string, items []map[string]any, next string) {
	s.t.Helper()
	became = map[string]string{}
	for {
		a := s.do("GET", path, nil)
		require.Equal(s.t, 200, a.status, a.raw)
		for _, g := range a.value() {
			items = append(items, g)
			list, _ := g["members@delta"].([]any)
			for _, m := range list {
				one := m.(map[string]any)
				word := "+" + one["@odata.type"].(string)
				if one["@removed"] != nil {
					word = "-"
				}
				became[g["id"].(string)+" "+one["id"].(string)] = word
			}
		}
		if path = a.str("@odata.nextLink"); path == "" {
			return became, items, a.str("@odata.deltaLink")
		}
	}
}

func TestADeltaOfGroupsTellsMembersByValue(t *testing.T) {
	s := open(t, nil)
	ann, bob := s.create("a@contoso.com"), s.create("b@contoso.com")
	g, err := s.AddGroup(map[string]any{"mailNickname": "g"})
	require.NoError(t, err)
	h, err := s.AddGroup(map[string]any{"mailNickname": "h"})
	require.NoError(t, err)
	require.NoError(t, s.SetReferences(g.ID, "members", ann))
	all, items, link := s.members("/groups/delta()?$select=displayName,members&$top=1")
	require.Equal(t, map[string]string{g.ID + " " + ann: "+#microsoft.graph.user"}, all)
	require.Len(t, items, 2)
	_, items, without := s.members("/groups/delta?$deltatoken=latest&$select=displayName")
	require.Empty(t, items)

	require.NoError(t, s.SetReferences(g.ID, "members", bob, h.ID))
	became, items, next := s.members(link)
	require.Equal(t, map[string]string{g.ID + " " + ann: "-", g.ID + " " + bob: "+#microsoft.graph.user", g.ID + " " + h.ID: "+#microsoft.graph.group"}, became)
	require.Equal(t, "g", items[0]["displayName"])
	_, items, _ = s.members(without)
	require.Empty(t, items, "who didn't ask for members isn't told of them")

	require.NoError(t, s.DeleteUser(bob))
	require.NoError(t, s.DeleteGroup(h.ID))
	became, items, _ = s.members(next)
	require.Equal(t, "-", became[g.ID+" "+bob])
	require.Equal(t, "-", became[g.ID+" "+h.ID])
	require.Equal(t, map[string]any{"reason": "changed"}, items[1]["@removed"], "%v", items)
	require.Equal(t, 400, s.do("GET", strings.Replace(next, "/groups/", "/users/", 1), nil).status, "a token of groups is of no use for users")
}

func TestADeltaOfGroupsLagsAndRepeatsItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Lag: time.Minute, Switches: graphsim.Switches{DeltaReplays: true, LagUpdates: true}})
		ann := s.create("a@contoso.com")
		g, err := s.AddGroup(map[string]any{"mailNickname": "g"})
		require.NoError(t, err)
		time.Sleep(time.Hour)
		_, _, link := s.members("/groups/delta?$deltatoken=latest&$select=id,members")
		require.Equal(t, 204, s.bind(g.ID, "members", ann).status)
		became, _, link := s.members(link)
		require.Empty(t, became)
		time.Sleep(2 * time.Minute)
		became, _, link = s.members(link)
		require.Len(t, became, 1)
		became, _, link = s.members(link)
		require.Len(t, became, 1, "a replay")
		time.Sleep(8 * 24 * time.Hour)
		a := s.do("GET", link, nil)
		require.Equal(t, http.StatusGone, a.status)
		require.Contains(t, a.header.Get("Location"), "/groups/delta?")
	})
}

func TestMembersAreFilteredByTheAdvancedEngineOnly(t *testing.T) {
	s := open(t, nil)
	ann, bob := s.create("a@contoso.com"), s.create("b@contoso.com")
	g, err := s.AddGroup(map[string]any{"mailNickname": "g"})
	require.NoError(t, err)
	require.NoError(t, s.SetReferences(g.ID, "members", ann))
	path := fmt.Sprintf("/groups/%s/members?$select=id&$count=true&$filter=id%%20in%%20('%s','%s')", g.ID, ann, bob)
	require.Equal(t, 400, s.do("GET", path, nil).status)
	a := s.do("GET", path, nil, "ConsistencyLevel", "eventual")
	require.Equal(t, 200, a.status, a.raw)
	require.Len(t, a.value(), 1)
}
