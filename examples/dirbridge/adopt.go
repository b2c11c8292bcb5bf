package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// An adoption is what -o json prints.
type adoption struct {
	By      string            `json:"by,omitempty"`
	Pairs   []dirsync.Adopted `json:"pairs"`
	Refused int               `json:"refused"`
	GoOn    []step            `json:"goOn,omitempty"`
	failure
}

// do adopts the pairs that are left in a file. Code 3 says that some were
// refused.
func (cmd *adoptCommand) do(ctx context.Context, p *program) int {
	if cmd.By == "" {
		cmd.By = p.who()
	}
	d := adoption{By: cmd.By, Pairs: []dirsync.Adopted{}}
	pairs, err := readPairs(cmd.File)
	err = errors.Join(checkName(cmd.By), err)
	var x *parts
	if err == nil {
		x, err = p.open(ctx, cmd.Config, purpose{use: running})
	}
	if err == nil {
		if err = x.check(ctx, p.stderr); err == nil {
			var done []dirsync.Adopted
			done, err = x.engine.Adopt(ctx, pairs, cmd.By)
			d.Pairs = append(d.Pairs, done...)
		}
	}
	adopted := 0
	for _, a := range d.Pairs {
		switch a.Outcome {
		case dirsync.AdoptRefused:
			d.Refused++
		case dirsync.AdoptDone, dirsync.AdoptRebound:
			adopted++
		}
	}
	if adopted > 0 {
		g := guide{cmd.Config}
		d.GoOn = []step{
			{g.command("sync", "--dry-run"), "see what the next run changes at them"},
			{g.command("sync"), "make it so, under the limits as ever"},
		}
	}
	if cmd.json() {
		d.failure = failed(err)
		if err == nil && d.Refused > 0 {
			d.ExitCode = exitProblems
		}
		err = errors.Join(err, printJSON(p.stdout, d))
	} else if len(d.Pairs) > 0 || err == nil {
		w := p.printer()
		for _, a := range d.Pairs {
			w.adopted(&a)
		}
		fmt.Fprintf(w, "%d adopted by %s, %d refused; nothing is written to the tenant\n", adopted, plain(cmd.By), d.Refused)
		w.steps(d.GoOn)
		err = errors.Join(err, w.flush())
	}
	code := p.report(err)
	if code == exitDone && d.Refused > 0 {
		code = exitProblems
	}
	return p.left(x, code)
}

// adopted prints what became of a pair.
func (w *printer) adopted(a *dirsync.Adopted) {
	who := fmt.Sprintf("%s for %s (%s)", plain(a.UPN+" "+string(a.Account)), plain(string(a.Object)), plain(a.Name))
	who = strings.TrimPrefix(strings.Replace(who, " ()", "", 1), " ")
	switch a.Outcome {
	case dirsync.AdoptRefused:
		fmt.Fprintf(w, "%s: %s\n", w.paint(red, "refused "+who), plain(a.Reason))
	case dirsync.AdoptAlready:
		fmt.Fprintf(w, "already adopted %s\n", who)
	case dirsync.AdoptRebound:
		fmt.Fprintf(w, "%s, in the place of %s\n", w.paint(green, "rebound "+who), plain(string(a.From)))
	default:
		fmt.Fprintf(w, "%s\n", w.paint(green, "adopted "+who))
	}
}

// readPairs reads what is left of a file that match wrote. What is wrong with it
// is a *configError: nothing of it is done.
func readPairs(path string) ([]dirsync.Pair, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, &configError{[]string{fmt.Sprintf("read the pairs: %v", err)}}
	}
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	doc := &document{path: path}
	if _, err := parser.ParseBytes(text, 0); err != nil {
		return nil, doc.explain(err)
	}
	var file struct {
		Pairs []struct {
			Object  string `yaml:"object"`
			Account string `yaml:"account"`
			By      string `yaml:"by"`
			Anchor  string `yaml:"anchor"`
			From    string `yaml:"from"`
		} `yaml:"pairs"`
	}
	if err := yaml.UnmarshalWithOptions(text, &file, yaml.Strict()); err != nil {
		return nil, doc.explain(err)
	}
	var pairs []dirsync.Pair
	var wrong []string
	for i, f := range file.Pairs {
		p := dirsync.Pair{Object: objectGUID(f.Object), Account: target.ID(f.Account), By: dirsync.MatchKey(f.By), Anchor: f.Anchor}
		bad := func(what string) { wrong = append(wrong, fmt.Sprintf("%s: pair %d: %s", path, i+1, what)) }
		if p.Object == "" {
			bad(fmt.Sprintf("object %q: want an objectGUID", plain(f.Object)))
		}
		if p.Account == "" {
			bad("account is missing")
		}
		if f.From != "" {
			p.From = objectGUID(f.From)
		}
		switch p.By {
		case dirsync.ByAnchor, dirsync.ByUserPrincipalName, dirsync.ByMail, dirsync.ByMailNickname, dirsync.ByDisplayName:
			if f.From != "" {
				bad("from is for by: rebind alone")
			}
		case dirsync.ByRebind:
			if p.From == source.ID("") {
				bad(fmt.Sprintf("from %q: want the objectGUID of the object that is gone", plain(f.From)))
			}
		default:
			bad(fmt.Sprintf("by %q: want anchor, userPrincipalName, mail, mailNickname, displayName or rebind", plain(f.By)))
		}
		pairs = append(pairs, p)
	}
	if wrong != nil {
		return nil, &configError{wrong}
	}
	if len(pairs) == 0 {
		return nil, &configError{[]string{path + ": there is no pair in it"}}
	}
	return pairs, nil
}
