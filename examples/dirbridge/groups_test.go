package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/source"
)

func (w *world) adGroup(cn string, more adsim.Attrs) {
	w.t.Helper()
	a := adsim.Attrs{"objectClass": {"group"}, "sAMAccountName": {cn}, "groupType": {"-2147483646"}}
	for k, v := range more {
		a[k] = v
	}
	require.NoError(w.t, w.add(dn(w, cn), a))
}

// First contact with a tenant that has groups: what is proposed is looked at, what
// is left is adopted, and whom a group would lose stands in the plan.
func TestGroupsOfATenantAreProposedAdoptedAndPlanned(t *testing.T) {
	w := newWorld(t, "groups: {security: true}")
	w.person("Ann", "ann@contoso.com")
	w.person("Bob", "bob@contoso.com")
	code, out, errs := w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	ids := map[string]string{}
	for _, u := range w.tenant.Users() {
		ids[u.Get("userPrincipalName")] = u.ID
	}
	guest, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "guest@contoso.com", "displayName": "Guest", "mailNickname": "guest", "accountEnabled": true})
	require.NoError(t, err)
	there := func(nick string, more map[string]any) string {
		p := map[string]any{"mailNickname": nick, "displayName": "Theirs"}
		for k, v := range more {
			p[k] = v
		}
		g, err := w.tenant.AddGroup(p)
		require.NoError(t, err)
		return g.ID
	}
	sales := there("Sales", nil)
	there("Roles", map[string]any{"isAssignableToRole": true})
	there("Rule", map[string]any{"groupTypes": []string{"DynamicMembership"}})
	unit := there("Unit", nil)
	w.tenant.EditPowers(func(p *graphsim.Powers) {
		p.Units = append(p.Units, graphsim.AdministrativeUnit{ID: "aaaaaaaa-0000-4000-8000-000000000001", Restricted: true, Members: []string{unit}})
	})
	require.NoError(t, w.tenant.SetReferences(sales, "members", ids["bob@contoso.com"], guest.ID))
	for _, cn := range []string{"Sales", "Roles", "Rule", "Unit"} {
		w.adGroup(cn, adsim.Attrs{"member": {dn(w, "Ann")}})
	}
	before := w.tenant.Counts().TotalWrites()

	code, out, errs = w.run("match")
	require.Zero(t, code, errs)
	require.NotContains(t, out, sales, "by the unique name alone, unless more is asked for")
	file := filepath.Join(w.dir, "pairs.yaml")
	code, _, errs = w.run("match", "--by", "mailNickname,displayName", "--out", file)
	require.Zero(t, code, errs)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), `account: "`+sales+`", by: mailNickname}`)
	require.Contains(t, string(text), "conflict synchronized-by-others: directory roles can be assigned to it")
	require.Contains(t, string(text), "conflict synchronized-by-others: its members follow a rule")
	require.Contains(t, string(text), "conflict protected: the account is in a restricted management administrative unit")
	code, out, errs = w.run("adopt", file)
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "1 adopted")
	require.Equal(t, before, w.tenant.Counts().TotalWrites())

	code, out, errs = w.run("sync", "--dry-run")
	require.Equal(t, exitDone, code, errs)
	require.Contains(t, out, "members to remove: ")
	code, out, errs = w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "members removed 1")
	require.ElementsMatch(t, []string{ids["ann@contoso.com"], guest.ID}, w.tenant.References(sales, "members"), "who isn't ours stays")
	code, out, errs = w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "created 0, updated 0")
	require.Equal(t, before, w.tenant.Counts().TotalWrites()-9, "three groups made with a member each; one that gets its name, a member more and one less")
}

func TestMicrosoft365GroupsByRule(t *testing.T) {
	w := newWorld(t, "groups: {security: true, microsoft365: [{attribute: cn, startsWith: team-}, {organizationalUnit: 'ou = nowhere,DC=x'}]}")
	w.person("Ann", "ann@contoso.com")
	w.adGroup("Inner", adsim.Attrs{"member": {dn(w, "Ann")}})
	w.adGroup("Team-A", adsim.Attrs{"member": {dn(w, "Ann"), dn(w, "Inner")}, "mail": {"team@contoso.com"}})
	code, out, errs := w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "references to what isn't synchronized 1")
	for _, g := range w.tenant.Groups() {
		team := g.Get("displayName") == "Team-A"
		require.Equal(t, team, g.Properties["mailEnabled"], g.Get("displayName"))
		require.Len(t, w.tenant.References(g.ID, "members"), 1)
	}
	code, out, errs = w.run("sync")
	require.Equal(t, exitDone, code, out+errs)
	require.Contains(t, out, "created 0, updated 0")
}

func TestWhatIsWrongWithARuleForGroupsIsSaidWithItsPlace(t *testing.T) {
	for text, want := range map[string]string{
		"groups: {microsoft365: [{attribute: cn, equals: x}]}\n":                                       "groups.microsoft365: is about groups",
		"groups: {security: true, microsoft365: [{attribute: cn}]}\n":                                  "microsoft365[0]: cn: want one of",
		"groups: {security: true, microsoft365: [{organizationalUnit: Teams}]}\n":                      "want a DN",
		"groups: {security: true, microsoft365: [{organizationalUnit: 'OU=x', attribute: cn}]}\n":      "both are given",
		"groups: {security: true, microsoft365: [{attribute: cn, equals: a}, {attribute: cn, is: b}]}": "unknown key",
	} {
		_, err := check(t, minimal+text)
		require.ErrorContains(t, err, want, text)
	}
	c, err := check(t, minimal+"groups: {security: true, microsoft365: [{organizationalUnit: 'ou=Teams, DC=corp'}, {attribute: description, contains: team}]}\n")
	require.NoError(t, err)
	rule := c.Groups.microsoft365()
	require.True(t, rule(source.Object{DN: "CN=a,OU=teams,DC=corp"}))
	require.False(t, rule(source.Object{DN: "CN=a,OU=x,DC=corp"}))
	require.True(t, rule(source.Object{DN: "CN=a,OU=x,DC=corp", Attributes: source.Attributes{"description": {"A Team"}}}))
	require.NotEmpty(t, c.Groups.version())
	require.Equal(t, []string{"description"}, c.Groups.attributes())
}
