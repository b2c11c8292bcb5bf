package graphtarget_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func TestTheSDKsRetryHandlerIsAbsent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(429, graphError("TooManyRequests", "x"), "Retry-After", "7")
		tg := over(t, f, &graphtarget.Options{MaxThrottleWait: -1})
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrThrottled)
		require.Len(t, f.calls(), 1, "one 429 is one request")
	})
}

func TestBodiesAreSentUncompressedWithTheirLengthAndOurUserAgent(t *testing.T) {
	f := always(204, "")
	tg := over(t, f, &graphtarget.Options{UserAgent: "acme-sync/2.1"})
	_, err := tg.Apply(t.Context(), update)
	require.NoError(t, err)
	a := f.asked(1)
	require.Empty(t, a.Header.Get("Content-Encoding"))
	again, err := a.GetBody() // for a connection that turns out to be gone
	require.NoError(t, err)
	body, err := io.ReadAll(again)
	require.NoError(t, err)
	require.Equal(t, a.body, string(body))
	require.EqualValues(t, len(a.body), a.ContentLength)
	require.True(t, strings.HasPrefix(a.Header.Get("User-Agent"), "acme-sync/2.1 dirbridge"), a.Header.Get("User-Agent"))
	require.Equal(t, "application/json", a.Header.Get("Content-Type"))
	require.Equal(t, "Bearer token-canary", a.Header.Get("Authorization"))
	require.Empty(t, a.Header.Get("x-ms-throttle-priority"), "one change is urgent")
}

func TestAPatchHoldsTheChangeAndNothingElse(t *testing.T) {
	f := always(204, "")
	tg := over(t, f, nil)
	_, err := tg.Apply(t.Context(), target.Change{Op: target.Update, Kind: target.User, ID: someID, Set: target.Attributes{
		"jobTitle": {"Lead \"<\u2028\u0001é"}, "department": nil, "businessPhones": nil, "otherMails": {"b@x.example", "a@x.example"},
		"extensionAttribute1": {"one"}, "extensionAttribute15": nil,
	}})
	require.NoError(t, err)
	require.Equal(t, []string{"PATCH /v1.0/users/" + someID}, f.calls())
	require.JSONEq(t, `{"@odata.type":"#microsoft.graph.user","jobTitle":"Lead \"<\u2028\u0001é","department":null,"businessPhones":[],
		"otherMails":["b@x.example","a@x.example"],"onPremisesExtensionAttributes":{"extensionAttribute1":"one","extensionAttribute15":null}}`, f.asked(1).body)
}

func TestDisableAndEnableSayItThemselves(t *testing.T) {
	f := always(204, "")
	tg := over(t, f, nil)
	for op, want := range map[target.Op]string{target.Disable: "false", target.Enable: "true"} {
		set := target.Attributes{}
		_, err := tg.Apply(t.Context(), target.Change{Op: op, Kind: target.User, ID: someID, Set: set})
		require.NoError(t, err)
		require.Empty(t, set, "the caller's change is left alone")
		require.JSONEq(t, `{"@odata.type":"#microsoft.graph.user","accountEnabled":`+want+`}`, f.asked(len(f.calls())).body)
	}
}

func TestABatchIsOfExactlyTwenty(t *testing.T) {
	var sizes []int
	f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
		parts := partsOf(a.body)
		sizes = append(sizes, len(parts))
		require.Equal(t, "low", a.Header.Get("x-ms-throttle-priority"))
		var out []string
		for i := len(parts) - 1; i >= 0; i-- { // in another order
			p := parts[i]
			require.True(t, strings.HasPrefix(p.URL, "/users/"), p.URL)
			require.Equal(t, "low", p.Headers["x-ms-throttle-priority"])
			out = append(out, fmt.Sprintf(`{"id":%q,"status":204,"headers":{}}`, p.ID)) // no body at all
		}
		return says(200, `{"responses":[`+strings.Join(out, ",")+`]}`), nil
	}}
	tg := over(t, f, nil)
	cs := make([]target.Change, 40)
	for i := range cs {
		cs[i] = update
		cs[i].ID = target.ID(fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", i))
	}
	for _, r := range target.ApplyAll(t.Context(), tg, cs) {
		require.NoError(t, r.Err, "a part without a body is an ordinary success")
	}
	require.Equal(t, []int{20, 20}, sizes)
	require.Equal(t, []string{"POST /v1.0/$batch", "POST /v1.0/$batch"}, f.calls())
}

type part struct {
	ID, Method, URL string
	Headers         map[string]string
	Body            json.RawMessage
}

func partsOf(body string) []part {
	var b struct{ Requests []part }
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		panic(err)
	}
	return b.Requests
}

func TestTheEndpointsPathIsKeptAndItsHostGetsTheToken(t *testing.T) {
	f := always(200, `{"value":[]}`)
	tg := over(t, f, &graphtarget.Options{Endpoint: "http://localhost:8080/proxy/v1.0/"})
	require.Empty(t, all(t, tg))
	a := f.asked(1)
	require.Equal(t, "http", a.URL.Scheme)
	require.Equal(t, "localhost:8080", a.URL.Host)
	require.Equal(t, "/proxy/v1.0/users", a.URL.Path)
	require.Equal(t, "Bearer token-canary", a.Header.Get("Authorization"))
	require.Contains(t, a.URL.RawQuery, "$select=")
	require.Contains(t, a.URL.RawQuery, "$top=999")
}

