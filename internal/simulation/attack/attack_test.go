package attack_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/simulation/attack"
)

// TestNobodyWithPowerIsWritten has an attacker who controls the directory go at
// the tenant's administrators.
//
//	DIRBRIDGE_ATTACKS=n       so many schedules instead of 500
//	DIRBRIDGE_ATTACK_FROM=s   from this seed on
//	DIRBRIDGE_ATTACK_SEED=s   this one alone, with its story
func TestNobodyWithPowerIsWritten(t *testing.T) {
	if one := env("DIRBRIDGE_ATTACK_SEED", 0); one != 0 {
		res := run(t, one)
		t.Log(strings.Join(res.Trace, "\n"))
		require.Empty(t, res.Wrong)
		return
	}
	n, from := env("DIRBRIDGE_ATTACKS", 500), env("DIRBRIDGE_ATTACK_FROM", 1)
	if testing.Short() {
		n = 50
	}
	var next atomic.Uint64
	marks := make([]map[string]int, runtime.GOMAXPROCS(0))
	t.Run("seeds", func(t *testing.T) {
		for i := range marks {
			marks[i] = map[string]int{}
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				for {
					seed := from + next.Add(1) - 1
					if seed >= from+n || t.Failed() {
						return
					}
					res := run(t, seed)
					if res.Wrong != "" {
						t.Errorf("seed %d: %s", seed, res.Wrong)
					}
					for m, k := range res.Marks {
						marks[i][m] += k
					}
				}
			})
		}
	})
	all := map[string]int{}
	for _, m := range marks {
		for k, v := range m {
			all[k] += v
		}
	}
	t.Logf("%d schedules: %v", n, all)
	for _, m := range []string{"synchronized", "adopt adopted", "adoption of an administrator refused", "protected", "conflict-unowned", "anchor-unowned"} {
		require.NotZero(t, all[m], "no schedule came to %q", m)
	}
}

func run(t *testing.T, seed uint64) (res attack.Result) {
	synctest.Test(t, func(*testing.T) { res = attack.Run(seed) })
	return res
}

func env(name string, or uint64) uint64 {
	if n, err := strconv.ParseUint(os.Getenv(name), 10, 64); err == nil {
		return n
	}
	return or
}
