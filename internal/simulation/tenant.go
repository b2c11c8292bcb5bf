package simulation

import (
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

const initialDomain = "contoso.onmicrosoft.com"

// binned is how long the bin keeps an account.
const binned = 30 * 24 * time.Hour

// A tenant is a small Entra ID, written from the words of package target and of
// the references, not from memtarget.
type tenant struct {
	seed       uint64
	verified   map[string]bool // the domains, and whether they are verified
	refused    map[string]bool // verified, and refused all the same
	accounts   map[target.ID]*account
	made       int
	lag        time.Duration
	normalise  bool
	full       bool // no room for more
	most       int  // members of a group; 0: any number
	normalised int
	history    []happening
	timeline   int                // delta tokens of another one are of no use
	unbound    map[target.ID]bool // that were ever in the bin
}

// An account lives, or is in the bin.
type account struct {
	id      target.ID
	num     int // in the order of creation
	anchor  string
	attrs   map[string][]string
	foreign string // whose it is: "", "admin", "another tool"
	locked  bool   // an administrator's: our application may not write it
	power   string // why it is protected; the tenant takes writes to it all the same
	since   time.Time
	taken   time.Time // from when on another tool synchronizes it
	made    time.Time
	shown   time.Time // from when on everybody sees it
	deleted time.Time
	was     *earlier // nil if it never was anything else
	group   bool
	refs    map[target.ID]bool // of one attribute, by what it is
}

func newTenant(seed uint64) *tenant {
	return &tenant{seed: seed, accounts: map[target.ID]*account{}, unbound: map[target.ID]bool{},
		verified: map[string]bool{initialDomain: true, "contoso.com": true}, refused: map[string]bool{}}
}

func (a *account) first(name string) string {
	if v := a.attrs[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// off reports whether the engine has to leave it alone.
func (a *account) off() bool { return a.locked || a.power != "" || !a.taken.IsZero() }

// object is what a reader gets.
func (a *account) object() target.Object {
	o := target.Object{ID: a.id, Kind: target.User, Anchor: a.anchor, Attributes: target.Attributes{},
		Deleted: !a.deleted.IsZero(), Created: a.made, Foreign: a.foreign == "another tool" || !a.taken.IsZero()}
	if a.group {
		o.Kind = target.Group
	}
	for name, v := range a.attrs {
		o.Attributes[name] = slices.Clone(v)
	}
	return o
}

// empty throws away what has been in the bin for too long.
func (t *tenant) empty() {
	old := func(a *account) bool { return !a.deleted.IsZero() && time.Since(a.deleted) > binned }
	for _, a := range t.accounts {
		if !old(a) {
			continue
		}
		for _, a := range t.sorted(false) { // the history is in an order that doesn't change
			if old(a) {
				t.changing(a)
				delete(t.accounts, a.id)
			}
		}
		return
	}
}

// sorted are the accounts in the order of creation.
func (t *tenant) sorted(live bool) (all []*account) {
	for _, a := range t.accounts {
		if !live || a.deleted.IsZero() {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *account) int { return a.num - b.num })
	return all
}

// holder is the live account that has a value which must be unique.
func (t *tenant) holder(attr, value string) *account {
	if value == "" {
		return nil
	}
	for _, a := range t.accounts {
		if !a.deleted.IsZero() {
			continue
		}
		if attr == target.AttrAnchor && a.anchor == value || attr != target.AttrAnchor && strings.EqualFold(a.first(attr), value) {
			return a
		}
	}
	return nil
}

// visible reports whether a reader sees the account now. While it is new, some
// replicas show it and some don't.
func (t *tenant) visible(a *account) bool {
	if !time.Now().Before(a.shown) {
		return true
	}
	h := fnv.New32a()
	fmt.Fprint(h, t.seed, a.id, time.Now().UnixNano())
	return h.Sum32()%3 == 0
}

func refuse(sentinel error, attr, format string, args ...any) error {
	return &target.Error{Sentinel: sentinel, Attribute: attr, RequestID: "sim", Err: fmt.Errorf(format, args...)}
}

// add makes an account.
func (t *tenant) add(anchor string, attrs map[string][]string, foreign string) *account {
	t.made++
	h := fnv.New64a()
	fmt.Fprint(h, t.seed, "/", t.made)
	a := &account{id: target.ID(fmt.Sprintf("%016x", h.Sum64())), num: t.made, anchor: anchor, attrs: attrs, foreign: foreign,
		made: time.Now(), shown: time.Now().Add(t.lag)}
	t.accounts[a.id] = a
	t.history = append(t.history, happening{id: a.id, at: a.made})
	return a
}

// apply carries out one change, whole or not at all.
func (t *tenant) apply(c target.Change) (*account, error) {
	t.empty()
	if c.Op == target.Create {
		return t.create(c)
	}
	a := t.accounts[c.ID]
	switch {
	case c.Op == target.Delete && (a == nil || !a.deleted.IsZero()):
		return &account{id: c.ID}, nil // done
	case a == nil, c.Op != target.Restore && !a.deleted.IsZero():
		return nil, refuse(target.ErrNotFound, "", "no account %s", c.ID)
	case a.foreign == "another tool", !a.taken.IsZero():
		return nil, refuse(target.ErrReadOnly, "", "mastered elsewhere")
	case a.locked:
		return nil, refuse(target.ErrForbidden, "", "Insufficient privileges to complete the operation")
	case time.Now().Before(a.shown) && !t.visible(a):
		return nil, refuse(target.ErrNotYet, "", "account %s", c.ID)
	case a.group != (c.Kind == target.Group):
		return nil, refuse(target.ErrNotFound, "", "no %s %s", c.Kind, c.ID)
	case c.Op == target.Delete:
		t.changing(a)
		a.deleted = time.Now()
		t.unbind(a)
		return a, nil
	}
	comesBack := !a.deleted.IsZero()
	attrs, set, anchor := maps.Clone(a.attrs), maps.Clone(c.Set), a.anchor
	if v := set.First(target.AttrAnchor); v != "" {
		if h := t.holder(target.AttrAnchor, v); h != nil && h != a {
			return nil, refuse(target.ErrExists, target.AttrAnchor, "held by %s", h.id)
		}
		if anchor != "" && anchor != v {
			return nil, refuse(target.ErrReadOnly, target.AttrAnchor, "it has another")
		}
		anchor = v
		delete(set, target.AttrAnchor)
	}
	if err := t.merge(attrs, set, a.id, comesBack && !a.group); err != nil {
		return nil, err
	}
	if a.group {
		if err := t.admitsSort(a, attrs, a.id); err != nil {
			return nil, err
		}
	}
	if comesBack {
		if h := t.holder(target.AttrAnchor, a.anchor); h != nil {
			return nil, refuse(target.ErrExists, target.AttrAnchor, "held by %s", h.id)
		}
	}
	t.changing(a)
	a.attrs, a.anchor, a.deleted = attrs, anchor, time.Time{}
	return a, nil
}

func (t *tenant) create(c target.Change) (*account, error) {
	if h := t.holder(target.AttrAnchor, c.Anchor); h != nil {
		switch {
		case c.Repeat && !t.visible(h):
			return nil, refuse(target.ErrUnknownOutcome, "", "the account isn't visible yet")
		case c.Repeat:
			return h, nil
		}
		return nil, refuse(target.ErrExists, target.AttrAnchor, "held by %s", h.id)
	}
	if t.full {
		return nil, refuse(target.ErrQuota, "", "Directory_QuotaExceeded")
	}
	required := []string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName"}
	if c.Kind == target.Group {
		required = required[1:3]
	}
	for _, name := range required {
		if c.Set.First(name) == "" {
			return nil, refuse(target.ErrInvalid, name, "required")
		}
	}
	attrs := map[string][]string{}
	if err := t.merge(attrs, c.Set, "", c.Kind != target.Group); err != nil {
		return nil, err
	}
	if c.Kind == target.Group {
		if err := t.admitsSort(nil, attrs, ""); err != nil {
			return nil, err
		}
	}
	a := t.add(c.Anchor, attrs, "")
	a.group = c.Kind == target.Group
	t.history[len(t.history)-1].group = a.group
	return a, nil
}

// merge writes set into attrs if the tenant takes the result.
func (t *tenant) merge(attrs map[string][]string, set target.Attributes, id target.ID, named bool) error {
	for _, name := range set.Names() {
		v := set[name]
		switch {
		case len(v) == 0 && slices.Contains([]string{"accountEnabled", "displayName", "mailNickname", "userPrincipalName", "mail", "usageLocation"}, name):
			return refuse(target.ErrInvalid, name, "can't be cleared")
		case len(v) == 0:
			delete(attrs, name)
			continue
		case strings.HasPrefix(v[0], "refused "):
			return refuse(target.ErrInvalid, name, "not allowed here")
		}
		attrs[name] = slices.Clone(v)
		if t.normalise && name == "jobTitle" {
			t.normalised++
			attrs[name] = []string{strings.ToUpper(v[0])}
		}
	}
	first := func(name string) string {
		if v := attrs[name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	if _, renamed := set["userPrincipalName"]; renamed || named {
		_, domain, _ := strings.Cut(first("userPrincipalName"), "@")
		if domain = strings.ToLower(domain); !t.verified[domain] || t.refused[domain] {
			return refuse(target.ErrDomainNotVerified, "userPrincipalName", "domain %s", domain)
		}
	}
	for _, name := range []string{"userPrincipalName", "mail"} {
		if h := t.holder(name, first(name)); h != nil && h.id != id {
			return refuse(target.ErrExists, name, "held by %s", h.id)
		}
	}
	return nil
}

// sentinels are the errors of the fault menu.
var sentinels = map[string]error{
	"unknown":         &target.Error{Sentinel: target.ErrUnknownOutcome},
	"unclassified":    errors.New("unclassified"),
	"throttled":       &target.Error{Sentinel: target.ErrThrottled, RetryAfter: 7 * time.Second},
	"unavailable":     &target.Error{Sentinel: target.ErrUnavailable},
	"unauthenticated": &target.Error{Sentinel: target.ErrUnauthenticated},
	"forbidden":       &target.Error{Sentinel: target.ErrForbidden},
	"notyet":          &target.Error{Sentinel: target.ErrNotYet},
	"quota":           &target.Error{Sentinel: target.ErrQuota},
	"notapplied":      &target.Error{Sentinel: target.ErrNotApplied},
}
