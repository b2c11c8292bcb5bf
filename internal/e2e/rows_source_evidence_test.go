package e2e_test

import (
	"fmt"
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

const day = 24 * time.Hour

// onSearch applies f to the searches whose filter holds text.
func onSearch(text string, f adsim.Fault) adsim.Hook {
	return func(r adsim.Request) *adsim.Fault {
		if r.Kind == "search" && r.Scope != 0 && strings.Contains(r.Filter, text) {
			return &f
		}
		return nil
	}
}

const (
	inFull  = "(objectCategory=person)"
	inDelta = "(objectClass=computer)" // those that it leaves out
)

// TestS01_AReadCutAfterAnyEntryRemovesNothing cuts full reads after each of 200
// entries and deltas after each of 80, in every way that a server has.
func TestS01_AReadCutAfterAnyEntryRemovesNothing(t *testing.T) {
	const n = 200
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		c := newCompany(t, companyOptions{people: n, source: ldapsource.Options{Delta: mode}})
		first := c.sync()
		require.Equal(t, n, first.Created)
		for i := range 80 {
			if login := fmt.Sprintf("p%03d", i); i%4 == 0 {
				require.NoError(t, c.dir.Delete(c.dn(login)))
			} else {
				c.entitle(login, "changed")
			}
		}
		faults := []adsim.Fault{{Cut: true}, {Code: 3}, {Code: 4}, {Code: 11}, {Code: 51}}
		// Deltas first: a complete read that broke off is followed by another.
		for _, full := range []bool{false, true} {
			entries := 80
			if full {
				entries = n - 20
			}
			for after := range entries {
				f, text := faults[after%len(faults)], inDelta
				if f.After = after; full {
					text = inFull
				}
				c.srv.Inject(onSearch(text, f))
				rep, err := c.run(dirsync.Request{Full: full})
				require.ErrorIs(t, err, source.ErrIncomplete, "%s, full %v, after %d", mode, full, after)
				require.Equal(t, first.Watermark, rep.Watermark)
				require.Zero(t, rep.Writes)
				require.Equal(t, n, c.enabled())
			}
		}
		c.srv.Inject(nil)
		rep := c.sync()
		require.Equal(t, []int{20, 60}, []int{rep.Deleted, rep.Updated})
	}
}

// TestS02_AnEmptyOrPoorResultRemovesNobody: absence isn't evidence, however
// many are absent.
func TestS02_AnEmptyOrPoorResultRemovesNobody(t *testing.T) {
	const n = 501 // one more than the guard lets pass
	for name, hide := range map[string]func(c *company){
		"the account may read nobody": func(c *company) {
			for i := range n {
				require.NoError(t, c.dir.Hide(c.dn(fmt.Sprintf("p%03d", i))))
			}
		},
		"the account may read few": func(c *company) {
			for i := range n - 2 {
				require.NoError(t, c.dir.Hide(c.dn(fmt.Sprintf("p%03d", i))))
			}
		},
		"a typo names an empty organizational unit that is there": nil,
		"the account may not even see the base":                   func(c *company) { require.NoError(t, c.dir.Hide(c.in)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCompany(t, companyOptions{people: n, ad: adsim.Options{Samba: true}})
			c.sync()
			if hide == nil {
				_, err := c.dir.Add("OU=Im,"+c.dir.BaseDN(), adsim.Attrs{"objectClass": {"organizationalUnit"}})
				require.NoError(t, err)
				c.use(companyOptions{base: "OU=Im," + c.dir.BaseDN()})
				rep, err := c.run() // everybody is seen outside of the scope: evidence, so it is the guard's
				require.ErrorIs(t, err, dirsync.ErrHalted)
				c.requireNothingRemoved(rep, n, name)
				return
			}
			if hide(c); strings.Contains(name, "base") {
				rep, err := c.run(dirsync.Request{Full: true})
				require.ErrorContains(t, err, "base DN")
				c.requireNothingRemoved(rep, n, name)
				return
			}
			for range 3 {
				c.requireNothingRemoved(c.sync(dirsync.Request{Full: true}), n, name)
				c.requireNothingRemoved(c.sync(), n, name)
			}
		})
	}
}

