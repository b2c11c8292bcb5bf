package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/target"
)

// A past is all that the audit log tells of one object.
type past struct {
	Object string `json:"object"`

	// The DNs and userPrincipalNames that it had when something was done, the
	// latest first.
	DNs  []string `json:"dns"`
	UPNs []string `json:"upns"`

	Records []audit.Record `json:"-"`
}

// do tells the story of whoever a name means, or meant.
func (cmd *historyCommand) do(_ context.Context, p *program) int {
	pasts, err := cmd.read(p)
	broken := errors.Is(err, errNotIntact)
	if err == nil && len(pasts) == 0 {
		err = fmt.Errorf("the audit log tells nothing of %s", plain(cmd.Object))
	}
	switch {
	case cmd.json():
		err = errors.Join(err, printJSON(p.stdout, historyDocument(pasts, err)))
	case err == nil || broken:
		w := p.printer()
		for i, s := range pasts {
			if i > 0 {
				fmt.Fprintln(w)
			}
			w.past(&s)
		}
		err = errors.Join(err, w.flush())
	}
	return p.report(err)
}

func (cmd *historyCommand) read(p *program) ([]past, error) {
	files := cmd.Files
	if len(files) == 0 {
		if cmd.Config == "" {
			return nil, usageError("say which log: -c FILE, or the log's files")
		}
		c, err := p.configure(cmd.Config, reading)
		if err != nil {
			return nil, err
		}
		path := c.Audit.path(c.State.Bolt.Path)
		if path == "" {
			return nil, usageError("the configuration turns the audit off")
		}
		files = []string{path}
	}
	return readHistory(files, audit.Object(cmd.Object))
}

// readHistory gives everything about the objects of which some record matches:
// names change hands, so the object is what counts. The error wraps
// errNotIntact if some lines can't be trusted; the rest is given.
func readHistory(files []string, match func(*audit.Record) bool) ([]past, error) {
	found := map[string]*past{}
	err := eachRecord(files, func(r *audit.Record) bool { return r.Source != "" && match(r) }, func(r audit.Record) {
		if found[r.Source] == nil {
			found[r.Source] = &past{Object: r.Source}
		}
	})
	if len(found) == 0 {
		return nil, err
	}
	err = eachRecord(files, func(r *audit.Record) bool { return found[r.Source] != nil }, func(r audit.Record) {
		s := found[r.Source]
		s.Records = append(s.Records, r)
		s.DNs, s.UPNs = latest(s.DNs, r.Name), latest(s.UPNs, r.UPN)
		if upn := r.After[target.AttrUserPrincipalName]; r.Outcome == audit.OutcomeApplied && len(upn) > 0 {
			s.UPNs = latest(s.UPNs, upn[0])
		}
	})
	var out []past
	for _, id := range slices.Sorted(maps.Keys(found)) {
		out = append(out, *found[id])
	}
	return out, err
}

// latest puts name before names.
func latest(names []string, name string) []string {
	if name == "" {
		return names
	}
	return append([]string{name}, slices.DeleteFunc(names, func(n string) bool { return n == name })...)
}

// eachRecord gives the records of the files that match. A last line that is
// incomplete is one that is being written.
func eachRecord(files []string, match func(*audit.Record) bool, take func(audit.Record)) error {
	var broken error
	for _, path := range files {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("read the audit log: %w", err)
		}
		for r, err := range audit.History(bufio.NewReaderSize(f, 1<<20), match) {
			if b, ok := errors.AsType[*audit.BrokenError](err); ok {
				broken = cmp.Or(broken, fmt.Errorf("%w: %s: %w; audit verify says more", errNotIntact, path, b))
			} else if err != nil {
				return errors.Join(err, f.Close())
			} else {
				take(r)
			}
		}
		if err := f.Close(); err != nil {
			return err
		}
	}
	return broken
}

