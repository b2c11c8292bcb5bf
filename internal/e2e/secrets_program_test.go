package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// outputs runs the program in every form of output, with a log of everything.
func (w *world) outputs(t *testing.T, take func(where string, b []byte)) {
	t.Helper()
	config, err := os.ReadFile(w.config())
	require.NoError(t, err)
	defer func() { require.NoError(t, os.WriteFile(w.config(), config, 0o600)) }()
	for _, format := range []string{"json", "text"} {
		require.NoError(t, os.WriteFile(w.config(), fmt.Appendf(config, "log: {level: debug, format: %s}\n", format), 0o600))
		for _, args := range [][]string{{"--dry-run"}, {"--full"}, {"-o", "text", "--dry-run"}, {"-o", "text", "--full"}} {
			cmd := w.command(t.Context(), t, args...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			_ = cmd.Run()
			take("stdout "+strings.Join(args, " ")+" log "+format, stdout.Bytes())
			take("stderr "+strings.Join(args, " ")+" log "+format, stderr.Bytes())
		}
	}
}

// The program's own secrets: those of its environment.
func TestA15_TheProgramShowsNoneOfItsSecrets(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	tr := newTrove()
	a, dir, srv := startSim(t, 15)
	a.sync.password = tr.keep("the bind password", adsim.SyncPassword)
	w := newWorld(t, a, worldOptions{})
	tr.keep("the access token", w.token)
	take := func(where string, b []byte) { tr.heard(where, b) }
	w.outputs(t, take)
	require.NoError(t, dir.Delete(somebody(t, a).DN))
	for _, status := range []int{400, 401, 403} { // what is tried again for minutes, the test in a bubble has
		w.unchecked.Store(true)
		w.tenant.SetFault(func(op graphsim.Op) *graphsim.Fault {
			if op.Write || status == 401 {
				return &graphsim.Fault{Status: status, Message: "echo " + op.Header.Get("Authorization") + string(op.Body)}
			}
			return nil
		})
		w.outputs(t, take)
	}
	w.tenant.SetFault(nil)
	srv.Inject(adsim.EverySearch(adsim.Fault{After: 3, Cut: true}))
	w.outputs(t, take)
	srv.Inject(nil)
	wrong := tr.keep("a wrong password", random("Wrong-Canary!"))
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "password"), []byte(wrong), 0o600))
	w.outputs(t, take)
	state, err := os.ReadFile(w.state())
	require.NoError(t, err)
	tr.heard("state file", state)
	tr.search(t)
}

// hostile are names that Active Directory takes.
var hostile = []string{
	"Ann\r\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "\x1b[31mred\x1b[0m\x1b]0;title\x07", "\u202eevil\u202c", "\u2066isolate\u2069",
	"zero\u200bwidth\u200d\ufeff", "line\u2028sep\u2029", "nel\u0085x", "\u009b31m", "tab\tbell\a", "back\b\b\bspace", "quote\"'\\`",
	"%s%n%x", "${jndi:ldap://x}", "<script>alert(1)</script>", "level=ERROR msg=forged", "\U000e0041tag", strings.Repeat("long", 60),
}

// What is printed and logged about hostile names stays on its line, and a
// terminal shows it as it is.
func TestA14_HostileNamesForgeNoLineOfAnyOutput(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the program")
	}
	a, dir, _ := startSim(t, 3)
	for i, name := range hostile {
		login := fmt.Sprintf("evil%02d", i)
		cn := strings.NewReplacer("\\", `\5C`, `"`, `\22`, "<", `\3C`, ">", `\3E`, "=", `\3D`, ",", `\2C`, "\r", `\0D`, "\n", `\0A`, "+", `\2B`, ";", `\3B`, "#", `\23`).Replace(name[:min(len(name), 60)])
		dn := "CN=" + login + " " + cn + "," + adsim.PeopleOU + "," + a.base
		attrs := adsim.Attrs{
			"objectClass": {"user"}, "sAMAccountName": {login}, "userAccountControl": {"512"}, "displayName": {name}, "title": {name},
			"userPrincipalName": {name + "@contoso.com"}, "mail": {name}, "department": {strings.Repeat(name, 80)}, "msExchUsageLocation": {name},
		}
		if _, err := dir.Add(dn, attrs); err != nil {
			delete(attrs, "msExchUsageLocation")
			_, err = dir.Add("CN="+login+","+adsim.PeopleOU+","+a.base, attrs)
			require.NoError(t, err, "%q", name)
		}
	}
	w := newWorld(t, a, worldOptions{})
	seen := 0
	w.outputs(t, func(where string, out []byte) {
		for _, r := range string(out) {
			bad := unicode.IsControl(r) && r != '\n' || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029'
			require.False(t, bad, "%s shows %U: %q", where, r, around(out, r))
		}
		if strings.Contains(where, "stdout --") { // a document
			require.True(t, json.Valid(out), "%s: %s", where, out)
			seen++
		}
		if strings.HasPrefix(where, "stderr") && strings.HasSuffix(where, "log json") {
			for line := range bytes.Lines(out) {
				if line[0] == '{' {
					require.True(t, json.Valid(line), "%s: %q", where, line)
				}
				require.NotContains(t, string(line), `"msg":"forged"`, where)
			}
		}
		require.NotContains(t, string(out), "\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", where)
	})
	require.NotZero(t, seen)
}

func around(out []byte, r rune) []byte {
	i := bytes.IndexRune(out, r)
	return out[max(0, i-120):min(len(out), i+40)]
}
