package ledger

import (
	"context"
	"iter"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// A Feed is how far is known what others did at the target.
type Feed struct {
	// Token is where the next delta of the target begins, "" for a target
	// without deltas. Untold says that it has none of this kind.
	Token  target.Token `json:"token,omitempty"`
	Untold bool         `json:"untold,omitempty"`

	// Full is when all of our accounts were last looked at.
	Full time.Time `json:"full"`

	// Policy is the last run's.
	Policy string `json:"policy,omitempty"`
}

// A Look says that the account of an object has to be looked at, since something
// seems to have happened to it.
type Look struct {
	// After is the earliest time: what was written a short while ago may not
	// show yet. Zero is at once.
	After time.Time `json:"after,omitzero"`

	// Binned says that the target told of its deletion; Purged that it is gone for
	// good.
	Binned bool `json:"binned,omitempty"`
	Purged bool `json:"purged,omitempty"`
}

// A Drift is what others did to an account of ours, as far as it has to be
// remembered.
type Drift struct {
	// Account is which one; what is remembered of another means nothing. "" is
	// the next one, since it was gone for good and is made anew.
	Account target.ID `json:"account"`

	// Back are the attributes that were put back; "" stands for the account.
	Back map[string]Back `json:"back,omitempty"`

	// Left are the attributes that hold what others wrote, and keep it; "" is
	// the account, which stays deleted.
	Left map[string]Left `json:"left,omitempty"`

	Gone    bool `json:"gone,omitempty"`    // neither live nor in the bin
	Alive   bool `json:"alive,omitempty"`   // out of the bin, though nobody wants it
	Foreign bool `json:"foreign,omitempty"` // another tool owns it now
}

// Empty reports whether there is nothing to remember.
func (d *Drift) Empty() bool {
	return len(d.Back) == 0 && len(d.Left) == 0 && !d.Gone && !d.Alive && !d.Foreign
}

// A Back is an attribute that was put back.
type Back struct {
	Ours  []string  `json:"ours,omitempty"`
	Times int       `json:"times"` // in a row
	At    time.Time `json:"at"`    // the last time

	// Held says that the target has shown our value since.
	Held bool `json:"held,omitempty"`
}

// A Left is an attribute whose value others wrote, and which stays. It is over
// when something else than Ours was applied.
type Left struct {
	Ours   []string `json:"ours,omitempty"`
	Theirs []string `json:"theirs,omitempty"`

	// Persists says that it was put back and came again.
	Persists bool `json:"persists,omitempty"`
}

// Feed returns the feed of a kind, nil before the first.
func (l *Ledger) Feed(ctx context.Context, kind target.Kind) (*Feed, error) {
	return load[Feed](ctx, l.Buffer, l.keys.feed(kind))
}

// SetFeed keeps f.
func (l *Ledger) SetFeed(kind target.Kind, f Feed) error { return save(l.Buffer, l.keys.feed(kind), f) }

// ClearFeed forgets the feed of a kind.
func (l *Ledger) ClearFeed(kind target.Kind) { l.Remove(l.keys.feed(kind)) }

// SetLook keeps that the account of id has to be looked at.
func (l *Ledger) SetLook(id source.ID, k Look) error { return save(l.Buffer, l.keys.look(id), k) }

// ClearLook says that it was looked at.
func (l *Ledger) ClearLook(id source.ID) { l.Remove(l.keys.look(id)) }

// Looks yields whose accounts have to be looked at, by ID.
func (l *Ledger) Looks(ctx context.Context) iter.Seq2[Keyed[Look], error] {
	return list[Look](ctx, l.Buffer, l.keys.looks())
}

// Drift returns what others did to the account of id, nil if nothing is
// remembered.
func (l *Ledger) Drift(ctx context.Context, id source.ID) (*Drift, error) {
	return load[Drift](ctx, l.Buffer, l.keys.drift(id))
}

// SetDrift keeps d; an empty one, or nil, removes the record.
func (l *Ledger) SetDrift(id source.ID, d *Drift) error {
	if d == nil || d.Empty() {
		l.Remove(l.keys.drift(id))
		return nil
	}
	return save(l.Buffer, l.keys.drift(id), d)
}

// Drifts yields what others did, by ID.
func (l *Ledger) Drifts(ctx context.Context) iter.Seq2[Keyed[Drift], error] {
	return list[Drift](ctx, l.Buffer, l.keys.drifts())
}
