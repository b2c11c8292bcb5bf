package graphsim

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// deltaLife is how long a delta token is good.
const deltaLife = 7 * 24 * time.Hour

// A change is that something happened to a user or group, or to a member of a
// group. It shows in delta queries when it is as old as [Options.Lag].
type change struct {
	n      uint64
	id     string
	at     time.Time
	group  bool
	member string // the one that was added or removed, "" for the object itself
	nested bool   // which is a group
}

// changed remembers that something happened to s. The caller holds mu.
func (t *Tenant) changed(s *slot) {
	n := uint64(len(t.changes)) + 1
	t.changes = append(t.changes, change{n: n, id: s.id, at: time.Now(), group: s.group})
}

// shown is the number of the last change that delta queries show at now. The
// caller holds mu.
func (t *Tenant) shown(now time.Time) uint64 {
	n := len(t.changes)
	for n > 0 && now.Before(t.changes[n-1].at.Add(t.opts.Lag)) {
		n--
	}
	return uint64(n)
}

// ExpireDeltas makes every delta token handed out so far invalid, as the service
// does after a week, or when it feels like it.
func (t *Tenant) ExpireDeltas() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.deltaEpoch++
}

// A deltaToken is where a delta query goes on: in the next page, or in the next
// round. It carries the options of the first call.
type deltaToken struct {
	Page   bool   `json:"p,omitempty"`
	All    bool   `json:"l,omitempty"` // the pages are of all users
	After  uint64 `json:"a"`           // the last user or change that was told
	Until  uint64 `json:"u,omitempty"` // of a page: where the next round begins
	Group  bool   `json:"g,omitempty"` // of groups
	Select string `json:"s,omitempty"`
	Top    int    `json:"t,omitempty"`
	Issued int64  `json:"i"`
	Epoch  int    `json:"e"`
}

const deltaPrefix = "RGVsdGE"

func (d deltaToken) String() string {
	b, _ := json.Marshal(d)
	return deltaPrefix + base64.RawURLEncoding.EncodeToString(b)
}

// parseDelta reads the call's token. first is true for a call without one.
func (t *Tenant) parseDelta(c *call) (d deltaToken, first bool, e *apiError) {
	raw, page := c.query.Get("$skiptoken"), true
	if raw == "" {
		raw, page = c.query.Get("$deltatoken"), false
	}
	group := strings.EqualFold(c.segments[0], "groups")
	if raw == "" || !page && strings.EqualFold(raw, "latest") {
		return deltaToken{All: raw == "", Group: group, Select: c.query.Get("$select"), Epoch: t.deltaEpoch}, true, nil
	}
	body, ok := strings.CutPrefix(raw, deltaPrefix)
	b, err := base64.RawURLEncoding.DecodeString(body)
	if !ok || err != nil || json.Unmarshal(b, &d) != nil || d.Page != page || d.Group != group {
		return d, false, badRequest("Badly formed token.")
	}
	if d.Epoch != t.deltaEpoch || c.now.Sub(time.Unix(d.Issued, 0)) > deltaLife {
		e := &apiError{status: http.StatusGone, code: "syncStateNotFound",
			message: "The sync state generation is not found; continuing to use the same delta token will not work. Please restart without it."}
		if t.opts.Switches.DeltaTokenRefused {
			e.status = http.StatusBadRequest
		} else {
			e.header = http.Header{"Location": {c.base + c.op.Path + "?$deltatoken="}}
		}
		return d, false, e
	}
	return d, false, nil
}

// deltaUsers answers GET /users/delta: without a token with all users, with
// $deltatoken=latest with none, with a token with those to whom something
// happened since. The last page has the link of the next round.
func (t *Tenant) deltaUsers(c *call) reply { return t.delta(c, "users") }

