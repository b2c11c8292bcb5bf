package e2e_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
)

// inOU makes an organizational unit in OU=In with n people.
func (c *company) inOU(name string, n int) (dn string) {
	c.t.Helper()
	dn = "OU=" + name + "," + c.in
	_, err := c.dir.Add(dn, adsim.Attrs{"objectClass": {"organizationalUnit"}})
	require.NoError(c.t, err)
	for i := range n {
		login := fmt.Sprintf("%s%04d", strings.ToLower(name), i)
		_, err := c.dir.Add("CN="+login+","+dn, adsim.Attrs{"objectClass": {"user"}, "sAMAccountName": {login}, "userPrincipalName": {login + "@contoso.com"},
			"displayName": {"Person " + login}, "userAccountControl": {"512"}})
		require.NoError(c.t, err)
	}
	return dn
}

// TestS07_AnOrganizationalUnitOfAThousandRemovesNobodyUnapproved: renamed within
// the scope, everybody's place is known anew and nothing is written; moved out,
// or cut off by another base DN, the guard halts before the first write.
func TestS07_AnOrganizationalUnitOfAThousandRemovesNobodyUnapproved(t *testing.T) {
	const n = 1000
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		o := companyOptions{source: ldapsource.Options{Delta: mode}}
		c := newCompany(t, o)
		dn := c.inOU("Sales", n)
		require.Equal(t, n, c.sync().Created)

		require.NoError(t, c.dir.Rename(dn, "OU=Verkauf"))
		rep := c.sync()
		require.Equal(t, dirsync.Delta, rep.Mode)
		require.Equal(t, n, rep.Read, "each has another DN")
		require.Zero(t, rep.Writes)
		c.requireNothingRemoved(rep, n, "renamed")
		ex, err := c.src.Resolve(t.Context(), "CN=sales0007,OU=Verkauf,"+c.in)
		require.NoError(t, err)
		require.Len(t, ex, 1)

		require.NoError(t, c.dir.Move("OU=Verkauf,"+c.in, "", c.out))
		rep, err = c.run()
		require.ErrorIs(t, err, dirsync.ErrHalted)
		c.requireNothingRemoved(rep, n, "moved out")
		require.NoError(t, c.dir.Move("OU=Verkauf,"+c.out, "", c.in))
		require.Zero(t, c.sync().Writes, "back in time")

		narrow := o
		narrow.base = c.out
		c.use(narrow)
		rep, err = c.run()
		require.ErrorIs(t, err, dirsync.ErrHalted)
		require.Equal(t, dirsync.Full, rep.Mode)
		require.Contains(t, rep.FullReason, "other base DNs")
		c.requireNothingRemoved(rep, n, "another base DN")
		c.use(o)
		require.Zero(t, c.sync().Writes)

		// Few may leave without a word; leaving isn't being deleted.
		require.NoError(t, c.dir.Move("CN=sales0001,OU=Verkauf,"+c.in, "", c.out))
		rep = c.sync()
		require.Equal(t, []int{1, 0}, []int{rep.Disabled, rep.Deleted})
	}
}

// TestS11_WhoIsDeletedAndMadeAnewIsSomebodyElse: the new object never gets the
// old one's account, though it has every name of it.
func TestS11_WhoIsDeletedAndMadeAnewIsSomebodyElse(t *testing.T) {
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		for _, full := range []bool{false, true} {
			c := newCompany(t, companyOptions{people: 3, source: ldapsource.Options{Delta: mode}})
			c.sync()
			was := c.account("p001")
			require.NoError(t, c.dir.Delete(c.dn("p001")))
			g := c.hire("p001")
			rep := c.sync(dirsync.Request{Full: full})
			require.Equal(t, []int{1, 1, 0}, []int{rep.Created, rep.Deleted, rep.Updated}, "%s full %v: %v", mode, full, codesOf(rep))
			is := c.account("p001")
			require.NotEqual(t, was.ID, is.ID)
			require.NotEqual(t, was.Anchor, is.Anchor)
			ids, err := c.src.Resolve(t.Context(), "p001@contoso.com")
			require.NoError(t, err)
			require.Equal(t, []source.ID{idOf(g)}, ids)
			require.Zero(t, c.sync(dirsync.Request{Full: true}).Changed())
		}
	}
}

