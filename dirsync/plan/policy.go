package plan

import (
	"fmt"

	"github.com/dirbridge/dirbridge/target"
)

// A Policy says which changes of a plan are carried out at all. What it holds
// back waits, and is carried out when a wider policy is set.
type Policy string

const (
	SyncAll    Policy = "sync"        // everything; the default
	UpsertOnly Policy = "upsert-only" // no removals: nobody is deleted, disabled for having left, or taken out of a group
	CreateOnly Policy = "create-only" // new accounts, nothing else
)

// Check returns an error if p is none of the above.
func (p Policy) Check() error {
	switch p {
	case SyncAll, UpsertOnly, CreateOnly:
		return nil
	}
	return fmt.Errorf("policy %q: want %s, %s or %s", string(p), SyncAll, UpsertOnly, CreateOnly)
}

// Allows reports whether c is carried out.
func (p Policy) Allows(c *Change) bool {
	switch p {
	case UpsertOnly:
		_, removed := c.Members()
		return !c.Removal && c.Op != target.Delete && removed == 0
	case CreateOnly:
		return c.Op == target.Create
	}
	return true
}
