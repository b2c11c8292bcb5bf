package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/plan"
)

func TestThePlansFileHasItsHashAndNobodyElseReadsIt(t *testing.T) {
	w := tooMany(t)
	file := filepath.Join(w.dir, "plan.jsonl")
	require.NoError(t, os.WriteFile(file, []byte("an older one"), 0o644))
	code, out, errs := w.run("plan", "--out", file, "-o", "json")
	require.Zero(t, code, errs)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	sum := sha256.Sum256(text)
	require.Equal(t, parsed(t, out)["planHash"], hex.EncodeToString(sum[:]), "sha256sum says it")
	if runtime.GOOS != "windows" {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
	var ops []string
	for line := range bytes.Lines(text) {
		var c plan.Change
		require.NoError(t, json.Unmarshal(line, &c))
		ops = append(ops, string(c.Op)+" "+c.UPN)
	}
	require.Equal(t, []string{"update c@contoso.com", "delete a@contoso.com", "delete b@contoso.com"}, ops)

	left, err := filepath.Glob(filepath.Join(w.dir, ".dirbridge-plan-*"))
	require.NoError(t, err)
	require.Empty(t, left)
	code, _, errs = w.run("plan", "--out", filepath.Join(w.dir, "no", "where"))
	require.Equal(t, 1, code)
	require.Contains(t, errs, "write the plan: ")
}

func TestAPlanSaysWhatAProgramHasToKnow(t *testing.T) {
	w := tooMany(t)
	code, out, errs := w.run("plan", "-o", "json")
	require.Zero(t, code, errs)
	d := parsed(t, out)
	require.Len(t, d["breaches"], 1)
	p := d["plan"].(map[string]any)
	require.Equal(t, d["planHash"], p["planHash"])
	require.Equal(t, []any{map[string]any{"kind": "user", "effect": "removals", "count": float64(2)}}, p["effects"])
	require.Len(t, p["affected"], 2)
	require.Len(t, d["goOn"], 3)
	last := d["changes"].([]any)[2].(map[string]any)
	require.Equal(t, "delete", last["op"])
	require.Equal(t, map[string]any{"object": "deleted", "account": "live"}, last["precondition"])
	require.Equal(t, []any{"removals"}, last["effects"])
	require.Equal(t, "tombstone", last["evidence"].(map[string]any)["kind"])
}

func TestThePlansExitCodeSaysWhetherThereIsSomethingToDo(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com")
	require.Equal(t, 10, first(w.run("plan", "--exit-code")))
	require.Zero(t, first(w.run("plan")))
	require.Zero(t, first(w.run("sync")))
	code, out, _ := w.run("plan", "--exit-code")
	require.Zero(t, code)
	require.Contains(t, out, "there is nothing to do\n")

	_, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "jo@contoso.com", "displayName": "Somebody"})
	require.NoError(t, err)
	w.person("Jo Jensen", "jo@contoso.com")
	require.Equal(t, 3, first(w.run("plan", "--exit-code")), "no changes, but a problem")
	w.set("Ann Abel", "title", "Clerk")
	code, out, _ = w.run("plan", "--exit-code", "-o", "json")
	require.Equal(t, 10, code)
	require.Equal(t, float64(10), parsed(t, out)["exitCode"])
	require.NoError(t, w.ldap.Close())
	require.Equal(t, 1, first(w.run("plan", "--exit-code")))
}

func TestOnlyWhoIsAskedForIsLookedAt(t *testing.T) {
	w := newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "mail", "shared@contoso.com")
	w.person("Bob Berg", "bob@contoso.com", "mail", "shared@contoso.com")
	w.person("Gus Graf", "gus@contoso.com")
	require.NotEqual(t, 1, first(w.run("sync")))
	title := "0"
	for _, name := range []string{"ann@contoso.com", "ANN", dn(w, "Ann Abel"), "00000001-1111-1111-1111-111111111111", "{00000001-1111-1111-1111-111111111111}"} {
		title += "x"
		w.set("Ann Abel", "title", title)
		w.set("Gus Graf", "title", title)
		_, out, errs := w.run("sync", "--only", name)
		require.Contains(t, out, "only run", errs)
		require.Contains(t, out, "updated 1,", name)
	}
	code, out, errs := w.run("sync", "--only", "nobody@contoso.com", "-o", "json")
	require.Equal(t, 2, code)
	require.Contains(t, parsed(t, out)["error"], "nobody under the base DNs is called nobody@contoso.com")
	require.Contains(t, errs, "nobody@contoso.com")
	code, _, errs = w.run("sync", "--only", "shared@contoso.com")
	require.Equal(t, 2, code)
	require.Contains(t, errs, "00000001-1111-1111-1111-111111111111, 00000002-1111-1111-1111-111111111111")

	require.NoError(t, w.ad.Delete(dn(w, "Gus Graf")))
	_, out, errs = w.run("sync", "--only", "00000003-1111-1111-1111-111111111111")
	require.Contains(t, out, "deleted 1,", errs)
}

