package audit

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// MaxLine is the most bytes that the line of a record has, its newline
// included. [Record.Seal] keeps records below it.
const MaxLine = 16 << 20

// Encode returns the line of r, newline included: JSON in its canonical form, of
// which there is one for each record. Nothing in it needs care when it is shown:
// control characters, line and paragraph separators, bidirectional controls and
// characters without width are written as \uXXXX, so a record is one line
// whatever it contains. [Decode] gives back a sealed record as it was.
//
// It fails for a record that can't be sealed as it is: too long, or with a time
// that has no four-digit year. What Seal left doesn't fail.
func Encode(r *Record) ([]byte, error) {
	if !validTime(r.Time) || r.Evidence != nil && !validTime(r.Evidence.Seen) {
		return nil, errors.New("audit: encode: the year has more than four digits")
	}
	line := append(appendRecord(make([]byte, 0, 1<<10), r, r.Hash), '\n')
	if len(line) > MaxLine {
		return nil, fmt.Errorf("audit: encode: the record has %d bytes, at most %d are allowed", len(line), MaxLine)
	}
	return line, nil
}

// The encoding is written by hand so that it is the same in every version of Go:
// encoding/json has changed its escapes before.

func appendRecord(b []byte, r *Record, hash string) []byte {
	b = append(b, `{"seq":`...)
	b = strconv.AppendUint(b, r.Seq, 10)
	if !r.Time.IsZero() {
		b = appendTime(append(b, `,"time":`...), r.Time)
	}
	if r.Run != 0 {
		b = strconv.AppendUint(append(b, `,"run":`...), r.Run, 10)
	}
	b = appendField(b, "event", string(r.Event))
	b = appendField(b, "op", r.Op)
	b = appendField(b, "kind", r.Kind)
	b = appendField(b, "source", r.Source)
	b = appendField(b, "name", r.Name)
	b = appendField(b, "target", r.Target)
	b = appendField(b, "anchor", r.Anchor)
	b = appendField(b, "upn", r.UPN)
	b = appendValues(b, "before", r.Before)
	b = appendValues(b, "after", r.After)
	b = appendField(b, "outcome", string(r.Outcome))
	b = appendField(b, "error", r.Error)
	if r.Repeat {
		b = append(b, `,"repeat":true`...)
	}
	b = appendField(b, "reason", r.Reason)
	b = appendRules(b, r.Rules)
	if e := r.Evidence; e != nil {
		b = appendString(append(b, `,"evidence":{"kind":`...), e.Kind)
		b = appendField(b, "detail", e.Detail)
		if !e.Seen.IsZero() {
			b = appendTime(append(b, `,"seen":`...), e.Seen)
		}
		b = append(b, '}')
	}
	b = appendField(b, "plan", r.Plan)
	b = appendField(b, "approver", r.Approver)
	b = appendField(b, "requestId", r.RequestID)
	b = appendField(b, "clientRequestId", r.ClientRequestID)
	b = appendField(b, "detail", r.Detail)
	b = appendField(b, "prev", r.Prev)
	b = appendField(b, "hash", hash)
	return append(b, '}')
}

func appendField(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(appendName(b, name), value)
}

func appendName(b []byte, name string) []byte {
	return append(append(append(b, `,"`...), name...), `":`...)
}

func appendValues(b []byte, name string, values map[string][]string) []byte {
	if len(values) == 0 {
		return b
	}
	b = append(appendName(b, name), '{')
	for i, attr := range slices.Sorted(maps.Keys(values)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, attr), ':', '[')
		for j, v := range values[attr] {
			if j > 0 {
				b = append(b, ',')
			}
			b = appendString(b, v)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func appendRules(b []byte, rules []Rule) []byte {
	if len(rules) == 0 {
		return b
	}
	b = append(b, `,"rules":[`...)
	for i, r := range rules {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(append(b, `{"attribute":`...), r.Attribute)
		b = appendString(append(b, `,"rule":`...), r.Rule)
		b = appendString(append(b, `,"branch":`...), r.Branch)
		b = append(b, '}')
	}
	return append(b, ']')
}

func appendTime(b []byte, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(b, '"'), time.RFC3339Nano), '"')
}

// validTime reports whether t can be written and read back.
func validTime(t time.Time) bool {
	y := t.UTC().Year()
	return 0 <= y && y <= 9999
}

func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0 // s[plain:i] is written as it is
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if asciiPlain[c] {
				i++
				continue
			}
			b = append(b, s[plain:i]...)
			if c == '"' || c == '\\' {
				b = append(b, '\\', c)
			} else {
				b = appendEscape(b, rune(c))
			}
			i++
			plain = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if !escaped(r) {
			i += n
			continue
		}
		b = appendEscape(append(b, s[plain:i]...), r) // U+FFFD for what is no UTF-8
		i += n
		plain = i
	}
	return append(append(b, s[plain:]...), '"')
}

func appendEscape(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	if r > 0xffff {
		r -= 0x10000
		b = appendEscape(b, 0xd800+r>>10)
		r = 0xdc00 + r&0x3ff
	}
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
