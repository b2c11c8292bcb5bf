package memtarget

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// An object is one state of an account or group. It never changes: a change makes a new
// one, so that a reader may keep what it got.
type object struct {
	id      target.ID
	kind    target.Kind
	anchor  string
	attrs   []attribute // ascending by name: half of what a map takes
	deleted bool
	foreign bool
	why     string // it is foreign
	created time.Time
	place   uint64 // see placed
	moment  uint64 // see history
}

type attribute struct {
	name   string
	values []string
}

// export returns o as the caller's own.
func (o *object) export() target.Object {
	a := make(target.Attributes, len(o.attrs))
	for _, at := range o.attrs {
		a[at.name] = slices.Clone(at.values)
	}
	return target.Object{ID: o.id, Kind: o.kind, Anchor: o.anchor, Attributes: a,
		Deleted: o.deleted, Created: o.created, Foreign: o.foreign, ForeignWhy: o.why}
}

// first returns the first value of name, or "".
func (o *object) first(name string) string {
	for _, at := range o.attrs {
		if at.name == name {
			return at.values[0]
		}
	}
	return ""
}

// with returns o with the attributes of set over its own: without values they
// are cleared, else they become a set in ascending order.
func (o *object) with(set target.Attributes) *object {
	n := *o
	n.attrs = make([]attribute, 0, len(o.attrs)+len(set))
	for _, at := range o.attrs {
		if _, changed := set[at.name]; !changed {
			n.attrs = append(n.attrs, at)
		}
	}
	for name, values := range maps.All(set) {
		if len(values) > 0 {
			values = slices.Sorted(slices.Values(values))
			n.attrs = append(n.attrs, attribute{name, slices.Clip(slices.Compact(values))})
		}
	}
	slices.SortFunc(n.attrs, func(a, b attribute) int { return strings.Compare(a.name, b.name) })
	n.attrs = slices.Clip(n.attrs)
	return &n
}

// A key is a value that only one live object of a kind may have.
type key struct {
	kind      target.Kind // "" for addresses: no two objects of any kind may have the same
	attribute string
	value     string // names and addresses in lower case
}

// keys returns o's unique values.
func (o *object) keys() []key {
	ks := make([]key, 0, 4)
	for _, k := range []key{
		{o.kind, target.AttrUserPrincipalName, strings.ToLower(o.first(target.AttrUserPrincipalName))},
		{"", target.AttrMail, strings.ToLower(o.first(target.AttrMail))},
		{o.kind, attrAnchor, o.anchor},
		{o.kind, attrMailNickname, strings.ToLower(o.first(attrMailNickname))},
	} {
		if k.value != "" && (k.attribute != attrMailNickname || o.unified()) { // of Microsoft 365 groups alone
			ks = append(ks, k)
		}
	}
	return ks
}

// keyOf is the unique value that k asks for.
func keyOf(kind target.Kind, k target.Key) key {
	switch {
	case k.Anchor != "":
		return key{kind, attrAnchor, k.Anchor}
	case k.UserPrincipalName != "":
		return key{kind, target.AttrUserPrincipalName, strings.ToLower(k.UserPrincipalName)}
	case k.MailNickname != "":
		return key{kind, attrMailNickname, strings.ToLower(k.MailNickname)}
	}
	return key{"", target.AttrMail, strings.ToLower(k.Mail)}
}
