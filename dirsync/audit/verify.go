package audit

import (
	"errors"
	"fmt"
	"io"
)

// VerifyOptions say where a log begins and ends.
type VerifyOptions struct {
	// After is the record that comes before the log's first one: the end of
	// the file before this one. The zero Head: the log begins with record 1.
	After Head

	// Anywhere lets the log begin with any record, since the files before it
	// are gone. After is ignored. What was cut off at the beginning isn't
	// noticed then.
	Anywhere bool

	// Until is the last record, as somebody else than the log knows: the
	// engine's state, another sink, a note on paper. A log that ends before it
	// was cut; one that goes on after it was added to, or what is known is
	// old. Nil: any end is fine.
	Until *Head

	// More lets the log go on after Until: somebody is writing to it.
	More bool
}

// Verify reads a log to its end and returns the last record, or up to the first
// thing that is wrong and returns the last good record with a [*BrokenError].
// Other errors are those of r. It holds one record at a time.
//
// It finds every line that was changed by as much as a byte, cut, torn, added,
// doubled or moved, unless somebody wrote all records from there to the end
// anew; and then, and when the end was cut, Until tells. See the package's
// documentation for what it can't find.
func Verify(r io.Reader, o *VerifyOptions) (Head, error) {
	if o == nil {
		o = &VerifyOptions{}
	}
	at, begun := o.After, !o.Anywhere
	if o.Anywhere {
		at = Head{}
	}
	for l := newLines(r); ; {
		if u := o.Until; u != nil && begun && at.Seq == u.Seq && at.Hash != u.Hash {
			return at, broken(max(l.n, 1), at.Seq, "it has another hash than is known: the log was written anew from here or before, or the state is another one's")
		}
		rec, err := l.record()
		if err == io.EOF {
			if u := o.Until; u != nil && at.Seq < u.Seq {
				return at, broken(l.n+1, at.Seq+1, fmt.Sprintf("the log ends here but should go on until record %d: its end was cut off", u.Seq))
			} else if u != nil && !o.More && at.Seq > u.Seq {
				return at, broken(max(l.n, 1), at.Seq, pastEnd(u))
			}
			return at, nil
		}
		if b, ok := errors.AsType[*BrokenError](err); ok {
			if begun {
				b.Seq = at.Seq + 1
			}
			return at, b
		}
		if err != nil {
			return at, err
		}
		if !begun {
			at, begun = Head{Seq: rec.Seq - 1, Hash: rec.Prev}, true
		}
		if reason := misplaced(at, &rec); reason != "" {
			return at, broken(l.n, at.Seq+1, reason)
		}
		if u := o.Until; u != nil && !o.More && rec.Seq > u.Seq {
			return at, broken(l.n, rec.Seq, pastEnd(u))
		}
		at = rec.Head()
	}
}

func broken(line int, seq uint64, reason string) *BrokenError {
	return &BrokenError{Line: line, Seq: seq, Reason: reason}
}

func pastEnd(u *Head) string {
	return fmt.Sprintf("record %d is the last one known: this one was added by somebody else, or the state is older than the log", u.Seq)
}

// misplaced says why r can't come right after at, or "".
func misplaced(at Head, r *Record) string {
	switch {
	case r.Seq <= at.Seq:
		return fmt.Sprintf("record %d comes again or out of order", r.Seq)
	case r.Seq == at.Seq+2:
		return "it is missing: it was cut out or moved"
	case r.Seq > at.Seq+1:
		return fmt.Sprintf("it and all others before record %d are missing: they were cut out or moved", r.Seq)
	case r.Prev != at.Hash:
		return "it follows another record than the one that is there: that one was replaced"
	}
	return ""
}
