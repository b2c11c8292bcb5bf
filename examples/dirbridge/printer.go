package main

import (
	"bufio"
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

// A printer writes text for people.
type printer struct {
	*bufio.Writer
	color bool
}

func (p *program) printer() *printer { return &printer{bufio.NewWriter(p.stdout), p.color} }

func (w *printer) flush() error { return w.Flush() }

const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (w *printer) paint(code, text string) string {
	if !w.color {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// change prints one planned change as a diff: who, what was and what will be,
// why.
func (w *printer) change(c *plan.Change) {
	sign, color := "~", yellow
	switch c.Op {
	case target.Create, target.Restore:
		sign, color = "+", green
	case target.Delete, target.Disable:
		sign, color = "-", red
	}
	who := plain(cmp.Or(c.UPN, c.Name))
	fmt.Fprintf(w, "%s  (%s, %s)\n", w.paint(color, sign+" "+string(c.Op)+" "+who), c.Source, plain(c.Name))
	fmt.Fprintf(w, "    because: %s%s\n", c.Reason, evidence(c))
	for _, a := range attributes(c) {
		if c.Op == target.Create {
			fmt.Fprintf(w, "    %s: %s", a.Name, shown(a.After))
		} else {
			fmt.Fprintf(w, "    %s: %s → %s", a.Name, shown(a.Before), shown(a.After))
		}
		if a.Why != "" {
			fmt.Fprintf(w, "   why: %s", a.Why)
		}
		w.WriteByte('\n')
	}
}

// plain makes text that comes from a directory harmless to a terminal: what
// isn't printable is shown as an escape.
func plain(s string) string {
	q := strconv.Quote(s)
	return strings.ReplaceAll(strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`), `\\`, `\`)
}

func evidence(c *plan.Change) string {
	if c.Evidence == nil {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", c.Evidence.Kind, plain(cmp.Or(c.Evidence.Detail, "no more is known")))
}

func shown(values []string) string {
	switch len(values) {
	case 0:
		return "(none)"
	case 1:
		return fmt.Sprintf("%q", values[0])
	}
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = fmt.Sprintf("%q", v)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

// An attribute is one line of a change.
type attribute struct {
	Name   string   `json:"name"`
	Before []string `json:"before"` // none: it has no value now, or none is known
	After  []string `json:"after"`  // none: it is cleared
	Why    string   `json:"why,omitempty"`
}

// attributes lists what a change sets, in ascending order of the names.
func attributes(c *plan.Change) []attribute {
	out := make([]attribute, 0, len(c.Set))
	for _, name := range c.Set.Names() {
		a := attribute{Name: name, Before: append([]string{}, c.Before[name]...), After: append([]string{}, c.Set[name]...)}
		i := slices.IndexFunc(c.Decisions, func(d mapping.Decision) bool { return d.Attribute == name })
		if i >= 0 {
			a.Why = why(&c.Decisions[i], a.After)
		}
		out = append(out, a)
	}
	return out
}

// why says which rule gave a value and which way it went; for a value that was
// copied, of what.
func why(d *mapping.Decision, value []string) string {
	text := d.Rule + ": " + d.Branch
	if d.Rule == "flow" || d.Rule == d.Attribute {
		text = strings.TrimPrefix(d.Branch, "from ")
	}
	if !slices.Equal(d.Result, value) && len(d.Result) > 0 {
		text += fmt.Sprintf("; %s isn't free", shown(d.Result))
	}
	return text
}

// problems prints what is wrong with single objects.
func (w *printer) problems(ps []dirsync.Problem) {
	for _, p := range ps {
		fmt.Fprintf(w, "%s  %s  (%s)\n", w.paint(red, "! "+p.Code), plain(p.Name), p.Object)
		fmt.Fprintf(w, "    %s\n    what to do: %s\n", plain(p.Message), p.Remedy)
		var more []string
		if p.Holder != "" {
			more = append(more, "held by "+p.Holder)
		}
		if p.RequestID != "" {
			more = append(more, "request-id "+p.RequestID)
		}
		more = append(more, "since "+p.Since.Format(time.RFC3339))
		fmt.Fprintf(w, "    %s\n", strings.Join(more, ", "))
	}
}

// summary prints the counts of a run in one line.
func (w *printer) summary(r *dirsync.Report) { fmt.Fprintln(w, counts(r)) }

func counts(r *dirsync.Report) string {
	s := fmt.Sprintf("%s run %d", cmp.Or(string(r.Mode), "unfinished"), r.Run)
	if r.FullReason != "" {
		s += " (" + r.FullReason + ")"
	}
	return s + fmt.Sprintf(": read %d, created %d, updated %d, disabled %d, deleted %d, restored %d, unchanged %d, skipped %d, held back %d, problems %d",
		r.Read, r.Created, r.Updated, r.Disabled, r.Deleted, r.Restored, r.Unchanged, r.Skipped, r.HeldBack, len(r.Problems))
}
