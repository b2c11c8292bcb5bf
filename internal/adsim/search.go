package adsim

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// chunk is how many entries are encoded in one hold of the lock.
const chunk = 64

// A searchRequest is the search operation off the wire.
type searchRequest struct {
	base      string
	scope     int64
	sizeLimit int64
	typesOnly bool
	filter    *ber.Packet
	attrs     []string
}

// A pageState is a paged search between two pages. It belongs to its
// connection.
type pageState struct {
	key  string // the search that it belongs to
	at   cursor
	sent int64
}

func parseSearch(op *ber.Packet) (*searchRequest, error) {
	if len(op.Children) != 8 {
		return nil, malformed("search request")
	}
	scope, ok1 := op.Children[1].Value.(int64)
	size, ok2 := op.Children[3].Value.(int64)
	if !ok1 || !ok2 || scope < 0 || scope > 2 || len(op.Children[5].ByteValue) > 1 {
		return nil, malformed("search request")
	}
	s := &searchRequest{base: op.Children[0].Data.String(), scope: scope, sizeLimit: size, typesOnly: isTrue(op.Children[5]), filter: op.Children[6]}
	for _, a := range op.Children[7].Children {
		s.attrs = append(s.attrs, a.Data.String())
	}
	return s, nil
}

// key tells one paged search from another.
func (s *searchRequest) key() string {
	return fmt.Sprintf("%d\x00%s\x00%s\x00%x", s.scope, fold(s.base), fold(strings.Join(s.attrs, ",")), s.filter.Bytes())
}

// startSearch runs a search in its own goroutine until it ends or is abandoned.
func (c *conn) startSearch(parent context.Context, m *message) {
	ctx, cancel := context.WithCancel(parent)
	c.mu.Lock()
	c.running[m.id] = cancel
	c.mu.Unlock()
	c.work.Go(func() {
		defer func() {
			c.mu.Lock()
			delete(c.running, m.id)
			c.mu.Unlock()
			cancel()
		}()
		c.search(ctx, m)
	})
}

func (c *conn) abandon(m *message) {
	id, err := ber.ParseInt64(m.op.Data.Bytes())
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.running[id]; cancel != nil {
		cancel()
	}
}

func (c *conn) search(ctx context.Context, m *message) {
	s, err := parseSearch(m.op)
	var ctl *controls
	if err == nil {
		ctl, err = parseControls(m.controls)
	}
	a := &answer{conn: c, ctx: ctx, id: m.id}
	if err != nil {
		a.done(nil, err)
		return
	}
	text, _ := ldap.DecompileFilter(s.filter)
	a.fault = c.srv.fault(Request{
		Conn: c.id, Kind: "search", Base: s.base, Filter: text, Scope: int(s.scope), DirSync: ctl.dirSync != nil, Paged: ctl.paged != nil,
		Continued: ctl.dirSync != nil && ctl.dirSync.cookie != "" || ctl.paged != nil && ctl.paged.cookie != "",
	})
	if a.start() {
		a.done(c.answer(a, s, ctl))
	}
}

// answer sends a search's entries and returns how it ends.
func (c *conn) answer(a *answer, s *searchRequest, ctl *controls) (controls []*ber.Packet, err error) {
	if s.base == "" && s.scope == ldap.ScopeBaseObject {
		a.entry(c.dir.rootDSE(s))
		return nil, nil
	}
	if c.who == nil {
		return nil, notBound()
	}
	if ctl.dirSync != nil {
		return c.answerDirSync(a, s, ctl)
	}
	q, err := c.dir.newQuery(c.who, s, ctl)
	if err != nil {
		return nil, err
	}
	if c.dir.opts.Samba {
		s.sizeLimit = 0
	}
	page, limit, err := c.page(a, s, ctl)
	if err != nil {
		return nil, err
	}
	if ctl.paged != nil && ctl.paged.size == 0 && ctl.paged.cookie != "" {
		return []*ber.Packet{pagedResponse(0, "")}, nil // the client has had enough (RFC 2696, 3)
	}
	more, err := c.stream(a, q, s, ctl, page, limit)
	if err != nil {
		return nil, err
	}
	overall := s.sizeLimit > 0 && page.sent >= s.sizeLimit
	switch {
	case more && (ctl.paged == nil || overall):
		return nil, fail(ldap.LDAPResultSizeLimitExceeded, "")
	case more:
		return []*ber.Packet{pagedResponse(0, c.keepPage(page, a.fault.LoseCookie))}, nil
	}
	a.referrals(q, s, ctl)
	if ctl.paged != nil {
		controls = []*ber.Packet{pagedResponse(0, "")}
	}
	return controls, nil
}

