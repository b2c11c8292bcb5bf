package mapping

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// An Operator says how a [Condition] looks at an attribute. Its text is what
// configuration files say.
type Operator string

const (
	Present    Operator = "present"    // it has a value
	Equals     Operator = "equals"     // a value is this one
	StartsWith Operator = "startsWith" // a value begins with this
	Contains   Operator = "contains"   // this occurs in a value
	OneOf      Operator = "oneOf"      // a value is one of these
)

// A Condition is about one attribute of a source object. Values are compared
// without regard to case. An attribute with several values meets it if one of
// them does; one without a value meets none but those that are negated.
type Condition struct {
	Attribute string   `json:"attribute"` // of the source, without regard to case
	Operator  Operator `json:"operator"`
	Values    []string `json:"values,omitempty"` // none for Present, several for OneOf, else one
	Not       bool     `json:"not,omitempty"`    // the opposite
}

// Check returns what is wrong with c.
func (c *Condition) Check() error {
	bad := func(format string, a ...any) error {
		return fmt.Errorf("mapping: condition on %q: %s", c.Attribute, fmt.Sprintf(format, a...))
	}
	want := 1
	switch c.Operator {
	case Present:
		want = 0
	case Equals, StartsWith, Contains:
	case OneOf:
		want = max(1, len(c.Values))
	default:
		return bad("operator %q is unknown: use %s, %s, %s, %s or %s", c.Operator, Present, Equals, StartsWith, Contains, OneOf)
	}
	switch {
	case blank(c.Attribute):
		return fmt.Errorf("mapping: a condition names no attribute")
	case len(c.Values) != want:
		return bad("%s takes %d values, %d are given", c.Operator, want, len(c.Values))
	case slices.Contains(c.Values, ""):
		return bad("an empty value is one that no attribute has: ask for %s instead", Present)
	}
	return nil
}

// String says what c asks for.
func (c Condition) String() string {
	word := string(c.Operator)
	switch c.Operator {
	case Present:
		if c.Not {
			return c.Attribute + " has no value"
		}
		return c.Attribute + " has a value"
	case OneOf:
		word = "is one of"
	case StartsWith:
		word = "starts with"
	}
	values := make([]string, len(c.Values))
	for i, v := range c.Values {
		values[i] = quote(v)
	}
	text := c.Attribute + " " + word + " " + strings.Join(values, ", ")
	if c.Not {
		return "not: " + text
	}
	return text
}

// Met reports whether o meets c. known is false if the source couldn't read the
// attribute, and the values that it could read don't decide.
func (c Condition) Met(o *source.Object) (met, known bool) {
	matches := slices.ContainsFunc(valuesOf(o.Attributes, c.Attribute), c.matches)
	if !matches {
		if _, unread := fault(o.Faults, c.Attribute); unread {
			return false, false
		}
	}
	return matches != c.Not, true
}

func (c Condition) matches(v string) bool {
	switch c.Operator {
	case Present:
		return true
	case StartsWith:
		return strings.HasPrefix(strings.ToLower(v), strings.ToLower(c.Values[0]))
	case Contains:
		return strings.Contains(strings.ToLower(v), strings.ToLower(c.Values[0]))
	}
	return slices.ContainsFunc(c.Values, func(w string) bool { return strings.EqualFold(v, w) })
}

// valuesOf are the values of the attribute, however its name is spelt.
func valuesOf(a source.Attributes, name string) []string {
	if v, ok := a[name]; ok {
		return v
	}
	for n, v := range a {
		if strings.EqualFold(n, name) {
			return v
		}
	}
	return nil
}
