package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

var errCrashed = errors.New("the process is dead")

// A crash counts the steps of a run (each change at the target, each commit)
// and kills the process at the n-th, before or after it is carried out. From
// then on nothing happens any more.
type crash struct {
	mu    sync.Mutex
	at    int
	after bool
	steps int
	dead  bool
}

func (c *crash) step(do func()) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		return errCrashed
	}
	c.steps++
	if c.steps == c.at {
		c.dead = true
		if c.after {
			do()
		}
		return errCrashed
	}
	do()
	return nil
}

type crashStore struct {
	state.Store
	c *crash
}

func (s crashStore) Commit(ctx context.Context, writes ...state.Write) (err error) {
	if e := s.c.step(func() { err = s.Store.Commit(ctx, writes...) }); e != nil {
		return e
	}
	return err
}

type crashTarget struct {
	*memtarget.Target
	c *crash
}

func (t crashTarget) Apply(ctx context.Context, c target.Change) (o target.Object, err error) {
	if e := t.c.step(func() { o, err = t.Target.Apply(ctx, c) }); e != nil {
		return target.Object{}, e
	}
	return o, err
}

func (t crashTarget) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	out := make([]target.Result, len(cs))
	for i, c := range cs {
		out[i].Object, out[i].Err = t.Apply(ctx, c)
	}
	return out
}

// The three fixed runs: each makes a world, and then changes it for the run that
// is to crash.
var scenarios = []struct {
	name   string
	change func(w *world, ids []source.ID)
	people int
}{
	{"the first run", func(w *world, _ []source.ID) { w.people(24); w.person("eve", "corp.local") }, 0},
	{"a delta of everything", func(w *world, ids []source.ID) {
		w.person("new", "contoso.com", "title", "Clerk")
		w.set(ids[0], "title", "Director")
		w.set(ids[1], "userAccountControl", "514")
		w.src.Remove(ids[2])
		w.src.MoveOut(ids[3])
		w.set(ids[4], "userPrincipalName", "p005@contoso.com") // a swap
		w.set(ids[5], "userPrincipalName", "p004@contoso.com")
		w.set(ids[6], "userPrincipalName", "other@contoso.com") // a chain
		w.set(ids[7], "userPrincipalName", "p006@contoso.com")
	}, 12},
	{"a removed domain, returns and restores", func(w *world, ids []source.ID) {
		w.src.Remove(ids[0])
		w.src.MoveOut(ids[1])
		w.sync()
		w.tgt.UnverifyDomain("contoso.com")
		w.src.Undelete(ids[0])
		w.set(ids[0], "title", "Back")
		w.src.MoveIn(ids[1])
		w.tgt.Remove(w.account("p002@contoso.com").ID) // behind our back
		w.set(ids[2], "title", "Deleted by somebody")
	}, 12},
	{"the first run with groups", func(w *world, _ []source.ID) {
		ids := w.people(9)
		a, b := w.group("a", ids...), w.group("b", ids[:3]...)
		w.src.Refer(a, "member", b)
		w.src.Refer(b, "member", a)
		w.src.Refer(ids[0], "manager", ids[1])
		w.src.Refer(ids[1], "manager", ids[0])
	}, 0},
	{"a delta of members", func(w *world, ids []source.ID) {
		a, b := w.group("a", ids[:8]...), w.group("b", ids[:2]...)
		w.src.Refer(a, "managedBy", ids[0], ids[1])
		w.src.Refer(ids[0], "manager", ids[1])
		w.sync()
		w.src.Unrefer(a, "member", ids[:3]...)
		w.src.Refer(a, "member", ids[8], w.person("late", "contoso.com"))
		w.src.SetRefs(ids[0], "manager", ids[2])
		w.src.Remove(ids[1]) // out of the group, out of the owners
		w.src.Remove(b)
		w.group("c", a, ids[4])
	}, 10},
}

func (w *world) prepared(people int, change func(*world, []source.ID)) {
	var ids []source.ID
	if people > 0 {
		ids = w.people(people)
		w.sync()
	}
	change(w, ids)
}

// accounts are the live accounts by anchor, without their IDs, and to whom they
// refer.
func (w *world) accounts() map[string]target.Attributes {
	all := map[string]target.Attributes{}
	for o, err := range w.tgt.Current(context.Background()) {
		require.NoError(w.t, err)
		require.NotContains(w.t, all, o.Anchor, "two accounts for one anchor")
		a := o.Attributes.Clone()
		for _, attr := range []string{target.RefMembers, target.RefOwners, target.RefManager} {
			for _, to := range w.tgt.RefsOf(o.ID, attr) {
				other, _ := w.tgt.Get(to)
				a[attr] = append(a[attr], other.Anchor)
			}
			slices.Sort(a[attr])
		}
		maps.DeleteFunc(a, func(_ string, v []string) bool { return len(v) == 0 })
		all[o.Anchor] = a
	}
	return all
}

