package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// A BrokenError says where a log is no longer what was written.
type BrokenError struct {
	Line   int    // of the text, from 1
	Seq    uint64 // the record that should be there, 0 if that can't be told
	Reason string
}

// Error says line, record and reason.
func (e *BrokenError) Error() string {
	if e.Seq == 0 {
		return fmt.Sprintf("audit: line %d: %s", e.Line, e.Reason)
	}
	return fmt.Sprintf("audit: line %d (record %d): %s", e.Line, e.Seq, e.Reason)
}

var errTorn = errors.New("the line is incomplete: a write was cut off, or the end of the log")

// lines reads one line after the other and holds no more than one, of bounded
// length.
type lines struct {
	r    *bufio.Reader
	long []byte // a line that doesn't fit r's buffer
	n    int    // lines so far
}

func newLines(r io.Reader) *lines { return &lines{r: bufio.NewReaderSize(r, 64<<10)} }

// next returns the next line with its newline, valid until the next call.
// Besides what the reader says the error is io.EOF at the end, errTorn for an
// incomplete last line, and errTooLong, after which the next line can be read.
func (l *lines) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if err == nil {
		l.n++
		return line, nil
	}
	l.long = l.long[:0]
	tooLong := false
	for err == bufio.ErrBufferFull {
		if tooLong = tooLong || len(l.long)+len(line) > MaxLine; !tooLong {
			l.long = append(l.long, line...)
		}
		line, err = l.r.ReadSlice('\n')
	}
	tooLong = tooLong || len(l.long)+len(line) > MaxLine
	switch {
	case err == io.EOF && len(l.long)+len(line) == 0:
		return nil, io.EOF
	case err != nil && err != io.EOF:
		return nil, fmt.Errorf("audit: read the log after line %d: %w", l.n, err)
	}
	l.n++
	switch {
	case tooLong:
		return nil, errTooLong
	case err == io.EOF:
		return nil, errTorn
	}
	l.long = append(l.long, line...)
	return l.long, nil
}

// record returns the next record if its line and its hash are in order. What is
// wrong with a line is a [*BrokenError], after which the next can be read.
func (l *lines) record() (Record, error) {
	line, err := l.next()
	var r Record
	if err == nil {
		if r, err = Decode(line); err == nil {
			if err = r.Check(); err == nil {
				return r, nil
			}
			err = errEdited
		}
	}
	switch err {
	case errTorn, errTooLong, errNoRecord, errNotCanonical, errEdited:
		err = &BrokenError{Line: l.n, Reason: err.Error()}
	}
	return Record{}, err
}

var errEdited = errors.New("the record doesn't fit its hash: somebody changed it")