// TestS12_NamesArePermuted: every permutation of up to six people's login names
// ends in the names that the directory has, for at most one write more than
// each cycle is long.
func TestS12_NamesArePermuted(t *testing.T) {
	longest := 6
	if testing.Short() {
		longest = 4
	}
	for n := 2; n <= longest; n++ {
		c := newCompany(t, companyOptions{people: n})
		c.sync()
		holds := make([]int, n) // who has which name
		for i := range holds {
			holds[i] = i
		}
		for _, p := range permutations(n) {
			if n == 6 && p[0] != 5 {
				continue // a sixth of them
			}
			next := make([]int, n)
			for i := range next {
				next[i] = holds[p[i]]
			}
			bound := cycles(holds, next)
			// AD wants names unique too: by way of others.
			for _, temporary := range []bool{true, false} {
				for i, name := range next {
					login := fmt.Sprintf("p%03d@contoso.com", name)
					if temporary {
						login = "x" + login
					}
					if holds[i] != name {
						require.NoError(t, c.dir.Modify(c.dn(fmt.Sprintf("p%03d", i)), adsim.Replace("userPrincipalName", login)))
					}
				}
			}
			holds = next
			before := c.tgt.Counts().Writes()
			rep := c.sync()
			require.Empty(t, rep.Problems, "%v", p)
			require.LessOrEqual(t, c.tgt.Counts().Writes()-before, bound, "%v", p)
			for i, name := range holds {
				require.Equal(t, fmt.Sprintf("Person p%03d", i), c.account(fmt.Sprintf("p%03d", name)).Attributes.First("displayName"), "%v", p)
			}
		}
	}
}

func permutations(n int) (all [][]int) {
	if n == 0 {
		return [][]int{{}}
	}
	for _, p := range permutations(n - 1) {
		for at := range n {
			all = append(all, slices.Insert(slices.Clone(p), at, n-1))
		}
	}
	return all
}

// cycles is how many writes lead from one allocation of names to the other:
// as many as there are people in each cycle, and one more.
func cycles(from, to []int) (writes int) {
	seen := map[int]bool{}
	for i := range from {
		n := 0
		for at := i; !seen[at]; at = slices.Index(to, from[at]) {
			seen[at] = true
			n++
		}
		if n > 1 {
			writes += n + 1
		}
	}
	return writes
}

// TestS16_WhoComesWithAnAnchorThatIsTakenTakesNothingOver: a second object with
// somebody's mS-DS-ConsistencyGuid is a conflict that is reported.
func TestS16_WhoComesWithAnAnchorThatIsTakenTakesNothingOver(t *testing.T) {
	anchor := adsim.Attrs{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	c := newCompany(t, companyOptions{people: 3})
	c.hire("first", anchor)
	c.sync()
	was := *c.account("first")
	c.hire("second", anchor)
	rep := c.sync()
	require.NotEmpty(t, rep.Problems)
	require.Zero(t, rep.Deleted+rep.Disabled+rep.Updated)
	require.Equal(t, was, *c.account("first"))
	require.NotContains(t, codesOf(rep), "adopted")
	require.NoError(t, c.dir.Delete(c.dn("second")))
	require.Zero(t, c.sync().Deleted, "it never had an account")
	require.Equal(t, was, *c.account("first"))
}

// TestS17_NoClockDecides: a domain controller's clock that is off by an hour,
// jumps, or goes back costs nothing; one that is off by days costs a full read.
// Nobody is removed.
func TestS17_NoClockDecides(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCompany(t, companyOptions{people: 10})
		c.sync()
		n := 0
		for _, tt := range []struct {
			ahead time.Duration
			full  bool
		}{
			{time.Hour, false}, {-time.Hour, false}, {0, false}, {23 * time.Hour, false}, {0, false}, {-3 * day, true}, {0, false},
			{10 * day, false}, {0, true}, {400 * day, true}, {0, true}, {-400 * day, true}, {0, true},
		} {
			n++
			c.dir.Skew(tt.ahead)
			c.entitle("p001", fmt.Sprint("title ", n))
			rep := c.sync()
			require.Equal(t, tt.full, rep.Mode == dirsync.Full, "%v: %s", tt.ahead, rep.FullReason)
			require.Equal(t, 1, rep.Updated)
			c.requireNothingRemoved(rep, 10, tt.ahead.String())
			if tt.full {
				require.Regexp(t, `old, and|in the future`, rep.FullReason)
			}
			time.Sleep(time.Minute)
		}
	})
}

// TestS18_PoisonedObjectsHoldNobodyUp: whoever has no legal name, or values that
// are too long, is a problem of its own; the others arrive in the same run, and
// the poisoned ones once they are well.
func TestS18_PoisonedObjectsHoldNobodyUp(t *testing.T) {
	c := newCompany(t, companyOptions{people: 50})
	for i := range 10 {
		c.hire(fmt.Sprint("bad", i), adsim.Attrs{"userPrincipalName": {strings.Repeat("☃", i+1) + "@contoso.com"}})
	}
	rep := c.sync()
	require.Equal(t, 50, rep.Created)
	bad := map[source.ID]bool{}
	for _, p := range rep.Problems {
		bad[p.Object] = true
	}
	require.Len(t, bad, 10)
	require.Equal(t, dirsync.Delta, c.sync().Mode, "the watermark moved")
	for i := range 10 {
		require.NoError(t, c.dir.Modify(c.dn(fmt.Sprint("bad", i)), adsim.Replace("userPrincipalName", fmt.Sprintf("bad%d@contoso.com", i))))
	}
	rep = c.sync()
	require.Equal(t, 10, rep.Created)
	require.Empty(t, rep.Problems)
}