func TestACrashAtEveryStepLosesNothingAndDoublesNothing(t *testing.T) {
	for _, sc := range scenarios {
		for _, parallel := range []int{1, 3} {
			t.Run(fmt.Sprintf("%s, %d calls at once", sc.name, parallel), func(t *testing.T) {
				t.Parallel()
				opt := dirsync.Options{Parallel: parallel, Patience: -1}
				want := newWorld(t, func(w *world) { w.opt = opt })
				want.prepared(sc.people, sc.change)
				calm := &crash{}
				eng := want.engine(want.src, crashTarget{want.tgt, calm}, crashStore{want.store, calm})
				_, err := eng.Sync(t.Context(), nil)
				require.NoError(t, err)
				wantAccounts, wantWrites := want.accounts(), want.tgt.Counts().Writes()
				want.mustRest()

				for _, after := range []bool{false, true} {
					for n := 1; n <= calm.steps; n++ {
						w := newWorld(t, func(w *world) { w.opt = opt })
						w.prepared(sc.people, sc.change)
						c := &crash{at: n, after: after}
						_, err := w.engine(w.src, crashTarget{w.tgt, c}, crashStore{w.store, c}).Sync(t.Context(), nil)
						if !c.dead {
							require.NoError(t, err) // rounds may differ when calls run side by side
							continue
						}
						require.Error(t, err, "step %d", n)
						require.NoError(t, w.again())
						require.Equal(t, wantAccounts, w.accounts(), "crash at step %d (after: %v)", n, after)
						// Repeated is at most what was on the wire.
						require.LessOrEqual(t, w.tgt.Counts().Writes(), wantWrites+(parallel+1)*20, "crash at step %d", n)
						w.mustRest()
					}
				}
				t.Logf("%d steps, each crashed before and after", calm.steps)
			})
		}
	}
}

// again runs until a run needs nothing, as a schedule would.
func (w *world) again() error {
	for range 4 {
		rep, err := w.eng.Sync(context.Background(), &dirsync.Request{Retry: true})
		if err != nil {
			return err
		}
		if rep.Writes == 0 {
			return nil
		}
	}
	return errors.New("it doesn't come to rest")
}

func TestAFaultAtEveryCallIsSettledByTheNextRun(t *testing.T) {
	faults := map[string]error{
		"unknown outcome": &target.Error{Sentinel: target.ErrUnknownOutcome},
		"throttled":       &target.Error{Sentinel: target.ErrThrottled},
		"unavailable":     &target.Error{Sentinel: target.ErrUnavailable},
		"forbidden":       &target.Error{Sentinel: target.ErrForbidden},
		"not yet":         &target.Error{Sentinel: target.ErrNotYet},
		"unclassified":    errors.New("something else"),
	}
	for _, sc := range scenarios {
		for _, name := range slices.Sorted(maps.Keys(faults)) {
			for _, done := range []bool{false, true} {
				if done && !target.OutcomeUnknown(faults[name]) {
					continue
				}
				t.Run(fmt.Sprintf("%s, %s, applied %v", sc.name, name, done), func(t *testing.T) {
					t.Parallel()
					opt := dirsync.Options{Parallel: 1, Patience: -1}
					want := newWorld(t, func(w *world) { w.opt = opt })
					want.prepared(sc.people, sc.change)
					require.NoError(t, want.again())
					wantAccounts := want.accounts()
					for n := 1; ; n++ {
						w := newWorld(t, func(w *world) { w.opt = opt })
						w.prepared(sc.people, sc.change)
						once := &onceTarget{Target: w.tgt, at: n, err: faults[name], done: done}
						w.engine(w.src, once, w.store).Sync(t.Context(), nil)
						if once.calls < n {
							break
						}
						require.NoError(t, w.again())
						require.Equal(t, wantAccounts, w.accounts(), "fault at call %d", n)
						w.mustRest()
					}
				})
			}
		}
	}
}

// A onceTarget answers one change wrongly.
type onceTarget struct {
	*memtarget.Target
	at, calls int
	err       error
	done      bool
}

func (t *onceTarget) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	t.calls++
	if t.calls == t.at {
		if t.done {
			t.Target.Apply(ctx, c)
		}
		return target.Object{}, t.err
	}
	return t.Target.Apply(ctx, c)
}

func (t *onceTarget) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	out := make([]target.Result, len(cs))
	for i, c := range cs {
		out[i].Object, out[i].Err = t.Apply(ctx, c)
	}
	return out
}

// A refusal that only says "this call did nothing" leaves open what became of
// the first one: the intent stays.
func TestARepeatThatIsRefusedForTheMomentSettlesNothing(t *testing.T) {
	for _, sentinel := range []error{target.ErrUnavailable, target.ErrThrottled, target.ErrUnauthenticated, target.ErrForbidden,
		target.ErrQuota, target.ErrNotYet, target.ErrNotApplied, target.ErrUnknownOutcome} {
		w := newWorld(t, func(w *world) { w.opt.Patience = -1 })
		id := w.person("ann", "contoso.com")
		lost := &onceTarget{Target: w.tgt, at: 1, err: &target.Error{Sentinel: target.ErrUnknownOutcome}, done: true}
		w.engine(w.src, lost, w.store).Sync(t.Context(), nil)
		require.Equal(t, 1, w.tgt.Len(), "made, though nobody knows")
		// Meanwhile the person gets another name: a blind create would make a second account.
		w.set(id, "userPrincipalName", "anne@contoso.com")
		again := &onceTarget{Target: w.tgt, at: 1, err: &target.Error{Sentinel: sentinel}}
		w.engine(w.src, again, w.store).Sync(t.Context(), nil)
		require.NoError(t, w.again(), sentinel)
		require.Equal(t, []string{"anne@contoso.com"}, w.upns(), sentinel)
		w.mustRest()
	}
}
