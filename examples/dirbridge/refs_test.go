package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
)

func TestGroupsAndManagersAreReadWhenTheyAreAskedFor(t *testing.T) {
	for text, want := range map[string]struct {
		kinds      []source.Kind
		references []string
	}{
		"":                 {nil, nil},
		"managers: true\n": {[]source.Kind{source.User}, []string{"manager"}},
		"scope: {groups: [\"CN=Pilot,DC=corp\"]}\n":                {[]source.Kind{source.User, source.Group}, []string{"member"}},
		"groups: {security: true}\n":                               {[]source.Kind{source.User, source.Group}, []string{"member"}},
		"groups: {security: true, owners: true}\nmanagers: true\n": {[]source.Kind{source.User, source.Group}, []string{"manager", "member", "managedBy"}},
	} {
		c, err := check(t, minimal+text)
		require.NoError(t, err)
		kinds, references := c.reads()
		require.Equal(t, want.kinds, kinds)
		require.Equal(t, want.references, references)
	}
	_, err := check(t, minimal+"groups: {owners: true}\n")
	require.ErrorContains(t, err, "groups.owners")
}

// The program between a directory and a tenant that speak LDAP and Graph.
func TestGroupsMembersAndManagersGoThroughTheProgram(t *testing.T) {
	w := newWorld(t, "groups: {security: true}", "managers: true")
	w.person("Ann", "ann@contoso.com")
	w.person("Bob", "bob@contoso.com", "manager", dn(w, "Ann"))
	group := func(cn string, members ...string) {
		require.NoError(t, w.add(dn(w, cn), adsim.Attrs{"objectClass": {"group"}, "sAMAccountName": {cn}, "groupType": {"-2147483646"}, "member": members}))
	}
	group("Inner", dn(w, "Bob"))
	group("Outer", dn(w, "Ann"), dn(w, "Inner"))
	code, out, errs := w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "created 4")
	require.Contains(t, out, "members added 3, owners and managers changed 1")

	refs := map[string]int{}
	for _, g := range w.tenant.Groups() {
		refs[g.Get("displayName")] = len(w.tenant.References(g.ID, "members"))
	}
	require.Equal(t, map[string]int{"Inner": 1, "Outer": 2}, refs)

	require.NoError(t, w.ad.Modify(dn(w, "Outer"), adsim.Replace("member", dn(w, "Bob"), dn(w, "Inner"))))
	code, out, errs = w.run("sync", "--dry-run")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "members to add: ")
	require.Contains(t, out, "members to remove: ")
	code, out, errs = w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "members added 1, members removed 1")

	require.NoError(t, w.ad.Delete(dn(w, "Bob")))
	code, out, errs = w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "deleted 1")
	require.Contains(t, out, "memberships ended with their account 2")
	code, out, errs = w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "created 0, updated 0")
	require.NotContains(t, out, "members")
}