func (t *Tenant) delta(c *call, set string) reply {
	if e := c.refuseUnsupported("$select", "$top", "$deltatoken", "$skiptoken"); e != nil {
		return c.fail(e)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	d, first, e := t.parseDelta(c)
	if e != nil {
		return c.fail(e)
	}
	if first {
		if d.Top, e = t.top(c); e != nil {
			return c.fail(e)
		}
		d.Until = t.shown(c.now)
	} else if !d.Page {
		d.Until = t.shown(c.now)
		if t.opts.Switches.DeltaReplays {
			d.After -= min(d.After, 3)
		}
	}
	fields, members := d.Select, false
	if d.Group {
		fields, members = withoutMembers(d.Select)
	}
	c.query.Set("$select", fields)
	if fields == "" {
		c.query.Del("$select")
	}
	choose := t.selectUser
	if d.Group {
		choose = t.selectGroup
	}
	sel, e := choose(c)
	if e != nil {
		return c.fail(e)
	}
	b := append([]byte{'{'}, c.context(set, sel, false)...)
	b = append(b, `,"value":[`...)
	sel = append([]string{"id"}, dropID(sel)...)
	items, more := [][]byte(nil), false
	switch {
	case d.All:
		items, more = t.allItems(c, &d, sel, members)
	case !first:
		items, more = t.changedItems(c, &d, sel, members)
	}
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, item...)
	}
	b = append(b, ']')
	d.Issued, d.Epoch = c.now.Unix(), t.deltaEpoch
	name, option := `,"@odata.nextLink":`, "$skiptoken"
	if d.Page = more; !more {
		name, option = `,"@odata.deltaLink":`, "$deltatoken"
		d.All, d.After, d.Until = false, d.Until, 0
	}
	b = append(b, name...)
	b = appendString(b, c.base+c.op.Path+"?"+option+"="+d.String())
	return reply{status: http.StatusOK, body: append(b, '}')}
}

func dropID(sel []string) (out []string) {
	for _, name := range sel {
		if name != "id" {
			out = append(out, name)
		}
	}
	return out
}

// allItems are a page of all users or groups. The caller holds mu.
func (t *Tenant) allItems(c *call, d *deltaToken, sel []string, members bool) (items [][]byte, more bool) {
	list := &t.live
	if d.Group {
		list = &t.groups
	}
	for _, en := range list.entries[list.after(d.After):] {
		if en.s == nil {
			continue
		}
		v, ok := t.see(en.s, c.now)
		if !ok {
			continue
		}
		if len(items) == d.Top {
			return items, true
		}
		d.After = en.seq
		item := t.appendUser(nil, v, sel, nil)
		if members {
			item = t.withMembers(c, item, en.s)
		}
		items = append(items, item)
	}
	return items, false
}

// changedItems are a page of those to whom something happened: several times, if
// several things did. The caller holds mu.
func (t *Tenant) changedItems(c *call, d *deltaToken, sel []string, members bool) (items [][]byte, more bool) {
	told := map[string]bool{} // groups of which more than members was told
	for _, ch := range t.changes[min(d.After, d.Until):d.Until] {
		if ch.group != d.Group || ch.member != "" && !members {
			d.After = ch.n
			continue
		}
		if len(items) == d.Top {
			return items, true
		}
		s := t.slots[ch.id]
		switch {
		case ch.member != "" && (s == nil || !s.deleted.IsZero()):
			// Its deletion is told.
		case ch.member != "":
			item, ok := t.memberItem(c, ch, s, sel, told)
			if !ok { // it will be seen, and then it is told
				d.Until = ch.n - 1
				return items, false
			}
			items = append(items, item)
		case s == nil:
			items = append(items, removed(ch.id, "deleted"))
		case !s.deleted.IsZero():
			items = append(items, removed(ch.id, "changed"))
		default:
			v, ok := t.see(s, c.now)
			if !ok { // it will be, and then it is told
				d.Until = ch.n - 1
				return items, false
			}
			items = append(items, t.appendUser(nil, v, sel, nil))
		}
		d.After = ch.n
	}
	return items, false
}

func removed(id, reason string) []byte {
	return []byte(`{"id":` + strconv.Quote(id) + `,"@removed":{"reason":"` + reason + `"}}`)
}
