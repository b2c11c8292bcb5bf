package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"time"
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
	// When the evidence was seen says nothing about what will be done.
	if c.Evidence != nil {
		d, e := *c, *c.Evidence
		e.Seen = time.Time{}
		d.Evidence = &e
		c = &d
	}
	return json.NewEncoder(h.h).Encode(c)
}

// Sum returns the hash in hexadecimal.
func (h *Hasher) Sum() string { return hex.EncodeToString(h.h.Sum(nil)) }