// TestS03_ARefusedCookieLeadsToAFullReadThatRemovesNothing in each of the ways
// that servers refuse.
func TestS03_ARefusedCookieLeadsToAFullReadThatRemovesNothing(t *testing.T) {
	const n = 60
	for _, f := range []adsim.Fault{{RejectCookie: true}, {Code: 12}, {Code: 53}, {Code: 1}, {Code: 2}} {
		c := newCompany(t, companyOptions{people: n})
		c.sync()
		c.entitle("p001", "changed")
		require.NoError(t, c.dir.Hide(c.dn("p002")))
		c.srv.Inject(onSearch(inDelta, f))
		rep := c.sync()
		require.Equal(t, dirsync.Full, rep.Mode)
		require.Contains(t, rep.FullReason, "refuses the DirSync cookie")
		require.Equal(t, 1, rep.Updated)
		c.requireNothingRemoved(rep, n, "absent from the full read")
		c.srv.Inject(nil)
		require.Equal(t, dirsync.Delta, c.sync().Mode)
	}
}

// TestS04_ARestoredDomainControllerLeadsToAFullReadInTheNextRun: what the image
// took back is taken back at the target, what happened since arrives, nobody is
// removed, and the report says why.
func TestS04_ARestoredDomainControllerLeadsToAFullReadInTheNextRun(t *testing.T) {
	for _, mode := range []ldapsource.DeltaMode{ldapsource.DeltaDirSync, ldapsource.DeltaUSN} {
		for _, past := range []bool{false, true} {
			c := newCompany(t, companyOptions{people: 20, source: ldapsource.Options{Delta: mode}})
			c.sync()
			image := c.dir.Snapshot()
			c.entitle("p001", "after the image")
			c.hire("late")
			c.sync()
			top := c.dir.HighestCommittedUSN()

			require.NoError(t, c.src.Close())
			c.dir.Restore(image)
			c.entitle("p002", "after the restore")
			for past && c.dir.HighestCommittedUSN() < top+100 {
				c.dir.Touch()
			}
			rep := c.sync()
			require.Equal(t, dirsync.Full, rep.Mode)
			require.Contains(t, rep.FullReason, "restored from an image")
			require.Equal(t, []string{"missing-in-source"}, codesOf(rep))
			require.Equal(t, dirsync.Delta, c.sync().Mode, "once is enough")
			require.Equal(t, "after the restore", c.account("p002").Attributes.First("jobTitle"))
			require.Empty(t, c.account("p001").Attributes.First("jobTitle"), "as in the image")
			require.NotNil(t, c.account("late"), "not in the image: absent, which proves nothing")
			require.Equal(t, 21, c.enabled())
		}
	}
}

// TestS05_AnotherDomainControllerLeadsToAFullRead: one that lags behind removes
// nobody, and once it has caught up everything is as it should be.
func TestS05_AnotherDomainControllerLeadsToAFullRead(t *testing.T) {
	c := newCompany(t, companyOptions{people: 20})
	first, second := c.dir, c.dir.Replica("dc2")
	c.sync()
	c.hire("late")
	c.entitle("p001", "new")
	c.sync()
	c.serve(second)
	rep := c.sync()
	require.Equal(t, dirsync.Full, rep.Mode)
	require.Contains(t, rep.FullReason, "database")
	c.requireNothingRemoved(rep, 21, "the other one lags behind")

	second.Pull(first)
	rep = c.sync()
	require.Equal(t, dirsync.Delta, rep.Mode, rep.FullReason)
	require.Equal(t, "new", c.account("p001").Attributes.First("jobTitle"))
	require.Equal(t, 21, c.enabled())
	c.serve(first)
	rep = c.sync()
	require.Equal(t, dirsync.Full, rep.Mode)
	require.Zero(t, rep.Changed())
}

// TestS06_WhoeverWasGoneForHalfATombstonesLifeReadsEverything, and what is
// neither there nor a tombstone any more is left alone and named.
func TestS06_WhoeverWasGoneForHalfATombstonesLifeReadsEverything(t *testing.T) {
	for _, tt := range []struct {
		lifetime int // days, 0 for unset
		away     time.Duration
		full     bool
	}{
		{0, 29 * day, false}, {0, 31 * day, true}, {2, 23 * time.Hour, false}, {2, 25 * time.Hour, true}, {180, 89 * day, false}, {180, 91 * day, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			c := newCompany(t, companyOptions{people: 20, ad: adsim.Options{TombstoneLifetime: tt.lifetime}})
			c.sync()
			require.NoError(t, c.src.Close())
			c.hire("new")
			require.NoError(t, c.dir.Delete(c.dn("p003")))
			if tt.full {
				c.dir.Purge()
			}
			time.Sleep(tt.away)
			rep := c.sync()
			if !tt.full {
				require.Equal(t, dirsync.Delta, rep.Mode, rep.FullReason)
				require.Equal(t, []int{1, 1}, []int{rep.Created, rep.Deleted})
				return
			}
			require.Equal(t, dirsync.Full, rep.Mode)
			require.Contains(t, rep.FullReason, "deletions may be lost")
			require.Equal(t, 1, rep.Created)
			c.requireNothingRemoved(rep, 21, "no tombstone proves it")
			require.Equal(t, []string{"missing-in-source"}, codesOf(rep))
		})
	}
}

