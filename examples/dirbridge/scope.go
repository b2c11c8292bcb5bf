package main

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/dirbridge/dirbridge/mapping"
)

// scopeConfig says who is synchronized, of those below the base DNs.
type scopeConfig struct {
	Domains    []string          `yaml:"domains"`
	Units      unitsConfig       `yaml:"organizationalUnits"`
	Groups     []string          `yaml:"groups"` // by DN or objectGUID
	Nested     bool              `yaml:"nested"`
	Conditions []conditionConfig `yaml:"conditions"`
}

// unitsConfig names organizational units by DN or objectGUID.
type unitsConfig struct {
	Include []string `yaml:"include"`
	Exclude []string `yaml:"exclude"`
}

// A conditionConfig is one condition: an attribute, and one of the rest.
type conditionConfig struct {
	Attribute  string   `yaml:"attribute"`
	Present    *bool    `yaml:"present"`
	Equals     *string  `yaml:"equals"`
	StartsWith *string  `yaml:"startsWith"`
	Contains   *string  `yaml:"contains"`
	OneOf      []string `yaml:"oneOf"`
	Not        bool     `yaml:"not"`
}

// condition is c as the rules have it, or what is wrong with it.
func (c *conditionConfig) condition() (mapping.Condition, error) {
	m := mapping.Condition{Attribute: c.Attribute, Not: c.Not}
	n := 0
	if c.Present != nil {
		n++
		m.Operator, m.Not = mapping.Present, c.Not == *c.Present
	}
	for _, o := range []struct {
		operator mapping.Operator
		value    *string
	}{{mapping.Equals, c.Equals}, {mapping.StartsWith, c.StartsWith}, {mapping.Contains, c.Contains}} {
		if o.value != nil {
			n++
			m.Operator, m.Values = o.operator, []string{*o.value}
		}
	}
	if c.OneOf != nil {
		n++
		m.Operator, m.Values = mapping.OneOf, c.OneOf
	}
	switch {
	case strings.TrimSpace(c.Attribute) == "":
		return m, errors.New("names no attribute")
	case n != 1:
		return m, fmt.Errorf("%s: want one of present, equals, startsWith, contains, oneOf, %d are given", c.Attribute, n)
	}
	return m, m.Check()
}

// scope is what the section scope asks for, nil if for nothing. What is wrong with
// it was found before.
func (c *config) scope() *mapping.Scope {
	s := &mapping.Scope{Include: c.Scope.Units.Include, Exclude: c.Scope.Units.Exclude, Groups: c.Scope.Groups, Nested: c.Scope.Nested}
	for _, d := range c.Scope.Domains {
		s.Domains = append(s.Domains, domainDN(d))
	}
	for i := range c.Scope.Conditions {
		m, _ := c.Scope.Conditions[i].condition()
		s.Conditions = append(s.Conditions, m)
	}
	if len(s.Containers())+len(s.Groups)+len(s.Conditions) == 0 {
		return nil
	}
	return s
}

// domainDN makes a domain's DNS name its DN. An objectGUID and a DN stay what they
// are.
func domainDN(name string) string {
	if objectGUID(name) != "" || strings.Contains(name, "=") {
		return name
	}
	return "DC=" + strings.ReplaceAll(name, ".", ",DC=")
}

// distinguished is what a DN of a container looks like.
var distinguished = regexp.MustCompile(`(?i)^\s*(OU|CN|DC)\s*=\s*\S`)

// scope checks the section scope.
func (v *checker) scope() {
	under := func(keys ...string) []string { return append([]string{"scope"}, keys...) }
	names := func(list []string, what string, keys ...string) {
		for _, n := range list {
			if objectGUID(n) == "" && !distinguished.MatchString(n) {
				v.bad(fmt.Sprintf("%q: want %s or an objectGUID", n, what), keys...)
			}
		}
	}
	for _, d := range v.Scope.Domains {
		names([]string{domainDN(d)}, "a domain's DNS name (corp.example.com), a DN,", under("domains")...)
	}
	names(v.Scope.Units.Include, "a DN (OU=Sales,DC=corp,DC=example,DC=com)", under("organizationalUnits", "include")...)
	names(v.Scope.Units.Exclude, "a DN (OU=Sales,DC=corp,DC=example,DC=com)", under("organizationalUnits", "exclude")...)
	names(v.Scope.Groups, "a DN (CN=Pilot,OU=Groups,DC=corp,DC=example,DC=com)", under("groups")...)
	if v.Scope.Nested && len(v.Scope.Groups) == 0 {
		v.bad("is about groups: name some", under("nested")...)
	}
	bad := false
	for i := range v.Scope.Conditions {
		if _, err := v.Scope.Conditions[i].condition(); err != nil {
			bad = true
			what := strings.TrimPrefix(err.Error(), "mapping: ")
			v.lines = append(v.lines, fmt.Sprintf("%s: scope.conditions[%d]: %s", v.file.item(i, under("conditions")...), i, what))
		}
	}
	if s := v.config.scope(); s != nil && !bad {
		if err := s.Check(); err != nil && len(v.lines) == 0 {
			v.bad(strings.TrimPrefix(err.Error(), "mapping: scope: "), under("organizationalUnits")...)
		}
	}
}

// item says where the i-th value of the list with these keys is.
func (d *document) item(i int, keys ...string) string {
	n := d.root
	for _, k := range keys {
		for key, value := range pairs(n) {
			if strings.Trim(key.String(), `"'`) == k {
				n = value
			}
		}
	}
	if s, ok := n.(*ast.SequenceNode); ok && i < len(s.Values) {
		return d.path + ":" + position(s.Values[i])
	}
	return d.at(keys...)
}
