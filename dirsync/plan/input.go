package plan

import (
	"time"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Presence says what the source last said about an object.
type Presence byte

const (
	Present Presence = 'p' // it exists, in scope
	Left    Presence = 'l' // it exists, out of scope
	Deleted Presence = 'd' // its deletion was seen
	Missing Presence = 'm' // a complete read didn't give it, and nothing is proven
)

func (p Presence) word() string {
	switch p {
	case Present:
		return "present"
	case Left:
		return "left"
	case Deleted:
		return "deleted"
	}
	return "unknown"
}

// AccountOf is what a [Precondition] says of the account that l leads to.
func AccountOf(l *Link) string {
	switch {
	case l == nil:
		return "none"
	case l.Binned.IsZero():
		return "live"
	}
	return "deleted"
}

// A Link ties an object to the target object that it owns.
type Link struct {
	ID     target.ID `json:"id"`
	Anchor string    `json:"anchor"`
	Since  time.Time `json:"since"` // when it became ours

	// Binned is when we learned that the target object is in the target's bin;
	// zero while it lives.
	Binned time.Time `json:"binned,omitzero"`

	// Unstamped says that the target object, which was adopted, doesn't carry
	// Anchor yet; a group never will.
	Unstamped bool `json:"unstamped,omitempty"`

	// Foreign says that another tool synchronized the target object when it was
	// last seen: nothing is written to it.
	Foreign bool `json:"foreign,omitempty"`
}

// A Leaving says what happens to the account of an object that left the scope.
type Leaving string

const (
	DisableOnLeave Leaving = "disable" // the default
	DeleteOnLeave  Leaving = "delete"
	KeepOnLeave    Leaving = "keep"
)

// An Input is all that a decision about one object depends on.
type Input struct {
	ID       source.ID
	Kind     target.Kind // "" is a user
	Name     string      // its DN
	Presence Presence
	Evidence *source.Evidence // of Left and Deleted

	Result  mapping.Result    // what the rules want; only for Present
	Link    *Link             // nil: we own nothing for it
	Applied target.Attributes // what we last wrote there and the target accepted

	// UPN and Mail are what became of the names that Result wants: of the
	// userPrincipalName, for a group of the mailNickname, and of the address.
	UPN, Mail Claim

	// AnchorHolder is a target object that carries Result's anchor though it
	// isn't linked to anything: an account that may be this person's, but is
	// not ours to take. "" usually.
	AnchorHolder target.ID

	// AnchorBinned says that AnchorHolder lies in the target's bin.
	AnchorBinned bool

	// AnchorOwner is another of our own objects that has, or is to have, the
	// same anchor. "" usually.
	AnchorOwner source.ID

	// Refused are values by attribute that the target refused for this object.
	// While the desired value is the same, it isn't written again.
	Refused map[string][]string

	// Unsure are attributes whose value at the target isn't certain. They are
	// written even if Applied is as desired.
	Unsure []string

	// MayLive says that the account may have come out of the bin: who is to have
	// none is removed as if it had.
	MayLive bool

	Leaving Leaving

	// Returned says that the scope refused the object, and its account hasn't
	// followed its return yet. Rescoped says that the scope's configuration was
	// changed since the object was on the other side.
	Returned, Rescoped bool

	// Vanished says that the object left the scope because an attribute that a
	// condition asks for has no value any more.
	Vanished bool

	// Entering says why it is in the scope, "" for no more than that it is.
	Entering string

	// Again says that the object is planned again when this change is made.
	Again bool
}

// Blocked says that something at the target is in the way. Nothing at the source
// will tell when it is gone.
func (in Input) Blocked() bool {
	return in.UPN.Foreign || in.Mail.Foreign || in.AnchorHolder != ""
}

// A Claim is the outcome of the competition for a value that must be unique.
// The zero value: it is ours to take.
type Claim struct {
	// Holder is who holds the value instead; "" if nobody does.
	Holder string

	// Placeholder is what to write instead, "" to leave the attribute out.
	Placeholder string

	// Foreign says that the holder isn't one of ours: nothing is created.
	Foreign bool

	// Temporary says that the value will be ours in a moment: one of a cycle
	// steps aside. It is no problem.
	Temporary bool
}
