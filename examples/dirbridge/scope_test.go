package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/mapping"
)

func TestTheScopeOfAFile(t *testing.T) {
	c, err := check(t, minimal+`scope:
  domains: [corp.example.com, "DC=other,DC=example,DC=com"]
  organizationalUnits:
    include: ["OU=Sales,DC=corp,DC=example,DC=com", "{B9AB2EF7-091B-50BF-845C-72BB8A00E909}"]
    exclude: ["ou=Temps, OU=Sales,DC=corp,DC=example,DC=com"]
  groups: ["CN=Pilot,OU=Groups,DC=corp,DC=example,DC=com"]
  nested: true
  conditions:
    - {attribute: mail, present: true}
    - {attribute: title, present: false}
    - {attribute: company, present: false, not: true}
    - {attribute: department, oneOf: [a, b], not: true}
    - {attribute: cn, equals: x}
    - {attribute: sn, startsWith: x}
    - {attribute: l, contains: x}
`)
	require.NoError(t, err)
	require.Equal(t, &mapping.Scope{
		Domains: []string{"DC=corp,DC=example,DC=com", "DC=other,DC=example,DC=com"},
		Include: []string{"OU=Sales,DC=corp,DC=example,DC=com", "{B9AB2EF7-091B-50BF-845C-72BB8A00E909}"},
		Exclude: []string{"ou=Temps, OU=Sales,DC=corp,DC=example,DC=com"},
		Groups:  []string{"CN=Pilot,OU=Groups,DC=corp,DC=example,DC=com"}, Nested: true,
		Conditions: []mapping.Condition{
			{Attribute: "mail", Operator: mapping.Present},
			{Attribute: "title", Operator: mapping.Present, Not: true},
			{Attribute: "company", Operator: mapping.Present},
			{Attribute: "department", Operator: mapping.OneOf, Values: []string{"a", "b"}, Not: true},
			{Attribute: "cn", Operator: mapping.Equals, Values: []string{"x"}},
			{Attribute: "sn", Operator: mapping.StartsWith, Values: []string{"x"}},
			{Attribute: "l", Operator: mapping.Contains, Values: []string{"x"}},
		},
	}, c.scope())
	primary := strings.Replace(minimal, "    baseDN:", "    primaryGroups: true\n    baseDN:", 1)
	_, err = check(t, primary)
	require.ErrorContains(t, err, "source.activeDirectory.primaryGroups: is about members of groups")
	_, err = check(t, primary+"scope: {groups: [\"CN=Domain Users,CN=Users,DC=corp,DC=example,DC=com\"]}\n")
	require.NoError(t, err)
	c, err = check(t, minimal+"limits: {rescoped: 0, leaving: 3}\n")
	require.NoError(t, err)
	require.Nil(t, c.scope())
	require.Equal(t, 3, c.limits().Leaving.Count)
}

func TestMistakesInTheScopeAreToldWithLineAndColumn(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"an unknown key":      {"scope: {units: []}", `d.yaml:11:9: unknown key "units"`},
		"no DN":               {"scope: {organizationalUnits: {include: [Sales]}}", `d.yaml:11:40: scope.organizationalUnits.include: "Sales": want a DN`},
		"no DN of a group":    {"scope: {groups: [Pilot]}", `d.yaml:11:17: scope.groups: "Pilot": want a DN`},
		"nested in nothing":   {"scope: {nested: true}", "d.yaml:11:17: scope.nested: is about groups: name some"},
		"both":                {"scope: {organizationalUnits: {include: [OU=a], exclude: [ou=A]}}", `d.yaml:11:30: scope.organizationalUnits: "OU=a" is both included and excluded`},
		"no attribute":        {"scope: {conditions: [{equals: x}]}", "d.yaml:11:22: scope.conditions[0]: names no attribute"},
		"nothing asked":       {"scope:\n  conditions:\n  - {attribute: a, present: true}\n  - attribute: b", "d.yaml:14:5: scope.conditions[1]: b: want one of present, equals, startsWith, contains, oneOf, 0 are given"},
		"two things asked":    {"scope: {conditions: [{attribute: a, equals: x, contains: y}]}", "scope.conditions[0]: a: want one of"},
		"an empty value":      {`scope: {conditions: [{attribute: a, equals: ""}]}`, "an empty value is one that no attribute has: ask for present instead"},
		"an empty list":       {`scope: {conditions: [{attribute: a, oneOf: []}]}`, "oneOf takes 1 values, 0 are given"},
		"a limit below none":  {"limits: {rescoped: -2}", "d.yaml:11:20: limits.rescoped: -2: want"},
		"a limit of nothing":  {"limits: {leaving: 0}", "d.yaml:11:19: limits.leaving: 0: want 1 or more"},
		"another type":        {"scope: {domains: corp.example.com}", "d.yaml:11:18: string was used where sequence is expected"},
		"a condition as text": {"scope: {conditions: [mail]}", "d.yaml:11:22: "},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := check(t, minimal+c.text+"\n")
			var wrong *configError
			require.ErrorAs(t, err, &wrong)
			require.Contains(t, err.Error(), c.want)
		})
	}
}

