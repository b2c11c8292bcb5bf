package graphtarget_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoft/kiota-abstractions-go/authentication"
	khttp "github.com/microsoft/kiota-http-go"
	jsonformat "github.com/microsoft/kiota-serialization-json-go"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// hostAdapter is what a program has that uses the SDK with all its defaults:
// its middleware retries, compresses and follows redirects, in random order.
func hostAdapter(t *testing.T, by http.RoundTripper) abstractions.RequestAdapter {
	t.Helper()
	client := &http.Client{Transport: khttp.NewCustomTransportWithParentTransport(by)}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	a, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		&authentication.AnonymousAuthenticationProvider{}, jsonformat.NewJsonParseNodeFactory(), jsonformat.NewJsonSerializationWriterFactory(), client)
	require.NoError(t, err)
	a.SetBaseUrl("https://graph.microsoft.com/v1.0")
	return a
}

func TestAHostsAdapterIsKeptFromRetryingCompressingAndRedirecting(t *testing.T) {
	var status atomic.Int64
	f := &fake{answer: func(int, asked) (*http.Response, error) {
		return says(int(status.Load()), graphError("x", "x"), "Location", "https://graph.microsoft.com/v1.0/elsewhere", "Retry-After", "1"), nil
	}}
	for range 8 { // the order of the SDK's middleware is random
		synctest.Test(t, func(t *testing.T) {
			tg, err := graphtarget.NewWithAdapter("contoso.onmicrosoft.com", hostAdapter(t, f), &graphtarget.Options{MaxThrottleWait: -1})
			require.NoError(t, err)
			for _, s := range []int64{204, 503, 504, 307, 429} {
				status.Store(s)
				_, err = tg.Apply(t.Context(), update)
				require.Equal(t, s == 204, err == nil)
			}
		})
	}
	for i, c := range f.calls() {
		require.Equal(t, "PATCH /v1.0/users/"+someID, c)
		a := f.asked(i + 1)
		require.Empty(t, a.Header.Get("Retry-Attempt"))
		require.Empty(t, a.Header.Get("Content-Encoding"))
		require.Contains(t, a.body, "jobTitle")
	}
}

func TestAnAdapterSaysWhereGraphIs(t *testing.T) {
	a := hostAdapter(t, always(200, ""))
	_, err := graphtarget.NewWithAdapter("t", a, &graphtarget.Options{Endpoint: "https://graph.microsoft.us/v1.0"})
	require.Error(t, err)
	_, err = graphtarget.NewWithAdapter("t", a, &graphtarget.Options{HTTPClient: http.DefaultClient})
	require.Error(t, err)
	_, err = graphtarget.NewWithAdapter("t", nil, nil)
	require.Error(t, err)
	_, err = graphtarget.NewWithAdapter("t", a, &graphtarget.Options{Endpoint: "https://graph.microsoft.com/v1.0/"})
	require.NoError(t, err)
}
