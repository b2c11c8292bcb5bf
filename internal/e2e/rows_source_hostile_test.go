package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// naughty are strings that break programs.
var naughty = []string{
	"NUL \x00 in the middle", "\x00", "line\r\nfeed: injected", "line\nfeed", "tab\tvtab\vff\f", "bell\a backspace\b escape\x1b[31mred\x1b[0m",
	"C1 \u0085 \u009b31m", "right to left \u202egnp.exe", "isolate \u2066x\u2069", "zero\u200bwidth\u200djoiner", "\ufeffBOM", "line\u2028separator\u2029",
	"аdmin with a Cyrillic a", "ＦＵＬＬＷＩＤＴＨ", "ßẞıİſK", "combining e\u0301\u0301\u0301", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞a", "👩‍👩‍👧‍👦🏳️‍🌈", "🇺🇳🇩🇪", "田中さん", "הָיְתָה", "مُنَاقَشَةُ",
	"'; DROP TABLE users;--", `"}],"fake":true,"x":[{"`, "<script>alert(1)</script>", "{{7*7}}${7*7}#{7*7}", "%s%n%x%d", "%00%0d%0a", "$(touch /tmp/x)`id`",
	"*)(objectClass=*", `\2a\28\29`, `CN=x,OU=y\, z`, "#leading", " leading and trailing ", "+;,<>=\"", "../../etc/passwd", `C:\con\nul`, "COM1", "null", "undefined",
	"true", "NaN", "-0", "1e309", "0x41", "＇", "\u2019", "a@b@c", "@", ".", "..", "a..b@contoso.com", "-", strings.Repeat("x", 256), strings.Repeat("ö", 256),
	strings.Repeat("👍", 64), strings.Repeat("\u202e", 40), "\U000e0001\U000e0041 tags", "\ufffe\uffff", "smtp:x@contoso.com", "SystemMailbox{x}", "=cmd|' /C calc'!A0",
}

// raw reports what a log must not hold unescaped.
func raw(r rune) bool {
	return r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune("\u2028\u2029\u200b\u200d\ufeff", r))
}

// requireSurvived runs an engine from src with everybody naughty in it, and
// looks at what it logs and reports.
func requireSurvived(t *testing.T, add func(attrs map[string][]string) error, open func(*slog.Logger) *ldapsource.Source) {
	t.Helper()
	taken, refused := 0, 0
	for i, text := range naughty {
		for _, attr := range []string{"displayName", "title", "givenName", "userPrincipalName", "mail", "otherMailbox", "employeeID"} {
			// Everything else about them is good.
			a := map[string][]string{"objectClass": {"user"}, "sAMAccountName": {fmt.Sprintf("n%03d%s", i, attr[:3])}, "displayName": {"Person"}, "userAccountControl": {"514"}}
			if a[attr] = []string{text}; attr == "userPrincipalName" && !strings.Contains(text, "@") {
				a[attr] = []string{text + "@contoso.com"}
			}
			if err := add(a); err != nil {
				refused++
				continue
			}
			taken++
		}
	}
	t.Logf("the directory takes %d and refuses %d", taken, refused)
	require.Greater(t, taken, 5*len(naughty))
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	src := open(logger)
	tgt := memtarget.New("contoso", nil)
	tgt.VerifyDomain("contoso.com")
	eng, err := dirsync.New(src, tgt, memstate.New(), &dirsync.Options{Logger: logger})
	require.NoError(t, err)
	for range 2 {
		rep, err := eng.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, taken, tgt.Len()+unmapped(t, rep, tgt), "each has an account or a problem of its own")
		for _, p := range rep.Problems {
			require.False(t, strings.ContainsFunc(p.Message+p.Remedy, raw), "%q", p.Message)
		}
		for _, o := range tgt.Objects() {
			require.Regexp(t, `^[A-Za-z0-9'._\-!#^~]+@[a-z.]+$`, o.Attributes.First("userPrincipalName"))
		}
	}
	for line := range bytes.Lines(log.Bytes()) {
		require.True(t, json.Valid(line))
		require.False(t, strings.ContainsFunc(string(line), raw), "%q", line)
	}
	ctx := t.Context()
	for _, text := range naughty { // names are data, never a filter's text
		ids, err := src.Resolve(ctx, text)
		require.NoError(t, err)
		require.LessOrEqual(t, len(ids), 2, "%q: one by login name, one by mail", text)
	}
}

// unmapped counts the objects with a problem that got no account.
func unmapped(t *testing.T, rep *dirsync.Report, tgt *memtarget.Target) int {
	has := map[string]bool{}
	for _, o := range tgt.Objects() {
		has[o.Anchor] = true
	}
	without := map[string]bool{}
	for _, p := range rep.Problems {
		g, err := adsim.ParseGUID(string(p.Object))
		require.NoError(t, err)
		if anchor := base64.StdEncoding.EncodeToString(g[:]); !has[anchor] {
			without[anchor] = true
		}
	}
	return len(without)
}

