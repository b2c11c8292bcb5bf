package plan

import (
	"cmp"
	"time"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Change is one planned step: what to do, what was there before, and why.
type Change struct {
	target.Change

	// Source is the object that the change is for.
	Source source.ID `json:"source"`

	// Name tells people which object that is: its DN.
	Name string `json:"name,omitempty"`

	// UPN tells people which account that is: the one that it has, or, for a
	// Create, gets.
	UPN string `json:"upn,omitempty"`

	// Before are the last applied values of the attributes in Set. Those that
	// had none aren't named.
	Before target.Attributes `json:"before,omitempty"`

	// Refer is what a change of references does, nil for all others. Part
	// numbers those of one object, from 0: they are applied in that order.
	Refer *Refer `json:"refer,omitempty"`
	Part  int    `json:"part,omitempty"`

	// Leaves are the groups that a deleted object is a member of: the target
	// takes it out of them.
	Leaves []source.ID `json:"leaves,omitempty"`

	// Precondition is what has to be so, beside Before, when the change is
	// carried out.
	Precondition Precondition `json:"precondition"`

	// Reason says in words why there is a change at all.
	Reason string `json:"reason"`

	// Decisions explain the values in Set.
	Decisions []mapping.Decision `json:"decisions,omitempty"`

	// Removal says that the account goes because its object left or was
	// deleted: what the guard counts. Evidence is the proof.
	Removal  bool             `json:"removal,omitempty"`
	Evidence *source.Evidence `json:"evidence,omitempty"`

	// Crossing says that the object enters or leaves the scope, "" that it stays
	// where it is; an object that is new or deleted does neither. Rescoped says
	// that the scope's configuration was changed meanwhile.
	Crossing Crossing `json:"crossing,omitempty"`
	Rescoped bool     `json:"rescoped,omitempty"`

	// Until is when the object has to be planned again though nothing happens
	// to it; zero for never.
	Until time.Time `json:"until,omitzero"`

	// Again says that this is a step on the way: the object is planned again in
	// the same run.
	Again bool `json:"again,omitempty"`

	// Then are the names that such a step is for, as effects: they count with it,
	// since half of a swap is worse than none. Counted are those that an earlier
	// step of the same run has counted.
	Then    []Effect `json:"then,omitempty"`
	Counted []Effect `json:"counted,omitempty"`

	// Blocked says that the object is to be planned again after a while, since
	// something at the target is in the way of the rest of what it wants.
	Blocked bool `json:"blocked,omitempty"`

	// Wave orders changes that depend on one another: a value that one change
	// frees is taken by a change of a later wave.
	Wave int `json:"wave"`
}

// A Precondition is what a change stands on. A plan that is applied later is made
// once more, and applied only if every change of it still stands.
type Precondition struct {
	// Object is what the source says of the object: "present", "left",
	// "deleted", or "unknown" (for the undoing of a run, which doesn't ask).
	Object string `json:"object"`

	// Account is what there is at the target: "none" that carries the anchor,
	// ours "live", or ours "deleted", in the bin.
	Account string `json:"account"`
}

// A Crossing is a way over the border of the scope.
type Crossing string

const (
	Enters Crossing = "enters"
	Leaves Crossing = "leaves"
)

// The sorts of evidence of somebody who is refused by the scope.
const (
	EvidenceScope    = "scope"         // what happened in the directory has put it outside
	EvidenceRescoped = "scope changed" // the scope's configuration was changed since it was in
)

// Phase is the order of the changes of one wave: what creates and keeps people
// working first, what takes away last.
func (c *Change) Phase() int {
	switch c.Op {
	case target.Restore, target.Create:
		return 1
	case target.Update, target.Enable:
		return 2
	case target.Disable:
		return 3
	case target.Refer:
		if len(c.Refer.Add) > 0 {
			return 5
		}
		return 6
	default: // target.Delete
		return 4
	}
}

// Less reports whether c is applied before d: by wave, phase, part, object,
// attribute.
func (c *Change) Less(d *Change) bool {
	return cmp.Or(cmp.Compare(c.Wave, d.Wave), cmp.Compare(c.Phase(), d.Phase()), cmp.Compare(c.Part, d.Part),
		cmp.Compare(c.Source, d.Source), cmp.Compare(c.attribute(), d.attribute())) < 0
}

func (c *Change) attribute() string {
	if c.Refer == nil {
		return ""
	}
	return c.Refer.Attribute
}

// A Problem is something about one object that a person has to see.
type Problem struct {
	Object source.ID `json:"object"`         // the source's ID
	Name   string    `json:"name,omitempty"` // its DN, for people

	mapping.Problem

	// Holder is who holds a value that this object wants: an ID of the target
	// or of the source.
	Holder string `json:"holder,omitempty"`

	// Answer says that it is what the target answered: true until it takes the
	// object's next change.
	Answer bool `json:"answer,omitempty"`

	// RequestID is the target's own id of the call that failed.
	RequestID string `json:"requestId,omitempty"`

	// Since is when it was first seen.
	Since time.Time `json:"since"`
}
