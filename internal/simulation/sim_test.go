package simulation_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/internal/simulation"
)

// Every seed is a schedule; none may break an invariant.
//
//	DIRBRIDGE_SEED=s          this one, made small, with its story
//	DIRBRIDGE_SIM_RAW=1       this one as it is
//	DIRBRIDGE_SIM_KEEP=name   and kept in testdata/open under this name
//	DIRBRIDGE_SEEDS=n         so many
//	DIRBRIDGE_SIM_SECONDS=n   for so long
//	DIRBRIDGE_SIM_FROM=s      from this one on
//	DIRBRIDGE_ALL=1           beyond the first violation
//
// Each violation is a line:
//
//	violation seed=N invariant=... after=STEP: ...
func TestSchedulesBreakNoInvariant(t *testing.T) {
	notRaced(t)
	if seed := os.Getenv("DIRBRIDGE_SEED"); seed != "" {
		one(t, env("DIRBRIDGE_SEED", 0))
		return
	}
	p := pass{from: env("DIRBRIDGE_SIM_FROM", 1), n: env("DIRBRIDGE_SEEDS", seeds), all: os.Getenv("DIRBRIDGE_ALL") != "",
		marks: simulation.Marks{}, invariants: map[string]int{}, rest: map[int]int{}, open: map[uint64]bool{}}
	if secs := env("DIRBRIDGE_SIM_SECONDS", 0); secs > 0 {
		p.n, p.until = 1<<62, time.Now().Add(time.Duration(secs)*time.Second)
	}
	for _, k := range corpus(t, "open") {
		p.open[k.Schedule.Seed] = true
	}
	start := time.Now()
	t.Run("seeds", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for p.next(t) {
				}
			})
		}
	})
	t.Logf("%d schedules, %d runs, %.0f schedules/s on %d cores, calm runs until rest %v, violations %v",
		p.done, p.runs, float64(p.done)/time.Since(start).Seconds(), runtime.GOMAXPROCS(0), p.rest, p.invariants)
	t.Logf("marks: %s", p.marks)
	if p.known > 0 {
		t.Logf("not held against this run: %d schedules whose findings are open, see testdata/open", p.known)
	}
	if p.violations > 0 {
		t.Errorf("%d of %d schedules broke an invariant", p.violations, p.done)
	}
	if p.done >= 4000 {
		for _, m := range simulation.Required {
			if p.marks[m] == 0 {
				t.Errorf("no schedule got into the situation of %s", m)
			}
		}
	}
}

// one tells the story of a seed, made small if it fails.
func one(t *testing.T, seed uint64) {
	s := simulation.Generate(seed)
	res := run(t, s, true)
	if res.Violation != nil && os.Getenv("DIRBRIDGE_SIM_RAW") == "" {
		s = shrink(t, s)
		res = run(t, s, true)
		if os.Getenv("DIRBRIDGE_SIM_KEEP") != "" {
			keep(t, s, res.Violation)
		}
	}
	t.Logf("%s\n%s", s, res.Trace)
	if v := res.Violation; v != nil {
		t.Errorf("violation seed=%d invariant=%s after=%d: %s", seed, v.Invariant, v.After, v.Text)
	}
}

// A pass goes through seeds on all cores.
type pass struct {
	from, n uint64
	until   time.Time
	all     bool

	mu                            sync.Mutex
	given, done, runs, violations uint64
	marks                         simulation.Marks
	invariants                    map[string]int
	rest                          map[int]int
	open                          map[uint64]bool // seeds whose violation is known
	known                         int             // schedules of these
}

// next carries out the next seed, if there is one.
func (p *pass) next(t *testing.T) bool {
	p.mu.Lock()
	seed := p.from + p.given
	over := p.given >= p.n || !p.until.IsZero() && time.Now().After(p.until) || p.violations > 0 && !p.all
	p.given++
	p.mu.Unlock()
	if over {
		return false
	}
	res := run(t, simulation.Generate(seed), false)
	if seed%100 == 0 {
		if again := run(t, simulation.Generate(seed), false); again.Hash != res.Hash {
			res.Violation = &simulation.Violation{Invariant: "I16", Text: "the same seed gave another story"}
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	p.runs += uint64(res.Runs)
	p.marks.Add(res.Marks)
	p.rest[res.Rest]++
	if v := res.Violation; v != nil && p.open[seed] {
		p.known++
	} else if v != nil {
		p.violations++
		p.invariants[v.Invariant]++
		fmt.Printf("violation seed=%d invariant=%s after=%d: %s\n", seed, v.Invariant, v.After, v.Text)
	}
	return true
}

func notRaced(t *testing.T) {
	if raced {
		t.Skip("the simulated world has no locks; see raced")
	}
}
