package memtarget

import (
	"errors"

	"github.com/dirbridge/dirbridge/target"
)

// Counts are how many calls a target got. Values compare with ==.
type Counts struct {
	// Changes that were accepted, by what they did.
	Creates, Updates, Disables, Enables, Deletes, Restores, Refers int

	// RefsAdded and RefsRemoved are single references that changed,
	// RefsRefused those in a [target.RefsError]; the change with them counts as
	// accepted.
	RefsAdded, RefsRemoved, RefsRefused int

	// Refused changes: those that got an error.
	Refused int

	// Batches are calls of ApplyBatch; the changes in them count above.
	Batches int

	// Lists are calls of Current, Listed the objects that they gave.
	Lists, Listed int

	// Finds are calls of Find, Keys what they asked for.
	Finds, Keys int

	// RefReads are calls of Refs, RefsListed what they gave.
	RefReads, RefsListed int

	// RefFinds are calls of FindRefs, RefKeys the references asked for.
	RefFinds, RefKeys int

	// BinReads are calls of FindDeleted and Deleted, DomainReads those of Domains.
	BinReads, DomainReads int

	// Deltas are calls of Changes and Latest, Events the changes that they
	// gave.
	Deltas, Events int
	// ProtectionReads are calls of Protected.
	ProtectionReads int
}

// Writes is how many changes were tried, refused ones included.
func (c Counts) Writes() int {
	return c.Creates + c.Updates + c.Disables + c.Enables + c.Deletes + c.Restores + c.Refers + c.Refused
}

// Reads is how many calls asked for something.
func (c Counts) Reads() int {
	return c.Lists + c.Finds + c.BinReads + c.DomainReads + c.RefReads + c.RefFinds + c.Deltas + c.ProtectionReads
}

// wrote counts one change.
func (c *Counts) wrote(op target.Op, err error) {
	if some, ok := errors.AsType[*target.RefsError](err); ok {
		c.RefsRefused += len(some.Refused)
	} else if err != nil {
		c.Refused++
		return
	}
	switch op {
	case target.Create:
		c.Creates++
	case target.Update:
		c.Updates++
	case target.Disable:
		c.Disables++
	case target.Enable:
		c.Enables++
	case target.Delete:
		c.Deletes++
	case target.Restore:
		c.Restores++
	case target.Refer:
		c.Refers++
	}
}

// Counts returns how many calls t got since it was made or [Target.ResetCounts].
// Hands aren't counted, nor are calls whose ctx was already cancelled.
func (t *Target) Counts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// ResetCounts begins to count anew and returns what was counted.
func (t *Target) ResetCounts() Counts {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.counts
	t.counts = Counts{}
	return c
}
