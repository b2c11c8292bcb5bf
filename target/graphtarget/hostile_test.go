package graphtarget_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func TestA13_ARedirectIsNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(307, "", "Location", "https://evil.example/v1.0/users")
		tg := over(t, f, nil)
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrUnknownOutcome)
		_, err = tg.Domains(t.Context())
		require.ErrorIs(t, err, target.ErrUnavailable)
		for i := range f.calls() {
			require.Equal(t, "127.0.0.1", f.asked(i+1).URL.Host)
		}
	})
}

func TestA12_ANextLinkToAnotherHostGetsNoRequest(t *testing.T) {
	for _, link := range []string{
		"https://127.0.0.1/v1.0/users?$skiptoken=x", "http://evil.example/v1.0/users", "http://127.0.0.1:81/v1.0/users",
		"http://canary@127.0.0.1/v1.0/users", "//evil.example/users", "/v1.0/users?x", "::", "http://127.0.0.1.evil.example/",
	} {
		f := always(200, `{"value":[{"id":"`+someID+`"}],"@odata.nextLink":"`+link+`"}`)
		tg := over(t, f, nil)
		var failed error
		for _, err := range tg.Current(t.Context()) {
			failed = err
		}
		require.ErrorIs(t, failed, target.ErrUnavailable, link)
		_, err := tg.Find(t.Context(), target.User, []target.Key{{Anchor: "QQ=="}})
		require.ErrorIs(t, err, target.ErrUnavailable, link)
		require.Len(t, f.calls(), 2, link)
	}
}

func TestANextLinkIsFollowedAsItIs(t *testing.T) {
	const link = loopback + "/users?%24skiptoken=a%2Bb%2F%3D%3D&x=1"
	f := &fake{answer: func(n int, _ asked) (*http.Response, error) {
		if n == 1 {
			return says(200, `{"@odata.nextLink":"`+link+`","value":[{"id":"1"}]}`), nil
		}
		return says(200, `{"value":[{"id":"2"},{"id":""},{"id":3}]}`), nil
	}}
	tg := over(t, f, nil)
	require.Len(t, all(t, tg), 2, "what has no id is nobody")
	require.Equal(t, link, f.asked(2).URL.String())
	require.Equal(t, "Bearer token-canary", f.asked(2).Header.Get("Authorization"))
}

func TestA13_AListWithoutAnEndIsAnError(t *testing.T) {
	f := &fake{answer: func(n int, _ asked) (*http.Response, error) {
		return says(200, fmt.Sprintf(`{"value":[],"@odata.nextLink":"%s/users?more=%d"}`, loopback, n)), nil
	}}
	tg := over(t, f, &graphtarget.Options{Size: graphtarget.Large, QuotaShare: 1})
	var failed error
	for _, err := range tg.Current(t.Context()) {
		failed = err
	}
	require.ErrorIs(t, failed, target.ErrUnavailable)
	require.LessOrEqual(t, len(f.calls()), 101)
}

func TestA13_AGzipBombIsBounded(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, err := io.CopyN(z, blanks{}, 32<<20)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer server.Close()
	for _, transport := range []*http.Transport{{}, {DisableCompression: true}} { // unpacked by net/http, and by us
		tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken("x"), &graphtarget.Options{
			Endpoint: server.URL + "/v1.0", MaxReplyBytes: 1 << 20, HTTPClient: &http.Client{Transport: transport},
		})
		require.NoError(t, err)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = tg.Domains(t.Context())
		runtime.ReadMemStats(&after)
		require.ErrorIs(t, err, target.ErrUnavailable)
		require.ErrorContains(t, err, "too large")
		require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20), "of 32 MiB")
		transport.CloseIdleConnections()
	}
}

type blanks struct{}

func (blanks) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}
