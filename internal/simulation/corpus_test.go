package simulation_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/simulation"
)

// What once failed is run again for ever.
func TestNoScheduleThatOnceFailedFailsAgain(t *testing.T) {
	for _, k := range corpus(t, "seeds") {
		t.Run(k.file, func(t *testing.T) {
			if res := run(t, k.Schedule, true); res.Violation != nil {
				t.Errorf("%s: %s: %s\n%s%s", k.Finding, res.Violation.Invariant, res.Violation.Text, k.Schedule, res.Trace)
			}
		})
	}
}

// testdata/open holds the smallest schedules of findings that nobody has fixed
// yet. One that no longer fails belongs into testdata/seeds.
func TestOpenFindingsAreStillOpen(t *testing.T) {
	for _, k := range corpus(t, "open") {
		t.Run(k.file, func(t *testing.T) {
			res := run(t, k.Schedule, false)
			require.NotNil(t, res.Violation, "%s is fixed: git mv testdata/open/%s testdata/seeds/", k.Finding, k.file)
			assert.Equal(t, k.Invariant, res.Violation.Invariant)
		})
	}
}

// A schedule is its seed's, and so is all that happens in it: I16.
func TestOneSeedIsOneStory(t *testing.T) {
	for seed := uint64(1); seed <= 200; seed++ {
		a, b := simulation.Generate(seed), simulation.Generate(seed)
		require.Equal(t, a.String(), b.String())
		x, y := run(t, a, true), run(t, b, true)
		require.Equal(t, x.Trace, y.Trace, "seed %d", seed)
		require.Equal(t, x.Hash, y.Hash, "seed %d", seed)
	}
}

// Any step can go: what is left still makes sense, or does nothing.
func TestAScheduleWithoutSomeOfItsStepsStillRuns(t *testing.T) {
	for seed := uint64(1); seed <= 20; seed++ {
		s := simulation.Generate(seed)
		for i := range s.Steps {
			c := *s
			c.Steps = append(append([]simulation.Step{}, s.Steps[:i]...), s.Steps[i+1:]...)
			if v := run(t, &c, false).Violation; v != nil {
				assert.NotEqual(t, "panic", v.Invariant, v.Text)
			}
		}
	}
}

// The shrinker finds the two steps of many that an oracle complains about.
func TestAFailingScheduleShrinksToWhatMatters(t *testing.T) {
	s := simulation.Generate(5)
	for range 3 {
		s.Steps = append(s.Steps, simulation.Generate(6).Steps...)
	}
	s.Steps = append(s.Steps, simulation.Step{Do: "clock", N: 77}, simulation.Step{Do: "run"}, simulation.Step{Do: "clock", N: 78})
	fails := func(c *simulation.Schedule) *simulation.Violation {
		seen := 0
		for _, st := range c.Steps {
			if st.Do == "clock" && st.N > 76 {
				seen++
			}
		}
		if seen == 2 {
			return &simulation.Violation{Invariant: "made up"}
		}
		return nil
	}
	small := simulation.Shrink(s, fails)
	require.Len(t, small.Steps, 2)
	require.Equal(t, 2, small.Size())
}
