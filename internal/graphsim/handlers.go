package graphsim

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

func (t *Tenant) listDomains(c *call) reply {
	t.mu.RLock()
	var all []map[string]any
	for _, d := range t.domains {
		all = append(all, t.domainObject(d))
	}
	t.mu.RUnlock()
	return c.objects("domains", "microsoft.graph.domain", all)
}

func (t *Tenant) getDomain(c *call) reply {
	t.mu.RLock()
	defer t.mu.RUnlock()
	d := t.domain(c.segments[1], false)
	if d == nil {
		return c.fail(notFound(c.segments[1]))
	}
	return c.object("domains", "microsoft.graph.domain", t.domainObject(*d))
}

func (t *Tenant) listOrganization(c *call) reply {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return c.objects("organization", "microsoft.graph.organization", []map[string]any{t.organizationObject()})
}

func (t *Tenant) getOrganization(c *call) reply {
	t.mu.RLock()
	defer t.mu.RUnlock()
	if !strings.EqualFold(c.segments[1], t.id) {
		return c.fail(notFound(c.segments[1]))
	}
	return c.object("organization", "microsoft.graph.organization", t.organizationObject())
}

// objects is a list of small objects; they come in one page.
func (c *call) objects(set, typ string, all []map[string]any) reply {
	sel, e := c.pick(typ, all[0])
	if e != nil {
		return c.fail(e)
	}
	b := append([]byte{'{'}, c.context(set, sel, false)...)
	b = append(b, `,"value":[`...)
	for i, o := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendPicked(b, nil, o, sel)
	}
	return reply{status: http.StatusOK, body: append(b, `]}`...)}
}

func (c *call) object(set, typ string, o map[string]any) reply {
	sel, e := c.pick(typ, o)
	if e != nil {
		return c.fail(e)
	}
	return reply{status: http.StatusOK, body: appendPicked(nil, c.context(set, sel, true), o, sel)}
}

func (c *call) pick(typ string, o map[string]any) ([]string, *apiError) {
	if e := c.refuseUnsupported("$select", "$top", "$count"); e != nil {
		return nil, e
	}
	return c.parseSelect(func(name string) (string, bool) { _, ok := o[name]; return name, ok }, typ, slices.Sorted(maps.Keys(o)))
}

func appendPicked(b, first []byte, o map[string]any, sel []string) []byte {
	b = append(append(b, '{'), first...)
	for i, name := range sel {
		if i > 0 || len(first) > 0 {
			b = append(b, ',')
		}
		b = appendString(b, name)
		b = append(b, ':')
		b = appendValue(b, o[name])
	}
	return append(b, '}')
}
