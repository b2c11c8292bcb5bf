package dirsync

import (
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// An Event is something that happened in a run: one of [Started], [Read],
// [Planned], [Halted], [Applied] and [Finished]. Audit, counters and progress are made of
// these; they say everything and change nothing.
type Event interface{ event() }

// Started: a run begins.
type Started struct {
	Run uint64
	Dry bool
}

// Read: the source was read; the counts are in the report so far.
type Read struct {
	Run    uint64
	Mode   Mode
	Reason string // why it was a full read
	Read   int
}

// Planned: a plan is made and has passed the guard, or this is a dry run. A run
// plans again when an outcome asks for it; Round counts from 0.
type Planned struct {
	Run    uint64
	Round  int
	Hash   string
	Counts plan.Counts
}

// Halted: the plan exceeds a budget; nothing of it was written, and it waits for
// somebody's word. Again says that an earlier run was halted for the same plan:
// whoever has to decide knows already.
type Halted struct {
	Run   uint64
	Err   *HaltedError
	Again bool
}

// Applied: the outcome of one change is settled.
type Applied struct {
	Run    uint64
	Change plan.Change
	Object target.Object // what the target answered, if Err is nil
	Err    error         // why it was refused, or that its outcome is unknown
	Repeat bool          // the call was a repeat after an unknown outcome
}

// Finished: a run has ended.
type Finished struct {
	Report *Report
	Err    error
}

func (Started) event()  {}
func (Read) event()     {}
func (Planned) event()  {}
func (Halted) event()   {}
func (Applied) event()  {}
func (Finished) event() {}
