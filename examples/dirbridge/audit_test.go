package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// storied is a world with a log of some records.
func storied(t *testing.T) (w *world, log string) {
	w = newWorld(t)
	w.person("Ann Abel", "ann@contoso.com", "title", "Clerk")
	w.person("Gus Graf", "gus@contoso.com")
	require.Zero(t, first(w.run("sync")))
	require.NoError(t, w.ad.Rename(dn(w, "Ann Abel"), "CN=Ann Bauer"))
	w.set("Ann Bauer", "userPrincipalName", "ann.bauer@contoso.com", "displayName", "Ann Bauer")
	require.Zero(t, first(w.run("sync")))
	require.NoError(t, w.ad.Delete(dn(w, "Ann Bauer")))
	require.Zero(t, first(w.run("sync")))
	return w, filepath.Join(w.dir, "state-audit.jsonl")
}

func TestVerifyFindsAnyEditAndAnyCut(t *testing.T) {
	w, log := storied(t)
	code, out, errs := w.run("audit", "verify")
	require.Zero(t, code, errs)
	require.Regexp(t, `^intact: 4 is the last record \([0-9a-f]{12}\), as the state knows\n$`, out)
	whole, err := os.ReadFile(log)
	require.NoError(t, err)
	lines := bytes.SplitAfter(whole, []byte("\n"))[:4]

	for _, c := range []struct {
		name string
		text []byte
		want string
	}{
		{"an edit", bytes.Replace(whole, []byte("Clerk"), []byte("Clown"), 1), ":1: record 1: the record doesn't fit its hash: somebody changed it"},
		{"a cut in the middle", bytes.Join([][]byte{lines[0], lines[2], lines[3]}, nil), ":2: record 2: it is missing: it was cut out or moved"},
		{"a cut at the end", bytes.Join(lines[:3], nil), ":4: record 4: the log ends here but should go on until record 4: its end was cut off"},
		{"a cut at the beginning", bytes.Join(lines[1:], nil), ":1: record 1: "},
		{"nothing left", nil, ":1: record 1: the log ends here but should go on until record 4"},
		{"a line too much", append(bytes.Clone(whole), lines[3]...), ":5: record 5: record 4 comes again or out of order"},
		{"no line at all", append(bytes.Clone(whole), "hello\n"...), ":5: record 5: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, os.WriteFile(log, c.text, 0o600))
			code, out, errs := w.run("audit", "verify")
			require.Equal(t, 1, code)
			require.Contains(t, out, log+c.want)
			require.Contains(t, errs, "what to do: keep the log as evidence")
			code, out, _ = w.run("audit", "verify", "-o", "json")
			require.Equal(t, 1, code)
			d := parsed(t, out)
			require.Equal(t, false, d["intact"])
			require.NotZero(t, d["line"])
			require.NotEmpty(t, d["reason"])
		})
	}
	require.NoError(t, os.Remove(log))
	require.Equal(t, 1, first(w.run("audit", "verify")), "a log that is gone")

	require.NoError(t, os.WriteFile(log, whole, 0o600))
	require.Zero(t, first(w.run("audit", "verify")))
}

func TestVerifyTakesTheFilesOfARotatedLog(t *testing.T) {
	w, log := storied(t)
	old := filepath.Join(w.dir, "old.jsonl")
	require.NoError(t, os.Rename(log, old))
	w.person("Ivy Ito", "ivy@contoso.com")
	require.Zero(t, first(w.run("sync")))

	code, out, errs := w.run("audit", "verify", old, log)
	require.Zero(t, code, errs)
	require.Contains(t, out, "intact: 5 is the last record")
	require.Equal(t, 1, first(w.run("audit", "verify", log, old)))
	require.Equal(t, 1, first(w.run("audit", "verify", old)), "its end isn't the end")
	require.Equal(t, 1, first(w.run("audit", "verify")), "it doesn't begin with record 1")
	require.Zero(t, first(w.run("audit", "verify", "--rotated")))

	p, stdout, _ := w.program()
	require.Zero(t, p.run(t.Context(), []string{"audit", "verify", old}))
	require.Contains(t, stdout.String(), "nobody was asked whether that is the end")
	require.Equal(t, 2, p.run(t.Context(), []string{"audit", "verify"}))

	_, out, errs = w.run("history", "ivy@contoso.com", old, log)
	require.Contains(t, out, "created the account ivy@contoso.com", errs)
}

func TestTheHistoryOfSomebodyRenamedAndDeletedIsTold(t *testing.T) {
	w, log := storied(t)
	code, out, errs := w.run("history", "ann@contoso.com")
	require.Zero(t, code, errs)
	text := w.settled(out)
	for _, u := range ids.FindAllString(text, -1) {
		text = strings.ReplaceAll(text, "request-id "+u, "request-id ID")
	}
	golden(t, "history.txt", text)
	for _, name := range []string{"ann.bauer@contoso.com", dn(w, "Ann Bauer"), "00000001-1111-1111-1111-111111111111"} {
		code, again, _ := w.run("history", name)
		require.Zero(t, code)
		require.Equal(t, out, again, "whichever of the names is given")
	}

	code, out, _ = w.run("history", "ann@contoso.com", "-o", "json")
	require.Zero(t, code)
	o := parsed(t, out)["objects"].([]any)[0].(map[string]any)
	require.Equal(t, []any{"ann.bauer@contoso.com", "ann@contoso.com"}, o["upns"])
	require.Len(t, o["history"], 3)

	code, _, errs = w.run("history", "nobody@contoso.com")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "the audit log tells nothing of nobody@contoso.com")

	whole, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(log, bytes.Replace(whole, []byte("Graf"), []byte("Grab"), 1), 0o600))
	code, out, errs = w.run("history", "ann@contoso.com")
	require.Equal(t, 1, code, "a line can't be trusted")
	require.Contains(t, out, "deleted the account", "the rest is told")
	require.Contains(t, errs, "audit verify says more")
}

func TestTheAuditIsTurnedOffByAWord(t *testing.T) {
	w := newWorld(t, "audit: {file: none}")
	w.person("Ann Abel", "ann@contoso.com")
	require.Zero(t, first(w.run("sync")))
	files, err := filepath.Glob(filepath.Join(w.dir, "*.jsonl"))
	require.NoError(t, err)
	require.Empty(t, files)
	for _, args := range [][]string{{"audit", "verify"}, {"history", "ann@contoso.com"}} {
		code, _, errs := w.run(args...)
		require.Equal(t, 2, code)
		require.Contains(t, errs, "turns the audit off")
	}
}

func TestARunThatCantBeAuditedWritesNothing(t *testing.T) {
	w := newWorld(t, "audit: {file: log}")
	w.person("Ann Abel", "ann@contoso.com")
	require.NoError(t, os.Mkdir(filepath.Join(w.dir, "log"), 0o700))
	code, _, errs := w.run("sync")
	require.Equal(t, 1, code)
	require.Contains(t, errs, "the audit log can't be written")
	require.Contains(t, errs, "what to do: make the audit log writable")
	require.Zero(t, w.tenant.Counts().TotalWrites())
}

var ids = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)
