package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
)

// do plans the inverse of a run.
func (cmd *undoCommand) do(ctx context.Context, p *program) int {
	x, err := p.open(ctx, cmd.Config, purpose{use: deciding})
	var made *dirsync.Plan
	if err == nil {
		if made, err = x.engine.Undo(ctx, cmd.Run); err == nil {
			// Here only what can't be undone matters.
			var can []dirsync.Problem
			for _, problem := range made.Report.Problems {
				if problem.Code == "cannot-undo" {
					can = append(can, problem)
				}
			}
			made.Report.Problems = append([]dirsync.Problem{}, can...)
		}
	}
	return p.left(x, p.show(ctx, made, cmd.outputFlag, guide{cmd.Config}, outcome, err))
}

// A jsonRun is a remembered run.
type jsonRun struct {
	dirsync.RunRecord
	Problems  *int   `json:"problems,omitempty"`  // the list isn't kept
	Watermark string `json:"watermark,omitempty"` // nor is this
}

// do lists the remembered runs, the latest last.
func (cmd *runsCommand) do(ctx context.Context, p *program) int {
	x, err := p.open(ctx, cmd.Config, purpose{use: reading})
	runs := []jsonRun{}
	if err == nil {
		for r, e := range x.engine.Runs(ctx) {
			if err = e; err != nil {
				break
			}
			runs = append(runs, jsonRun{RunRecord: r})
		}
		err = errors.Join(err, x.close())
	}
	if cmd.json() {
		d := struct {
			Runs []jsonRun `json:"runs"`
			failure
		}{runs, failed(err)}
		err = errors.Join(err, printJSON(p.stdout, d))
	} else {
		w := p.printer()
		for _, r := range runs {
			w.run(&r.RunRecord)
		}
		err = errors.Join(err, w.flush())
	}
	return p.report(err)
}

// run prints one remembered run.
func (w *printer) run(r *dirsync.RunRecord) {
	fmt.Fprintf(w, "%s %s, problems %d", r.Started.Format(time.RFC3339), done(&r.Report), r.ProblemCount)
	if r.Error != "" {
		fmt.Fprintf(w, "; %s: %s", w.paint(red, "failed"), plain(r.Error))
	}
	fmt.Fprintln(w)
}

// A failure is the end of each document: what went wrong, and the exit code.
type failure struct {
	Error    string `json:"error,omitempty"`
	WhatToDo string `json:"whatToDo,omitempty"`
	ExitCode int    `json:"exitCode"`
}

func failed(err error) failure {
	if err == nil {
		return failure{}
	}
	return failure{err.Error(), advice(err), exitCode(err)}
}
