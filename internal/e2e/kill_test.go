package e2e_test

import (
	"context"
	"math/rand/v2"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

// TestKill kills the program at random moments, in first runs and in deltas, and
// runs it again: no account is there twice, none is lost, and nothing that
// changed is forgotten. (Ten more kills are in TestRealDirectory.)
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	// A first run of this many, killed again and again, and then deltas.
	people, again, deltas := 300, 10, 20
	// First runs of a few, each killed once.
	few, once := 60, 10
	if !long() {
		people, again, deltas, few, once = 40, 2, 2, 20, 1
	}
	a, dir, _ := startSim(t, people)
	w := newWorld(t, a, worldOptions{})
	w.unchecked.Store(true)
	w.opinion.Observe(a.read(t))
	k := newKiller(t, w)
	for range again {
		k.kill(t, moment{op: 1 + k.rand.IntN(2*people/again), applied: k.rand.IntN(2) == 0})
	}
	k.recover(t)
	for i := range deltas {
		k.killAndRecover(t, func() {
			_, err := dir.Churn(40, seed(t)+uint64(1000*k.churns+i))
			require.NoError(t, err)
			k.churns++
		})
	}
	kills := k.kills

	small, _, _ := startSim(t, few)
	for range once {
		for killed := false; !killed; {
			// What is made shows late, so that looking isn't enough to know.
			w := newWorld(t, small, worldOptions{lag: time.Duration(k.rand.IntN(3)) * time.Second})
			w.unchecked.Store(true)
			first := &killer{world: w, rand: k.rand, span: 2 * time.Second, ops: few}
			if killed = first.kill(t, first.moment()); killed {
				first.recover(t)
				kills++
			}
		}
	}
	require.Equal(t, again+deltas+once, kills)
	t.Logf("%d kills", kills)
}

// A moment is when the program is killed.
type moment struct {
	op      int           // at the so manieth operation at Graph, if not 0,
	applied bool          // which is carried out all the same;
	after   time.Duration // or else after this time
}

// A killer kills the program in one world.
type killer struct {
	*world
	rand   *rand.Rand
	span   time.Duration // how long a run takes, about
	ops    int           // how many operations it makes, about
	kills  int
	churns int
}

func newKiller(t testing.TB, w *world) *killer {
	return &killer{world: w, rand: rand.New(rand.NewPCG(seed(t), 9)), span: 800 * time.Millisecond, ops: 40}
}

// killAndRecover makes changes and kills the run that carries them out. A run
// that was too quick doesn't count: it is tried again, with new changes.
func (k *killer) killAndRecover(t testing.TB, change func()) {
	t.Helper()
	for try := 0; ; try++ {
		require.Less(t, try, 10, "the program is always too quick")
		change()
		var full []string
		if k.rand.IntN(5) == 0 {
			full = []string{"--full"}
		}
		if k.kill(t, k.moment(), full...) {
			break
		}
		k.recover(t) // the comparison has to know what accounts got, to judge the next change
	}
	k.recover(t)
}

// moment draws one.
func (k *killer) moment() moment {
	if k.rand.IntN(2) == 0 {
		return moment{op: 1 + k.rand.IntN(k.ops), applied: k.rand.IntN(2) == 0}
	}
	return moment{after: time.Duration(k.rand.Int64N(int64(max(k.span, 20*time.Millisecond))))}
}

// kill runs the program and kills it. It reports false if the program ended
// before.
func (k *killer) kill(t testing.TB, m moment, args ...string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout)
	defer cancel()
	cmd := k.command(ctx, t, args...)
	started, dead := make(chan struct{}), make(chan struct{})
	if m.op > 0 {
		var seen atomic.Int64
		k.tenant.SetFault(func(graphsim.Op) *graphsim.Fault {
			select {
			case <-started:
			default: // the last words of one that was killed before
				return nil
			}
			switch n := seen.Add(1); {
			case n < int64(m.op):
				return nil
			case n == int64(m.op):
				_ = cmd.Process.Kill() // it may have ended
			}
			<-dead
			if m.applied {
				return nil
			}
			return graphsim.RequestLost()
		})
	}
	require.NoError(t, cmd.Start())
	close(started)
	if m.op == 0 {
		timer := time.AfterFunc(m.after, func() { _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	err := cmd.Wait()
	close(dead)
	k.tenant.SetFault(nil)
	_, exited := err.(*exec.ExitError)
	require.True(t, err == nil || exited, "%v", err)
	if cmd.ProcessState.Exited() {
		require.Contains(t, []int{0, 3}, cmd.ProcessState.ExitCode())
		return false
	}
	k.kills++
	return true
}

// recover runs the program until there is nothing more to do, and looks at what
// came of it: no difference, nothing that isn't ours, a sound state file.
func (k *killer) recover(t testing.TB) {
	t.Helper()
	for try := 0; ; try++ {
		require.Less(t, try, 5, "it doesn't come to an end")
		k.tenant.ResetCounts()
		r := k.synced(t)
		if try == 0 && r.Created < 2*k.ops { // a run like the next one
			k.span = r.took
		}
		if k.tenant.Counts().TotalWrites() == 0 && r.Writes == 0 {
			requireKnownProblems(t, r)
			break
		}
	}
	time.Sleep(k.lag) // until the tenant shows everything to the comparison, too
	k.requireSame(t, "after a kill")
	s, err := boltstate.Open(k.state(), nil)
	require.NoError(t, err)
	require.NoError(t, s.Check(t.Context()))
	require.NoError(t, s.Close())
}
