package compare_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
)

const salesUnique = "dirbridge-33323130-3534-3736-3839-616263646566"

// sales is a security group with Ann, with somebody who has no account, and with
// itself.
func sales() compare.Entry {
	dn := "CN=Sales,DC=corp,DC=example,DC=com"
	return compare.Entry{DN: dn, Values: map[string][]string{
		"objectguid": {"0123456789abcdef"}, "samaccountname": {"sales team"}, "cn": {"Sales"}, "displayname": {" All of Sales "},
		"description": {"who sells"}, "grouptype": {"-2147483640"}, "member": {ann().DN, "CN=Contact,DC=corp", dn},
	}}
}

func salesGroup() compare.Group {
	return compare.Group{ID: "g", Unique: salesUnique, Members: []string{"g", "1"}, Values: map[string]string{
		"displayName": "All of Sales", "description": "who sells", "mailNickname": "salesteam", "mailEnabled": "false", "securityEnabled": "true",
	}}
}

func groups(d *compare.Directory, t *compare.Tenant) []string {
	c := compare.New("corp.example.com")
	c.Compare(d, t)
	return found(c.CompareGroups(d, t))
}

func directoryWith(e ...compare.Entry) *compare.Directory {
	d := live(ann())
	d.Groups = e
	return d
}

func tenantWith(g ...compare.Group) *compare.Tenant {
	t := tenant(annsAccount())
	t.Groups = g
	return t
}

func TestGroupsThatAreEqualHaveNoDifference(t *testing.T) {
	require.Empty(t, groups(directoryWith(sales()), tenantWith(salesGroup())))
}

func TestADifferenceOfAGroupIsFound(t *testing.T) {
	for name := range salesGroup().Values {
		g := salesGroup()
		g.Values[name] = "other"
		require.Equal(t, []string{name}, groups(directoryWith(sales()), tenantWith(g)))
	}
	for what, members := range map[string][]string{"one less": {"g"}, "one more": {"g", "1", "2"}, "one twice": {"g", "1", "1"}} {
		g := salesGroup()
		g.Members = members
		require.Equal(t, []string{"members"}, groups(directoryWith(sales()), tenantWith(g)), what)
	}
	again, other := salesGroup(), salesGroup()
	again.ID, other.Unique = "h", "somebody else's"
	require.Contains(t, groups(directoryWith(sales()), tenantWith(salesGroup(), again)), "(group)", "twice")
	require.Equal(t, []string{"(group)"}, groups(directoryWith(sales()), tenantWith()), "none")
	require.Equal(t, []string{"(group)"}, groups(directoryWith(sales()), tenantWith(salesGroup(), other)), "one that nobody wants")
}

func TestWhichGroupsAreIn(t *testing.T) {
	for name, value := range map[string]string{"groupType": "8", "mail": "sales@contoso.com", "proxyAddresses": "smtp:sales@contoso.com",
		"isCriticalSystemObject": "TRUE", "msExchRecipientTypeDetails": "1073741824"} {
		out := with(sales(), name, value)
		require.Empty(t, groups(directoryWith(out), tenantWith()), name)
		require.NotEmpty(t, groups(directoryWith(out), tenantWith(salesGroup())), name)
	}
	builtin := with(sales(), "groupType", "-2147483643")
	require.Empty(t, groups(directoryWith(builtin), tenantWith()))
	sip := with(with(sales(), "mail", "sales@contoso.com"), "proxyAddresses", "sip:sales@contoso.com")
	require.Empty(t, groups(directoryWith(sip), tenantWith(salesGroup())), "mail counts only where there is no address")
}

func TestADifferenceOfAManagerIsFound(t *testing.T) {
	d, tn := live(with(ann(), "manager", ann().DN)), tenant(annsAccount())
	require.Equal(t, []string{"manager"}, groups(d, tn), "none")
	tn.Live[0].Manager = "1"
	require.Empty(t, groups(d, tn))
	require.Equal(t, []string{"manager"}, groups(live(ann()), tn), "one that nobody wants")
	require.Equal(t, []string{"manager"}, groups(live(with(ann(), "manager", "CN=Contact,DC=corp")), tn), "who has no account")
}

func TestDeletedGroupsAreInTheBin(t *testing.T) {
	gone := directoryWith()
	gone.DeletedGroups = []compare.Entry{sales()}
	binned := tenantWith()
	binned.DeletedGroups = []compare.Group{salesGroup()}
	for what, tt := range map[string]struct {
		tenant *compare.Tenant
		found  []string
	}{
		"right":       {binned, nil},
		"still live":  {tenantWith(salesGroup()), []string{"(group)"}},
		"not to find": {tenantWith(), []string{"(group)"}},
	} {
		c, first := compare.New("corp.example.com"), directoryWith(sales())
		c.Compare(first, tenantWith(salesGroup()))
		require.Empty(t, c.CompareGroups(first, tenantWith(salesGroup())))
		require.Equal(t, 1, c.Groups())
		c.Compare(gone, tt.tenant)
		require.Equal(t, tt.found, found(c.CompareGroups(gone, tt.tenant)), what)
	}
	early := directoryWith(sales())
	inBoth := tenantWith(salesGroup())
	inBoth.DeletedGroups = []compare.Group{{ID: "x", Unique: salesUnique, Values: maps.Clone(salesGroup().Values)}}
	require.Equal(t, []string{"(group)"}, groups(early, inBoth), "in the bin too early")
}
