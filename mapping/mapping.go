package mapping

import (
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Mapper decides what a source object should be at the target. It is pure:
// equal inputs give equal results, it asks nothing, knows no time but the
// input's, and keeps its input as it was. It is safe for concurrent use.
type Mapper interface {
	// Map decides about one object. It never panics on bad values: what can't
	// be mapped becomes a Problem of that object.
	Map(in Input) Result

	// Fingerprint identifies the rules and their options. When it differs from
	// last time, the engine maps every object again.
	Fingerprint() string
}

// An Input is everything that a decision about one object may depend on.
type Input struct {
	// Object is the source object as it is now.
	Object source.Object

	// Domains are the target's, asked once before planning.
	Domains Domains

	// Previous is what the last decision about this object said to remember;
	// the zero value at first sight.
	Previous Memory

	// RefusedDomain is a domain (lower case) that the target refused for this
	// object although it is listed as verified; "" usually. The rules treat
	// it as not verified.
	RefusedDomain string

	// Now is the instant of the run. Rules that judge by time (expired
	// accounts) use it and nothing else; they judge nothing while it is zero.
	Now time.Time
}

// A Memory is what the rules need to know of their own last decision. The
// engine keeps it with the object.
type Memory struct {
	// Anchor is the source anchor, fixed at first sight. "" before.
	Anchor string `json:"anchor,omitempty"`

	// ConsistencyGUID says that the anchor came from mS-DS-ConsistencyGuid.
	ConsistencyGUID bool `json:"consistencyGuid,omitempty"`

	// LoginID, UPN, Nickname and SourceNickname are the inputs and results of
	// the last decision about names. Rules that recompute only on certain
	// events (Connect's) compare with them.
	LoginID        string `json:"loginId,omitempty"`
	UPN            string `json:"upn,omitempty"`
	Nickname       string `json:"nickname,omitempty"`
	SourceNickname string `json:"sourceNickname,omitempty"`

	// Domains is the fingerprint of the verified domains of that decision.
	Domains string `json:"domains,omitempty"`
}

// A Result is what the rules decided about one object.
type Result struct {
	// Skip, if not nil, says why the object isn't synchronized at all.
	Skip *Decision

	// Undecided says that nothing can be decided now: whatever there is stays as
	// it is. Problems say why; nothing else counts.
	Undecided bool

	Kind   target.Kind
	Anchor string

	// LoginID is the on-premises login ID that the UPN was made of, and Suffix
	// the part behind its last '@' in lower case. The engine keeps objects by
	// Suffix, to find those concerned when a domain becomes verified or is
	// removed.
	LoginID string
	Suffix  string

	// Address is, for a group, its address in the directory, "" if it has none. It
	// isn't written: groups at the target may be found by it.
	Address string

	// Attributes are the desired values. Every attribute of the flow is named;
	// one without values shall have none at the target. An attribute that a
	// Problem concerns isn't named: the target keeps what it has.
	Attributes target.Attributes

	// CannotClear names attributes that the target can't clear. Without a
	// desired value they keep the one they have.
	CannotClear []string

	// Decisions explain the result, one for each attribute, in the flow's
	// order.
	Decisions []Decision

	// Problems are what is wrong with this object. Those that are Fatal
	// prevent its creation; for an object that exists, the rest goes on.
	Problems []Problem

	// Until is when the result may become another one though neither the object
	// nor anything else in the Input but Now changes: the object is to be
	// mapped again then. Zero, the default rules' usual answer, is never.
	Until time.Time

	// Memory is what to give as Previous the next time.
	Memory Memory
}

// A Decision explains one value. It is data: log lines, reports and "explain"
// are made from it.
type Decision struct {
	Attribute string   `json:"attribute"`        // of the target; "" for a decision about the whole object
	Rule      string   `json:"rule"`             // which rule: "upn", "displayName", "skip"
	Branch    string   `json:"branch"`           // which way it went, in words: "own domain", "fallback domain: corp.local isn't verified"
	Inputs    []Value  `json:"inputs,omitempty"` // what it looked at
	Result    []string `json:"result,omitempty"` // what came out
}

// A Value is an input of a decision.
type Value struct {
	Name   string   `json:"name"`
	Values []string `json:"values,omitempty"`
}

// A Problem is something about one object that a person has to see.
type Problem struct {
	Code      string `json:"code"`                // stable, kebab-case: "value-too-long"
	Attribute string `json:"attribute,omitempty"` // of the target, where one is concerned
	Message   string `json:"message"`             // what is wrong; may name the value
	Remedy    string `json:"remedy"`              // what to do

	// Fatal says that the object can't be created.
	Fatal bool `json:"-"`

	// Once says that it is reported when it appears, and not again while it
	// lasts.
	Once bool `json:"once,omitempty"`
}
