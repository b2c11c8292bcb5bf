package memtarget

import "github.com/dirbridge/dirbridge/target"

// Counts are how many calls a target got. Values compare with ==.
type Counts struct {
	// Changes that were accepted, by what they did.
	Creates, Updates, Disables, Enables, Deletes, Restores int

	// Refused changes: those that got an error.
	Refused int

	// Batches are calls of ApplyBatch; the changes in them count above.
	Batches int

	// Lists are calls of Current, Listed the objects that they gave.
	Lists, Listed int

	// Finds are calls of Find, Keys what they asked for.
	Finds, Keys int

	// BinReads are calls of FindDeleted, DomainReads those of Domains.
	BinReads, DomainReads int
}

// Writes is how many changes were tried, refused ones included.
func (c Counts) Writes() int {
	return c.Creates + c.Updates + c.Disables + c.Enables + c.Deletes + c.Restores + c.Refused
}

// Reads is how many calls asked for something.
func (c Counts) Reads() int { return c.Lists + c.Finds + c.BinReads + c.DomainReads }

// wrote counts one change.
func (c *Counts) wrote(op target.Op, err error) {
	if err != nil {
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
