package simulation_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/simulation"
)

func TestMain(m *testing.M) {
	debug.SetGCPercent(400) // worlds are small and many
	os.Exit(m.Run())
}

// run carries a schedule out in a bubble of its own.
func run(t *testing.T, s *simulation.Schedule, trace bool) (res simulation.Result) {
	notRaced(t)
	synctest.Test(t, func(*testing.T) { res = simulation.Run(s, trace) })
	return res
}

// shrink makes a failing schedule as small as it gets.
func shrink(t *testing.T, s *simulation.Schedule) *simulation.Schedule {
	return simulation.Shrink(s, func(c *simulation.Schedule) *simulation.Violation { return run(t, c, false).Violation })
}

func env(name string, or uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return or
}

// A kept schedule is a file of testdata: one that once failed, made small.
type kept struct {
	Finding   string               `json:"finding"`
	Invariant string               `json:"invariant"`
	Schedule  *simulation.Schedule `json:"schedule"`
	file      string
}

func corpus(t *testing.T, dir string) (all []kept) {
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.json"))
	require.NoError(t, err)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(t, err)
		k := kept{file: filepath.Base(f)}
		require.NoError(t, json.Unmarshal(b, &k), f)
		all = append(all, k)
	}
	return all
}

// keep writes a shrunk schedule to testdata.
func keep(t *testing.T, s *simulation.Schedule, v *simulation.Violation) {
	b, err := json.MarshalIndent(kept{os.Getenv("DIRBRIDGE_SIM_KEEP"), v.Invariant, s, ""}, "", " ")
	require.NoError(t, err)
	f := filepath.Join("testdata", "open", fmt.Sprintf("%s-%d.json", os.Getenv("DIRBRIDGE_SIM_KEEP"), s.Seed))
	require.NoError(t, os.WriteFile(f, append(b, '\n'), 0o644))
}