func TestAPolicyHoldsBackWhatItDoesntAllow(t *testing.T) {
	w := newWorld(t, "policy: create-only")
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk")
	w.person("Gus Graf", "gus@contoso.com")
	require.Zero(t, first(w.run("sync")))
	w.set("Ann Abel", "title", "Director")
	require.NoError(t, w.ad.Delete(dn(w, "Gus Graf")))
	w.person("Ivy Ito", "ivy@contoso.com")
	policy := func(now string) {
		text, err := os.ReadFile(w.config)
		require.NoError(t, err)
		lines := strings.Split(string(text), "\n")
		for i := range lines {
			if strings.HasPrefix(lines[i], "policy: ") {
				lines[i] = "policy: " + now
			}
		}
		require.NoError(t, os.WriteFile(w.config, []byte(strings.Join(lines, "\n")), 0o600))
	}
	_, out, errs := w.run("sync")
	require.Contains(t, out, "created 1, updated 0, disabled 0, deleted 0,", errs)
	require.Contains(t, out, "withheld by policy 2")
	policy("upsert-only")
	_, out, errs = w.run("sync")
	require.Contains(t, out, "created 0, updated 1, disabled 0, deleted 0,", errs)
	require.Contains(t, out, "withheld by policy 1")
	policy("sync")
	_, out, errs = w.run("sync")
	require.Contains(t, out, "created 0, updated 0, disabled 0, deleted 1,", errs)
	require.NotContains(t, out, "withheld")
}

func TestNothingThatComesFromADirectoryReachesTheTerminalAsItIs(t *testing.T) {
	w := newWorld(t)
	hostile := "Eve \x1b[2J\u202e\u0085\u200b\x7f"
	w.person("Eve", "eve@contoso.com", "title", hostile, "displayName", hostile, "department", hostile)
	for _, args := range [][]string{
		{"sync", "--dry-run"}, {"sync", "--dry-run", "-o", "json"}, {"plan"}, {"plan", "-o", "json"}, {"sync"}, {"history", "eve@contoso.com"},
		{"history", "eve@contoso.com", "-o", "json"}, {"undo", "3"}, {"undo", "3", "-o", "json"}, {"sync", "--only", hostile},
	} {
		_, out, errs := w.run(args...)
		for _, bad := range []string{"\x1b", "\u202e", "\u0085", "\u200b", "\x7f"} {
			require.NotContains(t, out+errs, bad, args)
		}
		require.True(t, args[0] == "sync" && len(args) == 1 || strings.Contains(out+errs, "Eve"), args)
	}
}

func TestAHaltedRunNamesTheFirstOfMany(t *testing.T) {
	w := newWorld(t, "limits: {disables: 3}")
	for i := range 25 {
		w.person(fmt.Sprintf("P%02d", i), fmt.Sprintf("p%02d@contoso.com", i))
	}
	require.Zero(t, first(w.run("sync")))
	for i := range 25 {
		w.set(fmt.Sprintf("P%02d", i), "userAccountControl", "514", "title", "Gone")
	}
	code, out, _ := w.run("sync")
	require.Equal(t, 4, code)
	require.Contains(t, out, "over the limit: 25 accounts to disable, and 3 may go without approval\n")
	require.Equal(t, 20, strings.Count(out, "        disable p"))
	require.Contains(t, out, "        and 5 more\n")
	code, out, _ = w.run("sync", "-o", "json")
	require.Equal(t, 4, code)
	p := parsed(t, out)["plan"].(map[string]any)
	require.Len(t, p["affected"], 20)
	require.Equal(t, float64(5), p["more"])
}
