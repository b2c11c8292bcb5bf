package graphtarget_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// A Graph that sends us elsewhere in every way there is: the other host, on a
// connection of its own, sees nothing at all, and so no token.
func TestA12_NoRequestGoesToAnotherHostWhateverGraphSays(t *testing.T) {
	var strayed atomic.Int32
	evil := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { strayed.Add(1) }))
	defer evil.Close()
	link := evil.URL + "/v1.0/users?$skiptoken=x"
	user := fmt.Sprintf(`{"id":%q,"@odata.id":%q,"@odata.nextLink":%q}`, someID, link, link)
	var reply func(w http.ResponseWriter, r *http.Request)
	graph := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		reply(w, r)
	}))
	defer graph.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken("canary"), &graphtarget.Options{
		Endpoint: graph.URL + "/v1.0", SettleTimeout: time.Millisecond, HTTPClient: &http.Client{Transport: transport},
	})
	require.NoError(t, err)
	gone := update
	gone.Op = target.Delete
	for name, r := range map[string]func(http.ResponseWriter){
		"next link": func(w http.ResponseWriter) { fmt.Fprintf(w, `{"value":[%s],"@odata.nextLink":%q}`, user, link) },
		"location of what was made": func(w http.ResponseWriter) {
			w.Header().Set("Location", link)
			w.Header().Set("Content-Location", link)
			w.WriteHeader(201)
			_, _ = io.WriteString(w, user)
		},
		"another way, refused": func(w http.ResponseWriter) {
			w.Header().Set("Location", link)
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(400)
			_, _ = io.WriteString(w, graphError("Request_BadRequest", "see "+link))
		},
		"a batch whose parts redirect": func(w http.ResponseWriter) {
			fmt.Fprintf(w, `{"responses":[{"id":"1","status":400,"headers":{"Location":%q}},{"id":"2","status":201,"headers":{"Location":%q},"body":%s}],"@odata.nextLink":%q}`,
				link, link, user, link)
		},
		"a challenge": func(w http.ResponseWriter) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer authorization_uri=%q, claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`, evil.URL))
			w.WriteHeader(401)
		},
		"an alternative service": func(w http.ResponseWriter) {
			w.Header().Set("Alt-Svc", fmt.Sprintf(`h2=%q`, strings.TrimPrefix(evil.URL, "http://")))
			w.Header().Set("Refresh", "0; url="+link)
			fmt.Fprintf(w, `{"value":[%s]}`, user)
		},
	} {
		reply = func(w http.ResponseWriter, _ *http.Request) { r(w) }
		for _, ask := range []func(context.Context){
			func(ctx context.Context) {
				for range tg.Current(ctx) {
					continue
				}
			},
			func(ctx context.Context) {
				_, _ = tg.Find(ctx, target.User, []target.Key{{Anchor: "QQ=="}, {ID: someID}})
			},
			func(ctx context.Context) {
				_, _ = tg.Find(ctx, target.User, []target.Key{{UserPrincipalName: "ann@contoso.com"}})
			},
			func(ctx context.Context) { _, _ = tg.FindDeleted(ctx, target.User, someID) },
			func(ctx context.Context) { _, _ = tg.Domains(ctx) },
			func(ctx context.Context) { _, _ = tg.Apply(ctx, gone) },
			func(ctx context.Context) { _ = tg.ApplyBatch(ctx, []target.Change{update, gone}) },
		} {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond) // what fails is tried again for a while
			ask(ctx)
			cancel()
		}
		require.Zero(t, strayed.Load(), name)
	}
	for _, status := range []int{301, 302, 303, 307, 308} { // one try: redirected writes are tried again for a while
		reply = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, link, status) }
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, _ = tg.Apply(ctx, update)
		_, _ = tg.Domains(ctx)
		cancel()
		require.Zero(t, strayed.Load(), status)
	}
}

// FuzzFilter: whatever a value holds, it stays the value of its comparison.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"' or 1 eq 1 or '", "a'b", "''", "%27", "&$filter=id ne null", "#", "?", "\\'", "x') or (y eq '", "é\u2019"} {
		f.Add(s)
	}
	tn := contoso(graphsim.Options{})
	for i := range 3 {
		_, err := tn.AddUser(map[string]any{"userPrincipalName": fmt.Sprintf("bystander%d@contoso.com", i), "mail": fmt.Sprintf("bystander%d@contoso.com", i)})
		require.NoError(f, err)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if value == "" || strings.HasPrefix(strings.ToLower(value), "bystander") {
			return
		}
		tg := openBy(t, tn, tn.Transport(), nil)
		for _, k := range []target.Key{{Anchor: value}, {UserPrincipalName: value}, {Mail: value}, {ID: target.ID(value)}} {
			found, err := tg.Find(t.Context(), target.User, []target.Key{k})
			if err == nil {
				require.Empty(t, found[0], "%+v finds somebody", k)
			}
		}
	})
}

func TestA13_AListThatGoesInACircleIsAnError(t *testing.T) {
	f := &fake{answer: func(n int, _ asked) (*http.Response, error) {
		return says(200, fmt.Sprintf(`{"value":[{"id":"%d"}],"@odata.nextLink":"%s/users?page=%d"}`, n, loopback, n%3)), nil
	}}
	var failed error
	for _, err := range over(t, f, nil).Current(t.Context()) {
		failed = err
	}
	require.ErrorIs(t, failed, target.ErrUnavailable)
	require.ErrorContains(t, failed, "circle")
	require.LessOrEqual(t, len(f.calls()), 5)
}

func TestA13_AGiantErrorIsBoundedInMemoryAndInText(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"error":{"code":"`)
		_, _ = io.CopyN(w, blanks{}, 256<<20)
	}))
	defer server.Close()
	transport := &http.Transport{}
	tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken("x"), &graphtarget.Options{
		Endpoint: server.URL + "/v1.0", MaxReplyBytes: 1 << 20, HTTPClient: &http.Client{Transport: transport},
	})
	require.NoError(t, err)
	defer transport.CloseIdleConnections()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = tg.Apply(t.Context(), update)
	runtime.ReadMemStats(&after)
	require.Error(t, err)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "of 256 MiB")
	require.Less(t, len(err.Error()), 1000)

	long := strings.Repeat("VeryLongCode", 1<<16)
	_, err = over(t, always(400, graphError(long, long, long, long, long, long)), nil).Apply(t.Context(), update)
	require.ErrorIs(t, err, target.ErrInvalid)
	require.Less(t, len(err.Error()), 1000)
}

