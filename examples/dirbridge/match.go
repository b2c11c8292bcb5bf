package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/target"
)

// do proposes pairs of objects and accounts. It writes nothing, neither to the
// tenant nor to the state.
func (cmd *matchCommand) do(ctx context.Context, p *program) int {
	policy, err := cmd.policy()
	var x *parts
	if err == nil {
		x, err = p.open(ctx, cmd.Config, purpose{use: looking})
	}
	var list []dirsync.Match
	if err == nil {
		if err = x.check(ctx, p.stderr); err == nil {
			list, err = x.engine.Match(ctx, policy)
		}
	}
	if err == nil && cmd.Out != "" {
		err = cmd.write(list, x)
	}
	switch {
	case cmd.json():
		d := struct {
			Matches []dirsync.Match `json:"matches"`
			failure
		}{append([]dirsync.Match{}, list...), failed(err)}
		err = errors.Join(err, printJSON(p.stdout, d))
	case err == nil:
		w := p.printer()
		if cmd.Out == "" {
			err = proposal(w, list, x.Target.Office365.Tenant, cmd.Config)
		} else {
			good := len(adoptable(list))
			fmt.Fprintf(w, "%d pairs can be adopted, %d can't; %s says which and why\n", good, len(list)-good, plain(cmd.Out))
			if good > 0 {
				w.steps([]step{
					{"", "look at each pair, and delete the lines of those that aren't right"},
					{guide{cmd.Config}.command("adopt", shellWord(cmd.Out)), "make those that are left ours; nothing is written to the tenant"},
					{guide{cmd.Config}.command("sync", "--dry-run"), "then: see what the next run would change at them"},
				})
			}
		}
		err = errors.Join(err, w.flush())
	}
	return p.left(x, p.report(err))
}

// policy reads --by.
func (cmd *matchCommand) policy() (*dirsync.MatchPolicy, error) {
	m := &dirsync.MatchPolicy{}
	for _, by := range cmd.By {
		switch dirsync.MatchKey(by) {
		case dirsync.ByAnchor:
		case dirsync.ByUserPrincipalName:
			m.UserPrincipalName = true
		case dirsync.ByMail:
			m.Mail = true
		case dirsync.ByMailNickname:
			m.MailNickname = true
		case dirsync.ByDisplayName:
			m.DisplayName = true
		default:
			return nil, usageError(fmt.Sprintf("--by %q: want anchor, userPrincipalName, mail, mailNickname or displayName, with commas", by))
		}
	}
	return m, nil
}

func adoptable(list []dirsync.Match) []dirsync.Match {
	return slices.DeleteFunc(slices.Clone(list), func(m dirsync.Match) bool { return len(m.Conflicts) > 0 })
}

// write writes the pairs to a file that nobody else may read.
func (cmd *matchCommand) write(list []dirsync.Match, x *parts) (err error) {
	f, err := os.CreateTemp(filepath.Dir(cmd.Out), ".dirbridge-match-*") // 0600
	if err != nil {
		return fmt.Errorf("write the pairs: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("write the pairs: %w", err), f.Close(), os.Remove(f.Name()))
		}
	}()
	w := bufio.NewWriter(f)
	if err := errors.Join(proposal(w, list, x.Target.Office365.Tenant, cmd.Config), w.Flush(), f.Sync()); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), cmd.Out)
}

// proposal is the file that people look at: YAML with one line for each pair, and
// in comments what there is to know. What comes from directory or tenant can't
// end a comment: it is shown without line breaks.
func proposal(w io.Writer, list []dirsync.Match, tenant, config string) error {
	good := adoptable(list)
	fmt.Fprintf(w, "# Accounts in %s that may belong to objects of the directory, as of %s.\n", plain(tenant), time.Now().UTC().Format(time.RFC3339))
	fmt.Fprintf(w, "# Delete the line of each pair that isn't right. Those that are left become ours with\n#     %s\n", guide{config}.command("adopt", "FILE"))
	fmt.Fprint(w, "# and the run after that writes what the comments say. By name or address, look twice: whoever writes\n# the directory can make such a pair of any account.\n\n")
	if len(good) == 0 {
		fmt.Fprint(w, "pairs: []\n")
	} else {
		fmt.Fprint(w, "pairs:\n")
	}
	for _, m := range good {
		comment(w, &m)
		line := fmt.Sprintf("- {object: %s, account: %s, by: %s", m.Object, quoted(string(m.Account)), m.By)
		if m.Anchor != "" {
			line += ", anchor: " + quoted(m.Anchor)
		}
		if m.From != "" {
			line += ", from: " + string(m.From)
		}
		fmt.Fprintln(w, line+"}")
	}
	if len(good) == len(list) {
		return nil
	}
	fmt.Fprintf(w, "\n# %d that can't be adopted:\n", len(list)-len(good))
	for _, m := range list {
		if len(m.Conflicts) == 0 {
			continue
		}
		comment(w, &m)
		for _, c := range m.Conflicts {
			fmt.Fprintf(w, "#   conflict %s: %s\n", c.Code, plain(c.Message))
		}
	}
	return nil
}

// comment says who the pair is, why it is proposed, and what would change.
func comment(w io.Writer, m *dirsync.Match) {
	name, account := plain(m.UPN), plain(m.AccountUPN)
	if m.Kind == target.Group {
		name, account = "group", "the group"
	}
	fmt.Fprintf(w, "\n# %s %q, %s (%s)\n", name, m.DisplayName, plain(m.Name), m.Object)
	who := fmt.Sprintf("%s %q (%s)", account, m.AccountDisplayName, plain(string(m.Account)))
	switch m.By {
	case dirsync.ByAnchor:
		fmt.Fprintf(w, "#   by anchor: %s carries its source anchor\n", who)
	case dirsync.ByRebind:
		fmt.Fprintf(w, "#   by rebind: %s was the account of %s, which had the same source anchor and is gone\n", who, m.From)
	default:
		fmt.Fprintf(w, "#   by %s: %s has the same\n", m.By, who)
	}
	if m.Kind == target.Group {
		fmt.Fprint(w, "#   its members become those of the directory: sync --dry-run shows whom it loses\n")
	}
	for _, name := range m.After.Names() {
		fmt.Fprintf(w, "#   would change %s: %s → %s\n", plain(name), shown(m.Before[name]), shown(m.After[name]))
	}
}

// quoted is s as a double-quoted YAML text. IDs and anchors have no characters
// that need more than this.
func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(plain(s)) + `"`
}
