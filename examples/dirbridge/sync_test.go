package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state/boltstate"
)

// parsed is the one JSON document that text holds.
func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	var v map[string]any
	require.NoError(t, d.Decode(&v), text)
	require.False(t, d.More(), "one document")
	return v
}

// nonzero are the counters of a document that aren't zero.
func nonzero(d map[string]any) map[string]int {
	out := map[string]int{}
	for _, k := range []string{"read", "created", "updated", "enabled", "disabled", "deleted", "restored", "unchanged", "skipped", "heldBack"} {
		if n := int(d[k].(float64)); n != 0 {
			out[k] = n
		}
	}
	return out
}

func TestARunIsFullAtFirstAndThenADelta(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk")
	w.person("Bob Berg", "bob@corp.example.com")
	w.person("Gus Graf", "gus@contoso.com")

	code, out, errs := w.run("sync", "-o", "json")
	require.Zero(t, code, errs)
	d := parsed(t, out)
	require.Equal(t, "full", d["mode"])
	require.Equal(t, map[string]int{"read": 3, "created": 3}, nonzero(d))
	require.Empty(t, d["problems"])
	require.NotNil(t, d["problems"])
	require.NotEmpty(t, d["watermark"])
	require.ElementsMatch(t, []string{"ann@contoso.com", "bob@contoso.onmicrosoft.com", "gus@contoso.com"}, w.upns())

	w.set("Ann Abel", "title", "Director")
	w.set("Bob Berg", "userAccountControl", "514")
	require.NoError(t, w.ad.Delete(dn(w, "Gus Graf")))
	code, out, errs = w.run("sync", "--output=json")
	require.Zero(t, code, errs)
	d = parsed(t, out)
	require.Equal(t, "delta", d["mode"])
	require.Equal(t, map[string]int{"read": 3, "updated": 1, "disabled": 1, "deleted": 1}, nonzero(d))

	writes := w.tenant.Counts().TotalWrites()
	code, out, _ = w.run("sync", "--full", "-o", "json")
	require.Zero(t, code)
	d = parsed(t, out)
	require.Equal(t, "full", d["mode"])
	require.Equal(t, map[string]int{"read": 2, "unchanged": 2}, nonzero(d))
	require.Equal(t, writes, w.tenant.Counts().TotalWrites())
}

func TestTheFieldsOfTheDocumentAreAlwaysThere(t *testing.T) {
	promised := []string{"read", "created", "updated", "disabled", "deleted", "restored", "unchanged", "problems", "watermark"}
	w := newWorld(t)
	for _, args := range [][]string{{"sync", "-o", "json"}, {"sync", "-o", "json", "--dry-run"}, {"sync", "-o", "json", "--full"}} {
		_, out, _ := w.run(args...)
		require.Subset(t, slices.Collect(maps.Keys(parsed(t, out))), append(promised, "mode"))
	}
	require.NoError(t, w.ldap.Close())
	for _, args := range [][]string{{"sync", "-o", "json"}, {"sync", "-o", "json", "--dry-run"}} {
		code, out, errs := w.run(args...)
		require.Equal(t, 1, code)
		d := parsed(t, out)
		require.Subset(t, slices.Collect(maps.Keys(d)), append(promised, "error", "whatToDo"))
		require.Contains(t, errs, d["error"])
	}
}

func TestTheTextReportEndsWithTheCounts(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com")
	code, out, errs := w.run("sync")
	require.Zero(t, code)
	require.Empty(t, errs)
	require.Equal(t, "full run 1 (first run): read 1, created 1, updated 0, disabled 0, deleted 0, restored 0, unchanged 0, skipped 0, held back 0, problems 0\n", out)
}

func TestObjectsWithProblemsEndTheRunWithCodeThree(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com")
	w.person("The Boss", "boss@contoso.com")
	boss, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "boss@contoso.com", "displayName": "Somebody"})
	require.NoError(t, err)

	code, out, _ := w.run("sync", "-o", "json")
	require.Equal(t, 3, code)
	d := parsed(t, out)
	require.Equal(t, map[string]int{"read": 2, "created": 1}, nonzero(d))
	problems := d["problems"].([]any)
	require.Len(t, problems, 1)
	p := problems[0].(map[string]any)
	require.Equal(t, "00000002-1111-1111-1111-111111111111", p["object"])
	require.Equal(t, "conflict-unowned", p["code"])
	require.Equal(t, boss.ID, p["holder"])
	require.NotEmpty(t, p["message"])
	require.NotEmpty(t, p["whatToDo"])

	code, out, _ = w.run("sync")
	require.Equal(t, 3, code, "a problem that is still open counts as well")
	require.Contains(t, out, "! conflict-unowned  CN=The Boss")
	require.Contains(t, out, "what to do: ")

	require.NoError(t, w.tenant.DeleteUser(boss.ID))
	code, out, _ = w.run("sync")
	require.Zero(t, code, "who asks by hand doesn't wait until the time of a retry has come: "+out)
	require.Contains(t, out, "created 1,")
}