func TestAChangedScopeIsPlannedAndApproved(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "department", "Sales")
	w.person("Bob Berg", "bob@contoso.com", "department", "Lab")
	w.person("Cid Cole", "cid@contoso.com", "department", "Old sales")
	require.Zero(t, first(w.run("sync")))

	w.configure("scope: {conditions: [{attribute: department, contains: sales}]}")
	code, out, errs := w.run("sync", "--dry-run")
	require.Equal(t, 4, code, errs)
	require.Contains(t, out, "1 leave the scope: the scope was changed: doesn't meet the condition (department contains \"sales\")\n        disable bob@contoso.com  (00000002-")
	code, out, _ = w.run("plan")
	require.Zero(t, code)
	golden(t, "scope.txt", w.settled(out))
	code, out, _ = w.run("sync", "-o", "json")
	require.Equal(t, 4, code)
	d := parsed(t, out)
	leaves := d["plan"].(map[string]any)["leaves"].([]any)
	require.Len(t, leaves, 1)
	require.Equal(t, float64(1), leaves[0].(map[string]any)["count"])
	require.Zero(t, first(w.run("approve", d["plan"].(map[string]any)["planHash"].(string))))
	require.Zero(t, first(w.run("sync")))

	w.set("Bob Berg", "department", "Sales")
	code, out, _ = w.run("plan", "-o", "json")
	require.Zero(t, code)
	d = parsed(t, out)
	require.Equal(t, "entered the scope", d["plan"].(map[string]any)["enters"].([]any)[0].(map[string]any)["reason"])
	require.Equal(t, "enters", d["changes"].([]any)[0].(map[string]any)["crossing"])
}

// configure adds to the configuration.
func (w *world) configure(more string) {
	w.t.Helper()
	text, err := os.ReadFile(w.config)
	require.NoError(w.t, err)
	require.NoError(w.t, os.WriteFile(w.config, append(text, more+"\n"...), 0o600))
}

// Sales is synchronized, without its Temps. The base DN itself and units by name
// and by objectGUID are meant.
func TestS08_ARenamedUnitChangesNothing(t *testing.T) {
	w := newWorld(t)
	unit := func(dn string) {
		require.NoError(t, w.add(dn+",OU=Staff,"+w.ad.BaseDN(), adsim.Attrs{"objectClass": {"organizationalUnit"}}))
	}
	unit("OU=Sales")
	unit("OU=Temps,OU=Sales")
	w.configure("scope: {organizationalUnits: {include: [\"OU=Sales,OU=Staff," + w.ad.BaseDN() + "\"], exclude: [\"ou=temps, ou=sales,OU=Staff," + w.ad.BaseDN() + "\"]}}")
	w.person("Out Side", "out@contoso.com")
	for _, x := range [][2]string{{"Ann Abel", "OU=Sales"}, {"Bob Berg", "OU=Sales"}, {"Tim Temp", "OU=Temps,OU=Sales"}} {
		login := strings.ToLower(x[0][:3])
		w.person(x[0], login+"@contoso.com")
		require.NoError(t, w.move(dn(w, x[0]), "CN="+x[0]+","+x[1]+",OU=Staff,"+w.ad.BaseDN()))
	}
	code, out, errs := w.run("sync")
	require.Zero(t, code, out+errs)
	require.ElementsMatch(t, []string{"ann@contoso.com", "bob@contoso.com"}, w.upns())

	require.NoError(t, w.move("OU=Sales,OU=Staff,"+w.ad.BaseDN(), "OU=Vertrieb,OU=Staff,"+w.ad.BaseDN()))
	code, out, errs = w.run("plan", "--exit-code")
	require.Zero(t, code, out+errs)
	require.Contains(t, out, "there is nothing to do")
	writes := w.tenant.Counts().TotalWrites()
	require.Zero(t, first(w.run("sync")))
	require.Zero(t, first(w.run("sync", "--full")))
	require.Equal(t, writes, w.tenant.Counts().TotalWrites())

	unit("OU=Lab")
	require.NoError(t, w.move("OU=Vertrieb,OU=Staff,"+w.ad.BaseDN(), "OU=Vertrieb,OU=Lab,OU=Staff,"+w.ad.BaseDN()))
	require.Zero(t, first(w.run("sync")), "it is named itself, wherever it lies")
	require.Equal(t, writes, w.tenant.Counts().TotalWrites())

	require.NoError(t, w.move("CN=Ann Abel,OU=Vertrieb,OU=Lab,OU=Staff,"+w.ad.BaseDN(), dn(w, "Ann Abel")))
	code, out, _ = w.run("plan")
	require.Zero(t, code)
	require.Contains(t, out, "1 leave the scope: left the scope: in OU=Staff,"+w.ad.BaseDN()+" (not included)")
	require.Zero(t, first(w.run("sync")))
}

