package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/e2e/compare"
	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
)

const (
	initialDomain = "contoso.onmicrosoft.com"
	runTimeout    = 3 * time.Minute // of one run of the program
	runPerPerson  = time.Second / 4 // and for each person beyond the usual thousand: Graph takes 20 writes a second
)

// A world is one domain controller, one tenant, and one configuration of the
// program with its state file.
type world struct {
	ad       *ad
	tenant   *graphsim.Tenant
	graph    string // base URL
	token    string // the program's; the comparison has its own
	dir      string // of configuration and state
	opinion  *compare.Comparer
	watching string // the comparison's token

	groups bool // security groups and managers, too

	lag time.Duration // until the tenant shows what is new

	// unchecked lets traffic pass without a look at Microsoft's description:
	// where a run is killed, requests break off in the middle.
	unchecked atomic.Bool
}

// worldOptions are how a world differs from the usual one.
type worldOptions struct {
	as          account  // defaults to the account of a synchronization
	permissions []string // defaults to all
	lag         time.Duration
	groups      bool // defaults to people alone
}

// newWorld makes a tenant with contoso.com verified, and a configuration for
// the least-privileged account.
func newWorld(t testing.TB, a *ad, o worldOptions) *world {
	t.Helper()
	w := &world{ad: a, lag: o.lag, groups: o.groups, dir: t.TempDir(), opinion: compare.New(a.domain())}
	w.tenant = graphsim.New(&graphsim.Options{Initial: initialDomain, Domains: []string{"contoso.com"}, Permissions: o.permissions, Lag: o.lag})
	plain := w.tenant.Handler()
	checked := contract.Middleware(t, plain)
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if w.unchecked.Load() {
			plain.ServeHTTP(rw, r)
			return
		}
		checked.ServeHTTP(rw, r)
	}))
	t.Cleanup(srv.Close)
	w.graph, w.token = srv.URL+"/v1.0", w.tenant.Token()
	w.watching = w.tenant.AddApp(graphsim.App{})
	if o.as == (account{}) {
		o.as = a.sync
	}
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "ca.pem"), a.ca, 0o600))
	more := ""
	if o.groups {
		more = "groups: {security: true}\nmanagers: true\n"
	}
	require.NoError(t, os.WriteFile(w.config(), fmt.Appendf(nil, `source:
  activeDirectory:
    servers: [%s]
    caFile: ca.pem
    baseDN: %s
    bind: {dn: %q, passwordEnv: BIND_PASSWORD}
    delta: auto
target:
  office365:
    tenant: %s
    auth: {tokenEnv: GRAPH_TOKEN}
    endpoint: %s
    quotaShare: 1
    tenantSize: large
state: {bolt: {path: state.db}}
limits: # a year's churn within minutes
  {removals: -1, removalPercent: -1, disables: -1, disablePercent: -1, upnChanges: -1, upnChangePercent: -1, addressChanges: -1, addressChangePercent: -1, clears: -1, clearPercent: -1, restores: -1, restorePercent: -1, memberRemovals: -1, memberRemovalPercent: -1, groupMemberRemovals: -1, groupMemberRemovalPercent: -1}
%s`, a.url, a.base, o.as.dn, initialDomain, w.graph, more), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, "password"), []byte(o.as.password), 0o600))
	return w
}

func (w *world) config() string { return filepath.Join(w.dir, "dirbridge.yaml") }
func (w *world) state() string  { return filepath.Join(w.dir, "state.db") }

// A report is what sync -o json prints.
type report struct {
	Mode       string `json:"mode"`
	FullReason string `json:"fullReason"`
	Read       int    `json:"read"`
	Created    int    `json:"created"`
	Updated    int    `json:"updated"`
	Disabled   int    `json:"disabled"`
	Deleted    int    `json:"deleted"`
	Restored   int    `json:"restored"`
	Unchanged  int    `json:"unchanged"`
	Writes     int    `json:"writes"`
	Problems   []struct {
		Object    string `json:"object"`
		Code      string `json:"code"`
		Attribute string `json:"attribute"`
		Message   string `json:"message"`
		WhatToDo  string `json:"whatToDo"`
	} `json:"problems"`
	Warnings []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"warnings"`
	Watermark string `json:"watermark"`
	Error     string `json:"error"`
	WhatToDo  string `json:"whatToDo"`
	ExitCode  int    `json:"exitCode"`

	took   time.Duration
	stderr string
}

func (r *report) String() string {
	return fmt.Sprintf("%s: read %d, created %d, updated %d, disabled %d, deleted %d, restored %d, unchanged %d, %d problems, exit %d, %s %s",
		r.Mode, r.Read, r.Created, r.Updated, r.Disabled, r.Deleted, r.Restored, r.Unchanged, len(r.Problems), r.ExitCode,
		r.took.Round(time.Millisecond), r.Error)
}

// made are the writes that the tenant took since the last reset.
func (w *world) made() writes {
	n := w.tenant.Counts().Writes
	return writes{
		created: n["POST /users"], patched: n["PATCH /users/{id}"], deleted: n["DELETE /users/{id}"],
		restored: n["POST /directory/deletedItems/{id}/restore"],
	}
}

// command is the program with its environment, not yet started.
func (w *world) command(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	password, err := os.ReadFile(filepath.Join(w.dir, "password"))
	require.NoError(t, err)
	cmd := exec.CommandContext(ctx, program(t), append([]string{"sync", "-o", "json", "-c", w.config()}, args...)...)
	cmd.Env = append(os.Environ(), "BIND_PASSWORD="+string(password), "GRAPH_TOKEN="+w.token)
	return cmd
}

// sync runs the program to its end.
func (w *world) sync(t testing.TB, args ...string) *report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), runTimeout+time.Duration(w.ad.extra)*runPerPerson)
	defer cancel()
	cmd := w.command(ctx, t, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	started := time.Now()
	err := cmd.Run()
	r := &report{took: time.Since(started), stderr: stderr.String()}
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		t.Fatal(err)
	}
	require.NoError(t, json.Unmarshal(stdout.Bytes(), r), "%v\n%s\n%s", err, stdout.String(), stderr.String())
	require.Equal(t, cmd.ProcessState.ExitCode(), r.ExitCode, "the document tells the true exit code")
	return r
}

// synced is sync for a run that has to succeed.
func (w *world) synced(t testing.TB, args ...string) *report {
	t.Helper()
	r := w.sync(t, args...)
	require.Contains(t, []int{0, 3}, r.ExitCode, "%s\n%s", r, r.stderr)
	return r
}

// differences asks the second opinion.
func (w *world) differences(t testing.TB) []compare.Difference {
	t.Helper()
	tenant, err := compare.Read(t.Context(), http.DefaultClient, w.graph, w.watching)
	require.NoError(t, err)
	directory := w.ad.read(t)
	ds := w.opinion.Compare(directory, tenant)
	if w.groups {
		require.NoError(t, tenant.ReadGroups(t.Context(), http.DefaultClient, w.graph, w.watching))
		ds = append(ds, w.opinion.CompareGroups(directory, tenant)...)
	}
	return ds
}

// requireSame fails the test with all differences.
func (w *world) requireSame(t testing.TB, when string) {
	t.Helper()
	if ds := w.differences(t); len(ds) > 0 {
		var lines []string
		for _, d := range ds[:min(len(ds), 30)] {
			lines = append(lines, d.String())
		}
		t.Fatalf("%s: %d differences:\n%s", when, len(ds), strings.Join(lines, "\n"))
	}
}
