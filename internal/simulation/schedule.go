package simulation

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Schedule is a company and what happens to it: the whole input of [Run].
type Schedule struct {
	Seed  uint64 `json:"seed"`
	World Config `json:"world"`
	Steps []Step `json:"steps"`
}

// A Config is what doesn't change in a schedule.
type Config struct {
	Leaving   string `json:"leaving"`             // at first
	Parallel  int    `json:"parallel"`            // calls on the wire
	Batch     int    `json:"batch"`               // changes in a call
	Grace     int    `json:"grace,omitempty"`     // seconds, negative: none
	Patience  int    `json:"patience,omitempty"`  // seconds, negative: none
	Removals  int    `json:"removals,omitempty"`  // the guard's limit, 0: none
	Lag       int    `json:"lag,omitempty"`       // seconds until an account is visible
	Normalise bool   `json:"normalise,omitempty"` // the tenant changes what it is given
	Every     int    `json:"every,omitempty"`     // events between checkpoints of a delta
	Timed     bool   `json:"timed,omitempty"`     // in the calm, retries wait for their time
	Audit     bool   `json:"audit,omitempty"`     // there is an audit log
	Units     bool   `json:"units,omitempty"`     // there are organizational units, and a scope
	Two       bool   `json:"two,omitempty"`       // directories, of one tenant
	Swapped   bool   `json:"swapped,omitempty"`   // in the other order
	MoveWait  int    `json:"moveWait,omitempty"`  // seconds
	Circles   bool   `json:"circles,omitempty"`   // there are groups by which the scope goes
	Groups    int    `json:"groups,omitempty"`    // members in one change; 0: no references at all
	Sorts     bool   `json:"sorts,omitempty"`     // some groups are Microsoft 365 groups
	Most      int    `json:"most,omitempty"`      // members of a group; 0: any number
	Drift     string `json:"drift,omitempty"`     // the policy for what others change; "": the default
}

// A Step is one thing that happens. What its fields mean depends on Do; a step
// that makes no sense (any more) does nothing.
type Step struct {
	Do     string  `json:"do"`
	P      int     `json:"p,omitempty"` // a person's number
	Q      int     `json:"q,omitempty"` // another person's
	N      int     `json:"n,omitempty"`
	S      string  `json:"s,omitempty"`
	T      string  `json:"t,omitempty"`
	L      []int   `json:"l,omitempty"` // persons
	Full   bool    `json:"full,omitempty"`
	Retry  bool    `json:"retry,omitempty"`
	Faults []Fault `json:"faults,omitempty"` // of a run
}

// A Fault goes wrong in one run.
type Fault struct {
	Kind string `json:"kind"`
	N    int    `json:"n,omitempty"` // the n-th call, event, commit
	S    string `json:"s,omitempty"` // which error
	Done bool   `json:"done,omitempty"`
}

// String is the schedule for people: one line a step.
func (s *Schedule) String() string {
	var b strings.Builder
	w, _ := json.Marshal(s.World)
	fmt.Fprintf(&b, "seed %d, world %s\n", s.Seed, w)
	for i := range s.Steps {
		fmt.Fprintf(&b, "  %2d %s\n", i+1, s.Steps[i].String())
	}
	return b.String()
}

// String is the step for people.
func (s *Step) String() string {
	x := *s
	x.Faults = nil
	j, _ := json.Marshal(x)
	text := strings.TrimSuffix(strings.TrimPrefix(string(j), `{"do":`), "}")
	for _, f := range s.Faults {
		f, _ := json.Marshal(f)
		text += " + " + string(f)
	}
	return text
}

// Size is the number of events: steps and faults.
func (s *Schedule) Size() int {
	n := len(s.Steps)
	for i := range s.Steps {
		n += len(s.Steps[i].Faults)
	}
	return n
}
