package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/audit"
)

// A verdict is what -o json prints of a verification.
type verdict struct {
	Intact bool        `json:"intact"`
	Files  []string    `json:"files"`
	Last   audit.Head  `json:"last"`             // the last good record
	Known  *audit.Head `json:"known,omitempty"`  // the last one that has to be there, as the state knows
	File   string      `json:"file,omitempty"`   // that is broken,
	Line   int         `json:"line,omitempty"`   // where,
	Record uint64      `json:"record,omitempty"` // at which record,
	Reason string      `json:"reason,omitempty"` // and why
	failure

	made *audit.Head // the last one that the state knows of; it may still have to be delivered
}

// errNotIntact ends a verification that found something.
var errNotIntact = errors.New("the audit log isn't what was written")

// do reads the log to its end and compares that with what the state knows.
func (cmd *verifyCommand) do(ctx context.Context, p *program) int {
	v := &verdict{Files: cmd.Files}
	err := cmd.verify(ctx, p, v)
	v.failure = failed(err)
	if cmd.json() {
		err = errors.Join(err, printJSON(p.stdout, v))
	} else {
		w := p.printer()
		switch {
		case v.Intact && v.Known == nil:
			fmt.Fprintf(w, "intact up to record %d (%.12s); nobody was asked whether that is the end\n", v.Last.Seq, v.Last.Hash)
		case v.Intact:
			fmt.Fprintf(w, "intact: %d is the last record (%.12s), as the state knows\n", v.Last.Seq, v.Last.Hash)
		case v.Reason != "":
			fmt.Fprintf(w, "%s:%d: record %d: %s\n", plain(v.File), v.Line, v.Record, plain(v.Reason))
			fmt.Fprintf(w, "the last good record is %d\n", v.Last.Seq)
		}
		err = errors.Join(err, w.flush())
	}
	return p.report(err)
}

func (cmd *verifyCommand) verify(ctx context.Context, p *program, v *verdict) (err error) {
	if cmd.Config == "" && len(cmd.Files) == 0 {
		return usageError("say which log: -c FILE, the log's files, or both")
	}
	if cmd.Config != "" {
		// The state stays open meanwhile, so that nobody writes to the log.
		var x *parts
		if x, err = p.open(ctx, cmd.Config, purpose{use: reading}); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, x.close()) }()
		if err := cmd.known(ctx, x, v); err != nil {
			return err
		}
	}
	for i, path := range v.Files {
		o := &audit.VerifyOptions{After: v.Last, Anywhere: i == 0 && cmd.Rotated}
		if i == len(v.Files)-1 {
			o.Until, o.More = v.Known, true
		}
		head, err := verifyFile(path, o)
		if head.Seq != 0 {
			v.Last = head
		}
		if b, ok := errors.AsType[*audit.BrokenError](err); ok {
			v.File, v.Line, v.Record, v.Reason = path, b.Line, b.Seq, b.Reason
			return errNotIntact
		}
		if err != nil {
			return err
		}
		if i == len(v.Files)-1 && v.made != nil && (head.Seq > v.made.Seq || head.Seq == v.made.Seq && head != *v.made) {
			v.File, v.Record = path, head.Seq
			v.Reason = fmt.Sprintf("it goes on after record %d, the last one that the state knows of", v.made.Seq)
			return errNotIntact
		}
	}
	v.Intact = true
	return nil
}

// known finds out where the log is and where it has to end.
func (cmd *verifyCommand) known(ctx context.Context, x *parts, v *verdict) error {
	state := x.State.Bolt.Path
	if len(v.Files) == 0 {
		path := x.Audit.path(state)
		if path == "" {
			return usageError("the configuration turns the audit off")
		}
		v.Files = []string{path}
	}
	if _, err := os.Stat(state); errors.Is(err, fs.ErrNotExist) {
		return nil // no run was made yet, or the state is lost: it can't be asked
	}
	delivered, made, err := x.engine.AuditHead(ctx)
	v.Known, v.made = &delivered, &made
	return err
}

// verifyFile verifies one file. One that isn't there is an empty one: what
// should be in it is missing.
func verifyFile(path string, o *audit.VerifyOptions) (audit.Head, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) && o.Until != nil {
		return audit.Verify(strings.NewReader(""), o)
	}
	if err != nil {
		return o.After, fmt.Errorf("read the audit log: %w", err)
	}
	head, err := audit.Verify(bufio.NewReaderSize(io.Reader(f), 1<<20), o)
	return head, errors.Join(err, f.Close())
}
