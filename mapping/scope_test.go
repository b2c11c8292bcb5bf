package mapping_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// The tree of the tests: a domain with Sales (Inside in it, Temps in that) and
// Lab.
var (
	dom    = mapping.Container{ID: "dom", DN: "DC=corp"}
	sales  = mapping.Container{ID: "sales", DN: "OU=Sales,DC=corp"}
	inside = mapping.Container{ID: "inside", DN: "OU=Inside,OU=Sales,DC=corp"}
	temps  = mapping.Container{ID: "temps", DN: "OU=Temps,OU=Inside,OU=Sales,DC=corp"}
	lab    = mapping.Container{ID: "lab", DN: "OU=Lab,DC=corp"}
)

func whole(cs ...mapping.Container) mapping.Place { return mapping.Place{Path: cs, Whole: true} }
func part(cs ...mapping.Container) mapping.Place  { return mapping.Place{Path: cs} }

func bound(t *testing.T, s mapping.Scope) *mapping.BoundScope {
	t.Helper()
	ids := map[string]source.ID{}
	for _, n := range s.Containers() {
		ids[n] = source.ID(n)
	}
	b, err := s.Bind(ids)
	require.NoError(t, err)
	return b
}

func TestTheNearestListedContainerDecides(t *testing.T) {
	moved := sales
	moved.Outside = true
	in, out, unknown := mapping.InScope, mapping.OutOfScope, mapping.Undecided
	for name, tt := range map[string]struct {
		scope mapping.Scope
		at    mapping.Place
		want  mapping.Answer
		why   string
	}{
		"nothing asked":                  {mapping.Scope{}, part(), in, "everywhere"},
		"included":                       {mapping.Scope{Include: []string{"sales"}}, whole(sales, dom), in, "in OU=Sales,DC=corp (included)"},
		"below an included one":          {mapping.Scope{Include: []string{"sales"}}, whole(temps, inside, sales, dom), in, "in OU=Sales,DC=corp (included)"},
		"not included":                   {mapping.Scope{Include: []string{"sales"}}, whole(lab, dom), out, "in OU=Lab,DC=corp (not included)"},
		"excluded below an included one": {mapping.Scope{Include: []string{"sales"}, Exclude: []string{"inside"}}, whole(inside, sales, dom), out, "in OU=Inside,OU=Sales,DC=corp (excluded)"},
		"included below that":            {mapping.Scope{Include: []string{"sales", "temps"}, Exclude: []string{"inside"}}, whole(temps, inside, sales, dom), in, "in OU=Temps,OU=Inside,OU=Sales,DC=corp (included)"},
		"not excluded":                   {mapping.Scope{Exclude: []string{"lab"}}, whole(sales, dom), in, "in OU=Sales,DC=corp (not excluded)"},
		"known up to what decides":       {mapping.Scope{Include: []string{"sales"}}, part(inside, sales), in, "in OU=Sales,DC=corp (included)"},
		"not known up to what decides":   {mapping.Scope{Include: []string{"sales"}}, part(inside), unknown, "where it lies isn't known"},
		"nowhere":                        {mapping.Scope{Exclude: []string{"sales"}}, part(), unknown, "where it lies isn't known"},
		"no path, though whole":          {mapping.Scope{Exclude: []string{"sales"}}, whole(), unknown, "where it lies isn't known"},
		"in the domain":                  {mapping.Scope{Domains: []string{"dom"}}, whole(lab, dom), in, "in the domain DC=corp"},
		"in another domain":              {mapping.Scope{Domains: []string{"other"}}, whole(lab, dom), out, "in the domain DC=corp (not included)"},
		"domain not known":               {mapping.Scope{Domains: []string{"dom"}}, part(lab), unknown, "where it lies isn't known"},
		"unit out, domain not known":     {mapping.Scope{Domains: []string{"dom"}, Exclude: []string{"lab"}}, part(lab), out, "in OU=Lab,DC=corp (excluded)"},
		"unit in, domain out":            {mapping.Scope{Domains: []string{"other"}, Include: []string{"lab"}}, whole(lab, dom), out, "in the domain DC=corp (not included)"},
		"moved out with its container":   {mapping.Scope{}, part(inside, moved), out, "in OU=Sales,DC=corp, which was moved out of what the source reads"},
	} {
		t.Run(name, func(t *testing.T) {
			v := bound(t, tt.scope).At(tt.at)
			require.Equal(t, tt.want, v.Answer)
			require.Equal(t, mapping.Decision{Rule: mapping.RuleScope, Branch: tt.why}, v.Decision)
			require.Equal(t, tt.want == unknown, v.Problem != nil)
			if v.Problem != nil {
				require.Equal(t, mapping.CodeContainerUnknown, v.Problem.Code)
			}
		})
	}
}

