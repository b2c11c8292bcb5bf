package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// plain makes text that comes from a directory harmless to a terminal: what
// isn't printable is shown as an escape.
func plain(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
}

// plainLines is plain for a text of several lines.
func plainLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = plain(l)
	}
	return strings.Join(lines, "\n")
}

// encodeJSON is v as JSON of which a terminal shows no more than characters:
// what isn't printable is an escape there, too.
func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the document: %w", err)
	}
	return escapeJSON(b.Bytes()), nil
}

// escapeJSON replaces what isn't printable in a document. Beyond ASCII, JSON has
// characters in strings only.
func escapeJSON(text []byte) []byte {
	harmless := func(r rune) bool { return r < 0x7f || unicode.IsPrint(r) }
	if bytes.IndexFunc(text, func(r rune) bool { return !harmless(r) }) < 0 {
		return text
	}
	var out []byte
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch a, b := utf16.EncodeRune(r); {
		case harmless(r):
			out = append(out, text[:n]...)
		case a != unicode.ReplacementChar:
			out = fmt.Appendf(out, `\u%04x\u%04x`, a, b)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		text = text[n:]
	}
	return out
}

// printJSON prints v as one document.
func printJSON(w io.Writer, v any) error {
	text, err := encodeJSON(v, "  ")
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}
