package main

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAllAccountsAreLookedAtWhenAsked(t *testing.T) {
	w := newWorld(t)
	w.person("Ann", "ann@contoso.com")
	code, _, _ := w.run("sync")
	require.Equal(t, 0, code)
	code, out, _ := w.run("sync")
	require.Equal(t, 0, code)
	require.NotContains(t, out, "looked at")
	code, out, _ = w.run("sync", "--reconcile")
	require.Equal(t, 0, code)
	require.Contains(t, out, "all accounts looked at (asked for)")
	require.Equal(t, 1, w.tenant.Counts().Writes["POST /users"])
	code, _, _ = w.run("sync", "--reconcile", "--only", "ann@contoso.com")
	require.Equal(t, 2, code)
}

func TestTheDriftPolicyIsTheFiles(t *testing.T) {
	w := newWorld(t, "drift: {policy: ignore}")
	w.person("Ann", "ann@contoso.com")
	for range 2 {
		code, _, _ := w.run("sync")
		require.Equal(t, 0, code)
	}
	require.Zero(t, w.tenant.Counts().Requests["GET /users/delta"])

	w = newWorld(t, "drift: {policy: report, reconcileDays: 0}")
	w.person("Ann", "ann@contoso.com")
	for range 2 {
		code, out, _ := w.run("sync", "-o", "json")
		require.Equal(t, 0, code, out)
		var d map[string]any
		require.NoError(t, json.Unmarshal([]byte(out), &d))
		require.NotContains(t, d, "drifted")
	}
	require.Equal(t, 2, w.tenant.Counts().Requests["GET /users/delta"], "the first token, and what changed since")

	for _, bad := range []string{"drift: {policy: revert}", "drift: {reconcileDays: -1}", "drift: {reconcileDays: 1000}"} {
		code, _, errs := newWorld(t, bad).run("sync")
		require.Equal(t, 2, code)
		require.Contains(t, errs, "drift.")
	}
}
