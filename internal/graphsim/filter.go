package graphsim

import (
	"slices"
	"strings"
)

// A filter is a parsed $filter. The zero filter matches everything.
type filter struct{ node *node }

// A node is one clause.
type node struct {
	op    string // and, or, not, eq, ne, ge, le, in, startswith, endswith, any
	kids  []*node
	prop  string
	value []any // string, bool or nil
	fold  bool  // compare without regard to case
}

func (f filter) match(v view) bool { return f.node == nil || f.node.match(v) }

func (n *node) match(v view) bool {
	switch n.op {
	case "and":
		return n.kids[0].match(v) && n.kids[1].match(v)
	case "or":
		return n.kids[0].match(v) || n.kids[1].match(v)
	case "not":
		return !n.kids[0].match(v)
	case "any":
		return slices.ContainsFunc(v.r.strs(n.prop), n.holds)
	}
	got := v.get(n.prop)
	switch n.op {
	case "ne":
		return !n.equal(got, n.value[0])
	case "eq", "in":
		return slices.ContainsFunc(n.value, func(w any) bool { return n.equal(got, w) })
	}
	s, ok := got.(string)
	return ok && n.holds(s)
}

// holds compares a string with the clause's operand.
func (n *node) holds(s string) bool {
	op := n.op
	if op == "any" {
		op = n.kids[0].op
	}
	w, _ := n.value[0].(string)
	if n.fold {
		s, w = strings.ToLower(s), strings.ToLower(w)
	}
	switch op {
	case "eq":
		return s == w
	case "startswith":
		return strings.HasPrefix(s, w)
	case "endswith":
		return strings.HasSuffix(s, w)
	case "ge":
		return s >= w
	case "le":
		return s <= w
	}
	return false
}

func (n *node) equal(got, want any) bool {
	a, ok := got.(string)
	b, ok2 := want.(string)
	if ok && ok2 && n.fold {
		return strings.EqualFold(a, b)
	}
	return got == want
}

// lookup finds the candidates of a filter by an index: few slots that include
// all that match. False means that the whole list has to be walked. The caller
// holds the tenant's lock.
func (f filter) lookup(t *Tenant, list *ordered) ([]*slot, bool) {
	if f.node == nil || list != &t.live || t.lagging() {
		return nil, false
	}
	return f.node.lookup(t)
}

// lagging reports whether reads may meet other values than the indexes hold.
func (t *Tenant) lagging() bool {
	return t.opts.Lag > 0 && (t.opts.Switches.LagUpdates || t.opts.Switches.LagDeletes)
}

func (n *node) lookup(t *Tenant) ([]*slot, bool) {
	switch n.op {
	case "and":
		if s, ok := n.kids[0].lookup(t); ok {
			return s, true
		}
		return n.kids[1].lookup(t)
	case "or":
		a, ok := n.kids[0].lookup(t)
		b, ok2 := n.kids[1].lookup(t)
		return append(a, b...), ok && ok2
	case "eq", "in":
	case "any":
		w, _ := n.value[0].(string)
		if n.prop != "proxyAddresses" || n.kids[0].op != "eq" {
			return nil, false
		}
		if s := t.byProxy[t.proxyKey(w)]; s != nil && s.group {
			return nil, true
		} else if s != nil {
			return []*slot{s}, true
		}
		return nil, !t.opts.Switches.ProxyCaseSensitive
	default:
		return nil, false
	}
	var out []*slot
	for _, v := range n.value {
		w, ok := v.(string)
		if !ok {
			return nil, false
		}
		var s *slot
		switch n.prop {
		case "id":
			s = t.slots[strings.ToLower(w)]
			if s != nil && !s.deleted.IsZero() {
				s = nil
			}
		case "userPrincipalName":
			if t.opts.Switches.UPNCaseSensitive {
				return nil, false // the filter may ignore case where uniqueness doesn't
			}
			s = t.byUPN[t.upnKey(w)]
		case "mail":
			out = append(out, t.byMail[strings.ToLower(w)]...)
		case "onPremisesImmutableId":
			out = append(out, t.byAnchor[t.anchorKey(w)]...)
		default:
			return nil, false
		}
		if s != nil {
			out = append(out, s)
		}
	}
	return out, true
}
