//go:build unix

package main

import (
	"context"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state/boltstate"
)

// A lines is a writer whose lines can be waited for.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	for s := range strings.Lines(string(b)) {
		l <- s
	}
	return len(b), nil
}

func TestTheDaemonRunsAtOnceAndWhenAskedAndEndsCleanly(t *testing.T) {
	w := newWorld(t, "schedule: {every: 10h}")
	w.person("Ann Abel", "ann@contoso.com")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, _, _ := w.program()
	out := make(lines, 100)
	p.stdout, p.stderr = out, io.Discard
	ended := make(chan int)
	go func() { ended <- p.run(ctx, []string{"run", "--config", w.config}) }()

	require.Regexp(t, `^\S+Z full run 1 \(first run\): read 1, created 1,.* problems 0\n$`, <-out)
	w.set("Ann Abel", "title", "Director")
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGUSR1))
	require.Regexp(t, `^\S+Z delta run 2: read 1, created 0, updated 1,`, <-out)

	// A run that fails is told, and the next one goes on.
	w.tenant.RevokeToken(w.graph.Token)
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGUSR1))
	require.Regexp(t, `^\S+Z failed: .*; unfinished run 3: `, <-out)

	cancel()
	require.Zero(t, <-ended)
}

func TestTheDaemonSaysOnceThatItIsHaltedAndOthersDecideBetweenItsRuns(t *testing.T) {
	w := newWorld(t, "schedule: {every: 10h}", "limits: {removals: 1}")
	for _, cn := range []string{"A", "B", "C"} {
		w.person(cn, strings.ToLower(cn)+"@contoso.com")
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, _, _ := w.program()
	out, errs := make(lines, 100), make(lines, 1000)
	p.stdout, p.stderr = out, errs
	ended := make(chan int)
	go func() { ended <- p.run(ctx, []string{"run", "-c", w.config}) }()
	again := func() string {
		require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGUSR1))
		return <-out
	}
	require.Contains(t, <-out, "created 3,")
	require.NoError(t, w.ad.Delete(dn(w, "A")))
	require.NoError(t, w.ad.Delete(dn(w, "B")))

	require.Regexp(t, `^\S+Z failed: halted by the guard: .*; delta run 2: `, again())
	var told string
	for !strings.Contains(told, "or correct the directory") {
		if line := <-errs; !strings.Contains(line, "level=") {
			told += line
		}
	}
	golden(t, "daemon-halted.txt", w.settled(told))
	require.Regexp(t, `^\S+Z halted for the same plan [0-9a-f]{12} as before; it waits for `, again())

	// A run that is due waits for whoever has the state open.
	other, err := boltstate.Open(filepath.Join(w.dir, "state.db"), nil)
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGUSR1))
	for !strings.Contains(<-errs, "another instance uses the state; waiting for it") {
	}
	require.NoError(t, other.Close())
	require.Contains(t, <-out, "halted for the same plan")

	hash := w.planned()
	code, _, words := w.run("approve", hash)
	require.Zero(t, code, words)
	require.Regexp(t, `^\S+Z delta run \d+: .* deleted 2, .* approved by root@here, problems 0\n$`, again())
	require.Equal(t, []string{"c@contoso.com"}, w.upns())
	require.Zero(t, first(w.run("audit", "verify")))

	cancel()
	require.Zero(t, <-ended)
	close(errs)
	for line := range errs {
		require.NotContains(t, line, "how to go on", "it is told once")
	}
}

func TestTheDaemonWaitsForADirectoryThatIsDown(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.ldap.Close())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p, _, _ := w.program()
	out := make(lines, 100)
	p.stdout, p.stderr = out, io.Discard
	ended := make(chan int)
	go func() { ended <- p.run(ctx, []string{"run", "-c", w.config}) }()
	require.Regexp(t, `^\S+Z failed: `, <-out)
	cancel()
	require.Zero(t, <-ended)
}