func (c *conn) answerDirSync(a *answer, s *searchRequest, ctl *controls) ([]*ber.Packet, error) {
	if a.fault.RejectCookie && ctl.dirSync.cookie != "" {
		return nil, fail(ldap.LDAPResultUnavailableCriticalExtension, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0: dirsync cookie")
	}
	page, err := c.dir.dirSync(c.who, s, ctl)
	if err != nil {
		return nil, err
	}
	for _, e := range page.entries {
		if !a.entry(e) {
			break
		}
	}
	return []*ber.Packet{dirSyncResponse(page.more, page.cookie)}, nil
}

// newQuery checks a search against the directory.
func (d *Directory) newQuery(who *reader, s *searchRequest, ctl *controls) (*query, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	base, err := d.lookup(s.base, who)
	if err != nil {
		return nil, err
	}
	if base.deleted && !ctl.showDeleted {
		return nil, d.noSuchObject(place{})
	}
	f, err := d.compile(s.filter)
	if err != nil {
		return nil, err
	}
	return &query{who: who, base: base, scope: s.scope, filter: f, showDeleted: ctl.showDeleted}, nil
}

// page finds where a search goes on and how many entries it may give.
func (c *conn) page(a *answer, s *searchRequest, ctl *controls) (*pageState, int64, error) {
	limit := int64(c.dir.opts.MaxPageSize)
	if c.dir.opts.Samba {
		limit = 1 << 40
	}
	page := &pageState{key: s.key()}
	if ctl.paged != nil {
		if ctl.paged.size > 0 {
			limit = min(limit, ctl.paged.size)
		}
		if id := ctl.paged.cookie; id != "" {
			c.mu.Lock()
			kept := c.pages[id]
			delete(c.pages, id)
			c.mu.Unlock()
			if kept == nil || kept.key != page.key || a.fault.RejectCookie {
				return nil, 0, fail(ldap.LDAPResultUnwillingToPerform, "00000057: LdapErr: DSID-0C0909E1, comment: the page cookie isn't known on this connection, data 0")
			}
			page = kept
		}
	}
	if s.sizeLimit > 0 {
		limit = min(limit, s.sizeLimit-page.sent)
	}
	return page, limit, nil
}

// keepPage remembers where a paged search goes on and names it for the client.
func (c *conn) keepPage(p *pageState, lose bool) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nextID++
	id := fmt.Sprintf("%d/%d", c.id, c.nextID)
	if !lose {
		c.pages[id] = p
	}
	return id
}

// stream sends up to limit entries, a chunk at a time, and reports whether
// there are more.
func (c *conn) stream(a *answer, q *query, s *searchRequest, ctl *controls, page *pageState, limit int64) (more bool, err error) {
	sel, enc := newSelection(s.attrs, c.dir.opts.SambaRanges), newEncoder(s.typesOnly)
	for {
		entries, full, err := c.dir.chunk(q, &page.at, sel, ctl, enc, min(chunk, limit))
		for _, e := range entries {
			if !a.entry(e) {
				return false, nil
			}
		}
		page.sent += int64(len(entries))
		limit -= int64(len(entries))
		if err != nil || !full {
			return false, err
		}
		if limit <= 0 {
			return true, nil
		}
	}
}

// chunk encodes the next entries, at most n. full says that a further one
// waits.
func (d *Directory) chunk(q *query, at *cursor, sel selection, ctl *controls, enc *encoder, n int64) (entries []*ber.Packet, full bool, err error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	v := newView(d, q.who, ctl, enc)
	d.visit(q, at, func(r *record) bool {
		if int64(len(entries)) == n {
			full = true
			return false
		}
		var fields []field
		if fields, err = v.fields(r, sel); err != nil {
			return false
		}
		entries = append(entries, v.enc.entry(v.dn(r), fields))
		return true
	})
	return entries, full, err
}

// An answer is the sending side of one search, with what goes wrong in it.
type answer struct {
	conn  *conn
	ctx   context.Context
	id    int64
	fault Fault
	buf   bytes.Buffer
	sent  int // entries
	bytes int
	ended bool
}
