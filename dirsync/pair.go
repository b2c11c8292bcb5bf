package dirsync

import (
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A MatchKey says by what an account was found for an object.
type MatchKey string

const (
	// ByAnchor: the account carries the object's source anchor.
	ByAnchor MatchKey = "anchor"

	// ByUserPrincipalName and ByMail: the account has the name or the primary
	// address that the object is to have. Whoever may write the directory can
	// make such a pair of any account.
	ByUserPrincipalName MatchKey = "userPrincipalName"
	ByMail              MatchKey = "mail"

	// ByMailNickname and ByDisplayName: the group has the nickname or the display
	// name that the object is to have. Neither need be unique at the target.
	ByMailNickname MatchKey = "mailNickname"
	ByDisplayName  MatchKey = "displayName"

	// ByRebind: the account is that of another object of ours, which is gone and
	// had the same source anchor; it moved to another forest.
	ByRebind MatchKey = "rebind"
)

// A Pair is an object and the account that it is to get. It is what
// [Engine.Match] proposes and [Engine.Adopt] takes.
type Pair struct {
	Object  source.ID `json:"object"`
	Account target.ID `json:"account"`
	By      MatchKey  `json:"by"`

	// Anchor is the source anchor that the account carries, "" if it has none:
	// then it gets the object's.
	Anchor string `json:"anchor,omitempty"`

	// From is, for ByRebind, the object whose account it is until now.
	From source.ID `json:"from,omitempty"`
}

// A Match is a pair that somebody may want, with what there is to know about it.
type Match struct {
	Pair

	Kind        target.Kind `json:"kind,omitempty"`        // of the object
	Name        string      `json:"name,omitempty"`        // the object's DN
	UPN         string      `json:"upn,omitempty"`         // that the object is to have
	DisplayName string      `json:"displayName,omitempty"` // likewise

	AccountUPN         string `json:"accountUPN,omitempty"`
	AccountDisplayName string `json:"accountDisplayName,omitempty"`

	// Before and After are what the run after the adoption would change at the
	// account, if the names are free.
	Before target.Attributes `json:"before,omitempty"`
	After  target.Attributes `json:"after,omitempty"`

	// Conflicts are why it can't be adopted; none if it can.
	Conflicts []Conflict `json:"conflicts,omitempty"`
}

// A Conflict is what stands against a pair.
type Conflict struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// The codes of conflicts.
const (
	ConflictSeveralAccounts = "several-accounts"       // for one object
	ConflictSeveralObjects  = "several-objects"        // for one account
	ConflictOtherAnchor     = "other-anchor"           // the account carries another anchor
	ConflictAnchorTwice     = "anchor-twice"           // another object of ours has the anchor
	ConflictNotGone         = "not-proven-gone"        // the one whose account it is may be there
	ConflictProtected       = "protected"              // the account is an administrator's
	ConflictUnknown         = "protection-unknown"     // or it can't be told that it isn't
	ConflictForeign         = "synchronized-by-others" // another tool, or the tenant itself, masters the account
	ConflictOtherKind       = "other-kind"             // the account isn't of the object's kind, or another sort of group
	ConflictBinned          = "in-the-bin"             // the account is deleted: restore it at the target first
)

// An Adopted is what became of one pair.
type Adopted struct {
	Pair
	Kind target.Kind `json:"kind,omitempty"` // of the object, if it is known
	Name string      `json:"name,omitempty"` // the object's DN, if it is known
	UPN  string      `json:"upn,omitempty"`  // the account's, if it was found

	Outcome AdoptOutcome `json:"outcome"`
	Reason  string       `json:"reason,omitempty"` // why it was refused
}

// An AdoptOutcome says what became of a pair.
type AdoptOutcome string

const (
	AdoptDone    AdoptOutcome = "adopted"
	AdoptRebound AdoptOutcome = "rebound"
	AdoptAlready AdoptOutcome = "already" // it was adopted before; nothing was done
	AdoptRefused AdoptOutcome = "refused" // it doesn't hold (any more); nothing was done
)
