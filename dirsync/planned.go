package dirsync

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
)

// A Change is one planned step.
type Change = plan.Change

// A Problem is something about one object that a person has to see.
type Problem = plan.Problem

// A Plan is what Sync would do.
type Plan struct {
	// Report has the counts of the reading and the problems; its counts of
	// changes are zero, since nothing was written.
	Report *Report

	// Hash identifies the plan: equal plans have equal hashes.
	Hash string

	// Counts say how many changes of which sort there are.
	Counts plan.Counts

	// Breaches are the limits that the plan exceeds: Sync would halt.
	Breaches []plan.Breach

	ledger *ledger.Ledger
}

// Changes yields the changes in the order in which they would be applied.
func (p *Plan) Changes(ctx context.Context) iter.Seq2[*Change, error] { return p.ledger.Plan(ctx) }
