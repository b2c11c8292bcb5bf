package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/source"
)

// A decision is what -o json prints of one.
type decision struct {
	*story
	By       string      `json:"by,omitempty"`
	HeldBack []affected  `json:"heldBack,omitempty"` // by reject: the first of them
	Held     int         `json:"held,omitempty"`     // and how many there are
	Released *int        `json:"released,omitempty"` // holds that ended
	Objects  []source.ID `json:"objects,omitempty"`

	GoOn     []step `json:"goOn,omitempty"`
	Error    string `json:"error,omitempty"`
	WhatToDo string `json:"whatToDo,omitempty"`
	ExitCode int    `json:"exitCode"`
}

var hashPrefix = regexp.MustCompile(`^[0-9a-fA-F]{12,64}$`)

// decide opens the state for a command by which somebody decides, prints what
// came of it, and returns the exit code.
func (p *program) decide(ctx context.Context, config string, o outputFlag, check error, do func(*parts, *decision) error, print func(*printer, *decision)) int {
	d, err := &decision{}, check
	if err == nil {
		var x *parts
		if x, err = p.open(ctx, config, purpose{use: deciding}); err == nil {
			err = errors.Join(do(x, d), x.close())
		}
	}
	if o.json() {
		d.ExitCode = exitCode(err)
		if err != nil {
			d.Error, d.WhatToDo, d.GoOn = err.Error(), advice(err), nil
		}
		err = errors.Join(err, printJSON(p.stdout, d))
	} else if err == nil {
		w := p.printer()
		print(w, d)
		w.steps(d.GoOn)
		err = w.flush()
	}
	return p.report(err)
}

// check fills in who decides, and finds what is wrong with the words.
func (w *words) check(p *program) error {
	if w.By == "" {
		w.By = p.who()
	}
	if !hashPrefix.MatchString(w.Hash) {
		return usageError(fmt.Sprintf("%q is no plan's hash: want its 64 hexadecimal digits, or at least the first 12", w.Hash))
	}
	return checkName(w.By)
}

// checkName says what is wrong with the name of who decides.
func checkName(by string) error {
	if strings.TrimSpace(by) == "" || len(by) > 200 || !utf8.ValidString(by) || strings.ContainsFunc(by, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return usageError(fmt.Sprintf("--by %q: want a name of at most 200 printable characters", by))
	}
	return nil
}

// waiting tells of the plan that waits and has this hash. It is for the engine to
// say why another one can't be meant: then it is nil.
func waiting(ctx context.Context, x *parts, hash string) (*story, error) {
	made, err := x.engine.Waiting(ctx)
	if err != nil || made == nil || !strings.HasPrefix(made.Hash, strings.ToLower(hash)) {
		return nil, err
	}
	return tell(ctx, made)
}

// do lets a plan through.
func (cmd *approveCommand) do(ctx context.Context, p *program) int {
	check := cmd.check(p)
	if check == nil && cmd.For < time.Second {
		check = usageError(fmt.Sprintf("--for %v: want at least a second", cmd.For))
	}
	return p.decide(ctx, cmd.Config, cmd.outputFlag, check, func(x *parts, d *decision) error {
		if err := x.engine.Approve(ctx, cmd.Hash, cmd.By, time.Now().Add(cmd.For)); err != nil {
			return err
		}
		var err error
		d.By, d.GoOn = cmd.By, guide{cmd.Config}.approved()
		d.story, err = waiting(ctx, x, cmd.Hash)
		return err
	}, func(w *printer, d *decision) {
		if d.story == nil || d.Approval == nil {
			return
		}
		if d.Undoes != 0 {
			fmt.Fprintf(w, "the undoing of run %d: ", d.Undoes)
		}
		w.story(d.story)
		fmt.Fprintf(w, "approved by %s until %s\n", plain(d.Approval.By), d.Approval.Until.Format(time.RFC3339))
	})
}

