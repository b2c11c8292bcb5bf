package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program: 0 once ctx has ended, 1 if something failed, 2 if
// the command line is wrong.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	c, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "simulate: %v\nsimulate -help says more\n", err)
		return 2
	}
	if err := serve(ctx, c, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "simulate: %v\n", err)
		return 1
	}
	return 0
}

// serve plays the sides that are on until ctx ends.
func serve(ctx context.Context, c config, stdout, stderr io.Writer) (err error) {
	var lines bytes.Buffer
	if c.ad != "" {
		stop, e := serveAD(c, &lines, stderr)
		if e != nil {
			return e
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	if c.graph != "" {
		stop, e := serveGraph(c, &lines, stderr)
		if e != nil {
			return e
		}
		defer func() { err = errors.Join(err, stop()) }()
	}
	// Whoever sees a line may take it that everything listens.
	if _, err := stdout.Write(lines.Bytes()); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}
	<-ctx.Done()
	fmt.Fprintln(stderr, "simulate: stopped")
	return nil
}
