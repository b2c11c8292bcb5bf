package e2e_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A testbed is a real domain controller, made by ../shared/testbed/samba-ad.sh.
type testbed struct {
	*ad
	script, dir string
	seed        uint64
	churns      int
}

// realPeople is how many people the real domain has at first.
var realPeople = number("DIRBRIDGE_E2E_PEOPLE", 1000)

// realDC is the domain controller of this test binary, made and seeded when it
// is asked for first, or the one that DIRBRIDGE_AD_DIR names, which is left
// running with whatever was changed in it.
func realDC(t testing.TB) *testbed {
	t.Helper()
	if !long() {
		t.Skip("takes minutes: DIRBRIDGE_E2E=1 runs it")
	}
	script := filepath.Join(shared(), "testbed", "samba-ad.sh")
	missing := ""
	if _, err := os.Stat(script); err != nil {
		missing = "../shared/testbed isn't here (DIRBRIDGE_SHARED names another place)"
	} else if _, err := exec.LookPath("samba"); err != nil || os.Getuid() != 0 {
		missing = "it needs Samba and root (samba-ad.sh install)"
	}
	if missing != "" && os.Getenv("CI") == "true" {
		t.Fatal("CI needs a real domain controller: " + missing)
	} else if missing != "" {
		t.Skip("no real domain controller: " + missing)
	}
	drawn := seed(t)
	theDC.once.Do(func() { theDC.bed, theDC.err = startDC(script, drawn) })
	require.NoError(t, theDC.err)
	return theDC.bed
}

var theDC struct {
	once sync.Once
	bed  *testbed
	err  error
}

func startDC(script string, seed uint64) (*testbed, error) {
	b := &testbed{script: script, seed: seed, dir: os.Getenv("DIRBRIDGE_AD_DIR")}
	if b.dir == "" {
		if err := b.make(); err != nil {
			return nil, err
		}
	}
	out, err := b.run("env", b.dir)
	if err != nil {
		return nil, fmt.Errorf("samba-ad.sh env: %w: %s", err, out)
	}
	env := map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			env[name] = strings.Trim(value, "'")
		}
	}
	ca, err := os.ReadFile(env["CA_FILE"])
	if err != nil {
		return nil, err
	}
	b.ad = &ad{
		url: env["LDAPS_URL"], base: env["BASE_DN"], ca: ca,
		admin:  account{env["BIND_DN"], env["BIND_PASSWORD"]},
		sync:   account{env["SYNC_DN"], env["SYNC_PASSWORD"]},
		reader: account{env["READER_DN"], env["READER_PASSWORD"]},
		extra:  max(0, realPeople-1000),
	}
	return b, nil
}

// make makes and seeds a domain that is destroyed after the last test.
func (b *testbed) make() (err error) {
	// Short: Samba's sockets lie in it, and their paths have a limit.
	if b.dir, err = os.MkdirTemp("", "e2e-dc-"); err != nil {
		return err
	}
	cleanups = append(cleanups, func() error {
		if out, err := b.run("destroy", b.dir); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return os.RemoveAll(b.dir)
	})
	for _, args := range [][]string{{"start", b.dir}, {"seed", b.dir, fmt.Sprint(realPeople)}} {
		if out, err := b.run(args...); err != nil {
			return fmt.Errorf("samba-ad.sh %v: %w: %s", args, err, out)
		}
	}
	return nil
}

// run runs the script, without its own words on standard error. Every churn has
// a seed of its own.
func (b *testbed) run(args ...string) ([]byte, error) {
	cmd := exec.Command(b.script, args...)
	cmd.Env = append(os.Environ(), "SAMBA_AD_QUIET=1", fmt.Sprintf("SAMBA_AD_SEED=%d", 1000*b.seed+uint64(b.churns)))
	return cmd.CombinedOutput()
}

// churn makes n mixed changes and returns their log.
func (b *testbed) churn(t testing.TB, n int) []op {
	t.Helper()
	b.churns++
	out, err := b.run("churn", b.dir, fmt.Sprint(n))
	require.NoError(t, err, "%s", out)
	var said struct{ Log string }
	require.NoError(t, json.Unmarshal(out, &said), "%s", out)
	text, err := os.ReadFile(said.Log)
	require.NoError(t, err)
	var ops []op
	for line := range bytes.Lines(text) {
		var o op
		require.NoError(t, json.Unmarshal(line, &o))
		ops = append(ops, o)
	}
	require.NotEmpty(t, ops)
	return ops
}

// shared is the directory of contract and testbed, beside the module's root.
func shared() string {
	if s := os.Getenv("DIRBRIDGE_SHARED"); s != "" {
		return s
	}
	return filepath.Join("..", "..", "..", "shared")
}
