package graphsim_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
)

// A sim is a tenant behind HTTP, every exchange with it checked against the
// contract.
type sim struct {
	*graphsim.Tenant
	t      *testing.T
	url    string
	client *http.Client
	header http.Header // of every request
}

// open serves a tenant with the verified domain contoso.com, unless opts says
// otherwise.
func open(t *testing.T, opts *graphsim.Options) *sim {
	t.Helper()
	tenant := newTenant(opts)
	srv := httptest.NewServer(contract.Middleware(t, tenant.Handler()))
	t.Cleanup(srv.Close)
	s := &sim{Tenant: tenant, t: t, url: srv.URL + "/v1.0", client: srv.Client(), header: http.Header{}}
	s.header.Set("Authorization", "Bearer "+tenant.Token())
	return s
}

// bubble is open without a network, for tests in a synctest bubble.
func bubble(t *testing.T, opts *graphsim.Options) *sim {
	t.Helper()
	tenant := newTenant(opts)
	s := &sim{Tenant: tenant, t: t, url: "https://graph.example/v1.0", header: http.Header{},
		client: &http.Client{Transport: contract.Transport(t, tenant.Transport())}}
	s.header.Set("Authorization", "Bearer "+tenant.Token())
	return s
}

func newTenant(opts *graphsim.Options) *graphsim.Tenant {
	o := graphsim.Options{}
	if opts != nil {
		o = *opts
	}
	if o.Domains == nil {
		o.Domains = []string{"contoso.com"}
	}
	return graphsim.New(&o)
}

// An answer is a reply with its JSON decoded.
type answer struct {
	status int
	header http.Header
	raw    string
	body   map[string]any
}

func (a answer) str(name string) string { s, _ := a.body[name].(string); return s }

// value returns the objects of a list.
func (a answer) value() (out []map[string]any) {
	list, _ := a.body["value"].([]any)
	for _, v := range list {
		out = append(out, v.(map[string]any))
	}
	return out
}

func (a answer) column(name string) (out []any) {
	for _, v := range a.value() {
		out = append(out, v[name])
	}
	return out
}

// fault returns code and message of an error.
func (a answer) fault() (code, message string) {
	e, _ := a.body["error"].(map[string]any)
	code, _ = e["code"].(string)
	message, _ = e["message"].(string)
	return code, message
}

// details returns the details of an error as "code target".
func (a answer) details() (out []string) {
	e, _ := a.body["error"].(map[string]any)
	list, _ := e["details"].([]any)
	for _, v := range list {
		d := v.(map[string]any)
		out = append(out, fmt.Sprint(d["code"], " ", d["target"]))
	}
	return out
}

func (s *sim) request(method, path string, body any, header ...string) *http.Request {
	s.t.Helper()
	var in io.Reader
	if body != nil {
		raw, ok := body.(string)
		if !ok {
			b, err := json.Marshal(body)
			require.NoError(s.t, err)
			raw = string(b)
		}
		in = strings.NewReader(raw)
	}
	if !strings.HasPrefix(path, "http") {
		path = s.url + path
	}
	r, err := http.NewRequestWithContext(s.t.Context(), method, path, in)
	require.NoError(s.t, err)
	for k, v := range s.header {
		r.Header[k] = v
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Set(header[i], header[i+1])
		}
	}
	return r
}

// try sends a request that may fail on the way.
func (s *sim) try(method, path string, body any, header ...string) (answer, error) {
	s.t.Helper()
	resp, err := s.client.Do(s.request(method, path, body, header...))
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: resp.StatusCode, header: resp.Header, raw: string(raw)}
	if len(bytes.TrimSpace(raw)) > 0 && resp.Header.Get("Content-Encoding") == "" && strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (s *sim) do(method, path string, body any, header ...string) answer {
	s.t.Helper()
	a, err := s.try(method, path, body, header...)
	require.NoError(s.t, err)
	return a
}

// wrong sends a request that the contract forbids, to see it refused.
func (s *sim) wrong(method, path string, body any, header ...string) answer {
	s.t.Helper()
	return s.do(method, path, body, append(header, contract.ExemptHeader, "request")...)
}

// person is the body of a valid create; more overrides, nil removes.
func person(upn string, more ...map[string]any) map[string]any {
	name, _, _ := strings.Cut(upn, "@")
	p := map[string]any{
		"accountEnabled": true, "displayName": name, "mailNickname": strings.ReplaceAll(name, "'", ""), "userPrincipalName": upn,
		"passwordProfile": map[string]any{"password": "Correct-Horse-7"},
	}
	for _, m := range more {
		for k, v := range m {
			if v == nil {
				delete(p, k)
			} else {
				p[k] = v
			}
		}
	}
	return p
}

// create makes a user and returns its id.
func (s *sim) create(upn string, more ...map[string]any) string {
	s.t.Helper()
	a := s.do("POST", "/users", person(upn, more...))
	require.Equal(s.t, 201, a.status, a.raw)
	return a.str("id")
}

type props = map[string]any
