package graphsim_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

const nobody = "00000000-0000-4000-8000-000000000000"

func team(nick string) props {
	return props{"displayName": nick, "mailNickname": nick, "mailEnabled": true, "securityEnabled": false, "groupTypes": []string{"Unified"}}
}

func security(nick string) props {
	return props{"displayName": nick, "mailNickname": nick, "mailEnabled": false, "securityEnabled": true}
}

// upsert makes a group by its unique name and returns the id.
func (s *sim) upsert(name string, body props) string {
	s.t.Helper()
	a := s.do("PATCH", "/groups(uniqueName='"+name+"')", body, "Prefer", "create-if-missing")
	require.Equal(s.t, 201, a.status, a.raw)
	require.Equal(s.t, strings.NewReplacer("''", "'", "%20", " ").Replace(name), a.str("uniqueName"))
	return a.str("id")
}

func (s *sim) bind(group, attribute string, ids ...string) answer {
	s.t.Helper()
	var links []string
	for _, id := range ids {
		links = append(links, s.url+"/directoryObjects/"+id)
	}
	return s.do("PATCH", "/groups/"+group, props{attribute + "@odata.bind": links})
}

func TestAnUpsertMakesAGroupOnce(t *testing.T) {
	s := open(t, nil)
	id := s.upsert("a''b%20c", security("sales"))
	a := s.do("PATCH", "/groups(uniqueName='a''b%20c')", security("sales2"), "Prefer", "create-if-missing")
	require.Equal(t, 204, a.status)
	got := s.do("GET", "/groups(uniqueName='a''b%20c')?$select=id,mailNickname", nil)
	require.Equal(t, []string{id, "sales2"}, []string{got.str("id"), got.str("mailNickname")})
	require.Len(t, s.Groups(), 1)
	require.Equal(t, 404, s.do("GET", "/groups(uniqueName='other')", nil).status)
	require.Equal(t, 404, s.do("GET", "/groups(uniqueName='a'b%20c')", nil).status, "a quote is doubled")
	require.Equal(t, 404, s.do("PATCH", "/groups(uniqueName='other')", security("x"), "X-Contract-Exempt", "request").status)

	require.Equal(t, 201, s.do("POST", "/groups", security("sales2")).status, "a nickname is unique among Microsoft 365 groups only")
	s.upsert("t1", team("team"))
	require.Equal(t, []string{"ObjectConflict mailNickname", "ConflictingObjects Group_" + s.Groups()[2].ID},
		s.do("POST", "/groups", team("Team")).details())
	require.Equal(t, 404, s.do("GET", "/users/"+id, nil).status, "it is no user")
}

func TestGroupsOfOthersAreReadOnly(t *testing.T) {
	s := open(t, &graphsim.Options{Permissions: []string{"Group.ReadWrite.All", "User.ReadWrite.All"}})
	for name, p := range map[string]props{
		"on-premises mastered": {"mailNickname": "a", "onPremisesSyncEnabled": true},
		"Cannot Update":        {"mailNickname": "b", "mailEnabled": true},
		"Insufficient":         {"mailNickname": "c", "isAssignableToRole": true},
	} {
		g, err := s.AddGroup(p)
		require.NoError(t, err)
		for _, a := range []answer{s.do("PATCH", "/groups/"+g.ID, props{"displayName": "x"}), s.do("DELETE", "/groups/"+g.ID, nil),
			s.bind(g.ID, "members", s.create(name[:2]+"@contoso.com"))} {
			_, message := a.fault()
			require.Contains(t, message, name)
		}
	}
	require.Equal(t, 400, s.do("POST", "/groups", props{"displayName": "x", "mailNickname": "x", "mailEnabled": true, "securityEnabled": true}).status)
	for _, bad := range []props{{"mailNickname": "a b"}, {"displayName": nil}, {"mail": "x@contoso.com"}, {"groupTypes": []string{"x"}}} {
		require.Equal(t, 400, s.do("PATCH", "/groups/"+s.Groups()[0].ID, bad, "X-Contract-Exempt", "request").status)
	}
}

