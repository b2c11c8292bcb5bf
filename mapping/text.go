package mapping

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// cleanText removes from s what no attribute of the target may hold: control
// characters other than CR, LF and TAB (streetAddress has lines), and bytes that
// aren't UTF-8. Characters that merely don't show (bidirectional marks, zero
// width joiners) are legal text and stay. It reports how many it removed.
func cleanText(s string) (clean string, dropped int) {
	bad := func(r rune, size int) bool {
		switch r {
		case '\t', '\n', '\r':
			return false
		case utf8.RuneError:
			return size == 1
		}
		return unicode.IsControl(r)
	}
	first := -1
	for i := 0; i < len(s); {
		if c := s[i]; c >= 0x20 && c < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if bad(r, size) {
			first = i
			break
		}
		i += size
	}
	if first < 0 {
		return s, 0
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:first])
	for i := first; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if bad(r, size) {
			dropped++
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String(), dropped
}

// blank reports whether s holds nothing but white space: no value at all.
func blank(s string) bool {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			return false
		}
	}
	return true
}

// utf16Len is the length of s in UTF-16 code units, in which the target's
// limits are counted.
func utf16Len(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n++
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		n++
		if r > 0xffff {
			n++
		}
		i += size
	}
	return n
}

// hasFoldPrefix is strings.HasPrefix without regard to the case of letters.
func hasFoldPrefix(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
