package audit

import "time"

// An Event says what a [Record] tells of.
type Event string

const (
	EventWrite       Event = "write"        // a call that was meant to change the target
	EventApproved    Event = "approved"     // somebody approved a plan
	EventRejected    Event = "rejected"     // somebody rejected a plan
	EventHalted      Event = "halted"       // the guard stopped a run
	EventStateBehind Event = "state-behind" // the state is older than the target
	EventPlanStale   Event = "plan-stale"   // a plan was to be applied that no longer holds
	EventUndo        Event = "undo"         // the inverse of a run was planned
	EventAdopted     Event = "adopted"      // somebody made an account that was there ours
	EventRebound     Event = "rebound"      // somebody gave an account of ours to another object
)

// An Outcome says what became of a write.
type Outcome string

const (
	OutcomeApplied     Outcome = "applied"     // the target accepted it
	OutcomeRefused     Outcome = "refused"     // the target, or we, refused it: nothing was changed
	OutcomeUnknown     Outcome = "unknown"     // no answer: it may have been made
	OutcomeInterrupted Outcome = "interrupted" // we died before the answer: it may have been made
)

// A Record is one line of the audit log. Fields without a value are left out of
// the line; the names and their order never change, new ones come before prev.
type Record struct {
	Seq   uint64    `json:"seq"`           // counts from 1, without gaps; set by Seal
	Time  time.Time `json:"time,omitzero"` // when the outcome was settled, UTC
	Run   uint64    `json:"run,omitempty"` // the run's number
	Event Event     `json:"event,omitempty"`
	Op    string    `json:"op,omitempty"`   // create, update, ...; as in target.Op
	Kind  string    `json:"kind,omitempty"` // user, ...; as in target.Kind

	Source string `json:"source,omitempty"` // the object: its objectGUID
	Name   string `json:"name,omitempty"`   // its DN
	Target string `json:"target,omitempty"` // the account: its id at the target
	Anchor string `json:"anchor,omitempty"` // the source anchor
	UPN    string `json:"upn,omitempty"`    // the account's name

	// Before are the values that we knew, After those that we asked for. A
	// name without values is cleared. Values of attributes that are secrets
	// (see [IsSecret]) are replaced by Seal.
	Before map[string][]string `json:"before,omitempty"`
	After  map[string][]string `json:"after,omitempty"`

	Outcome Outcome `json:"outcome,omitempty"`
	Error   string  `json:"error,omitempty"`  // why it was refused, or is unknown
	Repeat  bool    `json:"repeat,omitempty"` // the call repeated one whose outcome was unknown

	Reason   string    `json:"reason,omitempty"`   // why there was a change at all
	Rules    []Rule    `json:"rules,omitempty"`    // why these values
	Evidence *Evidence `json:"evidence,omitempty"` // why something may be taken away
	Plan     string    `json:"plan,omitempty"`     // the hash of the plan
	Approver string    `json:"approver,omitempty"` // who approved it

	// RequestID is the target's own id of the call, ClientRequestID the one
	// that we gave it: it is known also when no answer came.
	RequestID       string `json:"requestId,omitempty"`
	ClientRequestID string `json:"clientRequestId,omitempty"`
	Detail          string `json:"detail,omitempty"` // what else there is to say

	Prev string `json:"prev,omitempty"` // the hash of the record before; none for the first
	Hash string `json:"hash,omitempty"` // of this record; set by Seal
}

// A Rule is what decided on one attribute.
type Rule struct {
	Attribute string `json:"attribute"`
	Rule      string `json:"rule"`
	Branch    string `json:"branch"` // which of the rule's ways was taken
}

// Evidence is the proof on which something was taken away.
type Evidence struct {
	Kind   string    `json:"kind"` // as in source.Evidence
	Detail string    `json:"detail,omitempty"`
	Seen   time.Time `json:"seen,omitzero"`
}

// A Head is the end of a chain, or any place in it: the number of a record and
// its hash. The zero Head is the beginning.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

// Head is r's place in the chain.
func (r *Record) Head() Head { return Head{Seq: r.Seq, Hash: r.Hash} }
