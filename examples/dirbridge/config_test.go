package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// minimal is a configuration with nothing but what is required.
const minimal = `source:
  activeDirectory:
    servers: [ldaps://127.0.0.1:1]
    baseDN: DC=corp,DC=example,DC=com
    bind: {dn: "CN=svc,DC=corp,DC=example,DC=com", passwordEnv: BIND_PASSWORD}
target:
  office365:
    tenant: contoso.onmicrosoft.com
    auth: {clientID: 11111111-2222-3333-4444-555555555555, clientSecretEnv: CLIENT_SECRET}
state: {bolt: {path: dirbridge.db}}
`

var secrets = map[string]string{"BIND_PASSWORD": "hush-bind", "CLIENT_SECRET": "hush-client", "GRAPH_TOKEN": "hush-token", "EMPTY": ""}

func lookup(name string) (string, bool) { v, ok := secrets[name]; return v, ok }

// check loads and validates a configuration file with this text.
func check(t *testing.T, text string) (*config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "d.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	c, err := load(path)
	if err == nil {
		err = c.validate(lookup, false)
	}
	return c, err
}

func TestWhatIsRequiredIsEnough(t *testing.T) {
	c, err := check(t, minimal)
	require.NoError(t, err)
	require.Equal(t, []string{"ldaps://127.0.0.1:1"}, c.Source.ActiveDirectory.Servers)
	require.Equal(t, filepath.Dir(c.file.path), filepath.Dir(c.State.Bolt.Path), "paths are relative to the file")
}

func TestTheExampleIsValidAndSoIsWhatItShowsAsOptional(t *testing.T) {
	text, err := os.ReadFile("dirbridge.example.yaml")
	require.NoError(t, err)
	_, err = check(t, strings.ReplaceAll(strings.ReplaceAll(string(text), "CLIENT_SECRET", "GRAPH_TOKEN"), "    caFile: ca.pem\n", ""))
	require.NoError(t, err)

	all := regexp.MustCompile(`(?m)^([ ]*)#([a-zA-Z0-9]+:(?: |$))`).ReplaceAll(text, []byte("$1$2"))
	require.NotEqual(t, string(text), string(all))
	path := filepath.Join(t.TempDir(), "all.yaml")
	require.NoError(t, os.WriteFile(path, all, 0o600))
	c, err := load(path)
	require.NoError(t, err)
	require.Equal(t, "AT", c.UsageLocation)
	require.Equal(t, 500, *c.Limits.Removals)

	// What it shows as defaults are the defaults.
	c, err = check(t, minimal+section(t, string(all), "limits")+section(t, string(all), "policy"))
	require.NoError(t, err)
	require.Equal(t, plan.Limits{
		Vanished: plan.Limit{Count: 50, Percent: 10},
		Removals: plan.Limit{Count: 500, Percent: 20}, Disables: plan.Limit{Count: 500, Percent: 20}, UPNChanges: plan.Limit{Count: 1000, Percent: 50},
		AddressChanges: plan.Limit{Count: 1000, Percent: 50}, Clears: plan.Limit{Count: 500, Percent: 20}, Restores: plan.Limit{Count: 500, Percent: 20},
		PutBacks: plan.Limit{Count: 500, Percent: 20}, Leaving: plan.Limit{Count: -1, Percent: -1},
		MemberRemovals: plan.Limit{Count: 1000, Percent: 20}, GroupMemberRemovals: plan.Limit{Count: 500, Percent: 50},
		Flagged: map[source.ID]int{"b9ab2ef7-091b-50bf-845c-72bb8a00e909": 0},
		Window:  24 * time.Hour, WindowRuns: 8,
	}, c.limits())
	c, err = check(t, minimal+section(t, string(all), "drift"))
	require.NoError(t, err)
	require.Equal(t, "putBack", c.Drift.Policy)
	require.Equal(t, 7*24*time.Hour, c.Drift.reconcile())
}

// section is the top-level key of a file with all that is below it.
func section(t *testing.T, text, key string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + key + `:.*\n(?:[ \t#].*\n)*`).FindString(text)
	require.NotEmpty(t, found)
	return found
}

func TestLimitsCanBeLiftedOneByOne(t *testing.T) {
	c, err := check(t, minimal+"limits: {removals: 7, removalPercent: -1, disables: -1, restorePercent: 2.5, window: 48h, windowRuns: 3}\n")
	require.NoError(t, err)
	require.Equal(t, plan.Limits{
		Removals: plan.Limit{Count: 7, Percent: -1}, Disables: plan.Limit{Count: -1}, Restores: plan.Limit{Percent: 2.5},
		Window: 48 * time.Hour, WindowRuns: 3,
	}, c.limits())
	c, err = check(t, minimal)
	require.NoError(t, err)
	require.Equal(t, plan.Limits{}, c.limits())
	require.Equal(t, filepath.Join(filepath.Dir(c.State.Bolt.Path), "dirbridge-audit.jsonl"), c.Audit.path(c.State.Bolt.Path))
}

