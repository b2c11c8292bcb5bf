package ldapsource

import (
	"errors"
	"fmt"
)

// What no answer of a directory needs, whatever its size.
const (
	maxElements     = 1 << 18 // BER elements in one PDU: each costs the decoder some 400 bytes
	freeElements    = 1 << 14 // that many come without regard to the PDU's size
	bytesPerElement = 32      // beyond them, the PDU must have this many bytes for each
	maxControls     = 1 << 17 // bytes of a response's controls; their values are BER again, decoded later
	maxLengthOctets = 5       // octets of a length, the first included: enough for 4 GiB
	maxTagOctets    = 5       // octets of a tag: LDAP needs one
	controlsTag     = 0xA0    // [0] in an LDAPMessage (RFC 4511, 4.1.1)
)

// errHostile marks what a scanner refused.
var errHostile = errors.New("refused before decoding")

// scanner follows a stream of BER elements (X.690) without keeping any of it
// and refuses what would make a decoder use far more memory than was sent. Its
// memory is fixed at creation.
type scanner struct {
	maxPDU int64
	stack  []int64 // bytes left in each open constructed element, outermost first
	depth  int     // how many of stack are open

	state     scanState
	skip      int64 // bytes left of a primitive element's content
	tag       byte  // first octet of the element being read
	header    int   // octets of its header so far
	tagOctets int
	lenOctets int // octets of the length still to come
	length    int64
	elements  int64 // in this PDU
	budget    int64 // elements allowed in this PDU
}

type scanState byte

const (
	atTag scanState = iota
	inTag
	atLength
	inLength
	inContent
)

func newScanner(maxPDU int64, maxNesting int) *scanner {
	return &scanner{maxPDU: maxPDU, stack: make([]int64, maxNesting)}
}

// idle reports whether the stream stands between two PDUs.
func (s *scanner) idle() bool { return s.depth == 0 && s.state == atTag && s.header == 0 }

// scan takes the next bytes of the stream. After an error the scanner is of no
// further use.
func (s *scanner) scan(p []byte) error {
	for len(p) > 0 {
		if s.state == inContent {
			n := min(s.skip, int64(len(p)))
			p, s.skip = p[n:], s.skip-n
			if s.skip == 0 {
				s.state = atTag
				s.pop()
			}
			continue
		}
		b := p[0]
		p = p[1:]
		s.header++
		if err := s.octet(b); err != nil {
			return err
		}
	}
	return nil
}

// octet takes one octet of an element's header.
func (s *scanner) octet(b byte) error {
	switch s.state {
	case atTag:
		s.tag, s.state = b, atLength
		if b&0x1f == 0x1f {
			s.state, s.tagOctets = inTag, 1
		}
	case inTag:
		if s.tagOctets++; s.tagOctets > maxTagOctets {
			return fmt.Errorf("%w: a tag of more than %d octets", errHostile, maxTagOctets)
		}
		if b&0x80 == 0 {
			s.state = atLength
		}
	case atLength:
		switch {
		case b == 0x80:
			return fmt.Errorf("%w: indefinite length, which LDAP forbids", errHostile)
		case b < 0x80:
			s.length = int64(b)
			return s.element()
		case int(b&0x7f) >= maxLengthOctets:
			return fmt.Errorf("%w: a length of %d octets", errHostile, int(b&0x7f)+1)
		}
		s.length, s.lenOctets, s.state = 0, int(b&0x7f), inLength
	case inLength:
		s.length = s.length<<8 | int64(b)
		if s.lenOctets--; s.lenOctets == 0 {
			return s.element()
		}
	}
	return nil
}

// element judges the element whose header is complete.
func (s *scanner) element() error {
	size := int64(s.header) + s.length
	switch {
	case s.depth == 0:
		if s.tag != 0x30 {
			return fmt.Errorf("%w: not an LDAP message (tag 0x%02x)", errHostile, s.tag)
		}
		if size > s.maxPDU {
			return fmt.Errorf("%w: a message of %d bytes, more than the limit of %d (Options.MaxPDU)", errHostile, size, s.maxPDU)
		}
		s.elements, s.budget = 0, min(maxElements, freeElements+size/bytesPerElement)
	case size > s.stack[s.depth-1]:
		return fmt.Errorf("%w: an element of %d bytes where %d are left", errHostile, size, s.stack[s.depth-1])
	default:
		if s.depth == 1 && s.tag == controlsTag && size > maxControls {
			return fmt.Errorf("%w: controls of %d bytes, more than %d", errHostile, size, maxControls)
		}
		s.stack[s.depth-1] -= size
	}
	if s.elements++; s.elements > s.budget {
		return fmt.Errorf("%w: more than %d elements in one message", errHostile, s.budget)
	}
	s.header, s.state = 0, atTag
	switch {
	case s.tag&0x20 == 0 && s.length > 0:
		s.skip, s.state = s.length, inContent
	case s.tag&0x20 == 0:
		s.pop()
	case s.depth == len(s.stack):
		return fmt.Errorf("%w: nested deeper than %d (Options.MaxNesting)", errHostile, len(s.stack))
	default:
		s.stack[s.depth] = s.length
		s.depth++
		s.pop()
	}
	return nil
}

// pop closes the elements that are complete.
func (s *scanner) pop() {
	for s.depth > 0 && s.stack[s.depth-1] == 0 {
		s.depth--
	}
}
