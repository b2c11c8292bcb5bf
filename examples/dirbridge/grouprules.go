package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A groupRule says of which groups Microsoft 365 groups come: of those below an
// organizational unit, or of those that meet a condition.
type groupRule struct {
	Unit      string          `yaml:"organizationalUnit"` // its DN
	Condition conditionConfig `yaml:",inline"`
}

// check says what is wrong with the rule.
func (g *groupRule) check() error {
	if g.Unit == "" {
		_, err := g.Condition.condition()
		return err
	}
	if c := g.Condition; c.Attribute != "" || c.Present != nil || c.Equals != nil || c.StartsWith != nil || c.Contains != nil || c.OneOf != nil {
		return errors.New("want organizationalUnit or a condition, both are given")
	}
	if !distinguished.MatchString(g.Unit) {
		return fmt.Errorf("%q: want a DN (OU=Teams,DC=corp,DC=example,DC=com)", g.Unit)
	}
	return nil
}

// String identifies the rule.
func (g *groupRule) String() string {
	if g.Unit != "" {
		return "below " + g.Unit
	}
	m, _ := g.Condition.condition()
	return m.String()
}

// holds reports whether the rule holds for a group. What can't be read holds for
// nobody.
func (g *groupRule) holds(o *source.Object) bool {
	if g.Unit != "" {
		dn, unit := plainDN(o.DN), plainDN(g.Unit)
		return strings.HasSuffix(dn, ","+unit)
	}
	m, _ := g.Condition.condition()
	met, known := m.Met(o)
	return met && known
}

// plainDN is dn without the differences that don't count: case, and spaces behind
// commas and around equals signs.
func plainDN(dn string) string {
	parts := strings.Split(strings.ToLower(dn), ",")
	for i, p := range parts {
		kind, value, _ := strings.Cut(p, "=")
		parts[i] = strings.TrimSpace(kind) + "=" + strings.TrimSpace(value)
	}
	return strings.Join(parts, ",")
}

// microsoft365 is the rules' function, nil without rules.
func (c *groupsConfig) microsoft365() func(source.Object) bool {
	if len(c.Microsoft365) == 0 {
		return nil
	}
	return func(o source.Object) bool {
		for i := range c.Microsoft365 {
			if c.Microsoft365[i].holds(&o) {
				return true
			}
		}
		return false
	}
}

// version identifies the rules, so that all groups are looked at when they change.
func (c *groupsConfig) version() string {
	var words []string
	for i := range c.Microsoft365 {
		words = append(words, c.Microsoft365[i].String())
	}
	return strings.Join(words, "; ")
}

// attributes are those of the directory that the rules look at.
func (c *groupsConfig) attributes() (names []string) {
	for _, g := range c.Microsoft365 {
		if g.Condition.Attribute != "" {
			names = append(names, g.Condition.Attribute)
		}
	}
	return names
}

// groupRules checks groups.microsoft365.
func (v *checker) groupRules() {
	if len(v.Groups.Microsoft365) > 0 && !v.Groups.Security {
		v.bad("is about groups that are synchronized: set security", "groups", "microsoft365")
	}
	for i := range v.Groups.Microsoft365 {
		if err := v.Groups.Microsoft365[i].check(); err != nil {
			what := strings.TrimPrefix(err.Error(), "mapping: ")
			v.lines = append(v.lines, fmt.Sprintf("%s: groups.microsoft365[%d]: %s", v.file.item(i, "groups", "microsoft365"), i, what))
		}
	}
}
