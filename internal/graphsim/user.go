package graphsim

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A User is a user as the tenant holds it, whatever the API would show.
type User struct {
	ID string

	// Properties are the values by Graph's names: string, bool, []string or
	// map[string]any. What is null or empty is missing. Without id,
	// createdDateTime and deletedDateTime.
	Properties map[string]any

	Created   time.Time
	Deleted   time.Time // zero while the user is live
	Protected bool      // an administrator that ordinary permissions can't touch
}

// Get returns a string property, or "".
func (u User) Get(name string) string { return record(u.Properties).str(name) }

// UPN returns the userPrincipalName.
func (u User) UPN() string { return u.Get("userPrincipalName") }

// export copies a slot. The caller holds mu.
func (s *slot) export() User {
	return User{ID: s.id, Properties: cloneProperties(s.cur), Created: s.created, Deleted: s.deleted, Protected: s.protected}
}

func cloneProperties(r record) map[string]any {
	c := make(map[string]any, len(r))
	for k, v := range r {
		switch v := v.(type) {
		case []string:
			c[k] = slices.Clone(v)
		case map[string]any:
			c[k] = maps.Clone(v)
		default:
			c[k] = v
		}
	}
	return c
}

// Users returns all live users in the order of their creation.
func (t *Tenant) Users() []User { return t.export(&t.live) }

// DeletedUsers returns the users that can be restored, oldest deletion first.
func (t *Tenant) DeletedUsers() []User { return t.export(&t.bin) }

func (t *Tenant) export(from *ordered) []User {
	now := time.Now()
	t.mu.RLock()
	defer t.mu.RUnlock()
	out := make([]User, 0, from.len())
	for _, e := range from.entries {
		if e.s == nil || from == &t.live && !e.s.deleted.IsZero() {
			continue
		}
		if from == &t.bin && !now.Before(e.s.deleted.Add(t.opts.Retention)) {
			continue
		}
		out = append(out, e.s.export())
	}
	return out
}

// User returns the user with an object id (live or deleted) or a UPN (live).
func (t *Tenant) User(id string) (User, bool) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.find(id)
	if s == nil {
		return User{}, false
	}
	return s.export(), true
}

// Size returns how many users are live.
func (t *Tenant) Size() int { return t.size() }

// AddUser puts a user into the tenant behind the API's back: nothing but the
// uniqueness of names and addresses is checked, read-only properties are
// taken, it is visible at once, and it costs no quota. It needs a
// userPrincipalName; what else a user must have is filled in.
func (t *Tenant) AddUser(properties map[string]any) (User, error) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	r, err := importRecord(t.schema, properties)
	if err != nil {
		return User{}, err
	}
	name, _, _ := strings.Cut(r.str("userPrincipalName"), "@")
	if name == "" {
		return User{}, fmt.Errorf("add a user: userPrincipalName is missing")
	}
	for k, v := range map[string]any{"displayName": name, "mailNickname": name, "accountEnabled": true, "userType": "Member"} {
		if _, ok := r[k]; !ok {
			r[k] = v
		}
	}
	if m := r.str("mail"); m != "" && r["proxyAddresses"] == nil {
		r["proxyAddresses"] = t.withPrimary(nil, m)
	}
	s := &slot{id: t.newID(), created: now, visible: now.Add(-t.opts.Flap), cur: r}
	if e := t.unique(nil, r); e != nil {
		return User{}, fmt.Errorf("add user %s: %s", r.str("userPrincipalName"), e.message)
	}
	t.insert(s)
	return s.export(), nil
}

// SetUser changes properties of a live user behind the API's back, as
// [Tenant.AddUser] does; nil removes one.
func (t *Tenant) SetUser(id string, properties map[string]any) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(id)
	if s == nil || !s.deleted.IsZero() {
		return fmt.Errorf("set user %s: not found", id)
	}
	if err := t.alter(s, t.schema, properties, t.unique); err != nil {
		return fmt.Errorf("set user %s: %w", id, err)
	}
	return nil
}

// alter gives a live object properties from Go; nil removes one. Everybody sees
// them at once, and delta queries tell of them. The caller holds mu.
func (t *Tenant) alter(s *slot, known schema, properties map[string]any, unique func(*slot, record) *apiError) error {
	change, err := importRecord(known, properties)
	if err != nil {
		return err
	}
	r := cloneRecord(s.cur)
	for k := range properties {
		if v, ok := change[k]; ok {
			r[k] = v
		} else {
			delete(r, k)
		}
	}
	if e := unique(s, r); e != nil {
		return errors.New(e.message)
	}
	t.unindex(s, s.cur)
	s.cur, s.stale = r, nil
	t.index(s, r)
	t.changed(s)
	return nil
}

// importRecord checks names and types of properties given from Go.
func importRecord(known schema, properties map[string]any) (record, error) {
	r := make(record, len(properties))
	for k, v := range cloneProperties(properties) {
		p := known[k]
		if p == nil || k == "id" {
			return nil, fmt.Errorf("property %s can't be set", k)
		}
		ok := true
		switch v.(type) {
		case nil:
			continue
		case string:
			ok = p.kind == kindString || p.kind == kindDate
		case bool:
			ok = p.kind == kindBool
		case []string:
			ok = p.kind == kindStrings
		case map[string]any:
			ok = p.kind == kindObject
		default:
			ok = p.kind == kindObjects
		}
		if !ok {
			return nil, fmt.Errorf("property %s can't hold a %T", k, v)
		}
		r[k] = v
	}
	return r, nil
}

// DeleteUser moves a live user into the bin behind the API's back.
func (t *Tenant) DeleteUser(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(id)
	if s == nil || !s.deleted.IsZero() {
		return fmt.Errorf("delete user %s: not found", id)
	}
	t.bury(s, time.Now())
	return nil
}

// PurgeUser removes a user, live or deleted, for good.
func (t *Tenant) PurgeUser(id string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(id)
	if s == nil {
		return fmt.Errorf("purge user %s: not found", id)
	}
	if s.deleted.IsZero() {
		t.bury(s, time.Now())
	}
	t.purge(s)
	return nil
}

// Protect makes a user a privileged administrator, or an ordinary one again.
func (t *Tenant) Protect(id string, on bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.find(id)
	if s == nil {
		return fmt.Errorf("protect user %s: not found", id)
	}
	s.protected = on
	return nil
}
