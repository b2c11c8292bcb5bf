package mutation_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// root is the module's root, seen from this package.
var root = filepath.Join("..", "..", "..")

// The engine changes, and so must the bugs: each still has its place.
func TestEachBugStillHasItsPlaceInTheEngine(t *testing.T) {
	all := bugs()
	assert.GreaterOrEqual(t, len(all), 40, "issue 3 asks for 40 bugs")
	seen := map[string]bool{}
	for _, b := range all {
		assert.False(t, seen[b.name], "two bugs are called %s", b.name)
		seen[b.name] = true
		assert.NotEmpty(t, b.dies, b.name)
		assert.NotEmpty(t, b.what, b.name)
		src, err := os.ReadFile(filepath.Join(root, b.file))
		require.NoError(t, err)
		_, err = b.plant(src)
		assert.NoError(t, err)
	}
}

// The score: each bug is found within so many seeds, and the engine as it is
// survives all of them. What is printed is for docs and for the night.
//
//	DIRBRIDGE_MUTANTS=1        all bugs
//	DIRBRIDGE_MUTANTS=a,b      these
//	DIRBRIDGE_SEEDS=n          within n seeds instead of 10,000
func TestTheSimulationFindsEachBug(t *testing.T) {
	which := os.Getenv("DIRBRIDGE_MUTANTS")
	if which == "" {
		t.Skip("takes half an hour; set DIRBRIDGE_MUTANTS=1")
	}
	score(t, chosen(t, which), seeds())
}

// A sample for those who don't wait for the night. These die at once, so the
// engine as it is needn't survive more than a few seeds either.
func TestTheSimulationFindsBugsThatShowAtOnce(t *testing.T) {
	if os.Getenv("DIRBRIDGE_E2E") == "" {
		t.Skip("takes a minute; set DIRBRIDGE_E2E=1")
	}
	score(t, chosen(t, "deleted-is-ignored,absent-is-deleted,unknown-is-failure"), 1000)
}

func chosen(t *testing.T, which string) []bug {
	all := bugs()
	if which == "1" {
		return all
	}
	names := strings.Split(which, ",")
	some := slices.DeleteFunc(all, func(b bug) bool { return !slices.Contains(names, b.name) })
	require.Len(t, some, len(names), "no such bug among %s", which)
	return some
}

// score plants each bug and prints what became of it.
func score(t *testing.T, some []bug, n uint64) {
	l := newLab(t)
	v := l.run(t, l.build(t, nil), n)
	require.True(t, v.survived, "the engine as it is breaks an invariant, there is no score: %s", v)
	fmt.Printf("%-28s survives %d seeds in %.0f s\n", "(the engine as it is)", n, v.seconds)
	var killed []uint64
	for _, b := range some {
		v := l.run(t, l.build(t, &b), n)
		fmt.Printf("%-28s %s\n", b.name, v)
		if v.survived {
			t.Errorf("%s survives: %s (%s)", b.name, b.what, b.file)
			continue
		}
		killed = append(killed, v.seed)
	}
	slices.Sort(killed)
	fmt.Printf("mutation score %d of %d", len(killed), len(some))
	if len(killed) > 0 {
		at := func(p int) uint64 { return killed[min(len(killed)*p/100, len(killed)-1)] }
		fmt.Printf("; seeds to kill: median %d, 90 %% within %d, most %d", at(50), at(90), at(100))
	}
	fmt.Println()
}
