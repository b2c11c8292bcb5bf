package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// full is a world with a tenant that has people already.
func full(t *testing.T) (w *world, account func(upn, name string, more ...string) string) {
	w = newWorld(t)
	account = func(upn, name string, more ...string) string {
		p := map[string]any{"userPrincipalName": upn, "displayName": name, "mailNickname": strings.Split(upn, "@")[0], "accountEnabled": true}
		for i := 0; i+1 < len(more); i += 2 {
			p[more[i]] = more[i+1]
		}
		u, err := w.tenant.AddUser(p)
		require.NoError(t, err)
		return u.ID
	}
	return w, account
}

const anchorOfTheFirst = "AQAAABEREREREREREREREQ=="

func TestFirstContactWithATenantThatHasPeople(t *testing.T) {
	w, account := full(t)
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk")
	w.person("Bob Berg", "bob@contoso.com")
	w.person("Eve Evil\n- {object: x}", "admin@contoso.com")
	w.person("New Nemo", "new@contoso.com")
	ann := account("ann.abel@contoso.com", "Ann", "onPremisesImmutableId", anchorOfTheFirst)
	account("bob@contoso.com", "Robert")
	admin := account("admin@contoso.com", "The Admin")
	w.tenant.EditPowers(func(p *graphsim.Powers) { p.Eligible = []string{admin} })

	code, out, errs := w.run("match")
	require.Zero(t, code, errs)
	require.Contains(t, out, ann)
	require.NotContains(t, out, "Robert", "by the anchor alone, unless more is asked for")
	require.NoFileExists(t, filepath.Join(w.dir, "state.db"), "not even a state file")

	file := filepath.Join(w.dir, "pairs.yaml")
	code, out, errs = w.run("match", "--by", "anchor,userPrincipalName,mail", "--out", file)
	require.Zero(t, code, errs)
	golden(t, "match.txt", w.settled(strings.ReplaceAll(out, file, "pairs.yaml")))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	golden(t, "match.yaml", w.settled(string(text)))
	require.Zero(t, w.tenant.Counts().TotalWrites())

	// Bob's isn't right: his line is deleted.
	var kept []string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "- {object: 00000002") {
			kept = append(kept, line)
		}
	}
	require.NoError(t, os.WriteFile(file, []byte(strings.Join(kept, "")), 0o600))
	code, out, errs = w.run("adopt", file, "--by", "Carol")
	require.Zero(t, code, errs)
	golden(t, "adopt.txt", w.settled(out))
	require.Zero(t, w.tenant.Counts().TotalWrites())
	code, out, _ = w.run("adopt", file)
	require.Zero(t, code)
	require.Contains(t, out, "already adopted ann.abel@contoso.com")

	code, _, _ = w.run("sync")
	require.Equal(t, 3, code, "Bob and Eve have problems")
	require.Equal(t, []string{"ann@contoso.com", "bob@contoso.com", "admin@contoso.com", "new@contoso.com"}, w.upns())
	code, out, _ = w.run("history", "ann@contoso.com")
	require.Zero(t, code)
	require.Contains(t, out, "adopted the account ann.abel@contoso.com; because: matched by anchor; decided by Carol")

	// What was approved in the file is refused all the same if it is no good.
	require.NoError(t, os.WriteFile(file, []byte(`pairs:
- {object: 00000003-1111-1111-1111-111111111111, account: `+admin+`, by: userPrincipalName}
`), 0o600))
	code, out, _ = w.run("adopt", file)
	require.Equal(t, 3, code)
	require.Contains(t, out, "is eligible for a directory role")
	code, out, _ = w.run("adopt", file, "-o", "json")
	require.Equal(t, 3, code)
	require.EqualValues(t, 1, parsed(t, out)["refused"])
}

func TestPairsThatCannotBeMeantAreNotTaken(t *testing.T) {
	w, _ := full(t)
	file := filepath.Join(w.dir, "pairs.yaml")
	for text, want := range map[string]string{
		"pairs: []\n": "there is no pair in it",
		"pairs:\n- {object: x, account: y, by: anchor}\n":                                                    `pair 1: object "x": want an objectGUID`,
		"pairs:\n- {object: 00000003-1111-1111-1111-111111111111, by: anchor}\n":                             "pair 1: account is missing",
		"pairs:\n- {object: 00000003-1111-1111-1111-111111111111, account: y, by: luck}\n":                   `by "luck": want anchor`,
		"pairs:\n- {object: 00000003-1111-1111-1111-111111111111, account: y, by: rebind}\n":                 "want the objectGUID of the object that is gone",
		"pairs:\n- {object: 00000003-1111-1111-1111-111111111111, account: y, by: anchor, forse: true}\n":    "unknown key",
		"pairs:\n- {object: 00000003-1111-1111-1111-111111111111, account: y, by: anchor, from: whatever}\n": "from is for by: rebind alone",
		"pairs: [\n": "pairs.yaml:",
	} {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, out, errs := w.run("adopt", file)
		require.Equal(t, 2, code, text)
		require.Empty(t, out)
		require.Contains(t, errs, want)
	}
	require.NoError(t, os.Remove(file))
	require.Equal(t, 2, first(w.run("adopt", file)))
	require.Equal(t, 2, first(w.run("match", "--by", "anchor,name")))
	require.NoFileExists(t, filepath.Join(w.dir, "state.db"))
}
