package e2e_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/dirbridge/dirbridge/state/boltstate"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// A wiretap carries requests to the tenant and to the token service, both
// simulated, or answers by itself, as a proxy on the way may, with all that it
// was sent.
type wiretap struct {
	tenant http.RoundTripper
	secret string // what the token service accepts
	token  string // what it issues

	mu    sync.Mutex
	graph func(*http.Request, string) (*http.Response, error) // nil: to the tenant
	login func(*http.Request, string) (*http.Response, error) // nil: as it should be
}

func (w *wiretap) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	graph, login := w.graph, w.login
	w.mu.Unlock()
	if r.URL.Hostname() != "127.0.0.1" {
		return w.tokens(r, login)
	}
	if graph == nil {
		return w.tenant.RoundTrip(r)
	}
	return graph(r, heardFrom(r))
}

// tokens is the token service.
func (w *wiretap) tokens(r *http.Request, login func(*http.Request, string) (*http.Response, error)) (*http.Response, error) {
	host := "https://" + r.URL.Host
	switch {
	case strings.Contains(r.URL.Path, "/discovery/instance"):
		return answer(r, 200, `{"tenant_discovery_endpoint":"`+host+`/`+initialDomain+`/v2.0/.well-known/openid-configuration",
			"metadata":[{"preferred_network":"`+r.URL.Host+`","preferred_cache":"`+r.URL.Host+`","aliases":["`+r.URL.Host+`"]}]}`), nil
	case strings.HasSuffix(r.URL.Path, "openid-configuration"):
		return answer(r, 200, `{"token_endpoint":"`+host+`/`+initialDomain+`/oauth2/v2.0/token","issuer":"`+host+`/`+initialDomain+`/v2.0",
			"authorization_endpoint":"`+host+`/`+initialDomain+`/oauth2/v2.0/authorize"}`), nil
	}
	sent := heardFrom(r)
	if login != nil {
		return login(r, sent)
	}
	if !strings.Contains(sent, "client_secret=") && !strings.Contains(sent, "client_assertion=") {
		return answer(r, 400, `{"error":"invalid_request"}`), nil
	}
	return answer(r, 200, `{"token_type":"Bearer","expires_in":600,"ext_expires_in":600,"access_token":"`+w.token+`"}`), nil
}

// heardFrom is all that a request says.
func heardFrom(r *http.Request) string {
	var body []byte
	if r.Body != nil {
		body, _ = io.ReadAll(r.Body)
	}
	return r.URL.String() + " " + r.Header.Get("Authorization") + " " + string(body)
}

func answer(r *http.Request, status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}
}

// echoes are answers that give back what was sent.
var echoes = map[string]func(*http.Request, string) (*http.Response, error){
	"a page": func(r *http.Request, said string) (*http.Response, error) {
		return answer(r, 502, "<html>"+said+"</html>"), nil
	},
	"an error": func(r *http.Request, said string) (*http.Response, error) {
		text := string(must(json.Marshal(said)))
		return answer(r, 400, `{"error":{"code":"Request_BadRequest","message":`+text+`,"details":[{"code":"InvalidValue","target":`+text+`,"message":`+text+`}],
			"innerError":{"request-id":`+text+`}},"error_description":`+text+`}`), nil
	},
	"a refusal": func(r *http.Request, said string) (*http.Response, error) {
		res := answer(r, 401, `{"error":"invalid_client","error_description":`+string(must(json.Marshal("AADSTS7000215: "+said)))+`}`)
		res.Header.Set("request-id", said)
		res.Header.Set("WWW-Authenticate", `Bearer realm="`+strings.ReplaceAll(said, `"`, "")+`"`)
		return res, nil
	},
	"a redirect": func(r *http.Request, said string) (*http.Response, error) {
		res := answer(r, 307, "")
		res.Header.Set("Location", "https://evil.example/?"+said)
		return res, nil
	},
	"an error of the connection": func(_ *http.Request, said string) (*http.Response, error) { return nil, errors.New(said) },
	"success that isn't":         func(r *http.Request, said string) (*http.Response, error) { return answer(r, 200, said), nil },
	"a crash":                    func(_ *http.Request, said string) (*http.Response, error) { panic(said) },
}

func random(prefix string) string { return prefix + rand.Text() }

