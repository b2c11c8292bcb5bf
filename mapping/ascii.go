package mapping

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// CleanLocalPart makes s fit to stand before the '@' of a userPrincipalName:
// Latin letters lose their diacritics (ü becomes u, ß ss, ø o; see fold_table.go
// for all), and what is then not one of A-Z a-z 0-9 ' . - _ ! # ^ ~ is dropped,
// letters of other scripts included, and so are periods at the end. The result
// may be empty, and is of any length.
//
//	Jürgen Groß  ->  JurgenGross
//	o'brien.     ->  o'brien
//	山田         ->  (nothing)
func CleanLocalPart(s string) string {
	return strings.TrimRight(cleanASCII(s, legalInUPN), ".")
}

// CleanNickname makes s fit for a mailNickname, in the same way: what remains is
// ASCII without white space and without @ ( ) \ [ ] " ; : < > , and without
// periods at either end.
func CleanNickname(s string) string {
	return strings.Trim(cleanASCII(s, legalInNickname), ".")
}

func legalInUPN(c byte) bool {
	return asciiAlnum(c) || strings.IndexByte("'.-_!#^~", c) >= 0
}

func legalInNickname(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`@()\[]";:<>,`, c) < 0
}

// cleanASCII folds s to ASCII and drops what isn't legal. A string that is legal
// already is returned as it is.
func cleanASCII(s string, legal func(byte) bool) string {
	n := 0
	for n < len(s) && s[n] < utf8.RuneSelf && legal(s[n]) {
		n++
	}
	if n == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:n])
	for _, r := range s[n:] {
		if r < utf8.RuneSelf {
			if legal(byte(r)) {
				b.WriteByte(byte(r))
			}
			continue
		}
		b.WriteString(foldRune(r)) // letters only, which are legal everywhere
	}
	return b.String()
}

// foldRune returns the ASCII letters that stand for the Latin letter r, "" for
// everything else: combining marks, other scripts, symbols.
func foldRune(r rune) string {
	i, ok := slices.BinarySearchFunc(foldTable[:], r, func(f folding, r rune) int { return int(f.from - r) })
	if !ok {
		return ""
	}
	return foldTable[i].to
}

// A folding says which ASCII letters stand for a Latin letter.
type folding struct {
	from rune
	to   string
}
