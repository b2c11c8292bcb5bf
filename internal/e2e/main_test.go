package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// long reports whether the tests that take minutes are wanted.
func long() bool { return os.Getenv("DIRBRIDGE_E2E") == "1" && !testing.Short() }

// seed is what all that is random here is drawn from.
func seed(t testing.TB) uint64 {
	t.Helper()
	s := os.Getenv("DIRBRIDGE_E2E_SEED")
	if s == "" {
		return 1
	}
	n, err := strconv.ParseUint(s, 10, 64)
	require.NoError(t, err, "DIRBRIDGE_E2E_SEED")
	return n
}

// number is what an environment variable says, or def.
func number(name string, def int) int {
	s := os.Getenv(name)
	if s == "" {
		return def
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		panic(name + " must be a number above 0")
	}
	return n
}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, clean := range cleanups {
		if err := clean(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// cleanups are what several tests share, ended after the last one.
var cleanups []func() error

// program builds the dirbridge program once and returns its path.
func program(t testing.TB) string {
	t.Helper()
	path, err := build()
	require.NoError(t, err)
	return path
}

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "dirbridge-e2e-")
	if err != nil {
		return "", err
	}
	cleanups = append(cleanups, func() error { return os.RemoveAll(dir) })
	path := filepath.Join(dir, "dirbridge")
	cmd := exec.Command("go", "build", "-o", path, "../../examples/dirbridge")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build dirbridge: %w: %s", err, out)
	}
	return path, nil
})