func TestAnUnknownUnitIsAMistakeInTheConfiguration(t *testing.T) {
	w := newWorld(t, "scope: {organizationalUnits: {exclude: [\"OU=Nowhere,DC=corp,DC=example,DC=com\"]}}")
	w.person("Ann Abel", "ann@contoso.com")
	code, _, errs := w.run("sync")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "OU=Nowhere,DC=corp,DC=example,DC=com")
	require.Contains(t, errs, "what to do: correct scope.domains, scope.organizationalUnits and scope.groups")
	require.Empty(t, w.upns())
}

// Whoever isn't in an excluded unit is in, also where the base DN isn't the whole
// domain: what is above it doesn't have to be known.
func TestUnitsAreExcludedBelowABaseDN(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.add("OU=Lab,OU=Staff,"+w.ad.BaseDN(), adsim.Attrs{"objectClass": {"organizationalUnit"}}))
	w.configure("scope: {organizationalUnits: {exclude: [\"OU=Lab,OU=Staff," + w.ad.BaseDN() + "\"]}}")
	w.person("Ann Abel", "ann@contoso.com")
	w.person("Leo Lab", "leo@contoso.com")
	require.NoError(t, w.move(dn(w, "Leo Lab"), "CN=Leo Lab,OU=Lab,OU=Staff,"+w.ad.BaseDN()))
	code, out, errs := w.run("sync")
	require.Zero(t, code, out+errs)
	require.Equal(t, []string{"ann@contoso.com"}, w.upns())
}

// The pilot is a group of people who are synchronized; it isn't written itself.
func TestTheMembersOfAGroupAreSynchronized(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com")
	w.person("Bob Berg", "bob@contoso.com")
	w.person("Cid Cole", "cid@contoso.com")
	group := func(cn string, members ...string) {
		require.NoError(t, w.add(dn(w, cn), adsim.Attrs{"objectClass": {"group"}, "sAMAccountName": {cn}, "groupType": {"-2147483646"}, "member": members}))
	}
	group("Inner", dn(w, "Bob Berg"))
	group("Pilot", dn(w, "Ann Abel"), dn(w, "Inner"))
	w.configure("scope: {groups: [\"" + dn(w, "Pilot") + "\"], nested: true}")
	code, out, errs := w.run("sync")
	require.Zero(t, code, out+errs)
	require.ElementsMatch(t, []string{"ann@contoso.com", "bob@contoso.com"}, w.upns())
	writes := w.tenant.Counts().TotalWrites()
	require.NoError(t, w.move(dn(w, "Pilot"), dn(w, "Everybody")))
	require.Zero(t, first(w.run("sync")))
	require.Equal(t, writes, w.tenant.Counts().TotalWrites(), "the group, whatever it is called")

	require.NoError(t, w.ad.Modify(dn(w, "Inner"), adsim.Replace("member", dn(w, "Cid Cole"))))
	code, out, _ = w.run("plan")
	require.Zero(t, code)
	require.Contains(t, out, "1 leave the scope: left the scope: no longer a member of "+dn(w, "Everybody"))
	require.Contains(t, out, "1 enter the scope: entered the scope: a member of "+dn(w, "Inner")+", which is in "+dn(w, "Everybody"))
	require.Zero(t, first(w.run("sync")))

	require.NoError(t, w.ad.Delete(dn(w, "Everybody")))
	code, out, errs = w.run("sync")
	require.Zero(t, code, out+errs)
	require.Contains(t, out+errs, "by which the scope goes, is deleted")
}

// move gives an entry another DN.
func (w *world) move(from, to string) error {
	rdn, parent, _ := strings.Cut(to, ",")
	return w.ad.Move(from, rdn, parent)
}
