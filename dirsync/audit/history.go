package audit

import (
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
)

// History gives the records of a log that match, in order; all for a nil match.
// A line that can't be trusted (see [BrokenError]) is given as an error in its
// place, and the next ones follow; any other error is the last. A record that is
// given fits its own hash; whether all are there only [Verify] can say.
//
// match must not keep the record.
func History(r io.Reader, match func(*Record) bool) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for l := newLines(r); ; {
			rec, err := l.record()
			switch _, broken := errors.AsType[*BrokenError](err); {
			case err == io.EOF:
				return
			case err != nil:
				if !yield(Record{}, err) || !broken {
					return
				}
			case match == nil || match(&rec):
				if !yield(rec, nil) {
					return
				}
			}
		}
	}
}

// Object matches the records about one object or account, whichever way text
// names it: objectGUID, DN, id at the target, source anchor, or a
// userPrincipalName or mail that it has, had or was to get. All but the anchor
// compare without case; an empty text matches nothing.
//
// Names change hands and DNs change. For the whole story, take [Record.Source]
// from what a name finds, and ask again with that.
func Object(text string) func(*Record) bool {
	text = strings.ToValidUTF8(strings.TrimSpace(text), "\ufffd")
	id := strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}") // as Windows writes GUIDs
	return func(r *Record) bool {
		if id == "" {
			return false
		}
		return strings.EqualFold(id, r.Source) || strings.EqualFold(id, r.Target) || text == r.Anchor ||
			strings.EqualFold(text, r.Name) || strings.EqualFold(text, r.UPN) ||
			names(r.Before, text) || names(r.After, text)
	}
}

// names reports whether text is a name among values.
func names(values map[string][]string, text string) bool {
	same := func(v string) bool { return strings.EqualFold(v, text) }
	return slices.ContainsFunc(values["userPrincipalName"], same) || slices.ContainsFunc(values["mail"], same)
}
