package ledger

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// An Entry is everything that is remembered about one source object.
type Entry struct {
	// Object is the source object as it was last seen.
	Object source.Object `json:"object"`

	// Presence says what the source last said of it; Evidence is the proof of
	// Left and Deleted.
	Presence plan.Presence    `json:"-"`
	Evidence *source.Evidence `json:"evidence,omitempty"`

	// Link and Applied: what we own for it, and the values that the target
	// accepted from us.
	Link    *plan.Link        `json:"link,omitempty"`
	Applied target.Attributes `json:"applied,omitempty"`

	// Memory is the mapping rules' own. Suffix, UPN, Mail and Anchor are under which
	// index keys the object stands.
	Memory mapping.Memory `json:"memory,omitzero"`
	Suffix string         `json:"suffix,omitempty"`
	UPN    string         `json:"upn,omitempty"`
	Mail   string         `json:"mail,omitempty"`
	Anchor string         `json:"anchor,omitempty"`

	// RefusedDomain and Refused are what the target refused for this object.
	RefusedDomain string              `json:"refusedDomain,omitempty"`
	Refused       map[string][]string `json:"refused,omitempty"`

	// Taken are values by attribute that somebody who isn't ours held when
	// this object was last refused them.
	Taken map[string]string `json:"taken,omitempty"`

	// Unsure are attributes of which the target may hold another value than
	// Applied says: a first call had an unknown outcome, its repeat was
	// refused.
	Unsure []string `json:"unsure,omitempty"`

	// MayLive says that the account may be out of the bin, since a restore was
	// tried and didn't end well.
	MayLive bool `json:"mayLive,omitempty"`

	// Deleting is when we sent a delete of the account that nobody wants any more
	// and of which no outcome was seen; zero once the account was.
	Deleting time.Time `json:"deleting,omitzero"`

	// Wrote is when the target last accepted a change of the account. For a
	// while after that, what it shows may be older.
	Wrote time.Time `json:"wrote,omitzero"`

	// Side is on which side of the scope it was.
	Side Side `json:"side,omitzero"`

	// Home is the source whose word about the object counts: "" is the one that
	// has the engine's name. Others are what other sources hold under the same
	// ID, by their homes; Gone is since when Home doesn't have it any more.
	Home   string                   `json:"-"`
	Others map[string]source.Object `json:"others,omitempty"`
	Gone   time.Time                `json:"gone,omitzero"`

	// Member is by which group it is in the scope, if that goes by groups.
	Member Member `json:"member,omitzero"`

	// Joined says how it is joined with objects of other sources.
	Joined Joined `json:"joined,omitzero"`

	// Digest identifies Object's values, as its source has them.
	Digest [sha256.Size]byte `json:"-"`
}

// Kind is what the object is at the target.
func (e *Entry) Kind() target.Kind {
	if e.Object.Kind == source.Group {
		return target.Group
	}
	return target.User
}

// Owned reports whether there is a live account that is ours.
func (e *Entry) Owned() bool { return e.Link != nil && e.Link.Binned.IsZero() }

// A Head is what can be told of an entry without decoding it.
type Head struct {
	Presence plan.Presence
	Linked   bool
	Digest   [sha256.Size]byte
	Home     string
	Shared   bool // other sources hold it, too
}

// An encoded entry: a version byte, the presence, whether it is linked, the
// digest, then JSON. Reads in which nothing changed look at the head only. That
// of an object of an engine with several sources goes on with a byte that says
// whether other sources hold it, the length of its home's name, and that name.
const (
	entryVersion = 1
	homeVersion  = 2
	headSize     = 3 + sha256.Size
)

