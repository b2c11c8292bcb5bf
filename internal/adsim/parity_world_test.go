package adsim_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/adsim"
)

// A world is one directory that the parity table is played against. Its answers
// are text in which everything that two directories can't have in common
// (GUIDs, SIDs, USNs, times) has a name instead.
type world struct {
	t                   *testing.T
	url, base           string
	config              *tls.Config
	names, passwords    map[string]string // of the accounts admin, sync, reader
	admin, sync, reader *ldap.Conn
	labels              map[string]string // raw objectGUIDs by what the table calls them
	usns                map[string]int64
	cookies             map[string][]byte
}

const parityOU = "OU=Parity"

func (w *world) ou() string           { return parityOU + "," + w.base }
func (w *world) dn(rdn string) string { return rdn + "," + w.ou() }

func (w *world) dial(who string) *ldap.Conn {
	c, err := ldap.DialURL(w.url, ldap.DialWithTLSConfig(w.config))
	require.NoError(w.t, err)
	c.SetTimeout(30 * time.Second)
	w.t.Cleanup(func() { c.Close() })
	if who != "" {
		require.NoError(w.t, c.Bind(w.names[who], w.passwords[who]))
	}
	return c
}

func newWorld(t *testing.T, url, base string, pool *x509.CertPool, names, passwords map[string]string) *world {
	w := &world{
		t: t, url: url, base: base, names: names, passwords: passwords, labels: map[string]string{}, usns: map[string]int64{},
		cookies: map[string][]byte{}, config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}
	w.admin, w.sync, w.reader = w.dial("admin"), w.dial("sync"), w.dial("reader")
	return w
}

// simulated is a world of adsim's.
func simulated(t *testing.T, opts *adsim.Options) *world {
	d := adsim.New(opts)
	s, err := adsim.Start("127.0.0.1:0", d)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(s.CAPEM()))
	names := map[string]string{"admin": d.AccountDN(adsim.AdminName), "sync": d.AccountDN(adsim.SyncName), "reader": d.AccountDN(adsim.ReaderName)}
	passwords := map[string]string{"admin": adsim.AdminPassword, "sync": adsim.SyncPassword, "reader": adsim.ReaderPassword}
	return newWorld(t, s.URL(), d.BaseDN(), pool, names, passwords)
}

// real is a world behind which a domain controller stands: the one that
// DIRBRIDGE_AD_* names (as `samba-ad.sh env` does), or one that the testbed
// makes for this test.
func real(t *testing.T) *world {
	env := map[string]string{}
	for _, line := range os.Environ() {
		if k, v, ok := strings.Cut(line, "="); ok && strings.HasPrefix(k, "DIRBRIDGE_AD_") {
			env[strings.TrimPrefix(k, "DIRBRIDGE_AD_")] = v
		}
	}
	if env["LDAPS_URL"] == "" {
		env = startTestbed(t)
	}
	pem, err := os.ReadFile(env["CA_FILE"])
	require.NoError(t, err)
	pool := x509.NewCertPool()
	require.True(t, pool.AppendCertsFromPEM(pem))
	names := map[string]string{"admin": env["BIND_DN"], "sync": env["SYNC_DN"], "reader": env["READER_DN"]}
	passwords := map[string]string{"admin": env["BIND_PASSWORD"], "sync": env["SYNC_PASSWORD"], "reader": env["READER_PASSWORD"]}
	return newWorld(t, env["LDAPS_URL"], env["BASE_DN"], pool, names, passwords)
}

// startTestbed runs a domain controller of its own for this test.
func startTestbed(t *testing.T) map[string]string {
	skip := func(why string) {
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	shared := os.Getenv("DIRBRIDGE_SHARED")
	if shared == "" {
		dir, err := os.Getwd()
		require.NoError(t, err)
		for {
			if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
				break
			}
			require.NotEqual(t, dir, filepath.Dir(dir), "go.mod above the package")
			dir = filepath.Dir(dir)
		}
		shared = filepath.Join(dir, "..", "shared")
	}
	script := filepath.Join(shared, "testbed", "samba-ad.sh")
	if _, err := os.Stat(script); err != nil {
		skip("no testbed: " + script)
	}
	if _, err := exec.LookPath("samba"); err != nil || os.Geteuid() != 0 {
		skip("the testbed needs root and Samba's packages (samba-ad.sh install)")
	}
	dir, err := os.MkdirTemp("", "adsim-dc")
	require.NoError(t, err)
	t.Cleanup(func() {
		if out, err := exec.Command("bash", script, "destroy", dir).CombinedOutput(); err != nil {
			t.Logf("destroy %s: %v\n%s", dir, err, out)
		}
		os.RemoveAll(dir)
	})
	start := exec.Command("bash", script, "start", dir)
	start.Stderr = io.Discard
	require.NoError(t, start.Run(), "samba-ad.sh start")
	out, err := exec.Command("bash", script, "env", dir).Output()
	require.NoError(t, err)
	env := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if k, v, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			env[k] = strings.Trim(v, "'")
		}
	}
	return env
}

