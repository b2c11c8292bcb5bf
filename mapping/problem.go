package mapping

import (
	"fmt"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/source"
)

// The codes of the Problems that the default rules make. They are stable.
const (
	CodeTooLong        = "value-too-long"     // longer than the target takes
	CodeMissing        = "missing-value"      // required, and the source has none
	CodeInvalid        = "invalid-value"      // not of the form that the target takes
	CodeInvalidAddress = "invalid-address"    // not an address that the target takes
	CodeUnreadable     = "unreadable-value"   // the source holds it, but not as text
	CodeNoLegalName    = "no-legal-name"      // nothing is left of the name that the target takes
	CodeNoDomain       = "no-fallback-domain" // the target names no domain that the name could end in
	CodeInvalidAnchor  = "invalid-anchor"     // mS-DS-ConsistencyGuid holds no GUID
	CodeAnchorChanged  = "anchor-changed"     // mS-DS-ConsistencyGuid isn't what the anchor was made of
)

// quote makes value fit for a message: short, and without anything that could
// act on a terminal or a log.
func quote(value string) string {
	const most = 64
	if utf8.RuneCountInString(value) > most {
		n := 0
		for i := range value {
			if n == most {
				return fmt.Sprintf("%q...", value[:i])
			}
			n++
		}
	}
	return fmt.Sprintf("%q", value)
}

func tooLong(attribute, value string, length, most int, from string, fatal bool) Problem {
	return Problem{
		Code:      CodeTooLong,
		Attribute: attribute,
		Message:   fmt.Sprintf("%s %s is %d characters long (UTF-16), the target takes %d", attribute, quote(value), length, most),
		Remedy:    fmt.Sprintf("shorten %s in the directory to at most %d characters", from, most),
		Fatal:     fatal,
	}
}

func unreadable(attribute string, f source.Fault, fatal bool) Problem {
	return Problem{
		Code:      CodeUnreadable,
		Attribute: attribute,
		Message:   fmt.Sprintf("%s can't be read: %s", f.Attribute, quote(f.Reason)),
		Remedy:    fmt.Sprintf("correct %s in the directory", f.Attribute),
		Fatal:     fatal,
	}
}
