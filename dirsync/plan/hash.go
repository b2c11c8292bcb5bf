package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// A Hasher computes the name of a plan: SHA-256 over the canonical encoding of
// its changes in apply order. The canonical encoding of a change is its JSON
// (Go's: fields in order of declaration, map keys ascending) and a newline.
// Equal plans have equal hashes, whenever and in whatever order they were made.
type Hasher struct{ h hash.Hash }

// NewHasher returns a Hasher that has seen no change.
func NewHasher() *Hasher { return &Hasher{sha256.New()} }

// Add takes the next change in apply order.
func (h *Hasher) Add(c *Change) error {
	line, err := Encode(c)
	h.h.Write(line)
	return err
}

// Encode returns the canonical encoding of c: a plan's hash is the SHA-256 of
// these lines. When the evidence was seen is left out, since it says nothing
// about what will be done.
func Encode(c *Change) ([]byte, error) {
	if c.Evidence != nil {
		d, e := *c, *c.Evidence
		e.Seen = time.Time{}
		d.Evidence = &e
		c = &d
	}
	line, err := json.Marshal(c)
	return append(line, '\n'), err
}

// Sum returns the hash in hexadecimal.
func (h *Hasher) Sum() string { return hex.EncodeToString(h.h.Sum(nil)) }

// Same reports whether c and d do the same to the same account under the same
// circumstances: operation, values before and after, precondition, sort of
// evidence, place in the order. What only tells people why may differ.
func Same(c, d *Change) bool { return c.Wave == d.Wave && c.digest(true) == d.digest(true) }

// Deed identifies what c does, whatever the circumstances.
func (c *Change) Deed() string { return c.digest(false) }

func (c *Change) digest(circumstances bool) string {
	x := struct {
		target.Change
		Refer        *Refer `json:",omitempty"`
		Source       string
		Removal      bool
		Before       target.Attributes
		Precondition Precondition
		Evidence     string
	}{Change: c.Change, Refer: c.Refer, Source: string(c.Source), Removal: c.Removal}
	if circumstances {
		x.Before, x.Precondition = c.Before, c.Precondition
		if c.Evidence != nil {
			x.Evidence = c.Evidence.Kind
		}
	}
	b, err := json.Marshal(x)
	if err != nil {
		panic(err) // no field can fail
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
