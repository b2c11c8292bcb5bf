package dirsync

import (
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/plan"
)

var (
	// ErrHalted: the plan exceeds a budget, and nobody approved it; nothing of
	// it was written. The error is a [*HaltedError]. The plan waits for
	// [Engine.Approve] or [Engine.Reject]; what was read is kept.
	ErrHalted = errors.New("halted by the guard")

	// ErrPlanStale: the plan that was to be approved or applied isn't the one
	// that waits, or not every change of it would still be planned as it is.
	// Nothing of it was written. The error is a [*StaleError]. Plan again.
	ErrPlanStale = errors.New("the plan doesn't hold any more")

	// ErrAudit: an audit sink can't be read or written. Until it can, a run
	// ends before it writes anything; the records wait in the store.
	ErrAudit = errors.New("the audit log can't be written")

	// ErrRunning: another run of this engine is under way.
	ErrRunning = errors.New("a run is already under way")
)

// A HaltedError says which budgets a plan exceeds.
type HaltedError struct {
	Hash     string        // of the plan
	Counts   plan.Counts   // of the plan
	Breaches []plan.Breach // at least one
}

// Error says what the plan would have done, and that nothing was written.
func (e *HaltedError) Error() string {
	return fmt.Sprintf("%v: the plan has %s; nothing of it was written, and it waits for approval (plan %.12s)", ErrHalted, e.Breaches[0], e.Hash)
}

// Unwrap makes errors.Is(err, ErrHalted) true.
func (e *HaltedError) Unwrap() error { return ErrHalted }

// A StaleError says why a plan doesn't hold any more.
type StaleError struct {
	Hash   string // of the plan that was asked for
	Reason string
}

// Error says which plan, and why.
func (e *StaleError) Error() string {
	return fmt.Sprintf("%v (plan %.12s): %s", ErrPlanStale, e.Hash, e.Reason)
}

// Unwrap makes errors.Is(err, ErrPlanStale) true.
func (e *StaleError) Unwrap() error { return ErrPlanStale }
