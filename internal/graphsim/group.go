package graphsim

import (
	"fmt"
	"strings"
	"time"
)

// A Group is a group as the tenant holds it, whatever the API would show.
type Group struct {
	ID string

	// Properties are as in [User].
	Properties map[string]any

	Created time.Time
	Deleted time.Time // zero while the group is live
}

// Get returns a string property, or "".
func (g Group) Get(name string) string { return record(g.Properties).str(name) }

func (s *slot) exportGroup() Group {
	return Group{ID: s.id, Properties: cloneProperties(s.cur), Created: s.created, Deleted: s.deleted}
}

// Groups returns all live groups in the order of their creation.
func (t *Tenant) Groups() []Group { return t.exportGroups(&t.groups) }

// DeletedGroups returns the groups that can be restored, oldest deletion first.
func (t *Tenant) DeletedGroups() []Group { return t.exportGroups(&t.groupBin) }

func (t *Tenant) exportGroups(from *ordered) (out []Group) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, e := range from.entries {
		if e.s != nil && (from == &t.groupBin || e.s.deleted.IsZero()) {
			out = append(out, e.s.exportGroup())
		}
	}
	return out
}

// AddGroup puts a group into the tenant behind the API's back, as
// [Tenant.AddUser] does with a user: a security group, unless properties say
// otherwise. It needs a mailNickname.
func (t *Tenant) AddGroup(properties map[string]any) (Group, error) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r, err := importRecord(t.groupSchema, properties)
	if err != nil {
		return Group{}, err
	}
	if r.str("mailNickname") == "" {
		return Group{}, fmt.Errorf("add a group: mailNickname is missing")
	}
	for k, v := range map[string]any{"displayName": r.str("mailNickname"), "mailEnabled": false, "securityEnabled": true} {
		if _, ok := r[k]; !ok {
			r[k] = v
		}
	}
	s := &slot{id: t.newID(), group: true, created: now, visible: now.Add(-t.opts.Flap), cur: r}
	if e := t.uniqueGroup(nil, r); e != nil {
		return Group{}, fmt.Errorf("add group %s: %s", r.str("mailNickname"), e.message)
	}
	t.insert(s)
	return s.exportGroup(), nil
}

// Group returns the group with an object id, live or deleted.
func (t *Tenant) Group(id string) (Group, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.findGroup(id)
	if s == nil {
		return Group{}, false
	}
	return s.exportGroup(), true
}

// SetGroup changes properties of a live group behind the API's back, as
// [Tenant.SetUser] does with a user; nil removes one.
func (t *Tenant) SetGroup(id string, properties map[string]any) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.findGroup(id)
	if s == nil || !s.deleted.IsZero() {
		return fmt.Errorf("set group %s: not found", id)
	}
	if err := t.alter(s, t.groupSchema, properties, t.uniqueGroup); err != nil {
		return fmt.Errorf("set group %s: %w", id, err)
	}
	return nil
}

// DeleteGroup moves a live group into the bin behind the API's back.
func (t *Tenant) DeleteGroup(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.findGroup(id)
	if s == nil || !s.deleted.IsZero() {
		return fmt.Errorf("delete group %s: not found", id)
	}
	t.buryGroup(&call{now: time.Now()}, s)
	return nil
}

// SetReferences makes the live objects to, and no others, those at which a live
// user or group points, behind the API's back. The attribute is members, owners
// or manager.
func (t *Tenant) SetReferences(id, attribute string, to ...string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.slots[strings.ToLower(id)]
	if s == nil || !s.deleted.IsZero() {
		return fmt.Errorf("set %s of %s: not found", attribute, id)
	}
	k := refKey{s, attribute}
	keep := map[*slot]bool{}
	for _, id := range to {
		o := t.slots[strings.ToLower(id)]
		if o == nil {
			return fmt.Errorf("set %s: %s not found", attribute, id)
		}
		keep[o] = true
	}
	for _, old := range t.refs.of(k) {
		if !keep[old] {
			t.refs.remove(k, old)
		}
	}
	for _, id := range to {
		t.refs.add(k, t.slots[strings.ToLower(id)], time.Time{})
	}
	return nil
}

// References returns the live objects at which a user or group points, in the
// order in which they were added.
func (t *Tenant) References(id, attribute string) (ids []string) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.slots[strings.ToLower(id)]
	if s == nil {
		return nil
	}
	for _, to := range t.living(refKey{s, attribute}) {
		ids = append(ids, to.id)
	}
	return ids
}
