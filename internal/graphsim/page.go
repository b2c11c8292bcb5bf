package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A pageToken is where a list goes on. It is opaque to the caller.
type pageToken struct {
	After uint64 `json:"a"`
	Epoch int    `json:"e"`
	Kind  string `json:"k"`
}

func (p pageToken) String() string {
	b, _ := json.Marshal(p)
	return "RFNwdAIAAQ" + base64.RawURLEncoding.EncodeToString(b)
}

func (t *Tenant) parsePageToken(c *call) (pageToken, *apiError) {
	raw, ok := c.query["$skiptoken"]
	if !ok {
		return pageToken{}, nil
	}
	var p pageToken
	body, ok := strings.CutPrefix(raw[0], "RFNwdAIAAQ")
	b, err := base64.RawURLEncoding.DecodeString(body)
	if !ok || err != nil || json.Unmarshal(b, &p) != nil || p.Kind != c.op.Kind {
		return p, badRequest("Invalid page token.")
	}
	if p.Epoch != t.epoch {
		e := &apiError{status: 400, code: "Directory_ExpiredPageToken", message: "The specified page token value has expired and can no longer be included in your request."}
		if t.opts.Switches.PageTokenGone {
			e.status = 410
		}
		return p, e
	}
	return p, nil
}

// nextLink is the call's own URL with p in it.
func (c *call) nextLink(p pageToken) string {
	q := make([]string, 0, len(c.query))
	for k, vs := range c.query {
		if k == "$skiptoken" {
			continue
		}
		for _, v := range vs {
			q = append(q, strings.ReplaceAll(url.QueryEscape(k), "%24", "$")+"="+url.QueryEscape(v))
		}
	}
	slices.Sort(q)
	q = append(q, "$skiptoken="+p.String())
	return c.base + c.op.Path + "?" + strings.Join(q, "&")
}

// A page is one page of a list: what to show, and where the rest begins.
type page struct {
	views []view
	next  *pageToken
	last  uint64
	total int // matches in all, -1 if not counted
}

// paginate walks list from the call's page token. see says what a reader meets.
func (t *Tenant) paginate(c *call, list *ordered, see func(*slot, time.Time) (view, bool), f filter, count bool) (page, *apiError) {
	top, e := t.top(c)
	if e != nil {
		return page{}, e
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	tok, e := t.parsePageToken(c)
	if e != nil {
		return page{}, e
	}
	p := page{total: -1}
	if count {
		p.total = t.count(c, list, see, f)
	}
	if found, ok := f.lookup(t, list); ok {
		slices.SortFunc(found, func(a, b *slot) int { return int(int64(a.seq) - int64(b.seq)) })
		for _, s := range slices.Compact(found) {
			if s.seq > tok.After && !t.fill(&p, c, s, s.seq, top, see, f) {
				break
			}
		}
		return p, nil
	}
	for _, en := range list.entries[list.after(tok.After):] {
		if en.s != nil && !t.fill(&p, c, en.s, en.seq, top, see, f) {
			break
		}
	}
	return p, nil
}

// fill adds s to the page if it belongs there; false means that the page is
// full and another one follows.
func (t *Tenant) fill(p *page, c *call, s *slot, seq uint64, top int, see func(*slot, time.Time) (view, bool), f filter) bool {
	v, ok := see(s, c.now)
	if !ok || !f.match(v) {
		return true
	}
	if len(p.views) == top {
		p.next = &pageToken{After: p.last, Epoch: t.epoch, Kind: c.op.Kind}
		return false
	}
	p.views = append(p.views, v)
	p.last = seq
	return true
}

func (t *Tenant) count(c *call, list *ordered, see func(*slot, time.Time) (view, bool), f filter) int {
	n := 0
	for _, en := range list.entries {
		if en.s == nil {
			continue
		}
		if v, ok := see(en.s, c.now); ok && f.match(v) {
			n++
		}
	}
	return n
}