func TestConditions(t *testing.T) {
	o := source.Object{Attributes: source.Attributes{
		"department": {"Sales"}, "otherMailbox": {"a@x.example", "b@y.example"},
	}, Faults: []source.Fault{{Attribute: "title", Reason: "not UTF-8"}}}
	c := func(attr string, op mapping.Operator, values ...string) mapping.Condition {
		return mapping.Condition{Attribute: attr, Operator: op, Values: values}
	}
	for _, tt := range []struct {
		c           mapping.Condition
		met, negate mapping.Answer
		text        string
	}{
		{c("department", mapping.Present), mapping.InScope, mapping.OutOfScope, "department has a value"},
		{c("company", mapping.Present), mapping.OutOfScope, mapping.InScope, "company has a value"},
		{c("DEPARTMENT", mapping.Equals, "sALES"), mapping.InScope, mapping.OutOfScope, `DEPARTMENT equals "sALES"`},
		{c("department", mapping.Equals, "Sale"), mapping.OutOfScope, mapping.InScope, `department equals "Sale"`},
		{c("department", mapping.StartsWith, "sal"), mapping.InScope, mapping.OutOfScope, `department starts with "sal"`},
		{c("department", mapping.StartsWith, "ales"), mapping.OutOfScope, mapping.InScope, `department starts with "ales"`},
		{c("department", mapping.Contains, "ALE"), mapping.InScope, mapping.OutOfScope, `department contains "ALE"`},
		{c("department", mapping.OneOf, "Lab", "sales"), mapping.InScope, mapping.OutOfScope, `department is one of "Lab", "sales"`},
		{c("department", mapping.OneOf, "Lab"), mapping.OutOfScope, mapping.InScope, `department is one of "Lab"`},
		{c("otherMailbox", mapping.Contains, "@Y."), mapping.InScope, mapping.OutOfScope, `otherMailbox contains "@Y."`},
		{c("company", mapping.Equals, "x"), mapping.OutOfScope, mapping.InScope, `company equals "x"`},
		{c("title", mapping.Present), mapping.Undecided, mapping.Undecided, "title has a value"},
		{c("title", mapping.Equals, "x"), mapping.Undecided, mapping.Undecided, `title equals "x"`},
	} {
		require.Equal(t, tt.text, tt.c.String())
		b := bound(t, mapping.Scope{Conditions: []mapping.Condition{tt.c}})
		v := b.Decide(&o, b.At(mapping.Place{}))
		require.Equal(t, tt.met, v.Answer, tt.text)
		require.Equal(t, v.Answer == mapping.Undecided, v.Problem != nil)
		tt.c.Not = true
		b = bound(t, mapping.Scope{Conditions: []mapping.Condition{tt.c}})
		require.Equal(t, tt.negate, b.Decide(&o, b.At(mapping.Place{})).Answer, "not: %s", tt.text)
	}
}

// All conditions hold together. What is certainly out is out, whatever else
// can't be told.
func TestAScopeTakesWhoMeetsAllOfIt(t *testing.T) {
	is := func(attr, v string) mapping.Condition {
		return mapping.Condition{Attribute: attr, Operator: mapping.Equals, Values: []string{v}}
	}
	b := bound(t, mapping.Scope{Include: []string{"sales"}, Conditions: []mapping.Condition{is("department", "Sales"), is("company", "X")}})
	o := source.Object{Attributes: source.Attributes{"department": {"Sales"}, "company": {"X"}}}
	here, there, nowhere := b.At(whole(sales, dom)), b.At(whole(lab, dom)), b.At(part())
	require.Equal(t, mapping.InScope, b.Decide(&o, here).Answer)
	require.Equal(t, mapping.OutOfScope, b.Decide(&o, there).Answer)
	require.Equal(t, mapping.CodeContainerUnknown, b.Decide(&o, nowhere).Problem.Code)

	o.Attributes.Set("company", "Y")
	for _, at := range []mapping.Verdict{here, there, nowhere} {
		require.Equal(t, mapping.OutOfScope, b.Decide(&o, at).Answer)
	}
	v := b.Decide(&o, here)
	require.Equal(t, `doesn't meet the condition (company equals "X")`, v.Decision.Branch)
	require.Equal(t, []mapping.Value{{Name: "company", Values: []string{"Y"}}}, v.Decision.Inputs)

	delete(o.Attributes, "company")
	o.Faults = []source.Fault{{Attribute: "Company", Reason: "not UTF-8"}}
	require.Equal(t, mapping.CodeScopeUnreadable, b.Decide(&o, here).Problem.Code)
}

