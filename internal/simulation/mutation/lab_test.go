package mutation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// within is how many seeds a bug may survive.
const within = 10_000

func seeds() uint64 {
	if n, err := strconv.ParseUint(os.Getenv("DIRBRIDGE_SEEDS"), 10, 64); err == nil {
		return n
	}
	return within
}

// A lab compiles the simulation with a bug in it and runs it.
type lab struct{ root, sim, tmp string }

func newLab(t *testing.T) *lab {
	abs, err := filepath.Abs(root)
	require.NoError(t, err)
	return &lab{abs, filepath.Join(abs, "internal", "simulation"), t.TempDir()}
}

// build compiles the simulation's tests, with b if there is one. A bug that
// doesn't compile is a broken row.
func (l *lab) build(t *testing.T, b *bug) string {
	bin := filepath.Join(l.tmp, "simulation.test")
	args := []string{"test", "-c", "-o", bin}
	if b != nil {
		file := filepath.Join(l.root, filepath.FromSlash(b.file))
		src, err := os.ReadFile(file)
		require.NoError(t, err)
		out, err := b.plant(src)
		require.NoError(t, err)
		copied := filepath.Join(l.tmp, "planted.go")
		require.NoError(t, os.WriteFile(copied, out, 0o600))
		overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: copied}})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(l.tmp, "overlay.json"), overlay, 0o600))
		args = append(args, "-overlay", filepath.Join(l.tmp, "overlay.json"))
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, ".")...)
	cmd.Dir = l.sim
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return bin
}

// A verdict is what became of a bug.
type verdict struct {
	survived  bool
	seed      uint64 // the lowest that was found to kill it, 0 for a crash
	invariant string
	text      string
	seconds   float64
}

func (v verdict) String() string {
	if v.survived {
		return fmt.Sprintf("SURVIVES, %.0f s", v.seconds)
	}
	return fmt.Sprintf("seed %5d  %-8s %4.0f s  %.110s", v.seed, v.invariant, v.seconds, v.text)
}

var violation = regexp.MustCompile(`(?m)^violation seed=(\d+) invariant=(\S+) after=\d+: (.*)$`)

// longest is how long a bug may take: many times what all seeds take. One that
// takes longer hangs, since nothing in the simulation waits for anything.
const longest = 20 * time.Minute

// run goes through n seeds until one breaks an invariant.
func (l *lab) run(t *testing.T, bin string, n uint64) (v verdict) {
	cmd := exec.CommandContext(t.Context(), bin, "-test.run", "^TestSchedulesBreakNoInvariant$", "-test.timeout", longest.String())
	cmd.Dir = l.sim
	cmd.Env = append(os.Environ(), fmt.Sprint("DIRBRIDGE_SEEDS=", n), "DIRBRIDGE_SIM_FROM=1",
		"DIRBRIDGE_SEED=", "DIRBRIDGE_SIM_SECONDS=", "DIRBRIDGE_ALL=")
	start := time.Now()
	out, err := cmd.CombinedOutput()
	v.seconds = time.Since(start).Seconds()
	for _, m := range violation.FindAllSubmatch(out, -1) {
		seed, _ := strconv.ParseUint(string(m[1]), 10, 64)
		if v.seed == 0 || seed < v.seed {
			v.seed, v.invariant, v.text = seed, string(m[2]), string(m[3])
		}
	}
	var exit *exec.ExitError
	switch {
	case v.seed != 0:
	case err == nil:
		v.survived = true
	case !errors.As(err, &exit):
		require.NoError(t, err)
	case bytes.Contains(out, []byte("panic: test timed out")):
		v.invariant, v.text = "hang", "a schedule doesn't end"
	case bytes.Contains(out, []byte("panic: ")), bytes.Contains(out, []byte("fatal error: ")):
		_, rest, _ := bytes.Cut(out, []byte("panic: "))
		v.invariant, v.text = "crash", string(bytes.SplitN(rest, []byte("\n"), 2)[0])
	default: // a situation that no schedule got into any more: nothing is broken by that
		v.survived = true
	}
	return v
}
