package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// mostAffected is how many of those whom a plan concerns are named.
const mostAffected = 20

// A story is what somebody has to know who decides on a plan.
type story struct {
	Hash     string        `json:"planHash"`
	Undoes   uint64        `json:"undoes,omitempty"` // the run that it undoes
	Counts   plan.Counts   `json:"counts"`
	Effects  []effect      `json:"effects"`  // what the limits count
	Breaches []plan.Breach `json:"breaches"` // the limits that it exceeds

	// Enters and Leaves are who enters and who leaves the scope, by reason.
	Enters crossings `json:"enters,omitempty"`
	Leaves crossings `json:"leaves,omitempty"`

	// Affected are the first of those because of whom it exceeds them, More how
	// many there are besides.
	Affected []affected `json:"affected,omitempty"`
	More     int        `json:"more,omitempty"`

	Approval *dirsync.Approval `json:"approval,omitempty"`
}

// An effect is how many accounts a plan does something to that has a limit.
type effect struct {
	Kind   target.Kind `json:"kind"`
	Effect plan.Effect `json:"effect"`
	Count  int         `json:"count"`
}

func (e effect) String() string {
	if attr := e.Effect.Cleared(); attr != "" {
		return fmt.Sprintf("%d lose their %s", e.Count, attr)
	}
	what := map[plan.Effect]string{
		plan.Removals: "removed", plan.Disables: "disabled", plan.UPNChanges: "get another userPrincipalName",
		plan.AddressChanges: "get another primary address", plan.Restores: "restored", plan.MemberRemovals: "taken out of a group", plan.PutBacks: "put back as they were",
		plan.LeavesScope: "leave the scope", plan.Rescoped: "leave it since it was changed",
		plan.Vanished: "leave it since a value is gone",
	}[e.Effect]
	return fmt.Sprintf("%d %s", e.Count, cmp.Or(what, string(e.Effect)))
}

// An affected account is one because of which a plan exceeds a limit.
type affected struct {
	Op      target.Op     `json:"op"`
	Object  source.ID     `json:"object"`
	Name    string        `json:"name,omitempty"`
	UPN     string        `json:"upn,omitempty"`
	Account target.ID     `json:"account,omitempty"`
	Effects []plan.Effect `json:"effects"`
}

// tell reads a plan to its end.
func tell(ctx context.Context, made *dirsync.Plan) (*story, error) {
	s := &story{Hash: made.Hash, Undoes: made.Undo, Counts: made.Counts, Breaches: append([]plan.Breach{}, made.Breaches...), Effects: []effect{}, Approval: made.Approval}
	var tally plan.Tally
	for c, err := range made.Changes(ctx) {
		if err != nil {
			return s, fmt.Errorf("read the plan: %w", err)
		}
		tally.Add(c, 1)
		s.cross(c)
		switch {
		case !s.exceeds(c):
		case len(s.Affected) == mostAffected:
			s.More++
		default:
			s.Affected = append(s.Affected, affected{c.Op, c.Source, c.Name, c.UPN, c.ID, c.Effects()})
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(tally)) {
		for _, e := range slices.Sorted(maps.Keys(tally[kind])) {
			s.Effects = append(s.Effects, effect{kind, e, tally[kind][e]})
		}
	}
	return s, nil
}

// exceeds reports whether c counts for one of the limits that the plan exceeds.
func (s *story) exceeds(c *plan.Change) bool {
	return slices.ContainsFunc(s.Breaches, func(b plan.Breach) bool {
		return because(c, b)
	})
}

// total is the plan in one line.
func (s *story) total() string {
	n := s.Counts
	return fmt.Sprintf("create %d, update %d, disable %d, delete %d, restore %d", n.Create, n.Update, n.Disable, n.Delete, n.Restore) + refTotal(n)
}

// story prints what the plan does, and because of whom it waits.
func (w *printer) story(s *story) {
	fmt.Fprintf(w, "plan %.12s: %s\n", s.Hash, s.total())
	if len(s.Effects) > 0 {
		words := make([]string, len(s.Effects))
		for i, e := range s.Effects {
			words[i] = plain(e.String())
		}
		fmt.Fprintf(w, "    accounts by effect: %s\n", strings.Join(words, "; "))
	}
	w.crossings("enter", s.Enters)
	w.crossings("leave", s.Leaves)
	for _, b := range s.Breaches {
		fmt.Fprintf(w, "    %s\n", w.paint(red, "over the limit: "+plain(b.String())))
	}
	for _, a := range s.Affected {
		fmt.Fprintf(w, "        %s %s  (%s, %s)\n", a.Op, plain(cmp.Or(a.UPN, a.Name)), plain(string(a.Object)), plain(a.Name))
	}
	if s.More > 0 {
		fmt.Fprintf(w, "        and %d more\n", s.More)
	}
}

// A step is one way to go on: a command, or words if there is none.
type step struct {
	Command string `json:"command,omitempty"`
	What    string `json:"what"`
}

// steps prints how to go on.
func (w *printer) steps(steps []step) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprintln(w, "how to go on:")
	for _, s := range steps {
		if s.Command == "" {
			fmt.Fprintf(w, "    %s\n", s.What)
			continue
		}
		fmt.Fprintf(w, "    %s\n        %s\n", plain(s.Command), s.What)
	}
}

// A guide knows the commands by which to go on.
type guide struct{ config string }

func (g guide) command(words ...string) string {
	return "dirbridge " + strings.Join(words, " ") + " -c " + shellWord(g.config)
}

// halted is how to go on with a plan for which a run was halted.
func (g guide) halted(hash string) []step {
	return []step{
		{g.command("plan"), "look at all of it; while nothing changes, the hash stays"},
		{g.command("approve", short(hash)), "let just these changes through, once; the next run, or sync, carries them out"},
		{g.command("reject", short(hash)), "hold back what is over the limit; the rest goes on"},
		{"", "or correct the directory: the next run plans anew"},
	}
}

// planned is how to go on with a plan that somebody made to look at it.
func (g guide) planned(s *story) []step {
	switch {
	case s.Counts.Total() == 0:
		return nil
	case s.Approval != nil:
		return g.approved()
	case s.Undoes != 0:
		return []step{
			{g.command("approve", short(s.Hash)), "let just this undoing through, once"},
			{g.command("sync", "--approved"), "then: carry it out; what the source still wants of these objects is held back from then on"},
			{g.command("release"), "ends these holds, after a while: what the source wants is planned again"},
			{g.command("reject", short(s.Hash)), "or drop the undoing"},
		}
	case len(s.Breaches) > 0:
		return []step{
			{g.command("approve", short(s.Hash)), "let just these changes through, once"},
			{g.command("sync", "--approved"), "then: carry out just this plan"},
			{g.command("reject", short(s.Hash)), "or drop it; what is over a limit is held back from then on"},
		}
	}
	return []step{
		{g.command("sync"), "carry it out, with what else has changed by then"},
		{g.command("approve", short(s.Hash)), "or approve it, and have sync --approved carry out just this plan"},
	}
}

// approved is how to go on with a plan that somebody approved.
func (g guide) approved() []step {
	return []step{
		{g.command("sync", "--approved"), "carry out just this plan, now"},
		{"", "or wait: the next run carries it out first (a daemon runs at once on SIGUSR1)"},
	}
}

func short(hash string) string { return fmt.Sprintf("%.12s", hash) }

var harmlessWord = regexp.MustCompile(`^[A-Za-z0-9_./:\\@%+=,-]+$`)

// shellWord is a path as a shell takes it.
func shellWord(path string) string {
	if harmlessWord.MatchString(filepath.ToSlash(path)) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