func TestAScopesFingerprint(t *testing.T) {
	sale := mapping.Condition{Attribute: "department", Operator: mapping.OneOf, Values: []string{"a", "b"}}
	elas := mapping.Condition{Attribute: "Department", Operator: mapping.OneOf, Values: []string{"B", "A"}}
	full := mapping.Condition{Attribute: "mail", Operator: mapping.Present}
	base := bound(t, mapping.Scope{Include: []string{"x", "y"}, Conditions: []mapping.Condition{sale, full}}).Fingerprint()
	require.Equal(t, base, bound(t, mapping.Scope{Include: []string{"y", "x"}, Conditions: []mapping.Condition{full, elas}}).Fingerprint(), "order and case mean nothing")
	var none *mapping.Scope
	b, err := none.Bind(nil)
	require.NoError(t, err)
	require.Empty(t, b.Fingerprint())
	require.Empty(t, bound(t, mapping.Scope{}).Fingerprint())
	not := full
	not.Not = true
	seen := map[string]bool{base: true}
	for _, s := range []mapping.Scope{
		{Include: []string{"x", "y"}}, {Include: []string{"x"}, Conditions: []mapping.Condition{sale, full}}, {Exclude: []string{"x", "y"}, Conditions: []mapping.Condition{sale, full}},
		{Domains: []string{"x", "y"}}, {Conditions: []mapping.Condition{full}}, {Conditions: []mapping.Condition{not}}, {Conditions: []mapping.Condition{sale}},
	} {
		f := bound(t, s).Fingerprint()
		require.False(t, seen[f], "%+v", s)
		seen[f] = true
	}
	// A DN and the ID that it is bound to mean the same.
	s := mapping.Scope{Exclude: []string{"OU=Lab,DC=corp"}}
	b, err = s.Bind(map[string]source.ID{"OU=Lab,DC=corp": "lab"})
	require.NoError(t, err)
	require.Equal(t, bound(t, mapping.Scope{Exclude: []string{"lab"}}).Fingerprint(), b.Fingerprint())
}

func TestAScopeThatMakesNoSense(t *testing.T) {
	for _, s := range []mapping.Scope{
		{Include: []string{" "}},
		{Include: []string{"OU=a"}, Exclude: []string{"ou=A"}},
		{Conditions: []mapping.Condition{{Attribute: "a", Operator: "like", Values: []string{"x"}}}},
		{Conditions: []mapping.Condition{{Operator: mapping.Present}}},
		{Conditions: []mapping.Condition{{Attribute: "a", Operator: mapping.Present, Values: []string{"x"}}}},
		{Conditions: []mapping.Condition{{Attribute: "a", Operator: mapping.Equals}}},
		{Conditions: []mapping.Condition{{Attribute: "a", Operator: mapping.OneOf}}},
		{Conditions: []mapping.Condition{{Attribute: "a", Operator: mapping.Contains, Values: []string{""}}}},
	} {
		require.Error(t, s.Check(), "%+v", s)
		_, err := s.Bind(nil)
		require.Error(t, err)
	}
	s := mapping.Scope{Include: []string{"one"}, Exclude: []string{"other"}}
	_, err := s.Bind(map[string]source.ID{"one": "x", "other": "x"})
	require.ErrorContains(t, err, "both included and excluded")
	_, err = s.Bind(map[string]source.ID{"one": "x"})
	require.ErrorContains(t, err, `nothing is bound to "other"`)
	s.Conditions = []mapping.Condition{{Attribute: "B", Operator: mapping.Present}, {Attribute: "a", Operator: mapping.Present}, {Attribute: "b", Operator: mapping.Present}}
	require.Equal(t, []string{"a", "B"}, s.SourceAttributes())
}
