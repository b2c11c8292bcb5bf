package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/graphsim"
)

// A world is a directory, a tenant and a configuration that joins them.
type world struct {
	t      *testing.T
	ad     *adsim.Directory
	ldap   *adsim.Server
	tenant *graphsim.Tenant
	graph  *graphsim.Server
	dir    string
	config string
	people int
}

// newWorld makes one; more is added to the configuration.
func newWorld(t *testing.T, more ...string) *world {
	t.Helper()
	w := &world{t: t, ad: adsim.New(nil), dir: t.TempDir()}
	require.NoError(t, w.add("OU=Staff,"+w.ad.BaseDN(), adsim.Attrs{"objectClass": {"organizationalUnit"}}))
	var err error
	w.ldap, err = adsim.Start("127.0.0.1:0", w.ad)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.ldap.Close()) })
	w.tenant = graphsim.New(&graphsim.Options{Domains: []string{"contoso.com"}, Seed: 1})
	w.graph, err = w.tenant.Start("127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.graph.Close()) })

	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "ca.pem"), w.ldap.CAPEM(), 0o600))
	w.config = filepath.Join(w.dir, "d.yaml")
	text := fmt.Sprintf(`source:
  activeDirectory:
    servers: [%s]
    caFile: ca.pem
    baseDN: OU=Staff,%s
    bind: {dn: "%s", passwordEnv: BIND_PASSWORD}
target:
  office365:
    tenant: contoso.onmicrosoft.com
    auth: {tokenEnv: GRAPH_TOKEN}
    endpoint: %s
state: {bolt: {path: state.db}}
`, w.ldap.URL(), w.ad.BaseDN(), w.ad.AccountDN(adsim.SyncName), w.graph.URL)
	require.NoError(t, os.WriteFile(w.config, []byte(text+strings.Join(more, "\n")+"\n"), 0o600))
	return w
}

func (w *world) add(dn string, attrs adsim.Attrs) error {
	_, err := w.ad.Add(dn, attrs)
	return err
}

func dn(w *world, cn string) string { return "CN=" + cn + ",OU=Staff," + w.ad.BaseDN() }

// person adds somebody whose objectGUID counts up.
func (w *world) person(cn, upn string, more ...string) {
	w.t.Helper()
	w.people++
	sam, _, _ := strings.Cut(upn, "@")
	attrs := adsim.Attrs{
		"objectClass": {"user"}, "sAMAccountName": {sam}, "userPrincipalName": {upn}, "displayName": {cn}, "userAccountControl": {"512"},
		// the first four bytes are kept in reverse
		"objectGUID": {string([]byte{byte(w.people), 0, 0, 0}) + strings.Repeat("\x11", 12)},
	}
	for i := 0; i+1 < len(more); i += 2 {
		attrs[more[i]] = []string{more[i+1]}
	}
	require.NoError(w.t, w.add(dn(w, cn), attrs))
}

func (w *world) set(cn string, values ...string) {
	w.t.Helper()
	for i := 0; i+1 < len(values); i += 2 {
		var v []string
		if values[i+1] != "" {
			v = []string{values[i+1]}
		}
		require.NoError(w.t, w.ad.Modify(dn(w, cn), adsim.Replace(values[i], v...)))
	}
}

// program returns the program with the world's secrets, and where it prints.
func (w *world) program() (p *program, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	env := map[string]string{"BIND_PASSWORD": adsim.SyncPassword, "GRAPH_TOKEN": w.graph.Token}
	return &program{env: func(n string) (string, bool) { v, ok := env[n]; return v, ok }, stdout: stdout, stderr: stderr,
		patience: 300 * time.Millisecond, who: func() string { return "root@here" }}, stdout, stderr
}

// run runs the program with the world's configuration.
func (w *world) run(args ...string) (code int, stdout, stderr string) {
	w.t.Helper()
	p, out, errs := w.program()
	code = p.run(context.Background(), append(args, "-c", w.config))
	for _, text := range []string{out.String(), errs.String()} {
		require.NotContains(w.t, text, adsim.SyncPassword)
		require.NotContains(w.t, text, w.graph.Token)
	}
	return code, out.String(), errs.String()
}

func (w *world) upns() []string {
	var out []string
	for _, u := range w.tenant.Users() {
		out = append(out, u.UPN())
	}
	return out
}
