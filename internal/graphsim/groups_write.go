package graphsim

import (
	"net/http"
	"slices"
	"strings"
)

const (
	msgMailGroup = "Cannot Update a mail-enabled security groups and or distribution list."
	bindSuffix   = "@odata.bind"
)

// A groupWrite is the checked body of a create or an update.
type groupWrite struct {
	values map[string]any      // nil clears
	binds  map[string][]string // ids by attribute
}

func invalidGroup(prop string) *apiError {
	e := badRequest("Invalid value specified for property '%s' of resource 'Group'.", prop)
	e.details = []detail{{"InvalidValue", e.message, prop}}
	return e
}

func (t *Tenant) parseGroup(c *call) (*groupWrite, *apiError) {
	body, e := c.payload()
	if e != nil {
		return nil, e
	}
	w := &groupWrite{values: map[string]any{}, binds: map[string][]string{}}
	for _, name := range sortedKeys(body) {
		v := body[name]
		if attribute, ok := strings.CutSuffix(name, bindSuffix); ok && (attribute == refMembers || attribute == refOwners) {
			if w.binds[attribute], e = c.boundIDs(v); e != nil {
				return nil, e
			}
			continue
		}
		if name == "@odata.type" && v != "#microsoft.graph.group" {
			return nil, badRequest("A type named '%v' could not be resolved by the model.", v)
		}
		if strings.HasPrefix(name, "@odata.") {
			continue
		}
		p := t.groupSchema[name]
		if p == nil {
			return nil, badRequest("Property '%s' does not exist as a declared property or extension property.", name)
		}
		if p.readOnly {
			return nil, badRequest("Property '%s' is read-only and cannot be set.", name)
		}
		if v, e = t.convert(p, v); e != nil {
			return nil, e
		}
		if !t.validGroup(p, v) {
			return nil, invalidGroup(name)
		}
		w.values[name] = v
	}
	return w, nil
}

func (t *Tenant) createGroup(c *call) reply {
	w, e := t.parseGroup(c)
	if e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	return t.newGroup(c, w, "")
}

// newGroup makes a group of w. The caller holds mu.
func (t *Tenant) newGroup(c *call, w *groupWrite, unique string) reply {
	for _, p := range groupProperties {
		if _, ok := w.values[p.name]; p.required && !ok {
			return c.fail(badRequest("A value is required for property '%s' of resource 'Group'.", p.name))
		}
	}
	s := &slot{id: t.newID(), group: true, created: c.now, visible: c.now.Add(t.opts.Lag), cur: record{}}
	for name, v := range w.values {
		if v != nil {
			s.cur[name] = v
		}
	}
	if unique != "" {
		s.cur["uniqueName"] = unique
	}
	s.cur["securityIdentifier"] = securityIdentifier(s.id)
	s.cur["renewedDateTime"] = timestamp(c.now)
	if s.cur.unified() && s.cur["mailEnabled"] != true || !s.cur.unified() && s.cur["securityEnabled"] != true {
		return c.fail(invalidGroup("mailEnabled"))
	}
	if s.cur.exchange() {
		return c.fail(badRequest("%s", "The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and try again."))
	}
	if s.cur["isAssignableToRole"] == true && !c.allowed(t, roleGroups) {
		return c.fail(denied())
	}
	if s.cur.unified() {
		s.cur["mail"] = s.cur.str("mailNickname") + "@" + t.domains[0].Name
		s.cur["proxyAddresses"] = []string{"SMTP:" + s.cur.str("mail")}
	}
	e := t.uniqueGroup(nil, s.cur)
	if e == nil {
		e = t.roomFor(1)
	}
	if e == nil {
		e = t.bindable(c, s, w)
	}
	if e != nil {
		return c.fail(e)
	}
	t.insert(s)
	t.bind(c, s, w)
	rep := reply{status: http.StatusCreated, body: t.appendUser(nil, view{s: s, r: s.cur}, defaultGroup, c.context("groups", defaultGroup, true))}
	rep.set("Location", c.base+"/groups/"+s.id)
	return rep
}

// roleGroups may write groups that carry directory roles.
var roleGroups = []string{"RoleManagement.ReadWrite.Directory"}

// upsertGroup answers PATCH /groups(uniqueName='x'): with the preference
// create-if-missing it makes the group that isn't there.
func (t *Tenant) upsertGroup(c *call) reply {
	w, e := t.parseGroup(c)
	if e != nil {
		return c.fail(e)
	}
	name := uniqueName(c.segments[0])
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.byUniqueName[name]
	switch prefer := strings.ToLower(c.header.Get("Prefer")); {
	case s != nil: // the key is looked up where it is unique, so no lag hides it
		return t.changeGroup(c, s, w)
	case !strings.Contains(prefer, "create-if-missing"):
		return c.fail(notFound(name))
	}
	return t.newGroup(c, w, name)
}