// code is how an operation ended.
func code(err error) string {
	if err == nil {
		return "success"
	}
	var e *ldap.Error
	if !errors.As(err, &e) {
		return "no LDAP result: " + err.Error()
	}
	if errors.Is(e.Err, net.ErrClosed) || e.ResultCode >= 200 {
		return "connection or client error " + fmt.Sprint(e.ResultCode)
	}
	return ldap.LDAPResultCodeMap[e.ResultCode]
}

// control is a control by its OID, critical, without a value.
func control(oid string) ldap.Control {
	switch oid {
	case ldap.ControlTypeMicrosoftShowDeleted:
		return &rawControl{oid: oid}
	}
	return &rawControl{oid: oid}
}

// learn remembers an object's GUID under a name.
func (w *world) learn(label, dn string) {
	r, err := w.admin.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"objectGUID"}, nil))
	require.NoError(w.t, err, dn)
	w.labels[string(r.Entries[0].GetRawAttributeValue("objectGUID"))] = label
}

func (w *world) guid(label string) string {
	for raw, l := range w.labels {
		if l == label {
			return raw
		}
	}
	w.t.Fatalf("no object %s", label)
	return ""
}

func (w *world) guidDN(label string) string {
	g := adsim.GUID([]byte(w.guid(label)))
	return "<GUID=" + g.String() + ">"
}

// search is a search's answer as text.
func (w *world) search(c *ldap.Conn, base string, scope int, filter string, attrs []string, controls ...ldap.Control) string {
	r, err := c.Search(ldap.NewSearchRequest(base, scope, 0, 0, 0, false, filter, attrs, controls))
	if r == nil {
		return code(err)
	}
	return w.text(r.Entries, false) + code(err)
}

// find is search below the table's own OU, as the administrator.
func (w *world) find(filter string, attrs ...string) string {
	return w.search(w.admin, w.ou(), ldap.ScopeWholeSubtree, filter, attrs)
}

// dirSync reads on from the cookie kept under name. Only objects that the table
// knows are in the text.
func (w *world) dirSync(c *ldap.Conn, name string, flags int64, filter string, attrs []string) string {
	var all []*ldap.Entry
	for {
		r, err := c.DirSync(ldap.NewSearchRequest(w.base, ldap.ScopeWholeSubtree, 0, 0, 0, false, filter, attrs, nil), flags, 0, w.cookies[name])
		if err != nil {
			return code(err)
		}
		all = append(all, r.Entries...)
		ctl := ldap.FindControl(r.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
		w.cookies[name] = ctl.Cookie
		if ctl.Flags == 0 {
			return w.text(all, true) + "complete"
		}
	}
}

// text writes entries sorted, with names for what differs by nature.
func (w *world) text(entries []*ldap.Entry, knownOnly bool) string {
	var out []string
	for _, e := range entries {
		if knownOnly && w.labels[string(e.GetRawAttributeValue("objectGUID"))] == "" {
			continue
		}
		var lines []string
		for _, a := range e.Attributes {
			lines = append(lines, "    "+a.Name+": "+strings.Join(w.values(a), " | "))
		}
		slices.Sort(lines)
		out = append(out, "  "+w.plain(e.DN)+"\n"+strings.Join(lines, "\n")+"\n")
	}
	slices.Sort(out)
	return strings.Join(out, "")
}

func (w *world) values(a *ldap.EntryAttribute) []string {
	var out []string
	for _, raw := range a.ByteValues {
		v := string(raw)
		switch strings.ToLower(a.Name) {
		case "objectguid", "parentguid":
			v = "guid of " + w.labels[v]
		case "objectsid":
			v = "sid"
		case "usnchanged", "usncreated":
			v = "usn"
		case "whenchanged", "whencreated":
			v = "time " + fmt.Sprint(len(v))
		case "ms-ds-consistencyguid":
			v = hex.EncodeToString(raw)
		default:
			v = w.plain(v)
		}
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

// plain replaces GUIDs and the domain in text.
func (w *world) plain(v string) string {
	for raw, label := range w.labels {
		g := adsim.GUID([]byte(raw))
		v = strings.ReplaceAll(v, g.String(), "{"+label+"}")
		v = strings.ReplaceAll(v, hex.EncodeToString([]byte(raw)), "{hex "+label+"}")
	}
	v = sidHex.ReplaceAllString(v, "<SID=…>")
	return strings.ReplaceAll(v, w.base, "BASE")
}
