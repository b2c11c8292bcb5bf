package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// What Seal leaves of texts.
const (
	maxText  = 64 << 10 // bytes; a longer text is cut
	keptText = 1 << 10  // to this
)

// Seal gives r its place in the chain: the number after that of after, its hash
// as Prev, and r's own Hash, the hexadecimal SHA-256 of the canonical line
// without newline and without the field hash. Since prev is hashed with the
// rest, a hash vouches for all records before it.
//
// What can't be kept as it is is changed first, in copies: values of secret
// attributes become "(secret)"; times become UTC; what isn't UTF-8 becomes
// U+FFFD; a text of more than 64 KiB keeps its beginning, and its length and
// SHA-256 stand for the rest. Should the record be larger than [MaxLine] still,
// the same is done to whole attributes. So Seal can't fail: one hostile object
// must not keep the records of the others from being written.
func (r *Record) Seal(after Head) {
	r.clean()
	r.Seq, r.Prev = after.Seq+1, after.Hash
	r.Hash = ""
	b := appendRecord(make([]byte, 0, 1<<10), r, "")
	const hashField = len(`,"hash":"",`) + 2*sha256.Size // and the newline
	if len(b)+hashField > MaxLine {
		r.Before, r.After = digestValues(r.Before), digestValues(r.After)
		b = appendRecord(b[:0], r, "")
	}
	if len(b)+hashField > MaxLine {
		r.Before, r.After, r.Rules = nil, nil, nil
		r.Detail = text("before, after and rules were too long to keep; " + r.Detail)
		b = appendRecord(b[:0], r, "")
	}
	r.Hash = sum(b)
}

// Check reports whether r is sealed: it has a number, and its hash is that of
// its contents.
func (r *Record) Check() error {
	if r.Seq == 0 || r.Hash == "" {
		return fmt.Errorf("audit: record %d isn't sealed", r.Seq)
	}
	if sum(appendRecord(make([]byte, 0, 1<<10), r, "")) != r.Hash {
		return fmt.Errorf("audit: record %d was changed after it was sealed", r.Seq)
	}
	return nil
}

func sum[T ~string | ~[]byte](b T) string {
	s := sha256.Sum256([]byte(b))
	return hex.EncodeToString(s[:])
}

// clean brings r into the form in which Decode gives it back.
func (r *Record) clean() {
	r.Time = cleanTime(r.Time)
	for _, s := range []*string{(*string)(&r.Event), &r.Op, &r.Kind, &r.Source, &r.Name, &r.Target, &r.Anchor, &r.UPN,
		(*string)(&r.Outcome), &r.Error, &r.Reason, &r.Plan, &r.Approver, &r.RequestID, &r.ClientRequestID, &r.Detail} {
		*s = text(*s)
	}
	r.Before, r.After = cleanValues(r.Before), cleanValues(r.After)
	if r.Evidence != nil {
		r.Evidence = &Evidence{Kind: text(r.Evidence.Kind), Detail: text(r.Evidence.Detail), Seen: cleanTime(r.Evidence.Seen)}
	}
	var rules []Rule
	for _, u := range r.Rules {
		rules = append(rules, Rule{Attribute: text(u.Attribute), Rule: text(u.Rule), Branch: text(u.Branch)})
	}
	r.Rules = rules
}

// cleanTime makes t what is read back: in UTC, without a monotonic reading.
func cleanTime(t time.Time) time.Time {
	if t.IsZero() || !validTime(t) {
		return time.Time{}
	}
	return t.Round(0).UTC()
}

func cleanValues(values map[string][]string) map[string][]string {
	if len(values) == 0 {
		return nil
	}
	out := make(map[string][]string, len(values))
	for _, attr := range slices.Sorted(maps.Keys(values)) {
		vs := values[attr]
		attr = text(attr)
		secret := IsSecret(attr)
		kept := out[attr] // two names may have become one
		if kept == nil {
			kept = make([]string, 0, len(vs))
		}
		for _, v := range vs {
			if secret {
				v = secretValue
			}
			kept = append(kept, text(v))
		}
		out[attr] = kept
	}
	return out
}

// text is s as valid UTF-8 of a bearable length.
func text(s string) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= maxText {
		return s
	}
	n := keptText
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return fmt.Sprintf("%s... (%d bytes, SHA-256 %s)", s[:n], len(s), sum(s))
}

// digestValues puts one line in the place of the values that take most room.
func digestValues(values map[string][]string) map[string][]string {
	for attr, vs := range values {
		size, h := 0, sha256.New()
		for _, v := range vs {
			size += len(v)
			fmt.Fprintf(h, "%d:%s", len(v), v)
		}
		if size+len(vs) > maxText {
			values[attr] = []string{fmt.Sprintf("(%d values, %d bytes, SHA-256 %x)", len(vs), size, h.Sum(nil))}
		}
	}
	return values
}
