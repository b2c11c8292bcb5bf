package graphsim

import (
	"net/http"
	"strconv"
	"strings"
)

func (t *Tenant) getUser(c *call) reply {
	sel, e := t.selectUser(c)
	if e == nil {
		e = c.refuseUnsupported("$select")
	}
	if e != nil {
		return c.fail(e)
	}
	t.mu.RLock()
	v, ok := view{}, false
	if s := t.find(c.segments[1]); s != nil {
		v, ok = t.see(s, c.now)
	}
	t.mu.RUnlock()
	if !ok {
		return c.fail(notFound(c.segments[1]))
	}
	return t.entity(c, http.StatusOK, v, sel)
}

// entity is the reply that holds one user.
func (t *Tenant) entity(c *call, status int, v view, sel []string) reply {
	return reply{status: status, body: t.appendUser(nil, v, sel, c.context("users", sel, true))}
}

// context is the @odata.context member of a reply about a collection.
func (c *call) context(set string, sel []string, entity bool) []byte {
	s := c.base + "/$metadata#" + set
	if _, ok := c.query["$select"]; ok {
		s += "(" + strings.Join(sel, ",") + ")"
	}
	if entity {
		s += "/$entity"
	}
	return appendString([]byte(`"@odata.context":`), s)
}

func (t *Tenant) listUsers(c *call) reply { return t.list(c, "users", &t.live) }

// list answers with a page of live users or groups, or of those in the bin.
func (t *Tenant) list(c *call, set string, from *ordered) reply {
	choose := t.selectUser
	if from == &t.groups || from == &t.groupBin {
		choose = t.selectGroup
	}
	sel, e := choose(c)
	if e == nil {
		e = c.refuseUnsupported("$select", "$filter", "$top", "$count", "$skiptoken")
	}
	if e != nil {
		return c.fail(e)
	}
	f, e := t.parseFilter(c)
	if e != nil {
		return c.fail(e)
	}
	see := t.see
	if from == &t.bin || from == &t.groupBin {
		see = t.seeDeleted
		if _, ok := c.query["$select"]; !ok {
			sel = append([]string{"deletedDateTime"}, sel...)
		}
	}
	p, e := t.paginate(c, from, see, f, c.advanced())
	if e != nil {
		return c.fail(e)
	}
	b := append([]byte{'{'}, c.context(set, sel, false)...)
	if p.total >= 0 {
		b = append(b, `,"@odata.count":`...)
		b = strconv.AppendInt(b, int64(p.total), 10)
	}
	if p.next != nil {
		b = append(b, `,"@odata.nextLink":`...)
		b = appendString(b, c.nextLink(*p.next))
	}
	b = append(b, `,"value":[`...)
	for i, v := range p.views {
		if i > 0 {
			b = append(b, ',')
		}
		b = t.appendUser(b, v, sel, nil)
	}
	return reply{status: http.StatusOK, body: append(b, `]}`...)}
}

// countUsers answers GET /users/$count, which needs the advanced query engine.
func (t *Tenant) countUsers(c *call) reply {
	if !strings.EqualFold(c.header.Get("ConsistencyLevel"), "eventual") {
		return c.fail(badRequest("$count is not currently supported."))
	}
	c.query.Set("$count", "true")
	f, e := t.parseFilter(c)
	if e != nil {
		return c.fail(e)
	}
	t.mu.RLock()
	n := t.count(c, &t.live, t.see, f)
	t.mu.RUnlock()
	rep := reply{status: http.StatusOK, body: strconv.AppendInt(nil, int64(n), 10)}
	rep.set("Content-Type", "text/plain")
	return rep
}