func TestMistakesAreToldWithLineAndColumn(t *testing.T) {
	replace := func(old, with string) string {
		require.Contains(t, minimal, old)
		return strings.Replace(minimal, old, with, 1)
	}
	for _, c := range []struct{ name, text, want string }{
		{"an unknown key", replace("    baseDN:", "    baseDm: x\n    baseDN:"), `d.yaml:4:5: unknown key "baseDm"`},
		{"an unknown key in braces", replace("{bolt:", "{sqlite: x, bolt:"), `d.yaml:10:9: unknown key "sqlite"`},
		{"a key given twice", replace("    baseDN:", "    baseDN: x\n    baseDN:"), `d.yaml:5:5: mapping key "baseDN" already defined at [4:5]`},
		{"another type", replace("servers: [ldaps://127.0.0.1:1]", "servers: {a: b}"), "d.yaml:3:14: mapping was used where sequence is expected"},
		{"a word for a number", minimal + "limits: {removals: many}\n", "d.yaml:11:20: want a whole number"},
		{"broken YAML", replace("{bolt: {path: dirbridge.db}}", "{bolt: "), "d.yaml:10:"},
		{"a missing section", "source: {}\nstate: {bolt: {path: x.db}}\n", "d.yaml:1:1: target.office365: is missing"},
		{"no way to sign in", replace(", clientSecretEnv: CLIENT_SECRET", ""), "d.yaml:9:11: target.office365.auth: say how to sign in"},
		{"two ways to sign in", replace("clientSecretEnv: CLIENT_SECRET", "clientSecretEnv: CLIENT_SECRET, managedIdentity: true"), "d.yaml:9:11: target.office365.auth: there are several ways"},
		{"a secret without clientID", replace("clientID: 11111111-2222-3333-4444-555555555555, ", ""), "target.office365.auth.clientID: is missing"},
		{"a variable that isn't set", replace("BIND_PASSWORD", "NO_SUCH"), "d.yaml:5:65: source.activeDirectory.bind.passwordEnv: the environment variable NO_SUCH isn't set"},
		{"a variable that is empty", replace("CLIENT_SECRET", "EMPTY"), "target.office365.auth.clientSecretEnv: the environment variable EMPTY is empty"},
		{"a file that isn't there", replace("passwordEnv: BIND_PASSWORD", "passwordFile: nowhere"), "d.yaml:5:66: source.activeDirectory.bind.passwordFile: open "},
		{"both ways for one secret", replace("passwordEnv: BIND_PASSWORD", "passwordEnv: BIND_PASSWORD, passwordFile: x"), "passwordEnv and passwordFile are both given"},
		{"neither way", replace(", passwordEnv: BIND_PASSWORD", ""), "d.yaml:5:11: source.activeDirectory.bind: give passwordEnv"},
		{"both forms of the base", replace("    baseDN:", "    baseDNs: [DC=a]\n    baseDN:"), "baseDN and baseDNs are both given"},
		{"a token for the real Graph", replace("clientSecretEnv: CLIENT_SECRET", "tokenEnv: GRAPH_TOKEN"), "auth.tokenEnv: is for a simulator only"},
		{"an unknown word", minimal + "upn: {fallback: prefix}\n", `d.yaml:11:17: upn.fallback: "prefix": want upnPrefix, mailNickname`},
		{"an interval without a unit", minimal + "schedule: {every: 3}\n", "d.yaml:11:19: schedule.every: \"3\": want at least a second"},
		{"an interval that is none", minimal + "schedule: {every: often}\n", "d.yaml:11:19: schedule.every: "},
		{"a limit of nothing", minimal + "limits: {removals: 0}\n", "d.yaml:11:20: limits.removals: 0: want 1 or more"},
		{"a limit over everything", minimal + "limits: {removalPercent: 101}\n", "limits.removalPercent: 101: want"},
		{"a limit below none", minimal + "limits: {upnChanges: -2}\n", "d.yaml:11:22: limits.upnChanges: -2: want 1 or more, or -1 for no limit"},
		{"a percentage of nothing", minimal + "limits: {clearPercent: 0}\n", "d.yaml:11:24: limits.clearPercent: 0: want more than 0"},
		{"a window without a unit", minimal + "limits: {window: 24}\n", "d.yaml:11:18: limits.window: \"24\": want at least a second"},
		{"a window of no runs", minimal + "limits: {windowRuns: 0}\n", "d.yaml:11:22: limits.windowRuns: 0: want 1 or more"},
		{"an unknown limit", minimal + "limits: {deletes: 5}\n", `d.yaml:11:10: unknown key "deletes"`},
		{"an unknown policy", minimal + "policy: upsert\n", `d.yaml:11:9: policy: "upsert": want sync, upsert-only, create-only`},
		{"no directory for the audit", minimal + "audit: {file: no/where.jsonl}\n", "d.yaml:11:15: audit.file: its directory must exist"},
		{"no directory for the state", replace("path: dirbridge.db", "path: no/where.db"), "d.yaml:10:22: state.bolt.path: its directory must exist"},
		{"a password in a proxy's URL", replace("    auth:", "    proxy: http://me:hush@proxy:8080\n    auth:"), "office365.proxy: secrets don't belong in this file"},
		{"no certificate in the file", replace("    baseDN:", "    caFile: d.yaml\n    baseDN:"), "activeDirectory.caFile: there is no certificate in"},
		{"a switch that is none", replace("clientSecretEnv: CLIENT_SECRET", "workloadIdentity: maybe"), "d.yaml:9:78: want true, or {tokenFile: PATH}"},
		{"two documents", minimal + "---\na: b\n", "want one YAML document"},
		{"an empty file", "# nothing\n", "is empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := check(t, c.text)
			var wrong *configError
			require.ErrorAs(t, err, &wrong)
			require.Contains(t, err.Error(), c.want)
			require.NotContains(t, err.Error(), "hush")
		})
	}
}

