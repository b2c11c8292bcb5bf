package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/source"
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// OIDs of Active Directory's controls (MS-ADTS 3.1.1.3.4.1).
const (
	oidShowDeleted  = "1.2.840.113556.1.4.417"
	oidShowRecycled = "1.2.840.113556.1.4.2064"
	oidDomainScope  = "1.2.840.113556.1.4.1339" // no referrals
	oidSDFlags      = "1.2.840.113556.1.4.801"
)

// A control is a request control. go-ldap's ControlString encodes a criticality
// of TRUE as 0x01, which Samba reads as FALSE: RFC 4511, 5.1 wants 0xFF.
type control struct {
	oid   string
	value []byte // nil for none
}

func (c control) GetControlType() string { return c.oid }
func (c control) String() string         { return c.oid }

func (c control) Encode() *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.oid, ""))
	p.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	if c.value != nil {
		p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(c.value), ""))
	}
	return p
}

// supported are the controls of oids that the server lists. One that it doesn't
// list is never sent: Samba answers some in a way that go-ldap waits for ever.
func (s *session) supported(oids ...string) []ldap.Control {
	var list []ldap.Control
	for _, oid := range oids {
		if s.controls[oid] {
			list = append(list, control{oid: oid})
		}
	}
	return list
}

// A query is one search. Requests are made from it anew each time: go-ldap
// changes those that it is given.
type query struct {
	base     string
	scope    int
	filter   string
	attrs    []string
	controls []ldap.Control
}

func (q query) request(more ...ldap.Control) *ldap.SearchRequest {
	return ldap.NewSearchRequest(q.base, q.scope, ldap.NeverDerefAliases, 0, 0, false, q.filter, q.attrs,
		append(append([]ldap.Control(nil), q.controls...), more...))
}

// errNoEnd says that a search ended without the control that proves its end.
var errNoEnd = errors.New("the answer ended without saying that it was all")

// noEnd is errNoEnd, or why the connection closed.
func (s *session) noEnd(what string) error {
	s.unusable = true
	if cause := s.guard.cause(); cause != nil {
		return fmt.Errorf("%w: connection to %s: %w", source.ErrIncomplete, s.server.url, cause)
	}
	return fmt.Errorf("%w: %w (%s)", source.ErrIncomplete, errNoEnd, what)
}

// stream sends one request, gives each entry to each, and returns the controls
// of the final, successful result. go-ldap takes a search that was cancelled or
// whose connection closed for a complete one, so a caller must find in those
// controls that it wasn't.
//
// Nothing else may be sent on the connection meanwhile: go-ldap delivers one
// answer at a time, and a second one would wait behind an unread entry.
func (s *session) stream(ctx context.Context, req *ldap.SearchRequest, each func(*ldap.Entry) error) (controls []ldap.Control, err error) {
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	done := s.guard.await()
	defer done()
	search, cancel := context.WithCancel(context.Background())
	answer := s.conn.SearchAsync(search, req, 64)
	defer func() {
		if err != nil {
			s.unusable = true
		}
		cancel()
		for answer.Next() { // joins go-ldap's goroutine
		}
	}()
	for answer.Next() {
		switch e := answer.Entry(); {
		case e != nil:
			controls = nil
			if err := each(e); err != nil {
				return nil, err
			}
		case answer.Referral() != "": // never followed
		default:
			controls = answer.Controls()
		}
	}
	if err := answer.Err(); err != nil {
		return nil, s.explain(ctx, err)
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	return controls, nil
}

// paged runs q page by page. each is called for every entry, then, once a page
// is complete, pageEnd, which may send requests of its own.
func (s *session) paged(ctx context.Context, q query, size int, each func(*ldap.Entry) error, pageEnd func() error) error {
	var cookie []byte
	for {
		page := ldap.NewControlPaging(uint32(size))
		page.SetCookie(cookie)
		controls, err := s.stream(ctx, q.request(page), each)
		if err != nil {
			return err
		}
		p, ok := ldap.FindControl(controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if !ok {
			return s.noEnd("no paging control")
		}
		if cookie = p.Cookie; pageEnd != nil {
			if err := pageEnd(); err != nil {
				return err
			}
		}
		if len(cookie) == 0 {
			return nil
		}
	}
}

// lookup reads the entry at base, nil if there is none that the account can see.
func (s *session) lookup(ctx context.Context, base, filter string, attrs []string, controls ...ldap.Control) (*ldap.Entry, []ldap.Control, error) {
	if cause := context.Cause(ctx); cause != nil {
		return nil, nil, cause
	}
	done := s.guard.await()
	defer done()
	req := query{base: base, scope: ldap.ScopeBaseObject, filter: filter, attrs: attrs, controls: controls}.request()
	result, err := s.conn.Search(req)
	if err != nil {
		err = s.explain(ctx, err)
		if code(err) == 0 {
			s.unusable = true
		}
		return nil, nil, err
	}
	if cause := context.Cause(ctx); cause != nil {
		return nil, nil, cause
	}
	if len(result.Entries) == 0 {
		return nil, result.Controls, nil
	}
	return result.Entries[0], result.Controls, nil
}

// An op is one call of the source: a session, and a context that ends it.
type op struct {
	src    *Source
	ctx    context.Context // ends with the caller's or TotalTimeout, with a cause that says which
	sess   *session
	kept   bool // sess comes from the op before
	cancel context.CancelFunc
	unhook func() bool

	containers noted
}

// open begins an op, on the kept connection if it is still good, and reads the
// rootDSE: once, and nothing else, if it is. prefer is the index of the server
// to use if it can be reached, -1 for none.
func (s *Source) open(parent context.Context, prefer int) (*op, error) {
	if err := parent.Err(); err != nil {
		return nil, err
	}
	if prefer >= 0 && prefer != s.current {
		_ = s.Close()
		s.current = prefer
	}
	ctx, cancel := context.WithTimeoutCause(parent, s.opts.TotalTimeout,
		fmt.Errorf("%w: not done within %v (Options.TotalTimeout)", source.ErrIncomplete, s.opts.TotalTimeout))
	o := &op{src: s, ctx: ctx, cancel: cancel}
	if kept := s.kept; kept != nil {
		s.kept = nil
		o.attach(kept)
		err := kept.readRoot(ctx, false)
		if err == nil {
			o.kept = true
			return o, nil
		}
		o.unhook()
		kept.close()
		if cause := context.Cause(ctx); cause != nil {
			cancel()
			return nil, cause
		}
		s.opts.Logger.Debug("ldap: kept connection was dead", "source", s.name, "server", kept.server.url, "error", err)
	}
	sess, err := s.connect(ctx)
	if err != nil {
		cancel()
		return nil, err
	}
	o.attach(sess)
	return o, nil
}

// attach lets the end of the op's context end the session's connection: closing
// it is the one way to stop a search that every server obeys.
func (o *op) attach(sess *session) {
	o.sess = sess
	o.unhook = context.AfterFunc(o.ctx, sess.kill)
}

// end keeps the op's connection for the next one if it is in order.
func (o *op) end() {
	alive := o.unhook()
	o.cancel()
	if !alive || o.sess.unusable || o.sess.conn.IsClosing() {
		o.sess.close()
		return
	}
	o.src.kept = o.sess
}

// now is when evidence is seen: the domain controller's clock when the op began.
func (o *op) now() time.Time { return o.sess.root.now }