// do says no to a plan.
func (cmd *rejectCommand) do(ctx context.Context, p *program) int {
	return p.decide(ctx, cmd.Config, cmd.outputFlag, cmd.check(p), func(x *parts, d *decision) error {
		made, err := x.engine.Waiting(ctx)
		if err != nil {
			return err
		}
		told := decision{By: cmd.By}
		if made != nil { // else it is for the engine to say so
			if told.story, err = tell(ctx, made); err != nil {
				return err
			}
			if made.Undo == 0 {
				if err := told.holds(ctx, made, told.story); err != nil {
					return err
				}
			}
		}
		if err := x.engine.Reject(ctx, cmd.Hash, cmd.By); err != nil {
			return err
		}
		*d = told
		if d.Held > 0 {
			d.GoOn = []step{
				{guide{cmd.Config}.command("sync"), "carry out the rest; each change that is held back is a problem with the code held"},
				{guide{cmd.Config}.command("release", string(d.HeldBack[0].Object)), "let one go (all, without a name)"},
			}
		}
		return nil
	}, func(w *printer, d *decision) {
		switch {
		case d.Undoes != 0:
			fmt.Fprintf(w, "the undoing of run %d is dropped\n", d.Undoes)
			return
		default:
			fmt.Fprintf(w, "plan %.12s is rejected by %s; held back until the source says something else of them: %d changes\n", d.Hash, plain(d.By), d.Held)
		}
		for _, a := range d.HeldBack {
			fmt.Fprintf(w, "    %s %s  (%s, %s)\n", a.Op, plain(a.UPN), a.Object, plain(a.Name))
		}
		if more := d.Held - len(d.HeldBack); more > 0 {
			fmt.Fprintf(w, "    and %d more\n", more)
		}
	})
}

// holds notes what a rejection of the plan holds back: what is over a limit, or
// everything if nothing is.
func (d *decision) holds(ctx context.Context, made *dirsync.Plan, s *story) error {
	for c, err := range made.Changes(ctx) {
		if err != nil {
			return fmt.Errorf("read the plan: %w", err)
		}
		if len(s.Breaches) > 0 && !s.exceeds(c) {
			continue
		}
		if d.Held++; len(d.HeldBack) < mostAffected {
			d.HeldBack = append(d.HeldBack, affected{c.Op, c.Source, c.Name, c.UPN, c.ID, c.Effects()})
		}
	}
	return nil
}

// do ends holds.
func (cmd *releaseCommand) do(ctx context.Context, p *program) int {
	return p.decide(ctx, cmd.Config, cmd.outputFlag, nil, func(x *parts, d *decision) error {
		for _, name := range cmd.Objects {
			id, err := remembered(x, name)
			if err != nil {
				return err
			}
			d.Objects = append(d.Objects, id)
		}
		n, err := x.engine.Release(ctx, d.Objects...)
		d.Released = &n
		if n > 0 {
			d.GoOn = []step{{guide{cmd.Config}.command("sync"), "plan them again, under the limits as ever; or wait for the next run"}}
		}
		return err
	}, func(w *printer, d *decision) {
		if *d.Released == 0 {
			fmt.Fprintln(w, "nothing is held back there")
			return
		}
		fmt.Fprintf(w, "%d released\n", *d.Released)
	})
}

var guid = regexp.MustCompile(`^\{?([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\}?$`)

// objectGUID is name as an ID, "" if it isn't an objectGUID.
func objectGUID(name string) source.ID {
	m := guid.FindStringSubmatch(strings.TrimSpace(name))
	if m == nil {
		return ""
	}
	return source.ID(strings.ToLower(m[1]))
}

// remembered is the object that name means, without asking the directory: an
// objectGUID, or a name of which the audit log tells.
func remembered(x *parts, name string) (source.ID, error) {
	if id := objectGUID(name); id != "" {
		return id, nil
	}
	var found []source.ID
	if x.audit != nil {
		stories, err := readHistory([]string{x.audit.Path()}, audit.Object(name))
		if err != nil {
			return "", err
		}
		for _, s := range stories {
			found = append(found, source.ID(s.Object))
		}
	}
	return one(found, name, "the audit log knows nobody called %s; give the objectGUID, which each problem \"held\" names")
}

// one is the only object found under a name. unknown is what to say if there is
// none.
func one(found []source.ID, name, unknown string) (source.ID, error) {
	switch len(found) {
	case 0:
		return "", usageError(fmt.Sprintf(unknown, plain(name)))
	case 1:
		return found[0], nil
	}
	ids := make([]string, len(found))
	for i, id := range found {
		ids[i] = string(id)
	}
	return "", usageError(fmt.Sprintf("%s may be any of %d objects, give the objectGUID of one: %s", plain(name), len(found), strings.Join(ids, ", ")))
}