func TestHandsChangeGroupsBehindTheAPIsBack(t *testing.T) {
	s := open(t, nil)
	g, err := s.AddGroup(props{"mailNickname": "g", "description": "x"})
	require.NoError(t, err)
	require.NoError(t, s.SetGroup(g.ID, props{"displayName": "G", "description": nil}))
	got, ok := s.Group(g.ID)
	require.True(t, ok)
	require.Equal(t, []string{"G", ""}, []string{got.Get("displayName"), got.Get("description")})
	ann := s.create("ann@contoso.com")
	require.NoError(t, s.SetReferences(g.ID, "members", ann))
	require.NoError(t, s.DeleteGroup(g.ID))
	require.Error(t, s.DeleteGroup(g.ID))
	require.Error(t, s.SetGroup(g.ID, nil))
	require.Error(t, s.SetReferences(g.ID, "members"))
	require.Equal(t, []string{ann}, s.References(g.ID, "members"))
	_, ok = s.Group(ann)
	require.False(t, ok)
	_, err = s.AddGroup(props{"displayName": "no nickname"})
	require.Error(t, err)
}

func TestMembersAreBoundAllOrNone(t *testing.T) {
	s := open(t, nil)
	g, h, m365 := s.upsert("g", security("g")), s.upsert("h", security("h")), s.upsert("m", team("m"))
	ann, bob := s.create("ann@contoso.com"), s.create("bob@contoso.com")
	require.Equal(t, 204, s.bind(g, "members", ann, h).status)
	code, message := s.bind(g, "members", bob, ann).fault()
	require.Equal(t, "Request_BadRequest", code)
	require.Equal(t, "One or more added object references already exist for the following modified properties: 'members'.", message)
	code, message = s.bind(g, "members", bob, nobody).fault()
	require.Equal(t, "Request_ResourceNotFound", code)
	require.Contains(t, message, nobody)
	require.Equal(t, 400, s.bind(g, "members", bob, m365).status, "a Microsoft 365 group is in no group")
	require.Equal(t, 400, s.bind(m365, "members", h).status, "and has no groups")
	require.Equal(t, []string{ann, h}, s.References(g, "members"))
	require.Equal(t, 204, s.bind(h, "members", g).status, "a circle")

	list := s.do("GET", "/groups/"+g+"/members?$select=id&$top=1", nil)
	require.Equal(t, []any{ann}, list.column("id"))
	require.Equal(t, []any{"#microsoft.graph.user"}, list.column("@odata.type"))
	list = s.do("GET", list.str("@odata.nextLink"), nil)
	require.Equal(t, []any{"#microsoft.graph.group"}, list.column("@odata.type"))
	require.Empty(t, list.str("@odata.nextLink"))

	require.Equal(t, 204, s.do("DELETE", "/groups/"+g+"/members/"+ann+"/$ref", nil).status)
	require.Equal(t, 404, s.do("DELETE", "/groups/"+g+"/members/"+ann+"/$ref", nil).status)
	require.Equal(t, 204, s.do("POST", "/groups/"+g+"/members/$ref", props{"@odata.id": s.url + "/users/" + bob}).status)
	require.Equal(t, 400, s.do("POST", "/groups/"+g+"/members/$ref", props{"@odata.id": s.url + "/users/" + bob}).status)
}

func TestOwnersAreAHundredAtMostAndOneAtLeast(t *testing.T) {
	s := open(t, nil)
	g := s.upsert("g", security("g"))
	var ids []string
	for i := range 101 {
		ids = append(ids, s.create(fmt.Sprintf("u%d@contoso.com", i)))
	}
	for part := range slices.Chunk(ids[:100], 20) {
		require.Equal(t, 204, s.bind(g, "owners", part...).status)
	}
	code, _ := s.bind(g, "owners", ids[100]).fault()
	require.Equal(t, "Directory_QuotaExceeded", code)
	for _, id := range ids[1:100] {
		require.Equal(t, 204, s.do("DELETE", "/groups/"+g+"/owners/"+id+"/$ref", nil).status)
	}
	_, message := s.do("DELETE", "/groups/"+g+"/owners/"+ids[0]+"/$ref", nil).fault()
	require.Contains(t, message, "at least one owner")
	require.Equal(t, 400, s.bind(g, "owners", g).status, "a group owns nothing")
}

