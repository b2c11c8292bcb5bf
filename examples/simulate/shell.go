package main

import (
	"fmt"
	"io"
	"strings"
)

// line writes an assignment that a POSIX shell understands.
func line(w io.Writer, name, value string) {
	fmt.Fprintf(w, "%s=%s\n", name, quote(value))
}

// quote puts value into single quotes if the shell would read it otherwise than
// as it is.
func quote(value string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("%+,-./:=@_", r)
	}
	if value != "" && !strings.ContainsFunc(value, func(r rune) bool { return !plain(r) }) {
		return value
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}
