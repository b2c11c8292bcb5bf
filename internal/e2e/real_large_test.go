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

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// makeMany is what the testbed can't do by itself: so many people, and one group
// that holds them all, written into the directory's own database.
const makeMany = `
import sys, uuid
sys.path.insert(0, sys.argv[1])
from samba_ad import RELAX, ROOT, exists, open_db
db, n = open_db(sys.argv[2], big=True), int(sys.argv[3])
if exists(db, "CN=Many,OU=Groups," + ROOT):
    sys.exit()
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

// many adds n people, and a group that holds them all, if there isn't one.
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

// largeGroup is how many members TestRealLargeGroup's group has.
func largeGroup(t *testing.T) int {
	t.Helper()
	if os.Getenv("DIRBRIDGE_E2E_BIG") == "" {
		t.Skip("takes an hour for 50,000 members: DIRBRIDGE_E2E_BIG=50000 runs it")
	}
	return number("DIRBRIDGE_E2E_BIG", 0)
}

// somebody is the DN of a person who isn't one of the many.
func (b *testbed) somebody(t *testing.T) string {
	t.Helper()
	c := b.connect(t)
	defer c.Close()
	r, err := c.Search(ldap.NewSearchRequest(b.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, "(sAMAccountName=u0000007)", []string{"1.1"}, nil))
	require.NoError(t, err)
	require.Len(t, r.Entries, 1)
	return r.Entries[0].DN
}

// change makes a change of the large group.
func (b *testbed) change(t *testing.T, group string, op uint, member string) {
	t.Helper()
	c := b.connect(t)
	defer c.Close()
	require.NoError(t, c.Modify(modified(group, "member", op, member)))
}

// TestRealLargeGroupAlone has a real domain controller with one group that is as
// large as DIRBRIDGE_E2E_BIG says, and a target that takes no time: what it costs
// the source, the engine and the store.
func TestRealLargeGroupAlone(t *testing.T) {
	n := largeGroup(t)
	bed := realDC(t)
	group, person := bed.many(t, n), bed.somebody(t)
	src, err := ldapsource.New([]string{bed.url}, []string{bed.base}, ldapsource.Credentials{User: bed.ad.sync.dn, Password: ldapsource.Password(bed.ad.sync.password)},
		&ldapsource.Options{RootCAs: bed.roots(), Kinds: []source.Kind{source.User, source.Group}, References: []string{"member", "manager"}})
	require.NoError(t, err)
	defer src.Close()
	store, err := boltstate.Open(filepath.Join(t.TempDir(), "state.db"), nil)
	require.NoError(t, err)
	defer store.Close()
	tgt := memtarget.New("contoso", nil)
	engine, err := dirsync.New(src, tgt, store, &dirsync.Options{Limits: plan.Unlimited()})
	require.NoError(t, err)
	run := func(what string, full bool) *dirsync.Report {
		started := time.Now()
		r, err := engine.Sync(t.Context(), &dirsync.Request{Full: full})
		require.NoError(t, err)
		t.Logf("%s: %s, read %d, created %d, members +%d -%d, %d writes: %s", what, r.Mode, r.Read, r.Created, r.MembersAdded, r.MembersRemoved, r.Writes,
			time.Since(started).Round(time.Millisecond))
		return r
	}
	require.GreaterOrEqual(t, run("everything", false).MembersAdded, n)
	require.Zero(t, run("nothing", false).Writes)
	require.Zero(t, run("everything again", true).Writes)
	bed.change(t, group, ldap.AddAttribute, person)
	require.Equal(t, 1, run("one member more", false).Writes)
	bed.change(t, group, ldap.DeleteAttribute, person)
	require.Equal(t, 1, run("one member less", false).Writes)
	require.Zero(t, run("nothing", false).Writes)
}

// TestRealLargeGroup is the same with the program and a tenant that takes what Graph
// takes, twenty writes a second.
func TestRealLargeGroup(t *testing.T) {
	n := largeGroup(t)
	bed := realDC(t)
	group, person := bed.many(t, n), bed.somebody(t)
	w := newWorld(t, bed.ad, worldOptions{groups: true})
	r := w.synced(t)
	require.Equal(t, "full", r.Mode)
	t.Logf("first run: %v: %s", w.tenant.Counts().Writes, r)
	w.requireSame(t, "after the first run")
	w.requireIdle(t)
	t.Logf("everything again: %s", w.requireIdle(t, "--full"))
	step := func(what string, op uint) {
		bed.change(t, group, op, person)
		w.tenant.ResetCounts()
		r := w.synced(t)
		require.Equal(t, "delta", r.Mode, r.FullReason)
		require.Equal(t, 1, w.tenant.Counts().TotalWrites(), "%v", w.tenant.Counts().Writes)
		t.Logf("%s: %v: %s", what, w.tenant.Counts().Writes, r)
		w.requireSame(t, what)
		w.requireIdle(t)
	}
	step("one member more", ldap.AddAttribute)
	step("one member less", ldap.DeleteAttribute)
}
