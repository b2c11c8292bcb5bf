package graphtarget_test

import (
	"context"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
)

// administrators makes seven people, six of which have some power.
func administrators(t *testing.T, o graphsim.Options) (*graphsim.Tenant, []target.ID, map[target.ID]target.Protection) {
	t.Helper()
	tn := contoso(o)
	var ids []target.ID
	full := openBy(t, tn, tn.Transport(), nil)
	for n := range 7 {
		o, err := full.Apply(t.Context(), ann(n+1))
		require.NoError(t, err)
		ids = append(ids, o.ID)
	}
	s := func(i int) []string { return []string{string(ids[i])} }
	var group string
	tn.EditPowers(func(p *graphsim.Powers) {
		p.Assigned, p.Eligible = s(1), s(2)
		p.RoleGroups = []graphsim.RoleGroup{{Members: s(3), Owners: s(4), Eligible: s(5)}, {}}
		p.Units = []graphsim.AdministrativeUnit{{Members: s(0)}, {Restricted: true, Members: s(6)}}
	})
	tn.EditPowers(func(p *graphsim.Powers) { group = p.RoleGroups[0].ID })
	return tn, ids, map[target.ID]target.Protection{
		ids[1]: target.HoldsRole, ids[2]: target.EligibleForRole, ids[3]: target.InRoleGroup, ids[4]: target.OwnsRoleGroup,
		ids[5]: target.EligibleForRoleGroup, ids[6]: target.InRestrictedUnit, target.ID(group): target.RoleGroup,
	}
}

func TestA03_WhoHasPowerIsKnownWhateverGivesIt(t *testing.T) {
	tn, ids, want := administrators(t, graphsim.Options{PageSize: 1}) // pages that end early
	tg := open(t, tn, nil)
	who, err := tg.Protected(t.Context(), target.User)
	require.NoError(t, err)
	require.Len(t, who, 8, "six people and two groups")
	for id, why := range want {
		require.Equal(t, why, who[id])
	}
	require.NotContains(t, who, ids[0], "a member of an ordinary administrative unit")

	tn.EditPowers(func(p *graphsim.Powers) { p.Assigned = append(p.Assigned, string(ids[0])) })
	who, err = tg.Protected(t.Context(), target.User)
	require.NoError(t, err)
	require.Equal(t, target.HoldsRole, who[ids[0]], "asked anew each time")
}

func TestA03_WithoutAPermissionNobodyIsKnownToBeUnprotected(t *testing.T) {
	needed := []string{"RoleManagement.Read.Directory", "RoleEligibilitySchedule.Read.Directory", "GroupMember.Read.All",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "AdministrativeUnit.Read.All"}
	for i, missing := range needed {
		if missing == "RoleEligibilitySchedule.Read.Directory" {
			continue // RoleManagement.Read.Directory holds it
		}
		tn, _, _ := administrators(t, graphsim.Options{})
		have := append(slices.Delete(slices.Clone(needed), i, i+1), "User.ReadWrite.All", "Domain.Read.All")
		tg := openAs(t, tn, have)
		who, err := tg.Protected(t.Context(), target.User)
		require.ErrorIs(t, err, target.ErrForbidden)
		require.Empty(t, who)
		require.ErrorContains(t, err, missing)
	}
	tn, _, _ := administrators(t, graphsim.Options{})
	_, err := openAs(t, tn, []string{"User.ReadWrite.All", "Domain.Read.All"}).Protected(t.Context(), target.User)
	require.ErrorContains(t, err, "RoleManagement.Read.Directory, RoleEligibilitySchedule.Read.Directory, GroupMember.Read.All, AdministrativeUnit.Read.All",
		"all that is missing at once")
}

