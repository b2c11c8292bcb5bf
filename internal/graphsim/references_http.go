package graphsim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// refID is the object id at the end of a reference's URL, or "".
func refID(link any) string {
	s, _ := link.(string)
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 3 || !slices.Contains([]string{"directoryObjects", "users", "groups"}, parts[1]) {
		return ""
	}
	return parts[2]
}

// boundIDs reads the value of a members@odata.bind.
func (c *call) boundIDs(v any) ([]string, *apiError) {
	list, _ := v.([]any)
	if len(list) == 0 {
		return nil, badRequest("The value of an odata.bind property annotation must be a non-empty array of links.")
	}
	if len(list) > 20 {
		return nil, badRequest("The number of references in the request exceeds the maximum of 20.")
	}
	var ids []string
	for _, link := range list {
		id := refID(link)
		if id == "" {
			return nil, badRequest("Invalid URL format specified in @odata.bind.")
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// bindable says why one of w's references can't be added. The caller holds mu.
func (t *Tenant) bindable(c *call, s *slot, w *groupWrite) *apiError {
	for _, attribute := range []string{refMembers, refOwners} {
		k := refKey{s, attribute}
		for i, id := range w.binds[attribute] {
			to := t.slots[strings.ToLower(id)]
			if e := t.referable(c, k, to, id, i+1); e != nil {
				return e
			}
		}
	}
	return nil
}

// referable says why k can't point at to, the n-th to be added.
func (t *Tenant) referable(c *call, k refKey, to *slot, id string, n int) *apiError {
	switch {
	case to == nil || !t.writable(to, c.now):
		if t.opts.Switches.UnnamedReferences {
			return notFound(k.from.id)
		}
		return notFound(id)
	case t.refs.has(k, to):
		return badRequest("One or more added object references already exist for the following modified properties: '%s'.", k.attribute)
	case slices.Contains(k.from.cur.strs("groupTypes"), "DynamicMembership") && k.attribute == refMembers:
		return badRequest("Insufficient privileges to complete the operation: the group's membership is dynamic.")
	case to.group && (k.attribute != refMembers || k.from.cur.unified() || to.cur.unified()):
		return badRequest("An invalid operation was included in the following modified references: '%s'.", k.attribute)
	case k.attribute == refOwners && len(t.living(k))+n > maxOwners:
		return &apiError{status: 403, code: "Directory_QuotaExceeded", message: "Unable to perform operation as '" + itoa(len(t.living(k))+n) +
			"' would exceed the maximum quota count '" + itoa(maxOwners) + "' for forward-link 'owners'."}
	}
	return nil
}

// bind adds w's references, which are bindable. The caller holds mu.
func (t *Tenant) bind(c *call, s *slot, w *groupWrite) {
	for attribute, ids := range w.binds {
		for _, id := range ids {
			t.refs.add(refKey{s, attribute}, t.slots[strings.ToLower(id)], t.refVisible(c.now))
		}
	}
}

// referencing finds the live group of a path below /groups/{id}/ for a write.
// The caller holds mu.
func (t *Tenant) referencing(c *call) (refKey, *apiError) {
	t.sweep(c.now)
	s := t.findGroup(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return refKey{}, notFound(c.segments[1])
	}
	return refKey{s, strings.ToLower(c.segments[2])}, t.groupWritable(c, s)
}

func (t *Tenant) addReference(c *call) reply {
	id, e := c.refBody()
	if e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	k, e := t.referencing(c)
	if e != nil {
		return c.fail(e)
	}
	to := t.slots[strings.ToLower(id)]
	if e := t.referable(c, k, to, id, 1); e != nil {
		return c.fail(e)
	}
	t.refs.add(k, to, t.refVisible(c.now))
	return reply{status: http.StatusNoContent}
}

// refBody reads the @odata.id of a $ref write.
func (c *call) refBody() (string, *apiError) {
	body, e := c.payload()
	if e != nil {
		return "", e
	}
	id := refID(body["@odata.id"])
	if id == "" {
		return "", badRequest("Invalid URL format specified in the entity reference link.")
	}
	return id, nil
}

func (t *Tenant) deleteReference(c *call) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, e := t.referencing(c)
	if e != nil {
		return c.fail(e)
	}
	to := t.slots[strings.ToLower(c.segments[3])]
	switch {
	case to == nil || !to.deleted.IsZero() || !t.refs.has(k, to):
		if t.opts.Switches.NonMemberAs400 {
			return c.fail(badRequest("One or more removed object references do not exist for the following modified properties: '%s'.", k.attribute))
		}
		return c.fail(notFound(c.segments[3]))
	case k.attribute == refOwners && len(t.living(k)) == 1:
		return c.fail(badRequest("The group must have at least one owner, hence this owner cannot be removed."))
	}
	t.refs.remove(k, to)
	return reply{status: http.StatusNoContent}
}

// listReferences answers with a page of a group's members or owners.
func (t *Tenant) listReferences(c *call) reply {
	if e := c.refuseUnsupported("$select", "$top", "$filter", "$count", "$skiptoken"); e != nil {
		return c.fail(e)
	}
	var f filter
	if _, filtered := c.query["$filter"]; filtered {
		var e *apiError
		if !c.advanced() {
			return c.fail(&apiError{status: 400, code: codeUnsupported, message: "Filter operator is not supported for this request without the header 'ConsistencyLevel: eventual' and '$count=true'."})
		}
		if f, e = t.parseFilter(c); e != nil {
			return c.fail(e)
		}
	}
	t.mu.RLock()
	s := t.findGroup(c.segments[1])
	visible := false
	if s != nil {
		_, visible = t.see(s, c.now)
	}
	var list *ordered
	k := refKey{s, strings.ToLower(c.segments[2])}
	if visible && t.refs.out[k] != nil {
		list = &t.refs.out[k].list
	}
	t.mu.RUnlock()
	if !visible {
		return c.fail(notFound(c.segments[1]))
	}
	var p page
	if list != nil {
		var e *apiError
		if p, e = t.paginate(c, list, t.seeRef(k), f, c.advanced()); e != nil {
			return c.fail(e)
		}
	} else if _, e := t.top(c); e != nil {
		return c.fail(e)
	}
	b := append([]byte{'{'}, c.context("directoryObjects", []string{c.query.Get("$select")}, false)...)
	if p.total >= 0 && list != nil {
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
		b = t.appendMember(b, c, v)
	}
	return reply{status: http.StatusOK, body: append(b, `]}`...)}
}

// appendMember adds an object with its type and what was selected of it: a
// property that its type doesn't have is left out.
func (t *Tenant) appendMember(b []byte, c *call, v view) []byte {
	sel := defaultSelect
	if v.s.group {
		sel = defaultGroup
	}
	if raw, ok := c.query["$select"]; ok {
		sel = slices.DeleteFunc(strings.Split(raw[0], ","), func(name string) bool { return !t.schemaOf(v.s).readable(name) })
	}
	return t.appendUser(b, v, sel, appendString([]byte(`"@odata.type":`), v.s.odataType()))
}

func (t *Tenant) getManager(c *call) reply {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.find(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return c.fail(notFound(c.segments[1]))
	}
	k := refKey{s, refManager}
	for _, to := range t.living(k) {
		if v, ok := t.seeRef(k)(to, c.now); ok {
			first := c.context("directoryObjects", []string{c.query.Get("$select")}, true)
			b := t.appendMember(nil, c, v)
			return reply{status: http.StatusOK, body: append(append(append([]byte{'{'}, first...), ','), b[1:]...)}
		}
	}
	return c.fail(notFound("manager"))
}

func (t *Tenant) putManager(c *call) reply {
	id, e := c.refBody()
	if e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	s, e := t.managed(c)
	if e != nil {
		return c.fail(e)
	}
	to := t.slots[strings.ToLower(id)]
	switch {
	case to == nil || !t.writable(to, c.now):
		return c.fail(notFound(id))
	case to.group:
		return c.fail(badRequest("An invalid operation was included in the following modified references: 'manager'."))
	}
	k := refKey{s, refManager}
	for _, old := range t.refs.of(k) {
		t.refs.remove(k, old)
	}
	t.refs.add(k, to, t.refVisible(c.now))
	return reply{status: http.StatusNoContent}
}

func (t *Tenant) deleteManager(c *call) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, e := t.managed(c)
	if e != nil {
		return c.fail(e)
	}
	k := refKey{s, refManager}
	all := t.living(k)
	if len(all) == 0 {
		return c.fail(notFound("manager"))
	}
	for _, to := range all {
		t.refs.remove(k, to)
	}
	return reply{status: http.StatusNoContent}
}

// managed finds the user whose manager is written. The caller holds mu.
func (t *Tenant) managed(c *call) (*slot, *apiError) {
	t.sweep(c.now)
	s := t.find(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return nil, notFound(c.segments[1])
	}
	if s.cur["onPremisesSyncEnabled"] == true {
		return nil, badRequest("%s", msgSynced)
	}
	return s, nil
}
