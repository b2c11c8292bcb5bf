package dirsync_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

func TestT13_AnExpiredTokenLeadsToALookAtAllAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		w.edit(id, "jobTitle", "Boss")
		bob := w.account("bob@contoso.com").ID
		w.tgt.Remove(bob)
		w.tgt.ExpireTokens()
		rep := w.sync()
		require.Contains(t, rep.Reconciled, "can't tell")
		require.Equal(t, 2, rep.Drifted)
		require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"))
		require.Equal(t, bob, w.account("bob@contoso.com").ID)
		require.Empty(t, w.sync().Reconciled)
	})
}

func TestT09_WithoutDeltasAllAccountsAreLookedAtNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.eng = w.engine(w.src, plainTarget{w.tgt}, w.store)
		w.person("ann", "contoso.com", "title", "Clerk")
		w.sync()
		time.Sleep(time.Hour)
		id := w.account("ann@contoso.com").ID
		w.edit(id, "jobTitle", "Boss")
		require.Zero(t, w.sync().Drifted)
		rep := w.sync(dirsync.Request{Reconcile: true})
		require.Equal(t, 1, rep.Updated)
		require.Equal(t, "asked for", rep.Reconciled)

		time.Sleep(time.Hour)
		w.sync()
		w.edit(id, "jobTitle", "Boss")
		time.Sleep(6 * 24 * time.Hour)
		require.Zero(t, w.sync().Drifted)
		time.Sleep(24 * time.Hour)
		require.Equal(t, 1, w.sync().Updated)
	})
}

func TestT15_AValueThatTheServiceChangesIsWrittenAtMostTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t)
		makes := func(value string) *dirsync.Report { // what the service makes of it, and time goes by
			w.edit(id, "jobTitle", value)
			time.Sleep(time.Hour)
			return w.sync()
		}
		require.Zero(t, makes(" CLERK  ").Drifted, "letter case and white space are the service's own")
		require.Equal(t, 1, makes("clerk (official)").Updated)
		for range 5 {
			rep := makes("clerk (official)")
			require.Zero(t, rep.Changed())
			require.Equal(t, []string{"drift-persists"}, codes(rep))
		}
		time.Sleep(40 * 24 * time.Hour)
		rep := w.sync(dirsync.Request{Full: true, Reconcile: true, Retry: true})
		require.Zero(t, rep.Changed())
		w.set(ann, "title", "Chief")
		rep = w.sync()
		require.Equal(t, 1, rep.Updated)
		require.Empty(t, rep.Problems)
	})
}

func TestT09_WhoInsistsIsReportedAndLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		writes := func(do func()) (n int) {
			for range 10 { // we write, it shows, and they do it again
				do()
				n += w.sync().Changed()
				time.Sleep(time.Hour)
				w.sync()
			}
			return n
		}
		require.Equal(t, 3, writes(func() { w.edit(id, "jobTitle", time.Now().String()) }))
		require.Equal(t, 3, writes(func() { w.tgt.Remove(id) }))
		require.Equal(t, []string{"drift-persists"}, codes(w.sync()))
		w.tgt.Unbin(id) // somebody makes an end of it
		w.edit(id, "jobTitle", "Clerk")
		time.Sleep(time.Hour)
		require.Empty(t, w.sync().Problems)
		time.Sleep(48 * time.Hour)
		w.edit(id, "jobTitle", "Boss") // another time
		require.Equal(t, 1, w.sync().Updated)
	})
}

func TestT03_OurOwnWritesAreNoDriftWhileTheTargetLags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t)
		old, _ := w.tgt.Get(id)
		w.set(ann, "title", "Chief")
		require.Equal(t, 1, w.sync().Updated)
		stale := &staleTarget{Target: w.tgt, old: old, until: time.Now().Add(10 * time.Minute)}
		w.eng = w.engine(w.src, stale, w.store)
		for range 9 {
			time.Sleep(time.Minute)
			rep := w.sync(dirsync.Request{Reconcile: true})
			require.Zero(t, rep.Drifted)
			require.Zero(t, rep.Writes)
		}
		w.edit(id, "jobTitle", "Boss") // meanwhile; the delta that tells of it is read at once
		require.Zero(t, w.sync().Writes)
		time.Sleep(20 * time.Minute)
		require.Equal(t, 1, w.sync().Updated, "it was looked at when it was time")
		require.Equal(t, []string{"Chief"}, w.holds(id, "jobTitle"))
		w.mustRest()
	})
}

func TestT09_AnAccountWhoseOutcomeIsOpenIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t)
		f := fault.NewTarget(w.tgt)
		w.eng = w.engine(w.src, f, w.store)
		w.set(ann, "title", "Chief")
		f.OnWrite(1, fault.Fault{})
		f.OnWrite(2, fault.Fault{})
		w.sync()
		w.edit(id, "jobTitle", "Boss")
		rep := w.sync()
		require.Zero(t, rep.Drifted)
		w.sync()
		require.Equal(t, []string{"Chief"}, w.holds(id, "jobTitle"))
	})
}

func TestT09_ATargetThatCanNotBeReadHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for what, breaks := range map[string]func(*fault.Target){
			"delta": func(f *fault.Target) { f.OnDelta(1, fault.Fault{Err: errors.New("down")}) },
			"find":  func(f *fault.Target) { f.OnFind(1, fault.Fault{Err: errors.New("down")}) },
			"bin":   func(f *fault.Target) { f.OnFindDeleted(1, fault.Fault{Err: errors.New("down")}) },
		} {
			w, ann, id := settled(t)
			f := fault.NewTarget(w.tgt)
			w.eng = w.engine(w.src, f, w.store)
			w.edit(id, "jobTitle", "Boss")
			bob := w.account("bob@contoso.com").ID
			w.tgt.Remove(bob)
			w.tgt.Purge(bob)
			w.set(ann, "givenName", "Ann")
			breaks(f)
			rep := w.sync()
			require.Equal(t, 1, rep.Updated, what)
			require.Len(t, rep.Warnings, 1, what)
			require.Equal(t, "drift-unread", rep.Warnings[0].Code)
			time.Sleep(time.Hour)
			require.Equal(t, []string{"missing-at-target"}, codes(w.sync()), what)
			require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"), what)
		}
	})
}

func TestT13_ACrashLosesNothingOfWhatOthersDid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for n := 1; ; n++ {
			w, _, id := settled(t)
			bob := w.account("bob@contoso.com").ID
			w.edit(id, "jobTitle", "Boss")
			w.tgt.Remove(bob)
			f := fault.NewStore(w.store)
			f.OnCommit(n, fault.Fault{Err: errors.New("the process dies")})
			_, err := w.engine(w.src, w.tgt, f).Sync(t.Context(), nil)
			w.eng = w.engine(w.src, w.tgt, w.store)
			w.sync()
			require.Equal(t, []string{"Clerk"}, w.holds(id, "jobTitle"), "commit %d", n)
			require.Equal(t, bob, w.account("bob@contoso.com").ID, "commit %d", n)
			if err == nil {
				require.Greater(t, n, 3)
				return
			}
		}
	})
}

func TestT09_TwoNamesThatSomebodySwappedAreSwappedBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		bob := w.account("bob@contoso.com").ID
		w.edit(id, "userPrincipalName", "tmp@contoso.com")
		w.edit(bob, "userPrincipalName", "ann@contoso.com")
		w.edit(id, "userPrincipalName", "bob@contoso.com")
		require.Empty(t, w.sync().Problems)
		require.Equal(t, id, w.account("ann@contoso.com").ID)
		require.Equal(t, bob, w.account("bob@contoso.com").ID)
		w.mustRest()
	})
}

func TestT09_ANameThatAForeignAccountTookIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		w.edit(id, "userPrincipalName", "moved@contoso.com")
		w.tgt.Add(target.Object{Attributes: target.Attributes{"userPrincipalName": {"ann@contoso.com"}}})
		require.Equal(t, []string{"conflict-unowned"}, codes(w.sync()))
		require.Equal(t, []string{"moved@contoso.com"}, w.holds(id, "userPrincipalName"))
	})
}

func TestT09_AnAnchorThatSomebodyChangedIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, _, id := settled(t)
		require.True(t, w.tgt.Edit(id, func(o *target.Object) { o.Anchor = "b3RoZXI=" }))
		rep := w.sync()
		require.Len(t, rep.Problems, 1)
		require.Equal(t, target.AttrAnchor, rep.Problems[0].Attribute)
		require.Zero(t, rep.Changed())
		w.mustRest()
	})
}

func TestT09_WhoLeftIsNotPutBackIntoUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, ann, id := settled(t)
		w.src.Remove(ann)
		require.Equal(t, 1, w.sync().Deleted)
		time.Sleep(time.Hour)
		require.Zero(t, w.sync().Writes)
		w.tgt.Unbin(id) // somebody restores the account, on purpose
		rep := w.sync()
		require.Zero(t, rep.Writes)
		require.Equal(t, []string{"drift"}, codes(rep))
		w.mustRest()
	})
}

// staleTarget shows one account as it was, in every read, until a time.
type staleTarget struct {
	*memtarget.Target
	old   target.Object
	until time.Time
}

func (s *staleTarget) stale(o target.Object) target.Object {
	if o.ID == s.old.ID && time.Now().Before(s.until) {
		return s.old
	}
	return o
}

func (s *staleTarget) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		for o, err := range s.Target.Current(ctx) {
			if !yield(s.stale(o), err) {
				return
			}
		}
	}
}

func (s *staleTarget) Changes(ctx context.Context, kind target.Kind, token target.Token) iter.Seq2[target.DeltaEvent, error] {
	return func(yield func(target.DeltaEvent, error) bool) {
		for ev, err := range s.Target.Changes(ctx, kind, token) {
			if ev.Object = s.stale(ev.Object); !yield(ev, err) {
				return
			}
		}
	}
}

func (s *staleTarget) Find(ctx context.Context, kind target.Kind, keys []target.Key) ([][]target.Object, error) {
	found, err := s.Target.Find(ctx, kind, keys)
	for _, objects := range found {
		for i, o := range objects {
			objects[i] = s.stale(o)
		}
	}
	return found, err
}
