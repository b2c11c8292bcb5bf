package dirsync

import (
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// A Mode says how the source was read.
type Mode string

const (
	Full  Mode = "full"
	Delta Mode = "delta"
	Only  Mode = "only" // just the objects that were asked for
	Undo  Mode = "undo" // not at all: the run was undone from what is remembered

	Adopting Mode = "adopt" // just the objects that were to get an account
)

// A Report says what a run did. Counts are exact: a change counts when the
// target accepted it.
type Report struct {
	Run      uint64    `json:"run"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`

	Mode       Mode   `json:"mode"`
	FullReason string `json:"fullReason,omitempty"` // why the read was a full one

	// Sources says for each of several sources how it was read; empty for one.
	// Mode is Full then if any was read whole.
	Sources []SourceReport `json:"sources,omitempty"`

	// Read is how many objects the source gave: those in scope, those that
	// left and those deleted. An object that came twice counts twice.
	Read int `json:"read"`

	Created  int `json:"created"`
	Updated  int `json:"updated"` // every update that isn't a disable; enables included
	Enabled  int `json:"enabled"` // of Updated, those that turned an account on
	Disabled int `json:"disabled"`
	Deleted  int `json:"deleted"`
	Restored int `json:"restored"`

	// MembersAdded and MembersRemoved are how many members groups got and lost
	// by changes of their own; MembersLeft how many they lost because those were
	// deleted. RefsChanged counts owners and managers.
	MembersAdded   int `json:"membersAdded,omitempty"`
	MembersRemoved int `json:"membersRemoved,omitempty"`
	MembersLeft    int `json:"membersLeft,omitempty"`
	RefsChanged    int `json:"refsChanged,omitempty"`

	// ReferencesWaiting is how many references wait for the account of whom
	// they point at, after this run; ReferencesDropped how many point at what
	// isn't synchronized. ReferencesUnknown is how many the source couldn't
	// identify in this run's read.
	ReferencesWaiting int `json:"referencesWaiting,omitempty"`
	ReferencesDropped int `json:"referencesDropped,omitempty"`
	ReferencesUnknown int `json:"referencesUnknown,omitempty"`

	// Unchanged is how many objects were looked at (read, or planned again for
	// another reason) whose account needed no change. Skipped is how many
	// were looked at and aren't synchronized by rule.
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`

	// HeldBack is how many removals weren't carried out because the
	// configuration isn't proven yet.
	HeldBack int `json:"heldBack,omitempty"`

	// Withheld is how many objects have a change that the policy doesn't let
	// through.
	Withheld int `json:"withheld,omitempty"`

	// Drifted is how many of our accounts were found to have been changed or
	// deleted by others. Reconciled says why all of them were looked at, ""
	// where what the target says to have changed was enough.
	//
	// RefsDrifted is how many members and owners others added to our groups or
	// removed from them, found in this run.
	Drifted     int    `json:"drifted,omitempty"`
	RefsDrifted int    `json:"refsDrifted,omitempty"`
	Reconciled  string `json:"reconciled,omitempty"`

	// Proposed is how many accounts at the target carry the source anchor of an
	// object but aren't known as ours: a state that was lost looks like this.
	// None of them is touched; each is a problem anchor-unowned that names the
	// account.
	Proposed int `json:"proposed,omitempty"`

	// Approver is who approved the plan that was carried out first, if somebody
	// did. Undid is the run that it undid.
	Approver string `json:"approver,omitempty"`
	Undid    uint64 `json:"undid,omitempty"`

	// Warnings are what concerns the run as a whole.
	Warnings []Warning `json:"warnings,omitempty"`

	// Writes is how many calls that change something the engine asked the
	// target for, refused ones included.
	Writes int `json:"writes"`

	// Problems are what is wrong with single objects: what is new in this run
	// and what is still open from before.
	Problems []plan.Problem `json:"problems"`

	// Watermark is where the next run resumes; of several sources, see Sources.
	Watermark source.Watermark `json:"watermark"`

	// PlanHash identifies the (first) plan of the run.
	PlanHash string `json:"planHash,omitempty"`
}

// A Warning is something about a run as a whole that a person has to see.
type Warning struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Remedy  string `json:"remedy"`

	// Object is what the warning is about, if that is one object.
	Object source.ID `json:"object,omitempty"`

	quiet string // the message without names, for the log
}

// Changed is the number of changes that the target accepted.
func (r *Report) Changed() int {
	return r.Created + r.Updated + r.Disabled + r.Deleted + r.Restored + r.MembersAdded + r.MembersRemoved + r.RefsChanged
}