// TestS10_RightsLostAreSeenAndSaid: a right that the account had when the
// watermark was taken and hasn't now leads to one full read, with a message
// that names it. Then the run goes on with what is left, and removes nobody for
// being absent.
func TestS10_RightsLostAreSeenAndSaid(t *testing.T) {
	const n = 20
	for _, tt := range []struct {
		name, want string
		mode       ldapsource.DeltaMode
		change     func(*adsim.Account)
		deletions  bool // are still seen
	}{
		{"Deleted Objects, by DirSync", "CN=Deleted Objects", ldapsource.DeltaDirSync, func(a *adsim.Account) { a.SeesDeleted = false }, false},
		{"Deleted Objects, by USN", "CN=Deleted Objects", ldapsource.DeltaUSN, func(a *adsim.Account) { a.SeesDeleted = false }, false},
		{"DirSync", "Replicating Directory Changes", ldapsource.DeltaAuto, func(a *adsim.Account) { a.GetChanges = false }, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCompany(t, companyOptions{people: n, ad: adsim.Options{Samba: true}, source: ldapsource.Options{Delta: tt.mode}})
			mark := c.sync().Watermark
			require.NoError(t, c.src.Close())
			c.dir.Allow(adsim.SyncName, tt.change)
			maybe, err := c.src.Poll(t.Context(), mark)
			require.NoError(t, err)
			require.True(t, maybe)
			require.NoError(t, c.dir.Delete(c.dn("p003")))
			rep := c.sync()
			require.Equal(t, dirsync.Full, rep.Mode)
			require.Contains(t, rep.FullReason, tt.want)
			require.Contains(t, rep.FullReason, "dsacls", "what to do")
			if tt.deletions {
				require.Equal(t, 1, rep.Deleted)
				require.Equal(t, dirsync.Delta, c.sync().Mode)
				return
			}
			c.requireNothingRemoved(rep, n, "it is absent, which proves nothing")
			require.Equal(t, []string{"missing-in-source"}, codesOf(rep))
			require.Contains(t, c.log.String(), "deletions will not be seen")
			rep = c.sync()
			require.Equal(t, dirsync.Delta, rep.Mode, "once is enough: %s", rep.FullReason)
			c.requireNothingRemoved(rep, n, "nor later")

			require.NoError(t, c.src.Close())
			c.dir.Allow(adsim.SyncName, func(a *adsim.Account) { a.SeesDeleted = true })
			rep = c.sync()
			require.Equal(t, dirsync.Full, rep.Mode)
			require.Contains(t, rep.FullReason, "everything is read once")
			require.Equal(t, 1, rep.Deleted, "what it couldn't see until now")
		})
	}
}

// TestS10_AnOrdinaryAccountNeverRemoves: it sees no tombstones, and objects that
// access control hides from it just vanish.
func TestS10_AnOrdinaryAccountNeverRemoves(t *testing.T) {
	const n = 20
	for _, samba := range []bool{true, false} {
		c := newCompany(t, companyOptions{people: n, as: adsim.ReaderName, ad: adsim.Options{Samba: samba}})
		c.sync()
		findings, err := source.Check(t.Context(), c.src)
		require.NoError(t, err)
		var codes []string
		for _, f := range findings {
			codes = append(codes, f.Code)
		}
		require.Contains(t, codes, "deleted-objects-hidden")
		require.NoError(t, c.dir.Delete(c.dn("p003")))
		require.NoError(t, c.dir.Hide(c.dn("p004")))
		for range 2 {
			c.requireNothingRemoved(c.sync(), n, "delta")
			c.requireNothingRemoved(c.sync(dirsync.Request{Full: true}), n, "full")
		}
		require.NoError(t, c.dir.Unhide(c.dn("p004")))
		c.entitle("p004", "back")
		c.sync()
		require.Equal(t, "back", c.account("p004").Attributes.First("jobTitle"))
	}
}
