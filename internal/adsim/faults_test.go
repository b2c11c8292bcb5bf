package adsim_test

import (
	"context"
	"testing"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// async reads a search entry by entry, so that what came before an error is
// seen.
func async(c *ldap.Conn, req *ldap.SearchRequest) (entries int, err error) {
	r := c.SearchAsync(context.Background(), req, 0)
	for r.Next() {
		if r.Entry() != nil {
			entries++
		}
	}
	return entries, r.Err()
}

func TestResultCodeAfterSomeEntries(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 20)
	s.Inject(adsim.OnSearch(2, adsim.Fault{After: 7, Code: ldap.LDAPResultTimeLimitExceeded, Text: "made up"}))
	n, err := async(c, people(s, "1.1"))
	require.NoError(t, err)
	require.Equal(t, 20, n)
	n, err = async(c, people(s, "1.1"))
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultTimeLimitExceeded), "%v", err)
	require.ErrorContains(t, err, "made up")
	require.Equal(t, 7, n)
	n, err = async(c, people(s, "1.1"))
	require.NoError(t, err)
	require.Equal(t, 20, n)
}

func TestCutAfterSomeEntriesAndAfterSomeBytes(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 20)
	for _, f := range []adsim.Fault{{After: 5, Cut: true}, {Cut: true}, {After: 1000, Cut: true}, {CutAfterBytes: 300}} {
		s.Inject(adsim.EverySearch(f))
		n, err := async(c, people(s, "1.1"))
		require.Error(t, err, "%+v", f)
		if f.CutAfterBytes == 0 {
			require.Equal(t, min(f.After, 20), n)
		} else {
			require.Less(t, n, 10)
		}
		c = dial(t, s, adsim.SyncName, adsim.SyncPassword)
	}
}

func TestLostPageCookie(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 20)
	s.Inject(adsim.OnSearch(1, adsim.Fault{LoseCookie: true}))
	_, err := c.SearchWithPaging(people(s, "1.1"), 5)
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform), "%v", err)
}

func TestRejectedDirSyncCookie(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 3)
	r, err := syncPage(c, s, nil, 0)
	require.NoError(t, err)
	s.Inject(func(r adsim.Request) *adsim.Fault {
		if r.DirSync && r.Continued {
			return &adsim.Fault{RejectCookie: true}
		}
		return nil
	})
	_, err = syncPage(c, s, r.cookie, 0)
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultUnavailableCriticalExtension), "%v", err)
}

func TestABindCanFailToo(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 0)
	s.Inject(func(r adsim.Request) *adsim.Fault {
		if r.Kind == "bind" {
			return &adsim.Fault{Code: ldap.LDAPResultBusy}
		}
		return nil
	})
	err := c.Bind(s.Directory().AccountDN(adsim.SyncName), adsim.SyncPassword)
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultBusy), "%v", err)
}

func TestAbandonedSearchEndsAndTheConnectionGoesOn(t *testing.T) {
	t.Parallel()
	s, _ := openSync(t, nil, 3)
	raw := rawDial(t, s)
	s.Inject(adsim.OnSearch(1, adsim.Fault{After: 1, Hang: true}))
	raw.search(2, people(s, "1.1"))
	require.EqualValues(t, ldap.ApplicationSearchResultEntry, raw.next(2))
	raw.abandon(3, 2)
	raw.search(4, people(s, "1.1"))
	for range 3 {
		require.EqualValues(t, ldap.ApplicationSearchResultEntry, raw.next(4))
	}
	require.EqualValues(t, ldap.ApplicationSearchResultDone, raw.next(4))
}

func TestPagedSearchCanBeGivenUp(t *testing.T) {
	t.Parallel()
	s, c := openSync(t, nil, 20)
	req := people(s, "1.1")
	paging := ldap.NewControlPaging(5)
	req.Controls = []ldap.Control{paging}
	r, err := c.Search(req)
	require.NoError(t, err)
	paging.SetCookie(ldap.FindControl(r.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging).Cookie)
	require.NotEmpty(t, paging.Cookie)
	cookie := paging.Cookie
	paging.PagingSize = 0
	r, err = c.Search(req)
	require.NoError(t, err)
	require.Empty(t, r.Entries)
	paging.PagingSize = 5
	paging.SetCookie(cookie)
	_, err = c.Search(req)
	require.True(t, ldap.IsErrorWithCode(err, ldap.LDAPResultUnwillingToPerform), "%v", err)
}
