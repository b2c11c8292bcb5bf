package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/e2e/compare"
	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// permissions are the application permissions that graphtarget's documentation
// asks for.
var permissions = []string{"User.ReadWrite.All", "Domain.Read.All"}

// powers are those for reading who is an administrator. (RoleManagement.Read.Directory
// holds RoleEligibilitySchedule.Read.Directory, which is documented as well.)
var powers = []string{"RoleManagement.Read.Directory", "GroupMember.Read.All", "PrivilegedEligibilitySchedule.Read.AzureADGroup", "AdministrativeUnit.Read.All"}

// What is documented is enough for all that runs do, and none of it is too much.
func TestTheDocumentedPermissionsAreEnoughAndNeeded(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	a, dir, _ := startSim(t, 30)
	w := newWorld(t, a, worldOptions{permissions: slices.Concat(permissions, powers)})
	w.tenant.EditPowers(func(p *graphsim.Powers) { p.RoleGroups = make([]graphsim.RoleGroup, 1) })
	first := w.synced(t)
	require.Equal(t, "full", first.Mode)
	w.requireSame(t, "after the first run")

	ann := somebody(t, a)
	change := func(value string) { require.NoError(t, dir.Modify(ann.DN, adsim.Replace("title", value))) }
	require.NoError(t, dir.Delete(ann.DN))
	require.Equal(t, 1, w.synced(t).Deleted)
	w.requireSame(t, "after a deletion")
	a.undelete(t, ann.GUID(), ann.DN)
	require.NoError(t, dir.Modify(ann.DN, adsim.Replace("userAccountControl", "514")))
	require.Equal(t, 1, w.synced(t).Restored)
	change("Head")
	w.synced(t)
	w.requireSame(t, "after she came back")

	for _, missing := range permissions {
		left := slices.DeleteFunc(slices.Concat(permissions, powers), func(p string) bool { return p == missing })
		fresh := newWorld(t, a, worldOptions{permissions: left})
		r := fresh.sync(t)
		requireForbidden(t, r, missing)
		require.Zero(t, fresh.tenant.Counts().TotalWrites())

		// And when it is taken away later.
		change("without " + missing)
		granted := w.token
		w.token = w.tenant.AddApp(graphsim.App{Permissions: left})
		w.tenant.ResetCounts()
		r = w.sync(t)
		require.Zero(t, w.tenant.Counts().TotalWrites())
		requireForbidden(t, r, missing)
		require.Empty(t, r.Problems, "no object is to blame")
		w.token = granted
		w.synced(t)
		w.requireSame(t, "with the permission again")
	}

	// Without one of these, who is no administrator can't be told: accounts that
	// exist are left alone, and that is said.
	for _, missing := range powers {
		change("without " + missing)
		granted := w.token
		w.token = w.tenant.AddApp(graphsim.App{Permissions: slices.DeleteFunc(slices.Concat(permissions, powers), func(p string) bool { return p == missing })})
		w.tenant.ResetCounts()
		r := w.sync(t)
		require.Zero(t, w.tenant.Counts().TotalWrites())
		require.Equal(t, 3, r.ExitCode, "%s", r)
		require.Len(t, r.Warnings, 1)
		require.Contains(t, r.Warnings[0].Message, missing)
		require.Equal(t, "protection-unknown", r.Problems[0].Code)
		w.token = granted
		w.synced(t)
		w.requireSame(t, "with the permission again")
	}
}

func requireForbidden(t testing.TB, r *report, missing string) {
	t.Helper()
	require.Equal(t, 1, r.ExitCode, "%s", r)
	require.Contains(t, r.Error, "denied access")
	require.Contains(t, r.Error, "Authorization_RequestDenied")
	require.Contains(t, r.WhatToDo, missing)
}

// somebody is one of the people that adsim made, with all that a person has.
func somebody(t testing.TB, a *ad) compare.Entry {
	t.Helper()
	people := a.read(t).Live
	i := slices.IndexFunc(people, func(e compare.Entry) bool {
		return strings.Contains(e.DN, adsim.PeopleOU) && first(e, "mail") != "" && first(e, "ms-ds-consistencyguid") == ""
	})
	require.NotEqual(t, -1, i)
	return people[i]
}