func TestA03_WithoutTheLicenceNobodyIsEligible(t *testing.T) {
	tn, ids, _ := administrators(t, graphsim.Options{})
	tn.EditPowers(func(p *graphsim.Powers) { p.Unlicensed = true })
	who, err := open(t, tn, nil).Protected(t.Context(), target.User)
	require.NoError(t, err)
	require.Equal(t, target.HoldsRole, who[ids[1]])
	require.NotContains(t, who, ids[2])
}

// Graph's word for "nobody is eligible" is no answer to any other question, and
// none in a message.
func TestA03_TheMissingLicenceAnswersForEligibilitiesAlone(t *testing.T) {
	for _, part := range []string{"/roleManagement/directory/roleAssignments", "/groups", "/groups/{id}/transitiveMembers", "/groups/{id}/owners",
		"/directory/administrativeUnits", "/directory/administrativeUnits/{id}/members"} {
		tn, _, _ := administrators(t, graphsim.Options{})
		tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
			if op.Kind == "GET "+part {
				return &graphsim.Fault{Status: 403, Code: "AadPremiumLicenseRequired", Message: "the tenant needs a licence"}
			}
			return nil
		})
		who, err := open(t, tn, nil).Protected(t.Context(), target.User)
		require.ErrorIs(t, err, target.ErrForbidden, part)
		require.Empty(t, who, part)
	}
	tn, _, _ := administrators(t, graphsim.Options{})
	tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
		if op.Kind == "GET /roleManagement/directory/roleEligibilitySchedules" {
			return &graphsim.Fault{Status: 403, Code: "Authorization_RequestDenied", Message: "AadPremiumLicenseRequired"}
		}
		return nil
	})
	_, err := open(t, tn, nil).Protected(t.Context(), target.User)
	require.ErrorIs(t, err, target.ErrForbidden)
}

// Graph gives members that are hidden as none. That isn't believed.
func TestA03_HiddenMembersNeedTheirPermission(t *testing.T) {
	needed := []string{"User.ReadWrite.All", "Domain.Read.All", "RoleManagement.Read.Directory", "GroupMember.Read.All",
		"PrivilegedEligibilitySchedule.Read.AzureADGroup", "AdministrativeUnit.Read.All"}
	for name, edit := range map[string]func(p *graphsim.Powers, id string){
		"group": func(p *graphsim.Powers, id string) {
			p.RoleGroups = append(p.RoleGroups, graphsim.RoleGroup{Members: []string{id}, Hidden: true})
		},
		"unit": func(p *graphsim.Powers, id string) { p.Units[1].Hidden = true },
	} {
		tn, ids, _ := administrators(t, graphsim.Options{})
		tn.EditPowers(func(p *graphsim.Powers) { edit(p, string(ids[0])) })
		who, err := openAs(t, tn, needed).Protected(t.Context(), target.User)
		require.ErrorIs(t, err, target.ErrForbidden, name)
		require.ErrorContains(t, err, "needs Member.Read.Hidden", name)
		require.Empty(t, who, name)
		who, err = openAs(t, tn, append(slices.Clone(needed), "Member.Read.Hidden")).Protected(t.Context(), target.User)
		require.NoError(t, err, name)
		require.NotEmpty(t, who[ids[6]])
		if name == "group" {
			require.Equal(t, target.InRoleGroup, who[ids[0]])
		}
	}
}

func TestA03_AListThatCannotBeReadIsNoAnswer(t *testing.T) {
	tn, _, _ := administrators(t, graphsim.Options{})
	for _, part := range []string{"/roleManagement/directory/roleAssignments", "/groups/{id}/owners", "/directory/administrativeUnits/{id}/members"} {
		tn.SetFault(func(op graphsim.Op) *graphsim.Fault {
			if op.Kind == "GET "+part {
				return &graphsim.Fault{Status: 400}
			}
			return nil
		})
		who, err := open(t, tn, nil).Protected(t.Context(), target.User)
		require.Error(t, err, part)
		require.Empty(t, who)
	}
	tn.SetFault(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t, tn, nil).Protected(ctx, target.User)
	require.ErrorIs(t, err, context.Canceled)
}
