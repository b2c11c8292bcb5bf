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
)

// A Report says what a run did. Counts are exact: a change counts when the
// target accepted it.
type Report struct {
	Run      uint64    `json:"run"`
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"`

	Mode       Mode   `json:"mode"`
	FullReason string `json:"fullReason,omitempty"` // why the read was a full one

	// Read is how many objects the source gave: those in scope, those that
	// left and those deleted. An object that came twice counts twice.
	Read int `json:"read"`

	Created  int `json:"created"`
	Updated  int `json:"updated"` // every update that isn't a disable; enables included
	Enabled  int `json:"enabled"` // of Updated, those that turned an account on
	Disabled int `json:"disabled"`
	Deleted  int `json:"deleted"`
	Restored int `json:"restored"`

	// Unchanged is how many objects were looked at (read, or planned again for
	// another reason) whose account needed no change. Skipped is how many
	// were looked at and aren't synchronized by rule.
	Unchanged int `json:"unchanged"`
	Skipped   int `json:"skipped"`

	// HeldBack is how many removals weren't carried out because the
	// configuration isn't proven yet.
	HeldBack int `json:"heldBack,omitempty"`

	// Writes is how many calls that change something the engine asked the
	// target for, refused ones included.
	Writes int `json:"writes"`

	// Problems are what is wrong with single objects: what is new in this run
	// and what is still open from before.
	Problems []plan.Problem `json:"problems"`

	// Watermark is where the next run resumes.
	Watermark source.Watermark `json:"watermark"`

	// PlanHash identifies the (first) plan of the run.
	PlanHash string `json:"planHash,omitempty"`
}

// Changed is the number of changes that the target accepted.
func (r *Report) Changed() int {
	return r.Created + r.Updated + r.Disabled + r.Deleted + r.Restored
}
