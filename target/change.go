package target

import "time"

// An Op says what a [Change] does.
type Op string

const (
	Create  Op = "create"  // a new object with the attributes Set
	Update  Op = "update"  // Set on an object
	Disable Op = "disable" // an update whose Set turns accountEnabled off
	Enable  Op = "enable"  // an update whose Set turns accountEnabled on
	Delete  Op = "delete"  // into the bin, if the target has one; Set is empty
	Restore Op = "restore" // out of the bin, then Set; Set is written also if the object is live
	Refer   Op = "refer"   // adds and removes references; only for a [Referrer]
)

// A Change is one step for one object.
type Change struct {
	Op   Op   `json:"op"`
	Kind Kind `json:"kind"`

	// ID is the target's object. Empty for a Create.
	ID ID `json:"id,omitempty"`

	// Anchor is the source anchor: what a Create writes, and what the object
	// is known to carry for all others, but for an update whose Set names
	// [AttrAnchor]: that one writes it. For a Group it is the group's unique
	// name (in Office 365: uniqueName), under which a Create that is repeated
	// finds its group.
	Anchor string `json:"anchor"`

	// Set holds the attributes to write, and only those: what isn't named
	// stays as it is. A name without values is cleared.
	Set Attributes `json:"set,omitempty"`

	// Refs are what a Refer adds and removes; nil for all others.
	Refs *Refs `json:"refs,omitempty"`

	// Repeat says that this same change may have been applied before, with an
	// unknown outcome. A target then looks before it creates: an object with
	// this Anchor is the result of the earlier call. The engine sets Repeat
	// only when it knew that no object carried the Anchor before the first
	// call.
	Repeat bool `json:"-"`

	// Linked is when the object became ours, zero for a Create. An object that
	// is younger than the target's replication takes may be "not found yet"
	// ([ErrNotYet]).
	Linked time.Time `json:"-"`

	// Binned is when the object of a Restore was deleted, as far as we know;
	// zero if we don't. While that is younger than the target's replication
	// takes, an object that seems to live, and not to be in the bin, proves
	// nothing ([ErrNotYet]).
	Binned time.Time `json:"-"`
}

// A Result is the outcome of one change of a batch.
type Result struct {
	Object Object
	Err    error
}