// The whole engine, from a directory by LDAP to a tenant by HTTP, with a canary
// in every place where a secret can be, while everything goes wrong that can.
func TestA15_NoSecretComesOutAnywhereWhateverGoesWrong(t *testing.T) {
	tr := newTrove()
	path := filepath.Join(t.TempDir(), "state.db")
	synctest.Test(t, func(t *testing.T) {
		bind := tr.keep("the bind password", random(`Canary/Bind+" $`))
		secret := tr.keep("the client secret", random("canary~Secret.&="))
		token := tr.keep("the access token", random("eyJ0eXAi.canary-token."))
		accounts := adsim.DefaultAccounts()
		accounts[1].Password = bind
		dir := adsim.New(&adsim.Options{Accounts: accounts})
		require.NoError(t, dir.SeedPeople(25, seed(t)))
		srv, err := adsim.NewServer(dir)
		require.NoError(t, err)
		tenant := graphsim.New(&graphsim.Options{Initial: initialDomain, Domains: []string{"contoso.com"}, Token: token, Seed: 1})
		tap := &wiretap{tenant: tenant.Transport(), secret: secret, token: token}
		client := &http.Client{Transport: tap}

		cred, err := graphtarget.ClientSecret(initialDomain, "00000000-0000-0000-0000-000000000001", secret,
			&graphtarget.CredentialOptions{HTTPClient: client})
		require.NoError(t, err)
		made := 0
		var making sync.Mutex
		tgt, err := graphtarget.New(initialDomain, cred, &graphtarget.Options{
			Endpoint: "http://127.0.0.1/v1.0", HTTPClient: client, SettleTimeout: 5 * time.Second,
			NewPassword: func() (graphtarget.Password, error) {
				making.Lock()
				defer making.Unlock()
				made++
				word := tr.keep(fmt.Sprint("initial password ", made), random("Canary-Pw!"))
				if made%11 == 0 {
					return graphtarget.NewPassword(word), errors.New("no entropy after " + word)
				}
				if made%13 == 0 {
					panic(word)
				}
				return graphtarget.NewPassword(word), nil
			},
			OnPassword: func(_ context.Context, _ target.Object, p graphtarget.Password) {
				tr.heard("passwords as printed", p)
				if made%5 == 0 {
					panic(p.Reveal())
				}
			},
		})
		require.NoError(t, err)
		tr.heard("values as printed", cred)
		tr.heard("values as printed", tgt)
		var calls sync.WaitGroup
		src, err := ldapsource.New([]string{"ldaps://localhost"}, []string{dir.BaseDN()},
			ldapsource.Credentials{User: dir.AccountDN(adsim.SyncName), Password: ldapsource.Password(bind)}, &ldapsource.Options{
				RootCAs: srv.TLSConfig().RootCAs, Logger: tr.logger("log of the source", false),
				Dial: func(context.Context, string, string) (net.Conn, error) {
					ours, theirs := net.Pipe()
					calls.Go(func() { srv.ServeConnTLS(theirs) })
					return ours, nil
				},
			})
		require.NoError(t, err)
		tr.heard("values as printed", src)
		store, err := boltstate.Open(path, nil)
		require.NoError(t, err)
		eng, err := dirsync.New(src, tgt, store, &dirsync.Options{
			Logger: tr.logger("log of the engine", true), OnEvent: func(e dirsync.Event) { tr.heard("events", e) },
		})
		require.NoError(t, err)

		churns := uint64(0)
		run := func() error {
			churns++
			_, err := dir.Churn(12, seed(t)+churns)
			require.NoError(t, err)
			for _, full := range []bool{false, true} {
				rep, err := eng.Sync(t.Context(), &dirsync.Request{Full: full, Retry: true})
				tr.heard("errors", err)
				tr.heard("problems", rep.Problems)
				watermark := string(rep.Watermark)
				rep.Watermark = ""
				tr.heard("report", rep)
				if _, cookie, ok := strings.Cut(watermark, `"cookie":"`); ok {
					tr.keep("the DirSync cookie", cookie[:min(len(cookie), strings.IndexByte(cookie, '"'))])
				}
				if err != nil {
					return err
				}
			}
			return nil
		}
		tr.allowed = map[string][]string{"the DirSync cookie": {"state file", "events"}} // it is what a run resumes from

		require.NoError(t, run())
		for what, echo := range echoes {
			for _, strike := range []func(){func() { tap.graph = echo }, func() { tap.login = echo }} {
				time.Sleep(time.Hour) // the token is too old by then
				strike()
				require.Error(t, run(), what)
				tap.graph, tap.login = nil, nil
			}
			require.NoError(t, run())
			// Only what writes.
			tap.graph = func(r *http.Request, said string) (*http.Response, error) {
				if r.Method == http.MethodGet {
					return tenant.Transport().RoundTrip(r)
				}
				return echo(r, said)
			}
			_ = run()
			tap.graph = nil
			time.Sleep(24 * time.Hour)
		}
		for _, f := range []*graphsim.Fault{graphsim.ReplyLost(), graphsim.Broken(graphsim.CutJSON), graphsim.HTML(503), graphsim.GzipBomb(1 << 20)} {
			n := 0
			tenant.SetFault(func(graphsim.Op) *graphsim.Fault {
				if n++; n%2 == 0 {
					return f
				}
				return nil
			})
			_ = run()
			tenant.SetFault(nil)
		}
		for _, f := range []adsim.Fault{
			{Code: ldap.LDAPResultInvalidCredentials, Text: "80090308: no logon as " + bind}, {Code: ldap.LDAPResultUnwillingToPerform, Text: bind},
			{Code: ldap.LDAPResultBusy, Text: bind}, {Cut: true}, {After: 3, Code: ldap.LDAPResultSizeLimitExceeded, Text: bind}, {RejectCookie: true},
		} {
			for _, kind := range []string{"bind", "search"} {
				srv.Inject(func(r adsim.Request) *adsim.Fault {
					if r.Kind == kind {
						return &f
					}
					return nil
				})
				srv.CloseConns()
				_ = run()
				findings, err := src.Check(t.Context())
				tr.heard("findings", findings)
				tr.heard("errors", err)
				srv.Inject(nil)
			}
		}
		require.NoError(t, run())
		require.NotZero(t, made)
		require.Contains(t, tr.secrets, "the DirSync cookie")

		require.NoError(t, src.Close())
		require.NoError(t, tgt.Close())
		require.NoError(t, store.Close())
		require.NoError(t, srv.Close())
		calls.Wait()
	})
	state, err := os.ReadFile(path)
	require.NoError(t, err)
	tr.heard("state file", state)
	tr.search(t)
}
