package e2e_test

import (
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// On a real domain controller, which tells nothing of those in a unit that is
// renamed or moved: a scope by unit means the unit, and not its name.
func TestS08_AUnitIsRenamedAndMovedOnTheRealDomainController(t *testing.T) {
	const people = 50
	bed := realDC(t)
	conn, ou := bed.ouOf(t)
	add := func(dn string, attrs map[string][]string) {
		r := ldap.NewAddRequest(dn, nil)
		for name, values := range attrs {
			r.Attribute(name, values)
		}
		require.NoError(t, conn.Add(r), dn)
	}
	unit := func(dn string) string {
		add(dn, map[string][]string{"objectClass": {"organizationalUnit"}})
		return dn
	}
	move := func(dn, rdn, parent string) {
		require.NoError(t, conn.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, parent)))
	}
	sales, lab := unit("OU=Sales,"+ou), unit("OU=Lab,"+ou)
	inner := unit("OU=Inner," + sales)
	for i := range people {
		login := fmt.Sprintf("row08p%03d", i)
		at := sales
		if i%2 == 0 {
			at = inner
		}
		add(fmt.Sprintf("CN=%s,%s", login, at), map[string][]string{"objectClass": {"user"}, "sAMAccountName": {login},
			"userPrincipalName": {login + "@contoso.com"}, "displayName": {login}, "userAccountControl": {"544"}})
	}
	src, err := ldapsource.New([]string{bed.url}, []string{ou}, ldapsource.Credentials{User: bed.sync.dn, Password: ldapsource.Password(bed.sync.password)},
		&ldapsource.Options{RootCAs: bed.roots(), Kinds: []source.Kind{source.User, source.Container}})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, src.Close()) })
	tgt := memtarget.New("contoso", nil)
	tgt.VerifyDomain("contoso.com")
	limits := plan.Unlimited()
	limits.Removals = plan.Limit{Count: people - 1, Percent: -1}
	eng, err := dirsync.New(src, tgt, memstate.New(), &dirsync.Options{Scope: &mapping.Scope{Exclude: []string{lab}}, Limits: limits})
	require.NoError(t, err)
	synced := func() *dirsync.Report {
		rep, err := eng.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Empty(t, rep.Problems)
		return rep
	}
	require.Equal(t, people, synced().Created)

	move(sales, "OU=Vertrieb", "")
	sales = "OU=Vertrieb," + ou
	rep := synced()
	require.Zero(t, rep.Changed(), "renamed")
	require.Equal(t, dirsync.Delta, rep.Mode)
	move("OU=Inner,"+sales, "OU=Inner", ou)
	require.Zero(t, synced().Changed(), "moved within the scope")
	move("OU=Inner,"+ou, "OU=Inner", sales)
	require.Zero(t, synced().Changed())

	move(sales, "OU=Vertrieb", lab)
	_, err = eng.Sync(t.Context(), nil)
	var halted *dirsync.HaltedError
	require.ErrorAs(t, err, &halted)
	require.Equal(t, people, halted.Counts.Leave, "all of them, deeper ones too")
	move("OU=Vertrieb,"+lab, "OU=Vertrieb", ou)
	require.Zero(t, synced().Changed(), "moved back before anybody said anything")
	rep, err = eng.Sync(t.Context(), &dirsync.Request{Full: true})
	require.NoError(t, err)
	require.Zero(t, rep.Changed())
}