func TestAManagerIsPutAndRemoved(t *testing.T) {
	s := open(t, nil)
	ann, bob := s.create("ann@contoso.com"), s.create("bob@contoso.com")
	require.Equal(t, 404, s.do("GET", "/users/"+ann+"/manager?$select=id", nil).status)
	require.Equal(t, 204, s.do("PUT", "/users/"+ann+"/manager/$ref", props{"@odata.id": s.url + "/users/" + bob}).status)
	require.Equal(t, bob, s.do("GET", "/users/"+ann+"/manager?$select=id", nil).str("id"))
	require.Equal(t, 204, s.do("PUT", "/users/"+ann+"/manager/$ref", props{"@odata.id": s.url + "/users/" + ann}).status)
	require.Equal(t, []string{ann}, s.References(ann, "manager"))
	require.Equal(t, 204, s.do("DELETE", "/users/"+ann+"/manager/$ref", nil).status)
	require.Equal(t, 404, s.do("DELETE", "/users/"+ann+"/manager/$ref", nil).status)
	require.Equal(t, 404, s.do("PUT", "/users/"+ann+"/manager/$ref", props{"@odata.id": s.url + "/users/" + nobody}).status)
}

func TestTheBinKeepsMemberships(t *testing.T) {
	for _, purged := range []bool{false, true} {
		s := open(t, &graphsim.Options{Switches: graphsim.Switches{SecurityGroupsPurged: purged}})
		g, m365, ann := s.upsert("g", security("g")), s.upsert("m", team("m")), s.create("ann@contoso.com")
		for _, group := range []string{g, m365} {
			require.Equal(t, 204, s.bind(group, "members", ann).status)
		}
		require.Equal(t, 204, s.do("DELETE", "/users/"+ann, nil).status)
		require.Empty(t, s.do("GET", "/groups/"+g+"/members", nil).value())
		require.Equal(t, 404, s.bind(g, "members", ann).status)
		require.Equal(t, 404, s.do("DELETE", "/groups/"+g+"/members/"+ann+"/$ref", nil).status)
		require.Equal(t, 200, s.do("POST", "/directory/deletedItems/"+ann+"/restore", nil).status)
		require.Len(t, s.do("GET", "/groups/"+g+"/members", nil).value(), 1)

		for _, group := range []string{g, m365} {
			require.Equal(t, 204, s.do("DELETE", "/groups/"+group, nil).status)
		}
		want := 2
		if purged {
			want = 1
			require.Equal(t, 404, s.do("GET", "/directory/deletedItems/"+g, nil).status)
		}
		require.Len(t, s.do("GET", "/directory/deletedItems/microsoft.graph.group", nil).value(), want)
		require.Len(t, s.DeletedGroups(), want)
		a := s.do("GET", "/directory/deletedItems/"+m365+"?$select=id,displayName", nil)
		require.Equal(t, "#microsoft.graph.group", a.str("@odata.type"))
		require.Equal(t, 200, s.do("POST", "/directory/deletedItems/"+m365+"/restore", nil).status)
		require.Equal(t, []string{ann}, s.References(m365, "members"))
		require.Len(t, s.do("GET", "/groups?$filter=mailNickname%20eq%20'm'", nil).value(), 1)
	}
}

func TestGroupsAndMembersLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := bubble(t, &graphsim.Options{Lag: 10 * time.Second, Switches: graphsim.Switches{LagUpdates: true}})
		old := s.create("old@contoso.com")
		time.Sleep(10 * time.Second)
		g, ann := s.upsert("g", security("g")), s.create("ann@contoso.com")
		require.Equal(t, 404, s.do("GET", "/groups/"+g, nil).status)
		require.Equal(t, 404, s.do("GET", "/groups(uniqueName='g')", nil).status)
		require.Equal(t, 204, s.do("PATCH", "/groups(uniqueName='g')", security("g"), "Prefer", "create-if-missing").status, "its name is taken")
		require.Equal(t, 404, s.bind(g, "members", old).status)
		time.Sleep(10 * time.Second)
		require.Equal(t, 204, s.bind(g, "members", old, ann).status)
		require.Empty(t, s.do("GET", "/groups/"+g+"/members", nil).value())
		time.Sleep(10 * time.Second)
		require.Len(t, s.do("GET", "/groups/"+g+"/members", nil).value(), 2)
		bob := s.create("bob@contoso.com")
		_, message := s.bind(g, "members", bob).fault()
		require.Contains(t, message, bob)
	})
}

