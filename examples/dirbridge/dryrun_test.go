package main

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, strings.ReplaceAll(string(want), "\r\n", "\n"), got)
}

var instant = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`)

func TestADryRunPrintsADiffOfEachObjectAndWritesNothing(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk", "department", "Sales")
	w.person("Bob Berg", "bob@corp.example.com")
	w.person("Gus Graf", "gus@contoso.com")
	w.person("Zoe Zeman", "zoe@contoso.com")

	code, out, errs := w.run("sync", "--dry-run")
	require.Zero(t, code, errs)
	require.Contains(t, out, "+ create ann@contoso.com  (00000001-1111-1111-1111-111111111111, CN=Ann Abel,OU=Staff,DC=corp,DC=example,DC=com)\n")
	require.NoFileExists(t, filepath.Join(w.dir, "state.db"), "not even a state file")
	require.Zero(t, w.tenant.Counts().TotalWrites())
	require.Zero(t, first(w.run("sync")))

	w.set("Ann Abel", "title", "Director", "department", "")
	w.person("Ivy Ito", "ivy@fabrikam.com")
	w.set("Zoe Zeman", "userAccountControl", "514")
	require.NoError(t, w.ad.Rename(dn(w, "Bob Berg"), "CN=Bob Bauer"))
	w.set("Bob Bauer", "userPrincipalName", "bob.bauer@corp.example.com", "displayName", "Bob Bauer")
	require.NoError(t, w.ad.Delete(dn(w, "Gus Graf")))
	_, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "jo@contoso.com", "displayName": "Somebody"})
	require.NoError(t, err)
	w.person("Jo Jensen", "jo@contoso.com")
	jo := w.tenant.Users()
	writes := w.tenant.Counts().TotalWrites()
	state, err := os.ReadFile(filepath.Join(w.dir, "state.db"))
	require.NoError(t, err)

	code, out, _ = w.run("sync", "--dry-run")
	require.Equal(t, 3, code)
	for _, u := range jo {
		if u.UPN() == "jo@contoso.com" {
			out = strings.ReplaceAll(out, u.ID, "THE-HOLDER")
		}
	}
	golden(t, "dryrun.txt", instant.ReplaceAllString(out, "TIME"))

	code, out, _ = w.run("sync", "--dry-run", "-o", "json")
	require.Equal(t, 3, code)
	d := parsed(t, out)
	require.Equal(t, true, d["dryRun"])
	require.Equal(t, "delta", d["mode"])
	require.Equal(t, map[string]int{"read": 6, "created": 1, "updated": 2, "disabled": 1, "deleted": 1}, nonzero(d))
	changes := d["changes"].([]any)
	require.Len(t, changes, 5)
	ann := changes[1].(map[string]any)
	require.Equal(t, "update", ann["op"])
	require.Equal(t, "00000001-1111-1111-1111-111111111111", ann["object"])
	require.Equal(t, []any{
		map[string]any{"name": "department", "before": []any{"Sales"}, "after": []any{}, "why": "no value"},
		map[string]any{"name": "jobTitle", "before": []any{"Clerk"}, "after": []any{"Director"}, "why": "title"},
	}, ann["attributes"])

	require.Equal(t, writes, w.tenant.Counts().TotalWrites())
	after, err := os.ReadFile(filepath.Join(w.dir, "state.db"))
	require.NoError(t, err)
	require.Equal(t, state, after)

	code, out, _ = w.run("sync", "-o", "json")
	require.Equal(t, 3, code)
	require.Equal(t, nonzero(d), nonzero(parsed(t, out)), "the run does what the dry run said")
}

func TestADryRunOfNothingHasAnEmptyListOfChanges(t *testing.T) {
	w := newWorld(t)
	code, out, _ := w.run("sync", "--dry-run", "-o", "json")
	require.Zero(t, code)
	require.Equal(t, []any{}, parsed(t, out)["changes"])
}

func TestColorIsOnlyForThoseWhoCanSeeIt(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com")
	p, stdout, _ := w.program()
	p.color = true
	require.Zero(t, p.run(t.Context(), []string{"sync", "--dry-run", "-c", w.config}))
	require.Contains(t, stdout.String(), "\x1b[32m+ create ann@contoso.com\x1b[0m")
	_, out, _ := w.run("sync", "--dry-run")
	require.NotContains(t, out, "\x1b")
}

func first(code int, _, _ string) int { return code }
