package boltstate_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
)

var goldenEngine = flag.Bool("goldenengine", false, "write testdata/engine1.db anew (never once an engine is released that wrote it)")

// The state of an engine of each format that was ever released, taken while the
// engine was at work, is what today's engine goes on with: it knows its accounts,
// its open calls and its problems, and comes to the end that it would have come
// to.
func TestE06_AnEnginesStateOfFormat1IsGoneOnWith(t *testing.T) {
	const file = "testdata/engine1.db"
	const commits = 8 // of the second run, at which the state was taken
	if *goldenEngine {
		_, images := film(t, 4096)
		path := filepath.Join(t.TempDir(), "state.db")
		require.NoError(t, os.WriteFile(path, images[commits-1].file, 0o600))
		require.NoError(t, os.RemoveAll(file))
		require.NoError(t, open(t, path).Compact(ctx, file))
	}
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "state.db")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	s := open(t, path)
	kinds := map[string]int{}
	for _, r := range records(t, s) {
		kinds[kindOf(r)]++
	}
	for _, kind := range []string{"facts", "watermark", "object", "due", "claim", "held", "link", "suffix", "problem", "plan", "intent", "run"} {
		require.Positive(t, kinds[kind], "the file has no %s", kind)
	}

	calm := diedAfter(t, 1000)
	c := diedAfter(t, commits)
	before := c.tgt.Counts().Writes()
	c.sync(s)
	require.LessOrEqual(t, c.tgt.Counts().Writes()-before, calm.tgt.Counts().Writes()-before+2, "only what was on the wire is repeated")
	c.rest(s)
	require.Equal(t, calm.accounts(), c.accounts())
	codes := map[string]bool{}
	for _, p := range c.sync(s).Problems {
		codes[p.Code] = true
	}
	require.True(t, codes["conflict-unowned"], "boss is still somebody else's")
	require.NoError(t, s.Check(ctx))
}

func kindOf(r state.Record) string {
	kind, _, _ := strings.Cut(r.Key, "/")
	return kind
}