func TestTheGuardHaltsWithCodeFour(t *testing.T) {
	w := newWorld(t, "limits: {removals: 1}")
	for _, cn := range []string{"A", "B", "C"} {
		w.person(cn, cn+"@contoso.com")
	}
	code, _, _ := w.run("sync")
	require.Zero(t, code)
	for _, cn := range []string{"A", "B"} {
		require.NoError(t, w.ad.Delete(dn(w, cn)))
	}
	writes := w.tenant.Counts().TotalWrites()

	code, out, errs := w.run("sync", "--dry-run")
	require.Equal(t, 4, code)
	require.Contains(t, out, "would be halted by the guard: 2 removals, and 1 may go without approval")
	require.Contains(t, errs, "what to do: ")

	code, out, errs = w.run("sync", "-o", "json")
	require.Equal(t, 4, code)
	d := parsed(t, out)
	require.Contains(t, d["error"], "halted by the guard")
	require.Len(t, d["breaches"], 1)
	require.Contains(t, errs, "what to do: look at all of it with dirbridge plan")
	require.Equal(t, writes, w.tenant.Counts().TotalWrites(), "nothing was written")

	text, err := os.ReadFile(w.config)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(w.config, bytes.Replace(text, []byte("removals: 1"), []byte("removals: 2"), 1), 0o600))
	code, out, _ = w.run("sync")
	require.Zero(t, code)
	require.Contains(t, out, "deleted 2,")
}

func TestAnotherInstanceEndsTheRunWithCodeFive(t *testing.T) {
	w := newWorld(t)
	other, err := boltstate.Open(filepath.Join(w.dir, "state.db"), nil)
	require.NoError(t, err)
	defer other.Close()
	for _, args := range [][]string{{"sync"}, {"run"}, {"sync", "--dry-run"}} {
		code, out, errs := w.run(args...)
		require.Equal(t, 5, code, args)
		require.Empty(t, out)
		require.Contains(t, errs, "in use by another process")
	}
	require.Zero(t, w.tenant.Counts().HTTP)
}

func TestARunThatFailsEndsWithCodeOneAndSaysWhatToDo(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com")
	w.tenant.RevokeToken(w.graph.Token)
	code, out, errs := w.run("sync", "-o", "json")
	require.Equal(t, 1, code)
	require.NotEmpty(t, parsed(t, out)["error"])
	require.Contains(t, errs, "what to do: check target.office365: tenant")
	require.Equal(t, 2, strings.Count(errs, "\n"), "what is wrong, and what to do: "+errs)

	p, _, stderr := w.program()
	env := p.env
	p.env = func(n string) (string, bool) {
		if n == "BIND_PASSWORD" {
			return "wrong", true
		}
		return env(n)
	}
	require.Equal(t, 1, p.run(t.Context(), []string{"sync", "-c", w.config}))
	require.Contains(t, stderr.String(), "bind-refused")
	require.Contains(t, stderr.String(), "what to do: ")
}

func TestAWrongCommandLineEndsWithCodeTwo(t *testing.T) {
	w := newWorld(t)
	for _, args := range [][]string{
		{}, {"sync"}, {"run"}, {"nonsense"}, {"sync", "-c", w.config, "-o", "xml"}, {"sync", "-c", w.config, "extra"},
		{"run", "-c", w.config, "--full"}, {"sync", "-c", filepath.Join(w.dir, "nowhere.yaml")},
	} {
		p, stdout, stderr := w.program()
		require.Equal(t, 2, p.run(t.Context(), args), args)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), "dirbridge: ")
	}
	p, stdout, _ := w.program()
	require.Zero(t, p.run(t.Context(), []string{"--help"}))
	require.Contains(t, stdout.String(), "Exit codes")
	p, stdout, _ = w.program()
	require.Equal(t, 2, p.run(t.Context(), []string{"sync", "-o", "json", "-c", filepath.Join(w.dir, "nowhere.yaml")}))
	require.Equal(t, float64(2), parsed(t, stdout.String())["exitCode"])
	require.Zero(t, w.tenant.Counts().HTTP)
}
