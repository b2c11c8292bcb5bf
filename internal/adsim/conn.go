package adsim

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// maxReceiveBuffer is the largest request, AD's MaxReceiveBuffer.
const maxReceiveBuffer = 10485760

// A conn is one client. One goroutine reads its requests; each search runs in a
// goroutine of its own, so that it can be abandoned, everything else in the
// order of arrival.
type conn struct {
	srv    *Server
	dir    *Directory
	raw    net.Conn
	id     int
	secure bool

	who *reader // nil: anonymous. Only the reading goroutine sets it, when no search runs

	writeMu sync.Mutex
	out     io.Writer

	mu      sync.Mutex
	pages   map[string]*pageState
	nextID  int              // of page cookies
	running map[int64]func() // cancels searches, by message ID
	work    sync.WaitGroup
}

// A message is one request.
type message struct {
	id       int64
	op       *ber.Packet
	controls *ber.Packet
}

func (c *conn) serve(secure bool) {
	ctx, cancel := context.WithCancel(context.Background())
	defer c.work.Wait()
	defer c.raw.Close() // frees a search that waits to write
	defer cancel()
	var in io.Reader = c.raw
	c.out = c.raw
	if secure {
		t := tls.Server(c.raw, c.srv.tls.config)
		if t.HandshakeContext(ctx) != nil {
			return
		}
		in, c.out, c.secure = t, t, true
	}
	buffered := bufio.NewReader(in)
	for {
		m, err := readMessage(buffered)
		if err != nil {
			if _, ok := err.(*ldap.Error); ok {
				c.disconnect(err)
			}
			return
		}
		switch m.op.Tag {
		case ldap.ApplicationUnbindRequest:
			return
		case ldap.ApplicationAbandonRequest:
			c.abandon(m)
			continue
		case ldap.ApplicationSearchRequest:
			c.startSearch(ctx, m)
			continue
		case ldap.ApplicationBindRequest, ldap.ApplicationExtendedRequest:
			c.work.Wait() // RFC 4511, 4.2.1 and 4.14.1: nothing else may be under way
		}
		upgrade, ok := c.dispatch(m)
		if !ok {
			return
		}
		if upgrade {
			t := tls.Server(c.raw, c.srv.tls.config)
			if t.HandshakeContext(ctx) != nil {
				return
			}
			buffered.Reset(t)
			c.out, c.secure = t, true
		}
	}
}

// readMessage reads one LDAPMessage. An *ldap.Error says that it was none.
func readMessage(r io.Reader) (*message, error) {
	limited := &io.LimitedReader{R: r, N: maxReceiveBuffer}
	p, err := ber.ReadPacket(limited)
	if err != nil {
		if limited.N == maxReceiveBuffer {
			return nil, err // closed between messages
		}
		return nil, malformed("message")
	}
	if len(p.Children) < 2 {
		return nil, malformed("message")
	}
	id, ok := p.Children[0].Value.(int64)
	op := p.Children[1]
	if !ok || op.ClassType != ber.ClassApplication {
		return nil, malformed("message")
	}
	m := &message{id: id, op: op}
	if len(p.Children) > 2 && p.Children[2].ClassType == ber.ClassContext && p.Children[2].Tag == 0 {
		m.controls = p.Children[2]
	}
	return m, nil
}

// kinds names the operations that dispatch knows, with the tag of their answer.
var kinds = map[ber.Tag]struct {
	name   string
	answer ber.Tag
}{
	ldap.ApplicationBindRequest:     {"bind", ldap.ApplicationBindResponse},
	ldap.ApplicationModifyRequest:   {"modify", ldap.ApplicationModifyResponse},
	ldap.ApplicationAddRequest:      {"add", ldap.ApplicationAddResponse},
	ldap.ApplicationDelRequest:      {"delete", ldap.ApplicationDelResponse},
	ldap.ApplicationModifyDNRequest: {"modifydn", ldap.ApplicationModifyDNResponse},
	ldap.ApplicationCompareRequest:  {"compare", ldap.ApplicationCompareResponse},
	ldap.ApplicationExtendedRequest: {"extended", ldap.ApplicationExtendedResponse},
}

// dispatch answers everything but searches. ok is false when the connection is
// to end, upgrade true when TLS is to begin.
func (c *conn) dispatch(m *message) (upgrade, ok bool) {
	kind, known := kinds[m.op.Tag]
	if !known {
		c.disconnect(malformed("unknown operation"))
		return false, false
	}
	f := c.srv.fault(Request{Conn: c.id, Kind: kind.name})
	switch {
	case f.Hang:
		return false, true
	case f.Cut:
		return false, false
	case f.Code != 0:
		c.reply(m.id, resultPacket(kind.answer, fail(f.Code, "%s", f.Text)), nil)
		return false, true
	}
	ctl, err := parseControls(m.controls)
	if err == nil {
		switch m.op.Tag {
		case ldap.ApplicationBindRequest:
			err = c.bind(m.op)
		case ldap.ApplicationExtendedRequest:
			p, up := c.extended(m.op)
			return up, c.reply(m.id, p, nil) == nil
		default:
			err = c.write(m.op, ctl)
		}
	}
	return false, c.reply(m.id, resultPacket(kind.answer, err), nil) == nil
}

// reply sends one message.
func (c *conn) reply(id int64, op *ber.Packet, controls []*ber.Packet) error {
	return c.send(envelope(id, op, controls).Bytes())
}

func (c *conn) send(b []byte) error {
	c.writeMu.Lock()
	defer c.writeMu.Unlock()
	_, err := c.out.Write(b)
	return err
}

// disconnect says why the connection ends (RFC 4511, 4.4.1).
func (c *conn) disconnect(err error) {
	p := resultPacket(ldap.ApplicationExtendedResponse, err)
	p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, "1.3.6.1.4.1.1466.20036", ""))
	_ = c.reply(0, p, nil)
}

func envelope(id int64, op *ber.Packet, controls []*ber.Packet) *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, ctl := range controls {
			list.AppendChild(ctl)
		}
		p.AppendChild(list)
	}
	return p
}

func resultPacket(tag ber.Tag, err error) *ber.Packet {
	code, matched, text := result(err)
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(code), ""))
	p.AppendChild(octetString(matched))
	p.AppendChild(octetString(text))
	return p
}
