//go:build unix

package main

import (
	"context"
	"io"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
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

	code, _, errs := w.run("sync")
	require.Equal(t, 5, code, "while the daemon lives, nobody else runs")
	require.Contains(t, errs, "SIGUSR1")

	cancel()
	require.Zero(t, <-ended)
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
