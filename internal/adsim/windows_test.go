package adsim_test

import (
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// What Windows documents and Samba doesn't do: the parity table can't hold it.

// syncAnswer is one DirSync answer.
type syncAnswer struct {
	entries []*ldap.Entry
	more    bool
	cookie  []byte
}

func syncPage(c *ldap.Conn, s *adsim.Server, cookie []byte, flags int64, attrs ...string) (syncAnswer, error) {
	if len(attrs) == 0 {
		attrs = []string{"name", "title", "mail", "isDeleted", "parentGUID"}
	}
	r, err := c.DirSync(ldap.NewSearchRequest(s.Directory().BaseDN(), 2, 0, 0, 0, false, "(objectClass=user)", attrs, nil), flags, 0, cookie)
	if err != nil {
		return syncAnswer{}, err
	}
	ctl := ldap.FindControl(r.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
	return syncAnswer{r.Entries, ctl.Flags != 0, ctl.Cookie}, nil
}

// syncAll reads to the end.
func syncAll(t *testing.T, c *ldap.Conn, s *adsim.Server, cookie []byte, flags int64, attrs ...string) ([]*ldap.Entry, []byte) {
	var all []*ldap.Entry
	for {
		a, err := syncPage(c, s, cookie, flags, attrs...)
		require.NoError(t, err)
		all, cookie = append(all, a.entries...), a.cookie
		if !a.more {
			return all, cookie
		}
	}
}

func TestUnpagedSearchEndsAtTheLimitWithTheFirstEntries(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, &adsim.Options{MaxPageSize: 30}, 50)
	n, err := async(c, people(s, "1.1"))
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded), "%v", err)
	require.Equal(t, 30, n)
	r, err := c.SearchWithPaging(people(s, "1.1"), 500)
	require.NoError(t, err)
	require.Len(t, r.Entries, 50)
}

func TestManyValuesComeInRanges(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 1)
	var values []string
	for i := range 3100 {
		values = append(values, fmt.Sprintf("%04d", i))
	}
	dn := "CN=svc-reader,CN=Users," + s.Directory().BaseDN()
	require.NoError(t, s.Directory().Modify(dn, adsim.Replace("otherTelephone", values...)))
	ask := func(attr string) (map[string]int, error) {
		r, err := c.Search(ldap.NewSearchRequest(dn, 0, 0, 0, 0, false, "(objectClass=*)", []string{attr}, nil))
		if err != nil {
			return nil, err
		}
		out := map[string]int{}
		for _, a := range r.Entries[0].Attributes {
			out[a.Name] = len(a.Values)
		}
		return out, nil
	}
	for attr, want := range map[string]map[string]int{
		"otherTelephone":                 {"otherTelephone": 0, "otherTelephone;range=0-1499": 1500},
		"otherTelephone;range=1500-*":    {"otherTelephone;range=1500-2999": 1500},
		"otherTelephone;range=3000-*":    {"otherTelephone;range=3000-*": 100},
		"otherTelephone;range=3000-4499": {"otherTelephone;range=3000-*": 100},
		"otherTelephone;range=10-19":     {"otherTelephone;range=10-19": 10},
	} {
		got, err := ask(attr)
		require.NoError(t, err)
		require.Equal(t, want, got, attr)
	}
	_, err := ask("otherTelephone;range=3100-*")
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultOperationsError), "%v", err)
}

func TestDirSyncComesInPagesAndEveryCookieIsAResumePoint(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, &adsim.Options{DirSyncPage: 10}, 45)
	first, err := syncPage(c, s, nil, 0)
	require.NoError(t, err)
	require.True(t, first.more)
	require.LessOrEqual(t, len(first.entries), 10)
	for range 2 { // twice from the same cookie gives the same
		rest, _ := syncAll(t, c, s, first.cookie, 0)
		seen := map[string]bool{}
		for _, e := range append(rest, first.entries...) {
			seen[string(e.GetRawAttributeValue("objectGUID"))] = true
		}
		require.Len(t, seen, 48) // and the three accounts
	}
}

func TestLinkValuesComeAfterTheObjects(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 45)
	entries, cookie := syncAll(t, c, s, nil, ldap.DirSyncIncrementalValues, "name", "manager")
	links := 0
	for _, e := range entries {
		if m := e.GetAttributeValues("manager;range=1-1"); len(m) > 0 {
			require.Empty(t, e.GetAttributeValue("name"))
			links++
		} else {
			require.Zero(t, links, "an object after a link")
		}
	}
	require.Equal(t, 43, links)
	rest, _ := syncAll(t, c, s, cookie, ldap.DirSyncIncrementalValues, "name", "manager")
	require.Empty(t, rest)
}

