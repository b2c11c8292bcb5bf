package graphtarget_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// A fake is a Graph that answers by a script, and keeps what it was asked. It
// takes the place of a connection.
type fake struct {
	answer func(n int, r asked) (*http.Response, error)

	mu   sync.Mutex
	seen []asked
}

type asked struct {
	*http.Request
	body string
}

func (f *fake) RoundTrip(r *http.Request) (*http.Response, error) {
	a := asked{Request: r}
	if r.Body != nil {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		a.body = string(b)
	}
	f.mu.Lock()
	f.seen = append(f.seen, a)
	n := len(f.seen)
	f.mu.Unlock()
	res, err := f.answer(n, a)
	if res != nil {
		res.Request = r
	}
	return res, err
}

// calls returns what was asked so far, as "METHOD path".
func (f *fake) calls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, a := range f.seen {
		out = append(out, a.Method+" "+a.URL.Path)
	}
	return out
}

func (f *fake) asked(n int) asked {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen[n-1]
}

// says is a response with a body and headers, given in pairs.
func says(status int, body string, headers ...string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}, "Request-Id": {"11111111-2222-3333-4444-555555555555"}}
	for i := 0; i < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func always(status int, body string, headers ...string) *fake {
	return &fake{answer: func(int, asked) (*http.Response, error) { return says(status, body, headers...), nil }}
}

// graphError is an error body as Graph writes it.
func graphError(code, message string, details ...string) string {
	e := map[string]any{"code": code, "message": message, "innerError": map[string]any{
		"date": "2026-11-22T10:00:00", "request-id": "11111111-2222-3333-4444-555555555555",
	}}
	var ds []map[string]string
	for i := 0; i < len(details); i += 2 {
		ds = append(ds, map[string]string{"code": details[i], "target": details[i+1], "message": message})
	}
	if ds != nil {
		e["details"] = ds
	}
	b, err := json.Marshal(map[string]any{"error": e})
	if err != nil {
		panic(err)
	}
	return string(b)
}

func over(t *testing.T, f http.RoundTripper, o *graphtarget.Options) *graphtarget.Target {
	t.Helper()
	var c graphtarget.Options
	if o != nil {
		c = *o
	}
	if c.Endpoint == "" {
		c.Endpoint = loopback
	}
	c.HTTPClient = &http.Client{Transport: f}
	tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken("token-canary"), &c)
	require.NoError(t, err)
	return tg
}

const someID = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
