package dirsync

import (
	"errors"
	"fmt"

	"github.com/dirbridge/dirbridge/dirsync/plan"
)

var (
	// ErrHalted: the plan would remove more accounts than the limits let
	// through; nothing was written. The error is a [*HaltedError]. What was
	// read is kept; the next run plans it again.
	ErrHalted = errors.New("halted by the guard")

	// ErrRunning: another run of this engine is under way.
	ErrRunning = errors.New("a run is already under way")
)

// A HaltedError says which limits a plan exceeds.
type HaltedError struct {
	Hash     string        // of the plan
	Counts   plan.Counts   // of the plan
	Breaches []plan.Breach // at least one
}

// Error says how much the plan would have removed, and what to do.
func (e *HaltedError) Error() string {
	b := e.Breaches[0]
	return fmt.Sprintf("%v: the plan would remove %d of %d owned accounts, %d at most may go in one run; nothing was written (plan %.12s)",
		ErrHalted, b.Removals, b.Owned, b.Allowed, e.Hash)
}

// Unwrap makes errors.Is(err, ErrHalted) true.
func (e *HaltedError) Unwrap() error { return ErrHalted }