func TestA13_AReplyThatDripsEndsWithTheRequestsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tn := contoso(graphsim.Options{})
		tn.SetFault(func(graphsim.Op) *graphsim.Fault {
			return &graphsim.Fault{Apply: true, Break: graphsim.Drip, Pace: time.Minute}
		})
		tg := openBy(t, tn, tn.Transport(), &graphtarget.Options{RequestTimeout: 90 * time.Second})
		start := time.Now()
		_, err := tg.Domains(t.Context())
		require.ErrorIs(t, err, target.ErrUnavailable)
		require.Less(t, time.Since(start), 15*time.Minute, "six tries")
	})
}

// What proves the application by its certificate: the key, the password of its
// file, and the assertion that is made of the key.
func TestA15_NothingOfACertificateComesOut(t *testing.T) {
	const passphrase = "Canary-Passphrase-9!"
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	der := pkcs8(t, key)
	secrets := []string{passphrase, base64.StdEncoding.EncodeToString(der)[400:440], string(der[400:440]), key.D.String()[:30]}
	hidden := func(text string) {
		t.Helper()
		for _, s := range secrets {
			require.NotContains(t, text, s)
		}
	}
	file := pemFile(t)
	for _, broken := range [][]byte{nil, []byte(passphrase), append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), passphrase...),
		pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: der}), append([]byte("0\x82"), der...)} {
		_, err := graphtarget.Certificate(tenantID, someID, broken, passphrase, nil)
		require.Error(t, err)
		hidden(fmt.Sprintf("%v %+v %#v", err, err, err))
	}
	synctest.Test(t, func(t *testing.T) {
		var assertions []string
		login := &http.Client{Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			switch {
			case strings.Contains(r.URL.Path, "/discovery/instance"):
				return answerTo(r, 200, `{"tenant_discovery_endpoint":"https://login.microsoftonline.com/x/v2.0/.well-known/openid-configuration","metadata":[]}`), nil
			case strings.HasSuffix(r.URL.Path, "openid-configuration"):
				return answerTo(r, 200, `{"token_endpoint":"https://login.microsoftonline.com/x/token","authorization_endpoint":"https://login.microsoftonline.com/x/a","issuer":"https://login.microsoftonline.com/x"}`), nil
			}
			require.NoError(t, r.ParseForm())
			assertion := r.PostForm.Get("client_assertion")
			require.NotEmpty(t, assertion)
			assertions = append(assertions, assertion)
			said, err := json.Marshal("AADSTS700027: " + assertion)
			require.NoError(t, err)
			return answerTo(r, 401, `{"error":"invalid_client","error_description":`+string(said)+`}`), nil
		})}
		cred, err := graphtarget.Certificate(tenantID, someID, file, "", &graphtarget.CredentialOptions{HTTPClient: login})
		require.NoError(t, err)
		f := always(204, "")
		tg, err := graphtarget.New("contoso.onmicrosoft.com", cred, &graphtarget.Options{HTTPClient: &http.Client{Transport: f}})
		require.NoError(t, err)
		_, err = tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrUnauthenticated)
		require.ErrorContains(t, err, "AADSTS700027")
		require.NotEmpty(t, assertions)
		for _, a := range assertions {
			secrets = append(secrets, a[len(a)-60:])
		}
		block, _ := pem.Decode(file)
		for block != nil && !strings.Contains(block.Type, "KEY") {
			block, _ = pem.Decode(file[len(pem.EncodeToMemory(block)):])
		}
		if block != nil {
			secrets = append(secrets, base64.StdEncoding.EncodeToString(block.Bytes)[400:440])
		}
		hidden(fmt.Sprintf("%v %+v %s %d %v %+v %#v %v", cred, cred, cred, cred, err, err, err, tg))
	})
}

func answerTo(r *http.Request, status int, body string) *http.Response {
	res := says(status, body)
	res.Request = r
	return res
}
