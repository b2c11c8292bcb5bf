package graphsim

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

var requiredAtCreate = []string{"accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"}

func (t *Tenant) createUser(c *call) reply {
	w, e := t.parseUser(c, true)
	if e != nil {
		return c.fail(e)
	}
	for _, name := range requiredAtCreate {
		if _, ok := w.values[name]; !ok {
			return c.fail(badRequest("A value is required for property '%s' of resource 'User'.", name))
		}
	}
	if e := w.check(); e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := &slot{id: t.newID(), created: c.now, visible: c.now.Add(t.opts.Lag)}
	s.cur = t.merge(record{"userType": "Member", "lastPasswordChangeDateTime": timestamp(c.now)}, w.values)
	s.cur["securityIdentifier"] = securityIdentifier(s.id)
	if e := t.admit(nil, s.cur, w.values); e != nil {
		return c.fail(e)
	}
	if e := t.roomFor(1); e != nil {
		return c.fail(e)
	}
	t.insert(s)
	rep := t.entity(c, http.StatusCreated, view{s: s, r: s.cur}, defaultSelect)
	rep.set("Location", c.base+"/users/"+s.id)
	return rep
}

func (t *Tenant) updateUser(c *call) reply {
	w, e := t.parseUser(c, false)
	if e == nil {
		e = w.check()
	}
	if e != nil {
		return c.fail(e)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.find(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return c.fail(notFound(c.segments[1]))
	}
	if s.cur["onPremisesSyncEnabled"] == true && !onlyCloudMastered(w.values) {
		return c.fail(badRequest("%s", msgSynced))
	}
	if _, ok := w.values["onPremisesExtensionAttributes"]; ok && s.cur["onPremisesSyncEnabled"] == false {
		return c.fail(badRequest("%s", msgOnceSynced)) // false, not null: it used to be synchronized
	}
	if e := t.guarded(c, s, w); e != nil {
		return c.fail(e)
	}
	r := t.merge(s.cur, w.values)
	if e := t.admit(s, r, w.values); e != nil {
		return c.fail(e)
	}
	if len(w.values) == 0 {
		return reply{status: http.StatusNoContent}
	}
	t.replace(s, r, c.now)
	return reply{status: http.StatusNoContent}
}

func (t *Tenant) deleteUser(c *call) reply {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.sweep(c.now)
	s := t.find(c.segments[1])
	if s == nil || !t.writable(s, c.now) {
		return c.fail(notFound(c.segments[1]))
	}
	if s.cur["onPremisesSyncEnabled"] == true && !t.opts.Switches.SyncedDeleteAllowed {
		return c.fail(badRequest("%s", msgSynced))
	}
	if s.protected && !c.app.Administrator {
		return c.fail(denied())
	}
	t.bury(s, c.now)
	return reply{status: http.StatusNoContent}
}

// writable reports whether a write to s finds it: it must be alive, and old
// enough to have reached the replica that answers.
func (t *Tenant) writable(s *slot, now time.Time) bool {
	if !s.deleted.IsZero() {
		return false
	}
	_, ok := t.see(s, now)
	return ok
}

// onlyCloudMastered: usageLocation and the like stay with the cloud even for
// synchronized users.
func onlyCloudMastered(values map[string]any) bool {
	for name := range values {
		if name != "usageLocation" && name != "passwordPolicies" {
			return false
		}
	}
	return true
}

// guarded refuses changes that need a directory role.
func (t *Tenant) guarded(c *call, s *slot, w *userWrite) *apiError {
	if c.app.Administrator {
		return nil
	}
	if _, ok := w.values["passwordProfile"]; ok && c.app.Permissions != nil {
		return denied()
	}
	if !s.protected {
		return nil
	}
	if t.opts.Switches.ProtectedWholly || slices.ContainsFunc(sortedKeys(w.values), isSensitive) {
		return denied()
	}
	return nil
}

// check turns what was wrong with values into a refusal.
func (w *userWrite) check() *apiError {
	if upn, ok := w.values["userPrincipalName"].(string); ok && !slices.Contains(w.invalid, "userPrincipalName") {
		wellFormed, valid := validUPN(upn)
		if !wellFormed {
			return severalInvalid("userPrincipalName")
		}
		if !valid {
			w.invalid = append(w.invalid, "userPrincipalName")
		}
	}
	if len(w.invalid) > 0 {
		return invalidValues(w.invalid...)
	}
	if p, ok := w.values["passwordProfile"].(map[string]any); ok {
		if s, _ := p["password"].(string); !strong(s) {
			return badRequest("The specified password does not comply with password complexity requirements. Please provide a different password.")
		}
	}
	return nil
}

// merge is old with values over it.
func (t *Tenant) merge(old record, values map[string]any) record {
	r := cloneRecord(old)
	for name, v := range values {
		switch {
		case name == "passwordProfile":
			continue // never kept
		case name == "onPremisesExtensionAttributes" && v != nil:
			prev, _ := r[name].(map[string]any)
			next := maps.Clone(prev)
			if next == nil {
				next = make(map[string]any)
			}
			for k, e := range v.(map[string]any) {
				if e == nil {
					delete(next, k)
				} else {
					next[k] = e
				}
			}
			v = next
		case name == "employeeOrgData" && v != nil:
			m := v.(map[string]any)
			v = map[string]any{"division": m["division"], "costCenter": m["costCenter"]}
		case name == "mail" && v != nil:
			r["proxyAddresses"] = t.withPrimary(r.strs("proxyAddresses"), v.(string))
		}
		if v == nil {
			delete(r, name)
		} else {
			r[name] = v
		}
	}
	return r
}

// withPrimary makes mail the primary SMTP address and what was primary a
// secondary one.
func (t *Tenant) withPrimary(old []string, mail string) []string {
	out := []string{"SMTP:" + mail}
	for _, p := range old {
		if rest, ok := strings.CutPrefix(p, "SMTP:"); ok {
			p = "smtp:" + rest
		}
		if t.proxyKey(p) != t.proxyKey("smtp:"+mail) {
			out = append(out, p)
		}
	}
	return out
}

// admit checks the rules that concern domains and other objects for r, the
// next version of s (nil for a new user). The caller holds mu.
func (t *Tenant) admit(s *slot, r record, values map[string]any) *apiError {
	if upn, ok := values["userPrincipalName"].(string); ok && (s == nil || upn != s.cur.str("userPrincipalName")) {
		d := t.suffix(upn)
		if d == nil {
			return &apiError{status: 400, code: codeBadRequest, message: msgDomain,
				details: []detail{{"InvalidValue", msgDomain, "userPrincipalName"}}}
		}
		if d.Federated && r.str("onPremisesImmutableId") == "" {
			return severalInvalid("onPremisesImmutableId")
		}
	}
	return t.unique(s, r)
}

// roomFor checks the quota of directory objects for n more. The caller holds
// mu.
func (t *Tenant) roomFor(n int) *apiError {
	if t.opts.ObjectQuota <= 0 {
		return nil
	}
	deleted := t.bin.len() + t.groupBin.len()
	if !t.opts.Switches.DeletedCountsInQuota {
		deleted /= 4
	}
	if t.live.len()+t.groups.len()+deleted+n > t.opts.ObjectQuota {
		return &apiError{status: 403, code: "Directory_QuotaExceeded",
			message: "The directory object quota limit for the Tenant has been exceeded. Please ask your administrator to increase the quota limit or delete objects to reduce the used quota."}
	}
	return nil
}

// securityIdentifier is a cloud SID, the object id in decimal.
func securityIdentifier(id string) string {
	hex := strings.ReplaceAll(id, "-", "")
	sid := "S-1-12-1"
	for i := 0; i+8 <= len(hex); i += 8 {
		var n uint64
		for _, ch := range hex[i : i+8] {
			n = n<<4 | uint64(strings.IndexRune("0123456789abcdef", ch))
		}
		sid += "-" + itoa(int(n))
	}
	return sid
}
