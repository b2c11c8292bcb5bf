package graphsim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// deltaGroups answers GET /groups/delta as [Tenant.deltaUsers] does for users.
// With members in $select, it tells by value who was added to a group and who was
// removed, and of a group that was told before in the same page nothing else.
func (t *Tenant) deltaGroups(c *call) reply { return t.delta(c, "groups") }

// withoutMembers takes members out of a $select.
func withoutMembers(fields string) (rest string, members bool) {
	var out []string
	for name := range strings.SplitSeq(fields, ",") {
		if strings.TrimSpace(name) == refMembers {
			members = true
		} else if name != "" {
			out = append(out, name)
		}
	}
	return strings.Join(out, ","), members
}

// referenceChanged remembers that a member was added or removed. The caller holds
// mu.
func (t *Tenant) referenceChanged(k refKey, to *slot) {
	if k.attribute != refMembers || !k.from.group || t.slots[k.from.id] == nil {
		return
	}
	n := uint64(len(t.changes)) + 1
	t.changes = append(t.changes, change{n: n, id: k.from.id, at: time.Now(), group: true, member: to.id, nested: to.group})
}

// membershipsChanged remembers that s is no member of anything any more, or one
// again, since it was deleted or came back. The caller holds mu.
func (t *Tenant) membershipsChanged(s *slot) {
	var of []refKey
	for k := range t.refs.in[s] {
		of = append(of, k)
	}
	slices.SortFunc(of, func(a, b refKey) int { return strings.Compare(a.from.id, b.from.id) })
	for _, k := range of {
		t.referenceChanged(k, s)
	}
}

// memberItem is what a delta says of one member of s. ok is false if that can't be
// seen yet.
func (t *Tenant) memberItem(c *call, ch change, s *slot, sel []string, told map[string]bool) (item []byte, ok bool) {
	v, ok := t.see(s, c.now)
	if !ok {
		return nil, false
	}
	m := `{"@odata.type":"#microsoft.graph.user","id":` + strconv.Quote(ch.member)
	if ch.nested {
		m = strings.Replace(m, ".user", ".group", 1)
	}
	k, to := refKey{s, refMembers}, t.slots[ch.member]
	if to != nil && to.deleted.IsZero() && t.refs.has(k, to) {
		if _, ok := t.seeRef(k)(to, c.now); !ok {
			return nil, false
		}
		m += "}"
	} else {
		m += `,"@removed":{"reason":"deleted"}}`
	}
	if told[ch.id] {
		sel = []string{"id"}
	}
	told[ch.id] = true
	return membersOf(t.appendUser(nil, v, sel, nil), m), true
}

// withMembers adds all members of s to an item.
func (t *Tenant) withMembers(c *call, item []byte, s *slot) []byte {
	k := refKey{s, refMembers}
	var all []string
	for _, to := range t.living(k) {
		if _, ok := t.seeRef(k)(to, c.now); ok {
			all = append(all, `{"@odata.type":"`+to.odataType()+`","id":`+strconv.Quote(to.id)+`}`)
		}
	}
	if len(all) == 0 {
		return item
	}
	return membersOf(item, all...)
}

// membersOf adds members to an item.
func membersOf(item []byte, members ...string) []byte {
	return append(item[:len(item)-1], `,"members@delta":[`+strings.Join(members, ",")+`]}`...)
}
