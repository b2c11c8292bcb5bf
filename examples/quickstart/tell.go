package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/target"
)

// A writer prints lines, with color if the reader can see it.
type writer struct {
	out   io.Writer
	color bool
	err   error // of the first write that failed
}

const (
	bold   = "1"
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (w *writer) paint(code, text string) string {
	if !w.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (w *writer) line(format string, a ...any) {
	if _, err := fmt.Fprintf(w.out, format+"\n", a...); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *writer) title(text string) {
	w.line("\n%s", w.paint(bold, text))
}

// counts prints what a run did.
func (w *writer) counts(r *dirsync.Report) {
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{
		{r.Created, "created"}, {r.Updated, "updated"}, {r.Disabled, "disabled"}, {r.Deleted, "deleted"},
		{r.Restored, "restored"}, {r.Unchanged, "unchanged"}, {r.Skipped, "skipped"}, {len(r.Problems), "with a problem"},
	} {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.what))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	w.line("%s run: %d read, %s.", r.Mode, r.Read, strings.Join(parts, ", "))
}

// change prints one change as a diff with reasons.
func (w *writer) change(c *plan.Change) {
	sign, color := "~", yellow
	switch c.Op {
	case target.Create, target.Restore:
		sign, color = "+", green
	case target.Delete, target.Disable:
		sign, color = "-", red
	}
	who, _, _ := strings.Cut(strings.TrimPrefix(c.Name, "CN="), ",")
	w.line("  %s %s", w.paint(color, fmt.Sprintf("%s %-7s", sign, c.Op)), w.paint(bold, who)+" ("+c.Reason+")")
	if c.Op == target.Create {
		w.line("        %s and %d more values", c.Set.First(target.AttrUserPrincipalName), len(c.Set)-1)
		return
	}
	why := map[string]string{}
	for _, d := range c.Decisions {
		why[d.Attribute] = d.Branch
	}
	for _, attr := range c.Set.Names() {
		w.line("        %s: %s → %s   why: %s", attr, shown(c.Before[attr]), shown(c.Set[attr]), cmp.Or(why[attr], c.Reason))
	}
}

func shown(values []string) string {
	if len(values) == 0 {
		return "nothing"
	}
	return `"` + strings.Join(values, `", "`) + `"`
}

// people prints the story's people and the names that they got.
func (s *story) people() {
	t := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, p := range cast {
		login := cmp.Or(p[1], "(only "+p[0]+")")
		d, known := s.names[s.id(p[0])]
		if !known {
			fmt.Fprintf(t, "  %s %s\t%s\t-\tskipped: a service account\n", p[2], p[3], login)
			continue
		}
		o, _ := s.tenant.Get(s.account(p[0]))
		upn, why := o.Attributes.First(target.AttrUserPrincipalName), d.Branch
		if !slices.Equal(d.Result, []string{upn}) {
			why = "somebody else has " + strings.Join(d.Result, "")
		}
		fmt.Fprintf(t, "  %s %s\t%s\t%s\t%s\n", p[2], p[3], login, upn, why)
	}
	if err := t.Flush(); err != nil && s.err == nil {
		s.err = err
	}
}

// reasons prints how many names were decided which way.
func (s *story) reasons() {
	n := map[string]int{}
	for _, d := range s.names {
		branch, _, _ := strings.Cut(d.Branch, ", refused characters")
		n[branch]++
	}
	for _, branch := range slices.SortedFunc(maps.Keys(n), func(a, b string) int {
		return cmp.Or(cmp.Compare(n[b], n[a]), cmp.Compare(a, b))
	}) {
		s.line("  %4d  %s", n[branch], branch)
	}
}

// problems prints what a person has to see, and hasn't seen yet.
func (w *writer) problems(r *dirsync.Report) {
	for _, p := range r.Problems {
		if p.Since.Before(r.Started) {
			continue
		}
		w.line("  %s %s: %s", w.paint(red, "!"), p.Code, p.Message)
		w.line("        what to do: %s", p.Remedy)
	}
}
