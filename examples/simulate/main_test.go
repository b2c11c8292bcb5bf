package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// start runs the program and returns the lines that it prints when it is ready,
// and what ends it: that returns the exit code and what else was printed.
func start(t *testing.T, args ...string) (map[string]string, func() (int, string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, w := io.Pipe()
	code := make(chan int, 1)
	var stderr bytes.Buffer
	go func() {
		code <- run(ctx, args, w, &stderr)
		w.Close()
	}()
	// One write carries all lines.
	buf := make([]byte, 64<<10)
	n, err := r.Read(buf)
	if err != nil {
		cancel()
		<-code
		t.Fatalf("nothing was printed: %s", stderr.String())
	}
	vars := map[string]string{}
	for line := range strings.Lines(string(buf[:n])) {
		name, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		require.True(t, ok, line)
		vars[name] = value
	}
	return vars, func() (int, string) {
		cancel()
		rest, err := io.ReadAll(r)
		require.NoError(t, err)
		return <-code, string(rest)
	}
}

func TestBothSidesListenOnceTheLinesArePrinted(t *testing.T) {
	vars, stop := start(t, "-people", "3", "-domains", "contoso.com, fabrikam.com", "-initial", "fabrikam.onmicrosoft.com")
	names := make([]string, 0, len(vars))
	for n := range vars {
		names = append(names, n)
	}
	require.ElementsMatch(t, []string{"LDAP_URL", "LDAP_CA", "BIND_DN", "BIND_PASSWORD", "BASE_DN", "GRAPH_URL", "GRAPH_TOKEN"}, names)
	require.Equal(t, "DC=corp,DC=example,DC=com", vars["BASE_DN"])

	pem, err := os.ReadFile(vars["LDAP_CA"])
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	addr, ok := strings.CutPrefix(vars["LDAP_URL"], "ldaps://")
	require.True(t, ok)
	conn, err := tls.Dial("tcp", addr, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	require.NoError(t, err)
	require.NoError(t, conn.Close())

	require.True(t, strings.HasSuffix(vars["GRAPH_URL"], "/v1.0"))
	require.Equal(t, []string{"contoso.com", "fabrikam.com", "fabrikam.onmicrosoft.com"}, domains(t, vars))

	code, rest := stop()
	require.Zero(t, code)
	require.Empty(t, rest, "nothing more is printed")
	require.NoFileExists(t, vars["LDAP_CA"])
}

func domains(t *testing.T, vars map[string]string) (names []string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, vars["GRAPH_URL"]+"/domains", nil)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+vars["GRAPH_TOKEN"])
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	var page struct {
		Value []struct {
			ID         string
			IsVerified bool
		}
	}
	require.NoError(t, json.NewDecoder(res.Body).Decode(&page))
	seen := map[string]bool{}
	for _, d := range page.Value {
		require.True(t, d.IsVerified)
		seen[d.ID] = true
	}
	for _, d := range []string{"contoso.com", "fabrikam.com", "fabrikam.onmicrosoft.com"} {
		if seen[d] {
			names = append(names, d)
		}
	}
	require.Len(t, page.Value, len(names))
	return names
}

func TestASideThatIsOffPrintsNoLines(t *testing.T) {
	vars, stop := start(t, "-ad", "off", "-graph", ":0", "-quota", "off", "-lag", "1s")
	require.Len(t, vars, 2)
	require.Contains(t, vars["GRAPH_URL"], "http://127.0.0.1:")
	require.NotEmpty(t, vars["GRAPH_TOKEN"])
	code, _ := stop()
	require.Zero(t, code)

	vars, stop = start(t, "-graph", "off", "-people", "0")
	require.Len(t, vars, 5)
	code, _ = stop()
	require.Zero(t, code)
}

func TestAWrongCommandLineIsRefused(t *testing.T) {
	for _, args := range [][]string{
		{"-ad", "off", "-graph", "off"}, {"-ad", "0.0.0.0:0"}, {"-graph", "nonsense"}, {"-people", "-1"}, {"-people", "many"},
		{"-quota", "maybe"}, {"-lag", "-1s"}, {"-initial", "contoso.com"}, {"extra"}, {"-nonsense"},
	} {
		var stdout, stderr bytes.Buffer
		require.Equal(t, 2, run(t.Context(), args, &stdout, &stderr), "%q", args)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), "simulate: ")
	}
	var stderr bytes.Buffer
	require.Zero(t, run(t.Context(), []string{"-help"}, io.Discard, &stderr))
	require.Contains(t, stderr.String(), "-people N")
}

func TestAnAddressInUseIsAnError(t *testing.T) {
	vars, stop := start(t, "-ad", "off")
	addr := strings.TrimSuffix(strings.TrimPrefix(vars["GRAPH_URL"], "http://"), "/v1.0")
	var stdout, stderr bytes.Buffer
	require.Equal(t, 1, run(t.Context(), []string{"-people", "0", "-graph", addr}, &stdout, &stderr))
	require.Empty(t, stdout.String())
	code, _ := stop()
	require.Zero(t, code)
}

func TestTheShellReadsBackWhatIsPrinted(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no POSIX shell here")
	}
	for _, v := range []string{"plain", "CN=a,DC=b", "", "two words", "it's", `$HOME "x" \ !y`, "/tmp/a b'c/ca.pem", "~x", "a#b"} {
		var script bytes.Buffer
		line(&script, "X", v)
		script.WriteString("printf '%s.' \"$X\"\n")
		out, err := exec.CommandContext(t.Context(), sh, "-c", script.String()).Output()
		require.NoError(t, err)
		require.Equal(t, v+".", string(out))
	}
	require.Equal(t, "CN=a,DC=b", quote("CN=a,DC=b"), "what needs no quotes gets none")
}
