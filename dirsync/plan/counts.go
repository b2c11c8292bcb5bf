package plan

import "github.com/dirbridge/dirbridge/target"

// Counts say how many changes of which sort a plan holds.
type Counts struct {
	Create   int `json:"create"`
	Update   int `json:"update"` // enables included
	Enable   int `json:"enable"` // of the updates, those that turn an account on
	Disable  int `json:"disable"`
	Delete   int `json:"delete"`
	Restore  int `json:"restore"`
	Removals int `json:"removals"` // deletes, and disables because the object left

	Enter int `json:"enter,omitempty"` // into the scope, of all these
	Leave int `json:"leave,omitempty"` // it

	// Refer is how many changes of references there are, MembersAdded and
	// MembersRemoved how many members they give to groups and take from them.
	Refer          int `json:"refer,omitempty"`
	MembersAdded   int `json:"membersAdded,omitempty"`
	MembersRemoved int `json:"membersRemoved,omitempty"`
}

// Add counts c.
func (n *Counts) Add(c *Change) {
	switch c.Op {
	case target.Create:
		n.Create++
	case target.Enable:
		n.Enable++
		n.Update++
	case target.Update:
		n.Update++
	case target.Disable:
		n.Disable++
	case target.Delete:
		n.Delete++
	case target.Restore:
		n.Restore++
	case target.Refer:
		n.Refer++
		added, removed := c.Members()
		n.MembersAdded += added
		n.MembersRemoved += removed
	}
	if c.Removal {
		n.Removals++
	}
	switch c.Crossing {
	case Enters:
		n.Enter++
	case Leaves:
		n.Leave++
	}
}

// Total is the number of changes.
func (n Counts) Total() int { return n.Create + n.Update + n.Disable + n.Delete + n.Restore + n.Refer }