// historyDocument is what -o json prints: the records as they are in the log,
// each with the same in words.
func historyDocument(pasts []past, err error) any {
	type entry struct {
		Words  string          `json:"words"`
		Record json.RawMessage `json:"record"`
	}
	type object struct {
		past
		History []entry `json:"history"`
	}
	objects := []object{}
	for _, s := range pasts {
		o := object{past: s, History: []entry{}}
		for i := range s.Records {
			line, e := audit.Encode(&s.Records[i])
			if e != nil { // not after it was read
				line = []byte("null")
			}
			o.History = append(o.History, entry{inWords(&s.Records[i]), line})
		}
		objects = append(objects, o)
	}
	return struct {
		Objects []object `json:"objects"`
		failure
	}{objects, failed(err)}
}

// past prints one object's story.
func (w *printer) past(s *past) {
	fmt.Fprintln(w, plain(s.Object))
	for _, names := range [][]string{s.DNs, s.UPNs} {
		if len(names) > 0 {
			fmt.Fprintf(w, "    %s\n", plain(strings.Join(names, ", formerly ")))
		}
	}
	for i := range s.Records {
		r := &s.Records[i]
		fmt.Fprintf(w, "%s  run %d: %s\n", r.Time.Format(time.RFC3339), r.Run, inWords(r))
		for _, a := range recordValues(r) {
			fmt.Fprintf(w, "    %s\n", a)
		}
		if r.RequestID != "" {
			fmt.Fprintf(w, "    record %d, request-id %s\n", r.Seq, plain(r.RequestID))
		} else {
			fmt.Fprintf(w, "    record %d\n", r.Seq)
		}
	}
}

// inWords says what a record tells of, and why it came to that.
func inWords(r *audit.Record) string {
	verb := map[string]string{
		string(target.Create): "create", string(target.Update): "change", string(target.Enable): "enable",
		string(target.Disable): "disable", string(target.Delete): "delete", string(target.Restore): "restore",
		string(target.Refer): "change",
	}[r.Op]
	who := "the account " + plain(cmp.Or(r.UPN, r.Target))
	var s string
	switch r.Outcome {
	case audit.OutcomeApplied:
		s = strings.TrimSuffix(cmp.Or(verb, "change"), "e") + "ed " + who
	case audit.OutcomeRefused:
		s = "tried to " + verb + " " + who + ", and it was refused: " + plain(r.Error)
	case audit.OutcomeUnknown:
		s = "tried to " + verb + " " + who + ", and no answer came, so it may have been done: " + plain(r.Error)
	case audit.OutcomeInterrupted:
		s = "was stopped while it tried to " + verb + " " + who + ", so it may have been done"
	case "":
		s = map[audit.Event]string{audit.EventAdopted: "adopted", audit.EventRebound: "took over"}[r.Event]
		s = cmp.Or(s, plain(cmp.Or(string(r.Event), "something"))) + " " + who
	default:
		s = plain(cmp.Or(string(r.Event), "something")) + " " + who
	}
	if r.Repeat {
		s += " (the call was made once more, since the outcome of the first one was unknown)"
	}
	if r.Reason != "" {
		s += "; because: " + plain(r.Reason)
	}
	if e := r.Evidence; e != nil {
		s += fmt.Sprintf(" (%s: %s)", plain(e.Kind), plain(cmp.Or(e.Detail, "no more is known")))
	}
	switch {
	case r.Approver != "" && r.Plan == "":
		s += "; decided by " + plain(r.Approver)
	case r.Approver != "":
		s += fmt.Sprintf("; approved by %s with plan %.12s", plain(r.Approver), plain(r.Plan))
	}
	if r.Detail != "" {
		s += "; " + plain(r.Detail)
	}
	return s
}

// recordValues are the values of a record, a line each.
func recordValues(r *audit.Record) (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(r.After)) {
		line := fmt.Sprintf("%s: %s", plain(name), shown(r.After[name]))
		if r.Op != string(target.Create) {
			line = fmt.Sprintf("%s: %s → %s", plain(name), shown(r.Before[name]), shown(r.After[name]))
		}
		if i := slices.IndexFunc(r.Rules, func(u audit.Rule) bool { return u.Attribute == name }); i >= 0 {
			line += "   why: " + plain(ruleWords(r.Rules[i].Rule, name, r.Rules[i].Branch))
		}
		lines = append(lines, line)
	}
	return lines
}
