package graphsim

import (
	"net/http"
	"slices"
	"strings"
)

func (t *Tenant) listDeleted(c *call) reply {
	return t.list(c, "directory/deletedItems/microsoft.graph.user", &t.bin)
}

func (t *Tenant) getDeleted(c *call) reply {
	t.mu.RLock()
	v, ok := view{}, false
	if s := t.slots[strings.ToLower(c.segments[2])]; s != nil {
		v, ok = t.seeDeleted(s, c.now)
	}
	t.mu.RUnlock()
	if !ok {
		return c.fail(notFound(c.segments[2]))
	}
	choose, grants := t.selectUser, readDeleted
	if v.s.group {
		choose, grants = t.selectGroup, readGroups
	}
	if !c.allowed(t, grants) {
		return c.fail(denied())
	}
	sel, e := choose(c)
	if e != nil {
		return c.fail(e)
	}
	if _, ok := c.query["$select"]; !ok {
		sel = append([]string{"deletedDateTime"}, sel...)
	}
	return reply{status: http.StatusOK, body: t.appendTyped(c, v, sel)}
}

// appendTyped writes a user or group as a directoryObject, which names its type.
func (t *Tenant) appendTyped(c *call, v view, sel []string) []byte {
	first := append(c.context("directoryObjects", sel, true), `,"@odata.type":`...)
	return t.appendUser(nil, v, sel, appendString(first, v.s.odataType()))
}

func (t *Tenant) purgeUser(c *call) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.binned(c)
	if s == nil {
		return c.fail(notFound(c.segments[2]))
	}
	if s.protected && !c.app.Administrator || !c.allowed(t, binGrants(s)) {
		return c.fail(denied())
	}
	t.purge(s)
	return reply{status: http.StatusNoContent}
}

// binGrants are the permissions to restore or purge s.
func binGrants(s *slot) []string {
	if s.group {
		return deleteGroups
	}
	return deleteUsers
}

// binned finds the restorable object that the path names. The caller holds mu.
func (t *Tenant) binned(c *call) *slot {
	s := t.slots[strings.ToLower(c.segments[2])]
	if s == nil {
		return nil
	}
	if _, ok := t.seeDeleted(s, c.now); !ok {
		return nil
	}
	return s
}

func (t *Tenant) restoreUser(c *call) reply {
	upn, reconcile, e := c.restoreBody()
	if e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.binned(c)
	if s == nil {
		return c.fail(notFound(c.segments[2]))
	}
	if s.protected && !c.app.Administrator || !c.allowed(t, binGrants(s)) {
		return c.fail(denied())
	}
	if s.group {
		return t.restoreGroup(c, s)
	}
	r := cloneRecord(s.cur)
	r["userPrincipalName"] = s.liveUPN
	if upn != "" {
		r["userPrincipalName"] = upn
	}
	if reconcile {
		r["proxyAddresses"] = slices.DeleteFunc(slices.Clone(r.strs("proxyAddresses")), func(p string) bool {
			return t.byProxy[t.proxyKey(p)] != nil
		})
	}
	w := &userWrite{values: map[string]any{"userPrincipalName": r["userPrincipalName"]}}
	if e := w.check(); e != nil {
		return c.fail(e)
	}
	if upn != "" {
		e = t.admit(s, r, w.values)
	} else {
		e = t.unique(s, r)
	}
	if e != nil {
		return c.fail(e)
	}
	t.raise(s, r)
	return reply{status: http.StatusOK, body: t.appendTyped(c, view{s: s, r: s.cur}, defaultSelect)}
}

// restoreBody reads the optional body of a restore.
func (c *call) restoreBody() (upn string, reconcile bool, e *apiError) {
	if len(c.body) == 0 {
		return "", false, nil
	}
	m, e := c.payload()
	if e != nil {
		return "", false, e
	}
	for k, v := range m {
		ok := true
		switch k {
		case "newUserPrincipalName":
			upn, ok = v.(string)
		case "autoReconcileProxyConflict":
			reconcile, ok = v.(bool)
		default:
			return "", false, &apiError{status: 400, code: "BadRequest", message: "The parameter '" + k + "' in the request payload is not a valid parameter for the operation 'restore'."}
		}
		if !ok {
			return "", false, badRequest("Cannot convert the value of parameter '%s'.", k)
		}
	}
	return upn, reconcile, nil
}
