package ldapsource

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

// watermarkPrefix names the form of a watermark. What follows is a checksum, a
// colon, and JSON.
const watermarkPrefix = "dirbridge-ad-1:"

// A watermark is what a delta has to know about the read before it. Every field
// but Partial is compared before it is relied on.
type watermark struct {
	Server       string    `json:"server"` // URL as configured: the one to ask first
	DC           string    `json:"dc"`     // dnsHostName
	Domain       string    `json:"domain"` // naming context
	InvocationID string    `json:"invocationId"`
	Scope        string    `json:"scope"` // hash of base DNs and attributes
	Mode         DeltaMode `json:"mode"`
	Cookie       []byte    `json:"cookie,omitempty"` // DirSync
	USN          int64     `json:"usn"`              // highestCommittedUSN before the read
	Time         time.Time `json:"time"`             // the controller's clock then

	// Partial says that the read which made it has more to give.
	Partial bool `json:"partial,omitempty"`

	// The entry with the highest uSNChanged that was seen. On a controller
	// restored from an image its uSNChanged is lower, or it is gone, even when
	// highestCommittedUSN has grown past the old value since.
	WitnessID  source.ID `json:"witness,omitempty"`
	WitnessUSN int64     `json:"witnessUsn,omitempty"`
}

// text writes a watermark down.
func (w watermark) text() source.Watermark {
	b, err := json.Marshal(w)
	if err != nil {
		panic(err) // no field can fail
	}
	return source.Watermark(watermarkPrefix + checksum(b) + ":" + string(b))
}

// parseWatermark is the inverse of text.
func parseWatermark(t source.Watermark) (w watermark, err error) {
	rest, ok := strings.CutPrefix(string(t), watermarkPrefix)
	if !ok {
		return w, errors.New("it isn't of this form or version")
	}
	sum, body, ok := strings.Cut(rest, ":")
	if !ok || sum != checksum([]byte(body)) {
		return w, errors.New("its checksum doesn't fit: it was damaged")
	}
	if err := json.Unmarshal([]byte(body), &w); err != nil {
		return w, errors.New("it can't be read")
	}
	return w, nil
}

// checksum guards against damage, not against forgery.
func checksum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:8])
}

// witness takes note of a record that was read.
func (w *watermark) witness(r record) {
	if r.usn > w.WitnessUSN {
		w.WitnessID, w.WitnessUSN = r.object.ID, r.usn
	}
}

// fits reports why a delta from w can't be told in a source of this scope and
// mode, before anybody is asked.
func (w watermark) fits(scope string, mode DeltaMode) error {
	switch {
	case w.Scope != scope:
		return errors.New("it was taken with other base DNs or attributes")
	case w.Mode != DeltaDirSync && w.Mode != DeltaUSN || w.Mode == DeltaDirSync && len(w.Cookie) == 0:
		return errors.New("it can't be read")
	case mode != DeltaAuto && w.Mode != mode:
		return fmt.Errorf("it was taken for %s, and Options.Delta is %s now", w.Mode, mode)
	}
	return nil
}

// trusts reports why a delta from w can't be told by the domain controller that
// answers now. lifetime is how long it keeps tombstones.
func (w watermark) trusts(s *session, lifetime time.Duration) error {
	age := s.root.now.Sub(w.Time)
	switch {
	case w.InvocationID != s.invocationID:
		return fmt.Errorf("it is of %s with database %s, and %s answers with database %s", w.DC, w.InvocationID, s.root.dnsHostName, s.invocationID)
	case !strings.EqualFold(w.Domain, s.root.domain):
		return fmt.Errorf("it is of %s, and the server is one of %s", w.Domain, s.root.domain)
	case w.USN > s.root.usn:
		return fmt.Errorf("%s went back from USN %d to %d: it was restored from an image", w.DC, w.USN, s.root.usn)
	case age < -24*time.Hour:
		return fmt.Errorf("it is of %v in the future by the clock of %s", -age.Round(time.Hour), w.DC)
	case age > lifetime/2:
		return fmt.Errorf("it is %v old, and the directory keeps tombstones for %v: deletions may be lost", age.Round(time.Hour), lifetime)
	}
	return nil
}

// expired wraps a reason as the contract wants it.
func expired(reason error) error {
	return fmt.Errorf("%w: %w", source.ErrWatermarkExpired, reason)
}