func TestAnUnknownKeyIsNamedWithItsPlaceAndWithoutItsValue(t *testing.T) {
	_, err := check(t, "\xef\xbb\xbf"+strings.Replace(minimal, "    baseDN:", "    pagesize: hush\n    baseDN:", 1))
	require.ErrorContains(t, err, `d.yaml:4:5: unknown key "pagesize"`)
	require.NotContains(t, err.Error(), "hush")
}

func TestASecretInTheFileIsRefusedAndNeverShown(t *testing.T) {
	for _, key := range []string{"password: hush", "Password: hush", `"clientSecret": hush`, "token: hush", "bindPassword: hush"} {
		for _, text := range []string{
			strings.Replace(minimal, "passwordEnv: BIND_PASSWORD", key, 1),
			strings.Replace(minimal, "    baseDN:", "    "+key+"\n    nonsense: 1\n    baseDN:", 1),
			strings.Replace(minimal, "    baseDN:", "    "+key+"\n    [broken: 1\n    baseDN:", 1),
		} {
			_, err := check(t, text)
			require.Error(t, err)
			require.NotContains(t, err.Error(), "hush")
			if !strings.Contains(text, "[broken") {
				require.ErrorContains(t, err, "secrets don't belong in this file")
				require.Regexp(t, `d\.yaml:[45]:\d+: `, err.Error())
			}
		}
	}
}

func TestASecretIsReadFromItsFileWithoutTheLineEnding(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	for text, want := range map[string]string{"hush": "hush", "hush\n": "hush", "hush\r\n": "hush", " hu sh \n": " hu sh "} {
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		got, err := secret{file: path}.read()
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	require.NoError(t, os.WriteFile(path, []byte("\n"), 0o600))
	_, err := secret{file: path}.read()
	require.ErrorContains(t, err, "is empty")
	_, err = secret{env: "hush!", lookup: lookup}.read()
	require.ErrorContains(t, err, "want the name of an environment variable")
	require.NotContains(t, err.Error(), "hush")
}

func TestEveryWayToSignInIsTaken(t *testing.T) {
	for _, auth := range []string{
		"{clientID: a, clientSecretEnv: CLIENT_SECRET}", "{clientID: a, clientSecretFile: d.yaml}", "{clientID: a, certificateFile: d.yaml}",
		"{workloadIdentity: true}", "{workloadIdentity: {tokenFile: d.yaml}, clientID: a}", "{managedIdentity: true}", "{managedIdentity: {}}",
		"{defaultChain: true}", "{tokenEnv: GRAPH_TOKEN}\n    endpoint: http://127.0.0.1:1/v1.0",
	} {
		_, err := check(t, regexp.MustCompile(`auth: .*`).ReplaceAllString(minimal, "auth: "+auth))
		require.NoError(t, err, auth)
	}
}

func TestProtectedAccountsAreNamedAndRolesAreIgnoredOnlyByAWord(t *testing.T) {
	c, err := check(t, minimal+"protected: {accounts: [a@contoso.com], roles: ignore}\n")
	require.NoError(t, err)
	require.Equal(t, protectConfig{Accounts: []string{"a@contoso.com"}, Roles: "ignore"}, c.Protected)
	_, err = check(t, minimal+"protected: {accounts: [\" \"], roles: off}\n")
	require.ErrorContains(t, err, "protected.accounts: holds an empty name")
	require.ErrorContains(t, err, "want read, ignore")
}
