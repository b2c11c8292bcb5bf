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
const watermarkPrefix = "dirbridge-ad-2:"

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

	// Deleted says that the account could see deleted objects.
	Deleted bool `json:"deleted,omitempty"`

	Timeline timeline `json:"timeline"`
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
	case max(w.USN, w.Timeline.Top) > s.root.usn:
		return fmt.Errorf("%s went back from USN %d to %d: it was restored from an image", w.DC, max(w.USN, w.Timeline.Top), s.root.usn)
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