func TestGetChangesAloneSeesTombstonesOnWindowsOnly(t *testing.T) {
	t.Parallel()
	for _, samba := range []bool{false, true} {
		s, c := open(t, &adsim.Options{Samba: samba, Accounts: []adsim.Account{{Name: "repl", Password: "p", GetChanges: true}}}, 3, "repl", "p")
		_, cookie := syncAll(t, c, s, nil, 0)
		r, err := c.Search(people(s, "1.1"))
		require.NoError(t, err)
		require.NoError(t, s.Directory().Delete(r.Entries[0].DN))
		delta, _ := syncAll(t, c, s, cookie, 0)
		if samba {
			require.Empty(t, delta)
			continue
		}
		require.Len(t, delta, 1)
		require.Equal(t, "TRUE", delta[0].GetAttributeValue("isDeleted"))
	}
}

func TestHiddenObjectIsNotThereForTheSyncAccount(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 3)
	r, err := c.Search(people(s, "1.1"))
	require.NoError(t, err)
	dn := r.Entries[1].DN
	require.NoError(t, s.Directory().Hide(dn))
	n, err := async(c, people(s, "1.1"))
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = async(dial(t, s, adsim.AdminName, adsim.AdminPassword), people(s, "1.1"))
	require.NoError(t, err)
	require.Equal(t, 3, n)
	require.NoError(t, s.Directory().Unhide(dn))
	n, err = async(c, people(s, "1.1"))
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

func TestRestoredDomainControllerLosesChangesSilently(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 5)
	d := s.Directory()
	r, err := c.Search(people(s, "1.1"))
	require.NoError(t, err)
	image, id := d.Snapshot(), d.InvocationID()
	for range 20 {
		d.Touch()
	}
	require.NoError(t, d.Modify(r.Entries[0].DN, adsim.Replace("title", "before")))
	_, cookie := syncAll(t, c, s, nil, 0)
	high := d.HighestCommittedUSN()
	d.Restore(image)
	require.Less(t, d.HighestCommittedUSN(), high)
	require.Equal(t, id, d.InvocationID())
	require.NoError(t, d.Modify(r.Entries[1].DN, adsim.Replace("title", "after")))
	delta, _ := syncAll(t, c, s, cookie, 0)
	require.Empty(t, delta)
}

func TestReplicaHasTheSameObjectsAndOtherNumbers(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 10)
	d := s.Directory()
	_, cookie := syncAll(t, c, s, nil, 0)
	d2 := d.Replica("dc2")
	s2, err := adsim.Start("127.0.0.1:0", d2)
	require.NoError(t, err)
	defer s2.Close()
	c2 := dial(t, s2, adsim.SyncName, adsim.SyncPassword)
	require.NotEqual(t, d.InvocationID(), d2.InvocationID())
	full, cookie2 := syncAll(t, c2, s2, cookie, 0)
	require.Len(t, full, 13, "a cookie of another database leads to a full read")
	r, err := c.Search(people(s, "1.1"))
	require.NoError(t, err)
	require.NoError(t, d.Modify(r.Entries[0].DN, adsim.Replace("title", "new")))
	require.NoError(t, d.Delete(r.Entries[9].DN))
	none, _ := syncAll(t, c2, s2, cookie2, 0)
	require.Empty(t, none)
	d2.Pull(d)
	delta, _ := syncAll(t, c2, s2, cookie2, 0)
	require.Len(t, delta, 2)
	require.Equal(t, "new", delta[0].GetAttributeValue("title"))
	require.Empty(t, delta[0].GetAttributeValue("name"), "only what changed")
	require.Equal(t, "TRUE", delta[1].GetAttributeValue("isDeleted"))
}

func TestRecycleBinKeepsEverything(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, &adsim.Options{RecycleBin: true}, 42)
	d := s.Directory()
	r, err := c.Search(people(s, "objectGUID", "mail", "manager", "title"))
	require.NoError(t, err)
	e := r.Entries[1]
	id := adsim.GUID(e.GetRawAttributeValue("objectGUID"))
	_, cookie := syncAll(t, c, s, nil, 0)
	require.NoError(t, d.Delete(e.DN))
	delta, _ := syncAll(t, c, s, cookie, 0)
	require.Len(t, delta, 1)
	require.Empty(t, delta[0].GetAttributeValue("isRecycled"))
	found, dn, err := d.Find("<GUID=" + id.String() + ">")
	require.NoError(t, err)
	require.Equal(t, id, found)
	require.Contains(t, dn, "CN=Deleted Objects")
	require.NoError(t, d.Undelete(id, e.DN))
	r, err = c.Search(ldap.NewSearchRequest("<GUID="+id.String()+">", 0, 0, 0, 0, false, "(objectClass=*)", []string{"objectGUID", "mail", "manager", "title"}, nil))
	require.NoError(t, err)
	require.Equal(t, e.DN, r.Entries[0].DN)
	for _, a := range e.Attributes {
		require.Equal(t, a.Values, r.Entries[0].GetAttributeValues(a.Name), a.Name)
	}
}
