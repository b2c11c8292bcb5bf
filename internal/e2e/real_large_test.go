package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"
)

// makeMany is what the testbed can't do by itself: so many people, and one group
// that holds them all, written into the directory's own database.
const makeMany = `
import sys, uuid
sys.path.insert(0, sys.argv[1])
from samba_ad import RELAX, ROOT, open_db
db, n = open_db(sys.argv[2], big=True), int(sys.argv[3])
db.transaction_start()
ou = "OU=Many," + ROOT
db.add({"dn": ou, "objectClass": "organizationalUnit"})
dns = []
for i in range(n):
    dn = "CN=Many %06d,%s" % (i, ou)
    db.add({"dn": dn, "objectClass": "user", "objectGUID": uuid.uuid5(uuid.NAMESPACE_OID, "many %d" % i).bytes_le,
            "sAMAccountName": "many%06d" % i, "userPrincipalName": "many%06d@contoso.com" % i, "displayName": "Many %d" % i,
            "userAccountControl": "512"}, RELAX)
    dns.append(dn)
db.add({"dn": "CN=Many,OU=Groups," + ROOT, "objectClass": "group", "sAMAccountName": "Many", "groupType": "-2147483640", "member": dns}, RELAX)
db.transaction_commit()
`

// many adds n people, and a group that holds them all.
func (b *testbed) many(t *testing.T, n int) (group string) {
	t.Helper()
	cmd := exec.Command("/usr/bin/python3", "-", filepath.Dir(b.script), b.dir, fmt.Sprint(n))
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdin = bytes.NewReader([]byte(makeMany))
	started := time.Now()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	t.Logf("a group of %d was made in %s", n, time.Since(started).Round(time.Second))
	b.extra += n
	return "CN=Many,OU=Groups,OU=Corp," + b.base
}

// TestRealLargeGroup has a real domain controller with one group that is as large
// as DIRBRIDGE_E2E_BIG says: the first run, and then one member more and one less.
// Beside the members it needs the usual people alone.
func TestRealLargeGroup(t *testing.T) {
	n := number("DIRBRIDGE_E2E_BIG", 0)
	if n == 0 {
		t.Skip("takes an hour for 50,000 members: DIRBRIDGE_E2E_BIG=50000 runs it")
	}
	bed := realDC(t)
	group := bed.many(t, n)
	w := newWorld(t, bed.ad, worldOptions{groups: true})
	r := w.synced(t)
	require.Equal(t, "full", r.Mode)
	t.Logf("first run: %v: %s", w.tenant.Counts().Writes, r)
	w.requireSame(t, "after the first run")
	w.requireIdle(t)
	t.Logf("everything again: %s", w.requireIdle(t, "--full"))

	person := ""
	for _, e := range bed.read(t).Live {
		if first(e, "samaccountname") == "u0000007" {
			person = e.DN
		}
	}
	require.NotEmpty(t, person)
	step := func(what string, op uint, dn string) {
		c := bed.connect(t)
		defer c.Close()
		require.NoError(t, c.Modify(modified(group, "member", op, dn)))
		w.tenant.ResetCounts()
		r := w.synced(t)
		require.Equal(t, "delta", r.Mode, r.FullReason)
		require.Equal(t, 1, w.tenant.Counts().TotalWrites(), "%v", w.tenant.Counts().Writes)
		t.Logf("%s: %v: %s", what, w.tenant.Counts().Writes, r)
		w.requireSame(t, what)
		w.requireIdle(t)
	}
	step("one member more", ldap.AddAttribute, person)
	step("one member less", ldap.DeleteAttribute, "CN=Many 000003,OU=Many,OU=Corp,"+bed.base)
}
