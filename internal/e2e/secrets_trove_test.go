package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A trove knows the secrets of a test, and everything that came out.
type trove struct {
	mu      sync.Mutex
	secrets map[string]string // value by what it is
	out     map[string]*bytes.Buffer
	allowed map[string][]string // what may be at which places
}

func newTrove() *trove { return &trove{secrets: map[string]string{}, out: map[string]*bytes.Buffer{}} }

// keep makes value a secret.
func (tr *trove) keep(what, value string) string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.secrets[what] = value
	return value
}

// heard takes in what came out at a place, in every form in which Go shows it.
func (tr *trove) heard(where string, v any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	b := tr.out[where]
	if b == nil {
		b = &bytes.Buffer{}
		tr.out[where] = b
	}
	switch v := v.(type) {
	case nil:
	case string:
		b.WriteString(v)
	case []byte:
		b.Write(v)
	default:
		fmt.Fprintf(b, "%v\n%+v\n%#v\n%s\n", v, v, v, v)
		if j, err := json.Marshal(v); err == nil {
			b.Write(j)
		}
	}
	b.WriteByte('\n')
}

// A place is an io.Writer into the trove.
type place struct {
	*trove
	where string
}

func (p place) Write(b []byte) (int, error) { p.heard(p.where, b); return len(b), nil }

// logger logs everything there is, in both forms.
func (tr *trove) logger(where string, asJSON bool) *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelDebug - 4, AddSource: true}
	if asJSON {
		return slog.New(slog.NewJSONHandler(place{tr, where}, o))
	}
	return slog.New(slog.NewTextHandler(place{tr, where}, o))
}

// forms are the ways in which a secret could get out.
func forms(secret string) map[string]string {
	all := map[string]string{
		"as it is":    secret,
		"hex":         hex.EncodeToString([]byte(secret)),
		"HEX":         strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"URL-escaped": url.QueryEscape(secret),
		"in a path":   url.PathEscape(secret),
		"reversed":    reversed(secret),
	}
	if j, err := json.Marshal(secret); err == nil {
		all["JSON"] = strings.Trim(string(j), `"`)
	}
	quoted := fmt.Sprintf("%q", secret)
	all["quoted"] = quoted[1 : len(quoted)-1]
	all["bytes"] = strings.Trim(fmt.Sprint([]byte(secret)), "[]")
	for shift := range 3 { // base64 of a text that has the secret in it, wherever
		b := base64.StdEncoding.EncodeToString(append(bytes.Repeat([]byte{'x'}, shift), secret...))
		from, to := (shift*8+5)/6, len(b)-4
		all[fmt.Sprint("base64, shifted by ", shift)] = b[from:to]
		all[fmt.Sprint("base64url, shifted by ", shift)] = strings.NewReplacer("+", "-", "/", "_").Replace(b[from:to])
	}
	return all
}

func reversed(s string) string {
	b := []byte(s)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	return string(b)
}

// search demands that no secret got out at any place.
func (tr *trove) search(t *testing.T) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	require.NotEmpty(t, tr.secrets)
	total := 0
	for where, out := range tr.out {
		total += out.Len()
		for what, secret := range tr.secrets {
			if slices.Contains(tr.allowed[what], where) {
				continue
			}
			require.GreaterOrEqual(t, len(secret), 12, "%s: too short to be found", what)
			for form, s := range forms(secret) {
				if i := bytes.Index(out.Bytes(), []byte(s)); i >= 0 {
					from, to := max(0, i-300), min(out.Len(), i+len(s)+100)
					t.Errorf("%s, %s, came out at %s: ...%s...", what, form, where, out.Bytes()[from:to])
				}
			}
		}
	}
	t.Logf("%d secrets looked for in %d bytes of %d places", len(tr.secrets), total, len(tr.out))
}

// The search finds what it is to find.
func TestA15_TheSearchForSecretsFindsThemInEveryForm(t *testing.T) {
	const secret = `Canary/"Secret+1 $ü`
	for _, text := range []string{
		"x" + secret + "y", hex.EncodeToString([]byte("abc" + secret)), base64.StdEncoding.EncodeToString([]byte("1" + secret + "234")),
		base64.StdEncoding.EncodeToString([]byte("12" + secret)), base64.RawURLEncoding.EncodeToString([]byte("123" + secret + "zz")),
		"https://x.example/?client_secret=" + url.QueryEscape(secret) + "&y", fmt.Sprintf("%q", secret),
		fmt.Sprintf("%v", []byte("a"+secret)), `{"a":` + string(must(json.Marshal(secret))) + `}`,
	} {
		found := false
		for _, s := range forms(secret) {
			found = found || strings.Contains(text, s)
		}
		require.True(t, found, text)
	}
}

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}