// scoped is a credential that tells what it was asked for.
type scoped struct{ scopes []string }

func (s *scoped) GetToken(_ context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	s.scopes = append(s.scopes, o.Scopes...)
	return azcore.AccessToken{Token: "token-canary", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestEachCloudIsSentATokenOfItsOwnScope(t *testing.T) {
	for _, tt := range []struct{ endpoint, scope, want string }{
		{"", "", "https://graph.microsoft.com/.default"},
		{"https://graph.microsoft.us/v1.0", "", "https://graph.microsoft.us/.default"},
		{"https://dod-graph.microsoft.us/v1.0", "", "https://dod-graph.microsoft.us/.default"},
		{"https://microsoftgraph.chinacloudapi.cn/v1.0", "", "https://microsoftgraph.chinacloudapi.cn/.default"},
		{"https://graph.proxy.example/v1.0", "api://graph/.default", "api://graph/.default"},
		{"http://[::1]:8080/v1.0", "", "https://graph.microsoft.com/.default"},
	} {
		f, cred := always(200, `{"value":[]}`), &scoped{}
		tg, err := graphtarget.New("contoso.onmicrosoft.com", cred, &graphtarget.Options{
			Endpoint: tt.endpoint, Scope: tt.scope, HTTPClient: &http.Client{Transport: f},
		})
		require.NoError(t, err)
		_, err = tg.Domains(t.Context())
		require.NoError(t, err)
		require.Equal(t, []string{tt.want}, cred.scopes)
		require.Equal(t, "Bearer token-canary", f.asked(1).Header.Get("Authorization"), "no request goes out without a token")
	}
}

func TestA12_WhatWouldGiveATokenAwayIsRefusedAtConstruction(t *testing.T) {
	for _, tt := range []struct {
		name string
		cred azcore.TokenCredential
		o    graphtarget.Options
	}{
		{"http", &scoped{}, graphtarget.Options{Endpoint: "http://graph.microsoft.com/v1.0"}},
		{"http to a host that starts like this one", &scoped{}, graphtarget.Options{Endpoint: "http://localhost.example/v1.0"}},
		{"an unknown host", &scoped{}, graphtarget.Options{Endpoint: "https://graph.example/v1.0"}},
		{"user information", &scoped{}, graphtarget.Options{Endpoint: "https://canary:canary@graph.microsoft.com/v1.0"}},
		{"no scheme", &scoped{}, graphtarget.Options{Endpoint: "graph.microsoft.com"}},
		{"a static token for Microsoft", graphtarget.StaticToken("canary"), graphtarget.Options{}},
		{"no credential", nil, graphtarget.Options{}},
		{"two proxies", &scoped{}, graphtarget.Options{HTTPClient: &http.Client{}, Proxy: http.ProxyFromEnvironment}},
		{"a share of nothing", &scoped{}, graphtarget.Options{QuotaShare: 1.5}},
	} {
		_, err := graphtarget.New("contoso.onmicrosoft.com", tt.cred, &tt.o)
		require.Error(t, err, tt.name)
		require.NotContains(t, err.Error(), "canary")
	}
	for _, tenant := range []string{"", "a/b", "a\nb"} {
		_, err := graphtarget.New(tenant, &scoped{}, nil)
		require.Error(t, err)
	}
}

func TestAReplyThatPanicsTheSDKIsALostReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(401, "", "WWW-Authenticate", `Bearer claims=unquoted`)
		tg := over(t, f, nil)
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrUnknownOutcome)
		_, err = tg.Domains(t.Context())
		require.ErrorIs(t, err, target.ErrUnavailable)
	})
}

func TestWhatCannotBeReachedIsUnavailableAndNotUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(int, asked) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: io.ErrClosedPipe}
		}}
		tg := over(t, f, nil)
		for _, c := range []target.Change{update, ann(1)} {
			_, err := tg.Apply(t.Context(), c)
			require.ErrorIs(t, err, target.ErrUnavailable)
			require.False(t, target.OutcomeUnknown(err))
		}
		c := ann(1)
		c.Repeat = true
		_, err := tg.Apply(t.Context(), c)
		require.ErrorIs(t, err, target.ErrUnknownOutcome, "the earlier call's outcome is still unknown")
	})
}

func TestAReplyThatDoesNotComeInTimeIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(_ int, a asked) (*http.Response, error) {
			<-a.Context().Done()
			return nil, a.Context().Err()
		}}
		tg := over(t, f, &graphtarget.Options{RequestTimeout: time.Minute})
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrUnknownOutcome)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller's context goes on")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = tg.Apply(ctx, update)
		require.ErrorIs(t, err, target.ErrUnknownOutcome)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = tg.Apply(ctx, update)
		require.ErrorIs(t, err, target.ErrNotApplied)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}
