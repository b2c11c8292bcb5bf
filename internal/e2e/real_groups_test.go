package e2e_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

// realGroups are DNs of groups that the tests add to those of the testbed, whose
// large and whose nested ones have mail and aren't synchronized.
type realGroups struct{ everybody, outer, doomed string }

// addGroups adds one group of everybody who lies below OU=Corp, contacts and
// computers included (more than 1,500 members), and some around it.
func (b *testbed) addGroups(t *testing.T) realGroups {
	t.Helper()
	c := b.connect(t)
	defer c.Close()
	ou := "OU=Corp," + b.base
	r, err := c.SearchWithPaging(ldap.NewSearchRequest(ou, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false,
		"(objectClass=person)", []string{"1.1"}, nil), 500)
	require.NoError(t, err)
	var all []string
	for _, e := range r.Entries {
		all = append(all, e.DN)
	}
	require.GreaterOrEqual(t, len(all), 1600)
	add := func(cn string, members ...string) string {
		dn := "CN=" + cn + ",OU=Groups," + ou
		q := ldap.NewAddRequest(dn, nil)
		q.Attribute("objectClass", []string{"group"})
		q.Attribute("sAMAccountName", []string{cn})
		q.Attribute("groupType", []string{"-2147483640"}) // universal, security
		q.Attribute("member", members)
		require.NoError(t, c.Add(q))
		return dn
	}
	for _, cn := range []string{"Everybody", "Doomed", "Outer", "Outer still"} { // of an earlier test in a domain that is kept
		if err := c.Del(ldap.NewDelRequest("CN="+cn+",OU=Groups,"+ou, nil)); !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
			require.NoError(t, err)
		}
	}
	var g realGroups
	g.everybody = add("Everybody", all...)
	g.doomed = add("Doomed", all[0], g.everybody)
	g.outer = add("Outer", all[1], g.everybody, g.doomed)
	require.NoError(t, c.Modify(modified(g.everybody, "member", ldap.AddAttribute, g.outer))) // round in a circle
	return g
}

func modified(dn, name string, op uint, values ...string) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	m.Changes = []ldap.Change{{Operation: op, Modification: ldap.PartialAttribute{Type: name, Vals: values}}}
	return m
}

// requireIdle demands that there is nothing to do any more.
func (w *world) requireIdle(t testing.TB, args ...string) *report {
	t.Helper()
	w.tenant.ResetCounts()
	r := w.synced(t, args...)
	require.Empty(t, w.tenant.Counts().Writes, "%s", r)
	return r
}

// groupsChange are the changes of groups that churn doesn't make.
func groupsChange(t *testing.T, bed *testbed, w *world, g realGroups) {
	step := func(what string, do func(c *ldap.Conn)) {
		c := bed.connect(t)
		defer c.Close()
		do(c)
		w.tenant.ResetCounts()
		r := w.synced(t)
		require.Equal(t, "delta", r.Mode, r.FullReason)
		w.requireSame(t, what)
		t.Logf("%s: %v: %s", what, w.tenant.Counts().Writes, r)
		w.requireIdle(t)
	}
	step("other values", func(c *ldap.Conn) {
		require.NoError(t, c.Modify(modified(g.outer, "displayName", ldap.ReplaceAttribute, "Äußere")))
		require.NoError(t, c.Modify(modified(g.outer, "description", ldap.ReplaceAttribute, "what it is for")))
	})
	step("a value less, and another name", func(c *ldap.Conn) {
		require.NoError(t, c.Modify(modified(g.outer, "description", ldap.ReplaceAttribute)))
		require.NoError(t, c.ModifyDN(ldap.NewModifyDNRequest(g.outer, "CN=Outer still", true, "")))
		g.outer = strings.Replace(g.outer, "CN=Outer", "CN=Outer still", 1)
	})
	step("four hundred members less", func(c *ldap.Conn) {
		i := slices.IndexFunc(bed.read(t).Groups, func(e compare.Entry) bool { return e.DN == g.everybody })
		require.NotEqual(t, -1, i)
		require.NoError(t, c.Modify(modified(g.everybody, "member", ldap.DeleteAttribute, bed.read(t).Groups[i].Values["member"][100:500]...)))
	})
	step("a manager more, and one less", func(c *ldap.Conn) {
		var people []string
		for _, e := range bed.read(t).Live {
			if strings.Contains(e.DN, ",OU=People,") && first(e, "manager") != "" {
				people = append(people, e.DN)
			}
		}
		require.NoError(t, c.Modify(modified(people[0], "manager", ldap.ReplaceAttribute, people[1])))
		require.NoError(t, c.Modify(modified(people[2], "manager", ldap.ReplaceAttribute)))
	})
	step("a group with members, itself a member, is deleted", func(c *ldap.Conn) {
		require.NoError(t, c.Del(ldap.NewDelRequest(g.doomed, nil)))
	})
}
