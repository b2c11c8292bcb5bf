package ldapsource_test

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// A testbed is a real domain controller, ../shared/testbed/samba-ad.sh in a
// directory. DIRBRIDGE_AD_DIR names one to be used and left running, which
// should have been seeded; otherwise one is made for the whole test binary.
type testbed struct {
	script, dir string
	env         map[string]string
	people      int
}

var theDC struct {
	once sync.Once
	bed  *testbed
	skip string
	err  error
	own  bool
}

func TestMain(m *testing.M) {
	code := m.Run()
	if theDC.own {
		_ = exec.Command(theDC.bed.script, "destroy", theDC.bed.dir).Run()
		_ = os.RemoveAll(theDC.bed.dir)
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// dc is the domain controller of this test binary. Without Samba or the testbed
// the test is skipped, which under CI=true is a failure.
func dc(t testing.TB) *testbed {
	t.Helper()
	theDC.once.Do(startDC)
	if theDC.skip != "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("CI needs a real domain controller: " + theDC.skip)
		}
		t.Skip("no real domain controller: " + theDC.skip)
	}
	require.NoError(t, theDC.err)
	return theDC.bed
}

func startDC() {
	shared := os.Getenv("DIRBRIDGE_SHARED")
	if shared == "" {
		wd, _ := os.Getwd()
		for dir := wd; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				shared = filepath.Join(dir, "..", "shared")
				break
			}
		}
	}
	bed := &testbed{script: filepath.Join(shared, "testbed", "samba-ad.sh"), dir: os.Getenv("DIRBRIDGE_AD_DIR"), people: 1000}
	if _, err := os.Stat(bed.script); err != nil {
		theDC.skip = "../shared/testbed isn't here (DIRBRIDGE_SHARED names another place)"
		return
	}
	if _, err := exec.LookPath("samba"); err != nil || os.Getuid() != 0 {
		theDC.skip = "it needs Samba and root (samba-ad.sh install)"
		return
	}
	theDC.bed = bed
	if bed.dir == "" {
		if bed.dir, theDC.err = os.MkdirTemp("", "ldapsource-dc-"); theDC.err != nil {
			return
		}
		theDC.own = true
		for _, args := range [][]string{{"start", bed.dir}, {"seed", bed.dir, fmt.Sprint(bed.people)}} {
			if out, err := exec.Command(bed.script, args...).CombinedOutput(); err != nil {
				theDC.err = fmt.Errorf("samba-ad.sh %v: %w: %s", args, err, out)
				return
			}
		}
	}
	theDC.err = bed.load()
}

// load asks the testbed where it is.
func (b *testbed) load() error {
	out, err := exec.Command(b.script, "env", b.dir).Output()
	if err != nil {
		return fmt.Errorf("samba-ad.sh env %s: %w", b.dir, err)
	}
	b.env = map[string]string{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), "="); ok {
			b.env[name] = strings.Trim(value, "'")
		}
	}
	return nil
}

// at is another testbed, which runs in dir.
func (b *testbed) at(t testing.TB, dir string) *testbed {
	c := &testbed{script: b.script, dir: dir}
	require.NoError(t, c.load())
	return c
}

// roots are the authorities of the domain controller's certificate.
func (b *testbed) roots(t testing.TB) *x509.CertPool {
	pem, err := os.ReadFile(b.env["CA_FILE"])
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	return pool
}

// as are the credentials of one of the testbed's accounts: BIND (an
// administrator), SYNC or READER.
func (b *testbed) as(who string) ldapsource.Credentials {
	return ldapsource.Credentials{User: b.env[who+"_DN"], Password: ldapsource.Password(b.env[who+"_PASSWORD"])}
}

// source is a Source over ldaps as who, closed when the test ends.
func (b *testbed) source(t testing.TB, who string, change ...func(*ldapsource.Options)) *ldapsource.Source {
	return b.scoped(t, who, b.env["BASE_DN"], change...)
}

func (b *testbed) scoped(t testing.TB, who, base string, change ...func(*ldapsource.Options)) *ldapsource.Source {
	o := &ldapsource.Options{RootCAs: b.roots(t)}
	for _, c := range change {
		c(o)
	}
	s, err := ldapsource.New([]string{b.env["LDAPS_URL"]}, []string{base}, b.as(who), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// search reads as who and returns the lines of ldapsearch's LDIF, unwrapped.
func (b *testbed) search(t testing.TB, who, base string, args ...string) []string {
	t.Helper()
	all := append([]string{"-x", "-LLL", "-o", "ldif-wrap=no", "-E", "pr=1000/noprompt", "-H", b.env["LDAPS_URL"],
		"-D", b.env[who+"_DN"], "-w", b.env[who+"_PASSWORD"], "-b", base}, args...)
	cmd := exec.Command("ldapsearch", all...)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+b.env["CA_FILE"])
	out, err := cmd.Output()
	require.NoError(t, err)
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
