package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"os/user"
	"syscall"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/state"
)

// The exit codes.
const (
	exitDone     = 0 // done, or nothing to do
	exitFailed   = 1
	exitUsage    = 2  // command line or configuration; nobody was asked anything
	exitProblems = 3  // done, but single objects have problems that are new or still open
	exitHalted   = 4  // halted by the guard, nothing was written
	exitLocked   = 5  // another instance uses the state
	exitPending  = 10 // plan --exit-code: there are changes to make
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	p := &program{
		env: os.LookupEnv, stdout: os.Stdout, stderr: os.Stderr,
		color:    isTerminal(os.Stdout) && os.Getenv("NO_COLOR") == "",
		patience: 30 * time.Second, who: whoRuns,
	}
	os.Exit(p.run(ctx, os.Args[1:]))
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// A program is this one with its surroundings, which tests replace.
type program struct {
	env            environment
	stdout, stderr io.Writer
	color          bool // stdout shows color

	patience time.Duration // how long to wait for another instance to close the state
	who      func() string // who runs the program, USER@HOST
}

// whoRuns is the system's word, as far as it gives one.
func whoRuns() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return name + "@" + host
}

// run is the whole program; it returns the exit code. ctx ends it.
func (p *program) run(ctx context.Context, args []string) int {
	cmd, code := p.parse(args)
	if cmd == nil {
		return code
	}
	return cmd.do(ctx, p)
}

// report prints err, if there is one, and returns the exit code for it.
func (p *program) report(err error) int {
	if err != nil {
		fmt.Fprintf(p.stderr, "dirbridge: %s\n", plainLines(err.Error()))
		if what := advice(err); what != "" {
			fmt.Fprintf(p.stderr, "dirbridge: what to do: %s\n", plainLines(what))
		}
	}
	return exitCode(err)
}

// A usageError is a command line that can't be meant.
type usageError string

func (e usageError) Error() string { return string(e) }

func exitCode(err error) int {
	_, configuration := errors.AsType[*configError](err)
	_, usage := errors.AsType[usageError](err)
	switch {
	case err == nil:
		return exitDone
	case configuration, usage, errors.Is(err, dirsync.ErrScope):
		return exitUsage
	case errors.Is(err, dirsync.ErrHalted):
		return exitHalted
	case errors.Is(err, state.ErrLocked):
		return exitLocked
	}
	return exitFailed
}

// outcome is the exit code of a run.
func outcome(r *dirsync.Report, err error) int {
	if err == nil && len(r.Problems) > 0 {
		return exitProblems
	}
	return exitCode(err)
}
