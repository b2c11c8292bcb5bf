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
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// peopleAlone is a tenant that isn't asked to take groups.
type peopleAlone struct{ *memtarget.Target }

func (peopleAlone) Kinds() []target.Kind                    { return []target.Kind{target.User} }
func (peopleAlone) RefBatch(target.Kind, string) (int, int) { return 0, 0 }

// On a real domain controller: a scope by a group means the group, whatever it is
// called, and who is a member of it, directly or by a group in it.
func TestS08_AScopeByGroupOnTheRealDomainController(t *testing.T) {
	const people = 60
	bed := realDC(t)
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		t.Run(string(mode), func(t *testing.T) {
			conn, ou := bed.ouOf(t)
			add := func(dn string, attrs map[string][]string) string {
				r := ldap.NewAddRequest(dn, nil)
				for name, values := range attrs {
					r.Attribute(name, values)
				}
				require.NoError(t, conn.Add(r), dn)
				return dn
			}
			group := func(cn string, members ...string) string {
				a := map[string][]string{"objectClass": {"group"}, "sAMAccountName": {cn + string(mode)}}
				if len(members) > 0 {
					a["member"] = members
				}
				return add("CN="+cn+","+ou, a)
			}
			members := func(dn string, added, removed []string) {
				r := ldap.NewModifyRequest(dn, nil)
				if len(added) > 0 {
					r.Add("member", added)
				}
				if len(removed) > 0 {
					r.Delete("member", removed)
				}
				require.NoError(t, conn.Modify(r))
			}
			lab := add("OU=Lab,"+ou, map[string][]string{"objectClass": {"organizationalUnit"}})
			var dns []string
			for i := range people {
				login := fmt.Sprintf("row08g%s%03d", mode, i)
				dns = append(dns, add(fmt.Sprintf("CN=%s,%s", login, ou), map[string][]string{"objectClass": {"user"}, "sAMAccountName": {login},
					"userPrincipalName": {login + "@contoso.com"}, "displayName": {login}, "userAccountControl": {"544"}}))
			}
			inner := group("row08inner", dns[10:50]...)
			pilot := group("row08pilot", append(dns[:10:10], inner)...)
			members(inner, []string{pilot}, nil) // they hold one another

			src, err := ldapsource.New([]string{bed.url}, []string{ou}, ldapsource.Credentials{User: bed.sync.dn, Password: ldapsource.Password(bed.sync.password)},
				&ldapsource.Options{RootCAs: bed.roots(), Delta: mode, Kinds: []source.Kind{source.User, source.Group}, References: []string{"member"}})
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, src.Close()) })
			tgt := memtarget.New("contoso", nil)
			tgt.VerifyDomain("contoso.com")
			limits := plan.Unlimited()
			limits.Removals = plan.Limit{Count: 30, Percent: -1}
			eng, err := dirsync.New(src, peopleAlone{tgt}, memstate.New(),
				&dirsync.Options{Scope: &mapping.Scope{Groups: []string{pilot}, Nested: true}, Limits: limits})
			require.NoError(t, err)
			synced := func() *dirsync.Report {
				t.Helper()
				rep, err := eng.Sync(t.Context(), nil)
				require.NoError(t, err)
				require.Empty(t, rep.Problems)
				return rep
			}
			require.Equal(t, 50, synced().Created)

			require.NoError(t, conn.ModifyDN(ldap.NewModifyDNRequest(pilot, "CN=row08renamed", true, lab)))
			pilot = "CN=row08renamed," + lab
			rep := synced()
			require.Zero(t, rep.Writes, "renamed and moved")
			require.Equal(t, dirsync.Delta, rep.Mode)

			members(inner, dns[50:51], dns[10:11])
			rep = synced()
			require.Equal(t, []int{1, 1, 2}, []int{rep.Created, rep.Disabled, rep.Writes}, "one in, one out")

			members(pilot, nil, []string{inner})
			_, err = eng.Sync(t.Context(), nil)
			var halted *dirsync.HaltedError
			require.ErrorAs(t, err, &halted)
			require.Equal(t, 40, halted.Counts.Leave, "all of the group that was taken out")
			members(pilot, []string{inner}, nil)
			require.Zero(t, synced().Changed(), "put back before anybody said anything")

			require.NoError(t, conn.Del(ldap.NewDelRequest(pilot, nil)))
			rep = synced()
			require.Zero(t, rep.Changed(), "a scope's group that is deleted takes nobody along")
			require.Len(t, rep.Warnings, 1)
			rep, err = eng.Sync(t.Context(), &dirsync.Request{Full: true})
			require.NoError(t, err)
			require.Zero(t, rep.Changed())
		})
	}
}