func (t *Tenant) updateGroup(c *call) reply {
	w, e := t.parseGroup(c)
	if e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.findGroup(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return c.fail(notFound(c.segments[1]))
	}
	return t.changeGroup(c, s, w)
}

// changeGroup makes all of w or nothing. The caller holds mu.
func (t *Tenant) changeGroup(c *call, s *slot, w *groupWrite) reply {
	if onlyMembers := len(w.values) == 0 && len(w.binds[refOwners]) == 0; !onlyMembers && !c.allowed(t, updateGroups) {
		return c.fail(denied())
	}
	e := t.groupWritable(c, s)
	if e != nil {
		return c.fail(e)
	}
	r := cloneRecord(s.cur)
	for name, v := range w.values {
		switch old, had := r[name]; {
		case name == "isAssignableToRole" && had && old != v, name == "groupTypes" && r.unified() != (record{name: v}).unified():
			return c.fail(invalidGroup(name))
		case v == nil:
			delete(r, name)
		default:
			r[name] = v
		}
	}
	if r.exchange() {
		return c.fail(invalidGroup("mailEnabled"))
	}
	if e = t.uniqueGroup(s, r); e == nil {
		e = t.bindable(c, s, w)
	}
	if e != nil {
		return c.fail(e)
	}
	if len(w.values) > 0 {
		t.replace(s, r, c.now)
	}
	t.bind(c, s, w)
	return reply{status: http.StatusNoContent}
}

// groupWritable refuses groups that Graph doesn't write, or not for the
// application.
func (t *Tenant) groupWritable(c *call, s *slot) *apiError {
	switch {
	case s.cur["onPremisesSyncEnabled"] == true:
		return badRequest("%s", msgSynced)
	case s.cur.exchange():
		return badRequest("%s", msgMailGroup)
	case s.cur["isAssignableToRole"] == true && !c.allowed(t, roleGroups), s.protected && !c.app.Administrator:
		return denied()
	}
	return nil
}

func (t *Tenant) deleteGroup(c *call) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.findGroup(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return c.fail(notFound(c.segments[1]))
	}
	if e := t.groupWritable(c, s); e != nil {
		return c.fail(e)
	}
	t.buryGroup(c, s)
	return reply{status: http.StatusNoContent}
}

func (t *Tenant) buryGroup(c *call, s *slot) {
	t.bury(s, c.now)
	if t.opts.Switches.SecurityGroupsPurged && !s.cur.unified() {
		t.purge(s)
	}
}

func (t *Tenant) restoreGroup(c *call, s *slot) reply {
	if len(c.body) > 0 && slices.Contains([]string{"newUserPrincipalName"}, firstKey(c.body)) {
		return c.fail(badRequest("The parameter 'newUserPrincipalName' is for users only."))
	}
	if e := t.uniqueGroup(s, s.cur); e != nil {
		return c.fail(e)
	}
	t.raise(s, s.cur)
	return reply{status: http.StatusOK, body: t.appendTyped(c, view{s: s, r: s.cur}, defaultGroup)}
}

func firstKey(body []byte) string {
	if m, err := decodeObject(body); err == nil && len(m) > 0 {
		return sortedKeys(m)[0]
	}
	return ""
}

func (t *Tenant) listGroups(c *call) reply { return t.list(c, "groups", &t.groups) }

func (t *Tenant) listDeletedGroups(c *call) reply {
	return t.list(c, "directory/deletedItems/microsoft.graph.group", &t.groupBin)
}

func (t *Tenant) getGroup(c *call) reply {
	sel, e := t.selectGroup(c)
	if e == nil {
		e = c.refuseUnsupported("$select")
	}
	if e != nil {
		return c.fail(e)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	var s *slot
	asked := c.segments[len(c.segments)-1]
	if isUniqueName(c.segments[0]) {
		asked = uniqueName(c.segments[0])
		s = t.byUniqueName[asked]
	} else {
		s = t.findGroup(asked)
	}
	if s == nil {
		return c.fail(notFound(asked))
	}
	v, ok := t.see(s, c.now)
	if !ok {
		return c.fail(notFound(asked))
	}
	return reply{status: http.StatusOK, body: t.appendUser(nil, v, sel, c.context("groups", sel, true))}
}
