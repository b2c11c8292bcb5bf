package main

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
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

func (p *program) printer() *printer { return &printer{newWriter(p.stdout), p.color} }

func newWriter(w io.Writer) *bufio.Writer { return bufio.NewWriter(w) }

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
	fmt.Fprintf(w, "%s  (%s, %s)\n", w.paint(color, sign+" "+string(c.Op)+" "+who), plain(string(c.Source)), plain(c.Name))
	fmt.Fprintf(w, "    because: %s%s\n", plain(c.Reason), evidence(c))
	w.references(c)
	for _, a := range attributes(c) {
		if c.Op == target.Create {
			fmt.Fprintf(w, "    %s: %s", plain(a.Name), shown(a.After))
		} else {
			fmt.Fprintf(w, "    %s: %s → %s", plain(a.Name), shown(a.Before), shown(a.After))
		}
		if a.Why != "" {
			fmt.Fprintf(w, "   why: %s", plain(a.Why))
		}
		w.WriteByte('\n')
	}
}

func evidence(c *plan.Change) string {
	if c.Evidence == nil {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", plain(c.Evidence.Kind), plain(cmp.Or(c.Evidence.Detail, "no more is known")))
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
	text := ruleWords(d.Rule, d.Attribute, d.Branch)
	if !slices.Equal(d.Result, value) && len(d.Result) > 0 {
		text += fmt.Sprintf("; %s isn't free", shown(d.Result))
	}
	return text
}

// ruleWords says which rule it was, unless the attribute says so, and which of
// its ways it went.
func ruleWords(rule, attribute, branch string) string {
	if rule == "flow" || rule == attribute {
		return strings.TrimPrefix(branch, "from ")
	}
	return rule + ": " + branch
}

// problems prints what is wrong with single objects.
func (w *printer) problems(ps []dirsync.Problem) {
	for _, p := range ps {
		fmt.Fprintf(w, "%s  %s  (%s)\n", w.paint(red, "! "+p.Code), plain(p.Name), plain(string(p.Object)))
		fmt.Fprintf(w, "    %s\n    what to do: %s\n", plain(p.Message), plain(p.Remedy))
		var more []string
		if p.Holder != "" {
			more = append(more, "held by "+plain(p.Holder))
		}
		if p.RequestID != "" {
			more = append(more, "request-id "+plain(p.RequestID))
		}
		more = append(more, "since "+p.Since.Format(time.RFC3339))
		fmt.Fprintf(w, "    %s\n", strings.Join(more, ", "))
	}
}

// precondition prints what has to be so when a change is carried out.
func (w *printer) precondition(c *plan.Change) {
	object := map[string]string{
		"present": "the object is in the source", "left": "the object has left the scope",
		"deleted": "the source has deleted the object", "unknown": "whatever the source says",
	}[c.Precondition.Object]
	account := map[string]string{
		"none": "nobody has its anchor", "live": "the account is there", "deleted": "the account is in the bin",
	}[c.Precondition.Account]
	fmt.Fprintf(w, "    only if: %s, %s", cmp.Or(object, plain(c.Precondition.Object)), cmp.Or(account, plain(c.Precondition.Account)))
	if len(c.Set) > 0 && c.Op != target.Create {
		fmt.Fprint(w, ", with the values from before")
	}
	w.WriteByte('\n')
}

// warnings prints what concerns the run as a whole.
func (w *printer) warnings(warnings []dirsync.Warning) {
	for _, x := range warnings {
		fmt.Fprintf(w, "%s\n    %s\n    what to do: %s\n", w.paint(red, "! warning: "+plain(x.Code)), plain(x.Message), plain(x.Remedy))
	}
}

// summary prints the counts of a run in one line.
func (w *printer) summary(r *dirsync.Report) { fmt.Fprintln(w, counts(r)) }

// counts are those of a run.
func counts(r *dirsync.Report) string {
	return fmt.Sprintf("%s, problems %d", done(r), len(r.Problems))
}

// done is what a run did, in one line.
func done(r *dirsync.Report) string {
	mode := cmp.Or(string(r.Mode), "unfinished")
	if r.Mode == "" && r.Undid != 0 {
		mode = string(dirsync.Undo)
	}
	s := fmt.Sprintf("%s run %d", mode, r.Run)
	if r.FullReason != "" {
		s += " (" + plain(r.FullReason) + ")"
	}
	s += fmt.Sprintf(": read %d, created %d, updated %d, disabled %d, deleted %d, restored %d, unchanged %d, skipped %d, held back %d",
		r.Read, r.Created, r.Updated, r.Disabled, r.Deleted, r.Restored, r.Unchanged, r.Skipped, r.HeldBack)
	s += refCounts(r)
	if r.Withheld > 0 {
		s += fmt.Sprintf(", withheld by policy %d", r.Withheld)
	}
	if r.Reconciled != "" {
		s += ", all accounts looked at (" + plain(r.Reconciled) + ")"
	}
	if r.Drifted > 0 {
		s += fmt.Sprintf(", changed by others %d", r.Drifted)
	}
	if r.Undid > 0 {
		s += fmt.Sprintf(", run %d undone", r.Undid)
	}
	if r.Approver != "" {
		s += ", approved by " + plain(r.Approver)
	}
	return s
}