func (e *Entry) encode() ([]byte, error) {
	var b bytes.Buffer
	linked := byte(0)
	if e.Owned() {
		linked = 1
	}
	version, shared := byte(entryVersion), byte(0)
	if len(e.Others) > 0 {
		shared = 1
	}
	if e.Home != "" || shared != 0 {
		version = homeVersion
	}
	b.Write([]byte{version, byte(e.Presence), linked})
	b.Write(e.Digest[:])
	if version == homeVersion {
		b.Write([]byte{shared, byte(len(e.Home))})
		b.WriteString(e.Home)
	}
	if err := json.NewEncoder(&b).Encode(e); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// DecodeHead reads the head of an encoded entry.
func DecodeHead(v []byte) (Head, error) {
	h, _, err := cutHead(v)
	return h, err
}

// cutHead reads the head of an encoded entry, and returns what comes after it.
func cutHead(v []byte) (Head, []byte, error) {
	unknown := errors.New("object record has an unknown form")
	if len(v) < headSize || v[0] != entryVersion && v[0] != homeVersion {
		return Head{}, nil, unknown
	}
	h := Head{Presence: plan.Presence(v[1]), Linked: v[2] == 1}
	copy(h.Digest[:], v[3:])
	rest := v[headSize:]
	if v[0] == homeVersion {
		if len(rest) < 2 || len(rest) < 2+int(rest[1]) {
			return Head{}, nil, unknown
		}
		n := 2 + int(rest[1])
		h.Shared, h.Home, rest = rest[0] == 1, string(rest[2:n]), rest[n:]
	}
	return h, rest, nil
}

func decodeEntry(v []byte) (*Entry, error) {
	h, rest, err := cutHead(v)
	if err != nil {
		return nil, err
	}
	e := &Entry{}
	if err := json.Unmarshal(rest, e); err != nil {
		return nil, fmt.Errorf("object record: %w", err)
	}
	e.Presence, e.Digest, e.Home = h.Presence, h.Digest, h.Home
	return e, nil
}

// Digest identifies the values of an object: equal objects have equal digests.
func Digest(o *source.Object) (sum [sha256.Size]byte) {
	h := sha256.New()
	text(h, string(o.Kind))
	text(h, o.DN)
	for _, name := range slices.Sorted(maps.Keys(o.Attributes)) {
		text(h, name)
		values := o.Attributes[name]
		number(h, len(values))
		for _, v := range values {
			text(h, v)
		}
	}
	for _, f := range o.Faults {
		text(h, f.Attribute)
		text(h, f.Reason)
	}
	if o.Parent != "" {
		text(h, string(o.Parent))
	}
	h.Sum(sum[:0])
	return sum
}

func text(h hash.Hash, s string) {
	number(h, len(s))
	io.WriteString(h, s)
}

func number(h hash.Hash, n int) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
}

// A Due says that an object has to be planned.
type Due struct {
	// Attempts is how often in a row the target refused it; Next the earliest
	// time of another try, zero for at once.
	Attempts int       `json:"attempts,omitempty"`
	Next     time.Time `json:"next,omitzero"`

	// Why tells people why, if not because the object changed.
	Why string `json:"why,omitempty"`

	// Withheld says that the policy doesn't let the change through.
	Withheld bool `json:"withheld,omitempty"`
}

// An Intent is a change on the wire: durable before the call, removed when its
// outcome is settled.
type Intent struct {
	Change plan.Change `json:"change"`
	Run    uint64      `json:"run"`
	Round  int         `json:"round,omitempty"`
	Since  time.Time   `json:"since"`

	// Plan is the hash of the plan that it was a change of, Approver who
	// approved that ("" where nobody had to).
	Plan     string `json:"plan,omitempty"`
	Approver string `json:"approver,omitempty"`

	// Undo is the run that the change undoes, 0 for a synchronization.
	Undo uint64 `json:"undo,omitempty"`

	// Told says that the audit has a record of the call, though its outcome is
	// open.
	Told bool `json:"told,omitempty"`
}

// Facts are what is known about the pair of source and target as a whole.
type Facts struct {
	// Domains and Rules are the fingerprints of the last run's verified
	// domains and mapping rules; Verified the domains themselves.
	Domains  string   `json:"domains,omitempty"`
	Verified []string `json:"verified,omitempty"`
	Rules    string   `json:"rules,omitempty"`

	// Join is the fingerprint of the last run's join rule.
	Join string `json:"join,omitempty"`

	// Proven is when the configuration was proven: by the first complete run
	// that planned no removal and passed the guard.
	Proven time.Time `json:"proven,omitzero"`

	// Behind says that the state is older than what was done, and that our
	// accounts haven't been looked at since.
	Behind bool `json:"behind,omitempty"`

	// Policy is the last run's.
	Policy plan.Policy `json:"policy,omitempty"`

	// Owned is how many live accounts of people are ours, Groups how many live
	// groups, Members how many memberships of theirs.
	Owned   int `json:"owned"`
	Groups  int `json:"groups,omitempty"`
	Members int `json:"members,omitempty"`

	// RefsWaiting and RefsDropped count wanted references by [Standing].
	RefsWaiting int `json:"refsWaiting,omitempty"`
	RefsDropped int `json:"refsDropped,omitempty"`

	// Runs is the number of the last run, Oldest that of the first one of which
	// something is kept.
	Runs   uint64 `json:"runs"`
	Oldest uint64 `json:"oldest,omitempty"`

	// Finished is when the last run ended well.
	Finished time.Time `json:"finished,omitzero"`
}

// Own counts n more live objects of a kind as ours.
func (f *Facts) Own(kind target.Kind, n int) {
	if kind == target.Group {
		f.Groups += n
		return
	}
	f.Owned += n
}

// A Watermark is the source's watermark, with the run that reached it.
type Watermark struct {
	Value source.Watermark `json:"value"`
	Run   uint64           `json:"run"`
	Time  time.Time        `json:"time"`

	// Broken says that a complete read has begun since and hasn't ended: a
	// delta from here wouldn't repeat what is newer than what that gave.
	Broken bool `json:"broken,omitempty"`
}
