package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// errMove is what a person can do about a file that can't be appended to.
var errMove = errors.New("move the file away and keep it (verify says where it is broken); a new one goes on from there")

// lookAtEnd reads the end of a log of size bytes: all that a crash can have
// damaged. It returns the last record, if there is one, and where it ends: an
// incomplete line after it has to be cut off.
func lookAtEnd(r io.ReaderAt, size int64) (head Head, ok bool, end int64, err error) {
	tail, start, err := readEnd(r, size)
	if err != nil {
		return Head{}, false, 0, err
	}
	whole := bytes.LastIndexByte(tail, '\n') + 1
	if torn := tail[whole:]; whole == 0 && !maybeRecord(torn) || len(torn) > MaxLine {
		return Head{}, false, 0, fmt.Errorf("not an audit log, or a damaged one: %w", errMove)
	}
	if whole == 0 {
		return Head{}, false, 0, nil
	}
	head, err = Verify(bytes.NewReader(tail[:whole]), &VerifyOptions{Anywhere: true})
	if b, ok := errors.AsType[*BrokenError](err); ok {
		err = fmt.Errorf("damaged after record %d, in its last %d bytes: %s: %w", head.Seq, size-start, b.Reason, errMove)
	}
	return head, err == nil, start + int64(whole), err
}

// readEnd reads at least the last chunk of r, from the beginning of a line on and
// with a complete line if there is one.
func readEnd(r io.ReaderAt, size int64) (tail []byte, start int64, err error) {
	for n := int64(chunk); ; n *= 4 {
		// One byte more, to see whether a line begins at the very start.
		start = max(0, size-n-1)
		tail = make([]byte, size-start)
		if _, err := io.ReadFull(io.NewSectionReader(r, start, size-start), tail); err != nil {
			return nil, 0, err
		}
		if start == 0 {
			return tail, 0, nil
		}
		begin := bytes.IndexByte(tail, '\n') + 1
		if begin > 0 && bytes.IndexByte(tail[begin:], '\n') >= 0 || n > 2*MaxLine {
			return tail[begin:], start + int64(begin), nil
		}
	}
}

// maybeRecord reports whether b can be the beginning of a record. A loss of
// power may leave zeros in its place.
func maybeRecord(b []byte) bool {
	const beginning = `{"seq":`
	b = bytes.TrimRight(b, "\x00")
	n := min(len(b), len(beginning))
	return string(b[:n]) == beginning[:n]
}

// hashOf looks record seq up in a log; "" if it begins later.
func hashOf(r io.ReaderAt, seq uint64) (string, error) {
	begin := []byte(`{"seq":` + strconv.FormatUint(seq, 10) + ",")
	l := newLines(io.NewSectionReader(r, 0, 1<<62))
	for {
		line, err := l.next()
		if err == io.EOF {
			return "", nil
		}
		if err != nil {
			return "", err
		}
		if l.n > 1 && !bytes.HasPrefix(line, begin) {
			continue
		}
		rec, err := Decode(line)
		switch {
		case err != nil:
			return "", err
		case rec.Seq > seq:
			return "", nil
		case rec.Seq == seq:
			return rec.Hash, nil
		}
	}
}
