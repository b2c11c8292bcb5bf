package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A Scope says who is synchronized, of those whom the source gives: whoever lies
// in one of Domains, in the organizational units of Include and not in those of
// Exclude, and meets all of Conditions. What is empty asks for nothing; the zero
// value takes everybody.
//
// Domains, Include and Exclude name containers by their ID (for Active Directory
// the objectGUID) or by their DN. A DN is bound to the ID of the container that
// has it when the engine first meets it, and from then on means just that
// container, whatever it is called and wherever it is moved.
//
// Of Include and Exclude, the nearest container above an object that one of them
// names decides. If there is none, the object is out if Include names any, else
// in. So organizational units that are made later below an included one are in.
//
// Groups names groups in the same way: people are in who are members of one of
// them, with Nested also those of groups in these, however deep. Groups
// themselves are judged by the rest alone.
type Scope struct {
	Domains    []string    `json:"domains,omitempty"`
	Include    []string    `json:"include,omitempty"`
	Exclude    []string    `json:"exclude,omitempty"`
	Groups     []string    `json:"groups,omitempty"`
	Nested     bool        `json:"nested,omitempty"`
	Conditions []Condition `json:"conditions,omitempty"`
}

// RuleScope is the [Decision].Rule of whom a scope refuses.
const RuleScope = "scope"

// The codes of the Problems of objects of which can't be told whether they are
// in scope: nothing is changed for them.
const (
	CodeContainerUnknown = "container-unknown" // where it lies isn't known up to a container that decides
	CodeScopeUnreadable  = "scope-unreadable"  // the source couldn't read an attribute of a condition
	CodeGroupUnknown     = "group-unknown"     // the source doesn't give the group any more of which it is a member
)

// Check returns what is wrong with s: conditions that ask for nothing, names that
// are empty or both included and excluded.
func (s *Scope) Check() error {
	var errs []error
	for list, names := range map[string][]string{"domains": s.Domains, "include": s.Include, "exclude": s.Exclude, "groups": s.Groups} {
		for _, n := range names {
			if blank(n) {
				errs = append(errs, fmt.Errorf("mapping: scope: %s has an empty name", list))
			}
		}
	}
	for _, n := range s.Include {
		if slices.ContainsFunc(s.Exclude, func(x string) bool { return strings.EqualFold(x, n) }) {
			errs = append(errs, fmt.Errorf("mapping: scope: %q is both included and excluded", n))
		}
	}
	if s.Nested && len(s.Groups) == 0 {
		errs = append(errs, errors.New("mapping: scope: nested is about groups, and none is named"))
	}
	for i := range s.Conditions {
		if err := s.Conditions[i].Check(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Containers are the names of all containers that s names, in ascending order.
func (s *Scope) Containers() []string {
	names := slices.Concat(s.Domains, s.Include, s.Exclude)
	slices.Sort(names)
	return slices.Compact(names)
}

// SourceAttributes are the attributes that s looks at, in ascending order: what
// a source has to read.
func (s *Scope) SourceAttributes() []string {
	var names []string
	for _, c := range s.Conditions {
		names = append(names, c.Attribute)
	}
	slices.SortFunc(names, source.CompareAttributeNames)
	return slices.CompactFunc(names, strings.EqualFold)
}

// A BoundScope is a [Scope] whose containers are known by their IDs. It is pure,
// and safe for concurrent use. The zero value takes everybody.
type BoundScope struct {
	domains     map[source.ID]bool
	listed      map[source.ID]bool // true: included
	includes    bool
	groups      map[source.ID]bool
	nested      bool
	conditions  []Condition
	fingerprint string
}

// Bind returns s with each name of a container or group replaced by its ID. It is an error
// if one is missing in ids, or if two names mean the same container and are both
// included and excluded. s may be nil.
func (s *Scope) Bind(ids map[string]source.ID) (*BoundScope, error) {
	b := &BoundScope{domains: map[source.ID]bool{}, listed: map[source.ID]bool{}}
	if s == nil {
		return b, nil
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	for _, n := range slices.Concat(s.Containers(), s.Groups) {
		if ids[n] == "" {
			return nil, fmt.Errorf("mapping: scope: nothing is bound to %q", n)
		}
	}
	for _, n := range s.Domains {
		b.domains[ids[n]] = true
	}
	for _, n := range s.Include {
		b.listed[ids[n]] = true
	}
	for _, n := range s.Exclude {
		if b.listed[ids[n]] {
			return nil, fmt.Errorf("mapping: scope: the container that %q means is both included and excluded", n)
		}
	}
	b.includes = len(s.Include) > 0
	for _, n := range s.Exclude {
		b.listed[ids[n]] = false
	}
	b.groups, b.nested = map[source.ID]bool{}, s.Nested
	for _, n := range s.Groups {
		b.groups[ids[n]] = true
	}
	b.conditions = s.Conditions
	b.fingerprint = b.print()
	return b, nil
}

// print identifies b: equal scopes give equal text, whatever the order in which
// they name things. It is "" for one that takes everybody.
func (b *BoundScope) print() string {
	if len(b.domains)+len(b.listed)+len(b.groups)+len(b.conditions) == 0 {
		return ""
	}
	conditions := make([]string, len(b.conditions))
	for i, c := range b.conditions {
		c.Attribute = strings.ToLower(c.Attribute)
		c.Values = slices.Clone(c.Values)
		for j, v := range c.Values {
			c.Values[j] = strings.ToLower(v)
		}
		slices.Sort(c.Values)
		text, err := json.Marshal(c)
		if err != nil {
			panic(err) // no field can fail
		}
		conditions[i] = string(text)
	}
	slices.Sort(conditions)
	parts := []any{slices.Sorted(maps.Keys(b.domains)), b.listed, slices.Compact(conditions)}
	if len(b.groups) > 0 { // a scope without any has the fingerprint that it had before there were any
		parts = append(parts, slices.Sorted(maps.Keys(b.groups)), b.nested)
	}
	text, err := json.Marshal(parts)
	if err != nil {
		panic(err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:12])
}

// Fingerprint identifies the scope: when it differs from last time, everybody is
// looked at again. It is "" for one that takes everybody.
func (b *BoundScope) Fingerprint() string { return b.fingerprint }

// ByPlace reports whether b asks where objects lie.
func (b *BoundScope) ByPlace() bool { return len(b.domains)+len(b.listed) > 0 }