func TestAPermissionIsNeededForEachStepOfAGroup(t *testing.T) {
	for _, tt := range []struct {
		granted             []string
		read, make, members int
		change, manager     int
	}{
		{[]string{"GroupMember.Read.All"}, 200, 403, 403, 403, 403},
		{[]string{"Group.Create"}, 403, 201, 403, 403, 403},
		{[]string{"GroupMember.ReadWrite.All"}, 200, 403, 204, 403, 403},
		{[]string{"Group.ReadWrite.All"}, 200, 201, 204, 204, 403},
		{[]string{"User.ReadWrite.All"}, 403, 403, 403, 403, 204},
		{[]string{"User.ReadUpdate.All"}, 403, 403, 403, 403, 403},
	} {
		s := open(t, &graphsim.Options{Permissions: tt.granted})
		g, err := s.AddGroup(props{"mailNickname": "g", "uniqueName": "g"})
		require.NoError(t, err)
		ann, err := s.AddUser(props{"userPrincipalName": "ann@contoso.com"})
		require.NoError(t, err)
		require.Equal(t, tt.read, s.do("GET", "/groups", nil).status, tt.granted)
		require.Equal(t, tt.read, s.do("GET", "/groups/"+g.ID+"/members", nil).status, tt.granted)
		require.Equal(t, tt.make, s.do("PATCH", "/groups(uniqueName='new')", security("n"), "Prefer", "create-if-missing").status, tt.granted)
		require.Equal(t, tt.change, s.do("PATCH", "/groups(uniqueName='g')", security("n"), "Prefer", "create-if-missing").status, tt.granted)
		require.Equal(t, tt.members, s.bind(g.ID, "members", ann.ID).status, tt.granted)
		require.Equal(t, tt.change, s.do("PATCH", "/groups/"+g.ID, props{"description": "x"}).status, tt.granted)
		require.Equal(t, tt.change, s.bind(g.ID, "owners", ann.ID).status, tt.granted)
		require.Equal(t, tt.manager, s.do("PUT", "/users/"+ann.ID+"/manager/$ref", props{"@odata.id": s.url + "/users/" + ann.ID}).status, tt.granted)
		require.Equal(t, tt.change, s.do("DELETE", "/groups/"+g.ID, nil).status, tt.granted)
	}
}

func TestTheSwitchesOfReferences(t *testing.T) {
	s := open(t, &graphsim.Options{Limits: &graphsim.Limits{Writes: 8, WriteWindow: time.Hour},
		Switches: graphsim.Switches{BindsCostThirds: true, UnnamedReferences: true, NonMemberAs400: true, BatchCollides: true}})
	g, err := s.AddGroup(props{"mailNickname": "g"})
	require.NoError(t, err)
	var ids []string
	for i := range 20 {
		u, err := s.AddUser(props{"userPrincipalName": fmt.Sprintf("u%d@contoso.com", i)})
		require.NoError(t, err)
		ids = append(ids, u.ID)
	}
	require.Equal(t, 204, s.bind(g.ID, "members", ids...).status) // seven writes
	require.Equal(t, 400, s.do("DELETE", "/groups/"+g.ID+"/members/"+g.ID+"/$ref", nil).status)
	require.Equal(t, http.StatusTooManyRequests, s.bind(g.ID, "owners", ids[0]).status)

	s = open(t, &graphsim.Options{Switches: graphsim.Switches{UnnamedReferences: true, BatchCollides: true, BatchInOrder: true}})
	g2 := s.upsert("g", security("g"))
	_, message := s.bind(g2, "members", ids[0]).fault()
	require.Contains(t, message, g2)
	ann, bob := s.create("ann@contoso.com"), s.create("bob@contoso.com")
	require.Equal(t, 204, s.bind(g2, "members", ann, bob).status)
	parts := []props{
		{"id": "1", "method": "DELETE", "url": "/groups/" + g2 + "/members/" + ann + "/$ref"},
		{"id": "2", "method": "DELETE", "url": "/groups/" + g2 + "/members/" + bob + "/$ref"},
	}
	a := s.do("POST", "/$batch", props{"requests": parts})
	require.Contains(t, a.raw, `"status":409`)
	require.Equal(t, []string{bob}, s.References(g2, "members"))
	require.Equal(t, 204, s.bind(g2, "members", ann).status)
	parts[1]["dependsOn"] = []string{"1"}
	a = s.do("POST", "/$batch", props{"requests": parts})
	require.NotContains(t, a.raw, `"status":409`)
	require.Empty(t, s.References(g2, "members"))
}