func TestS19_NaughtyStringsHarmNobody(t *testing.T) {
	c := newCompany(t, companyOptions{})
	n := 0
	requireSurvived(t, func(a map[string][]string) error {
		n++
		_, err := c.dir.Add(fmt.Sprintf("CN=naughty %d,%s", n, c.in), adsim.Attrs(a))
		return err
	}, func(l *slog.Logger) *ldapsource.Source {
		c.use(companyOptions{})
		return c.src
	})
}

// ouOf makes an organizational unit of the test's own in a real domain.
func (b *testbed) ouOf(t *testing.T) (*ldap.Conn, string) {
	conn := b.connect(t)
	ou := fmt.Sprintf("OU=Row %08x,%s", rand.Uint32(), b.base)
	r := ldap.NewAddRequest(ou, nil)
	r.Attribute("objectClass", []string{"organizationalUnit"})
	require.NoError(t, conn.Add(r))
	t.Cleanup(func() {
		require.NoError(t, conn.Del(ldap.NewDelRequest(ou, []ldap.Control{ldap.NewControlSubtreeDelete()})))
		_ = conn.Close()
	})
	return conn, ou
}

// open is a Source of what is below base.
func (a *ad) open(t *testing.T, base string, l *slog.Logger) *ldapsource.Source {
	src, err := ldapsource.New([]string{a.url}, []string{base}, ldapsource.Credentials{User: a.sync.dn, Password: ldapsource.Password(a.sync.password)},
		&ldapsource.Options{RootCAs: a.roots(), Logger: l})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, src.Close()) })
	return src
}

func TestS19_NaughtyStringsHarmNobodyOnTheRealDomainController(t *testing.T) {
	bed := realDC(t)
	conn, ou := bed.ouOf(t)
	n := 0
	requireSurvived(t, func(a map[string][]string) error {
		n++
		r := ldap.NewAddRequest(fmt.Sprintf("CN=naughty %d,%s", n, ou), nil)
		for name, values := range a {
			r.Attribute(name, values)
		}
		return conn.Add(r)
	}, func(l *slog.Logger) *ldapsource.Source { return bed.open(t, ou, l) })
}

// TestS20_WhatIsNobodyIsLeftOut: of a whole domain, the losers of replication
// conflicts, critical system objects, computers and Windows's own accounts get
// no account.
func TestS20_WhatIsNobodyIsLeftOut(t *testing.T) {
	bed := realDC(t)
	conn, ou := bed.ouOf(t)
	add := func(dn string, attrs map[string][]string) {
		r := ldap.NewAddRequest(dn, nil)
		for name, values := range attrs {
			r.Attribute(name, values)
		}
		require.NoError(t, conn.Add(r), dn)
	}
	add("CN=Ann,"+ou, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {"row20ann"}, "userPrincipalName": {"row20ann@contoso.com"}, "userAccountControl": {"514"}})
	add(`CN=Ann\0ACNF:b9ab2ef7-091b-50bf-845c-72bb8a00e909,`+ou, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {"row20cnf"}, "userAccountControl": {"514"}})
	add("CN=pc,"+ou, map[string][]string{"objectClass": {"computer"}, "sAMAccountName": {"row20pc$"}, "userAccountControl": {"4096"}})
	add("CN=user that is a pc,"+ou, map[string][]string{"objectClass": {"user"}, "sAMAccountName": {"row20upc$"}, "userAccountControl": {"514"}})
	tgt := memtarget.New("contoso", nil)
	tgt.VerifyDomain("contoso.com")
	eng, err := dirsync.New(bed.open(t, bed.base, nil), tgt, memstate.New(), nil)
	require.NoError(t, err)
	rep, err := eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Greater(t, rep.Created, realPeople-1)
	var names []string
	for _, o := range tgt.Objects() {
		names = append(names, strings.ToLower(o.Attributes.First("userPrincipalName")))
	}
	require.Contains(t, names, "row20ann@contoso.com")
	for _, n := range names {
		for _, never := range []string{"row20cnf", "row20pc", "row20upc", "krbtgt", "guest", "administrator", "dc1"} {
			require.False(t, strings.HasPrefix(n, never+"@") || strings.HasPrefix(n, never+"$"), n)
		}
	}
	for _, p := range rep.Problems {
		require.NotContains(t, p.Name, "CNF:")
	}
	again, err := eng.Sync(t.Context(), &dirsync.Request{Full: true})
	require.NoError(t, err)
	require.Zero(t, again.Changed())
}
