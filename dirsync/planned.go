package dirsync

import (
	"context"
	"iter"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
)

// A Change is one planned step.
type Change = plan.Change

// A Problem is something about one object that a person has to see.
type Problem = plan.Problem

// A Plan is what would be done.
type Plan struct {
	// Report has the counts of the reading and the problems; its counts of
	// changes are zero, since nothing was written. Nil from [Engine.Waiting].
	Report *Report

	// Hash identifies the plan: equal plans have equal hashes.
	Hash string

	// Counts say how many changes of which sort there are.
	Counts plan.Counts

	// Breaches are the budgets that the plan exceeds: without approval, a run
	// halts.
	Breaches []plan.Breach

	// Run and Made are which run made it, and when. Undo is the run that it
	// undoes, 0 for a plan of a synchronization.
	Run  uint64
	Made time.Time
	Undo uint64

	// Approval is somebody's approval, nil without. Begun says that the plan has
	// been carried out in part; Changes yields the rest.
	Approval *Approval
	Begun    bool

	ledger *ledger.Ledger
	area   int
}

// An Approval says who approved a plan, when, and until when that is good.
type Approval struct {
	By    string    `json:"by"`
	At    time.Time `json:"at"`
	Until time.Time `json:"until"`
}

// Changes yields the changes in the order in which they would be applied. A plan
// that is kept is read from the store; once a run has carried it out or made
// another, there is nothing of it left to read.
func (p *Plan) Changes(ctx context.Context) iter.Seq2[*Change, error] {
	return p.ledger.Plan(ctx, p.area)
}
