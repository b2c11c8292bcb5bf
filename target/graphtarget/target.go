package graphtarget

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	abstractions "github.com/microsoft/kiota-abstractions-go"
	azureauth "github.com/microsoft/kiota-authentication-azure-go"
	khttp "github.com/microsoft/kiota-http-go"
	jsonformat "github.com/microsoft/kiota-serialization-json-go"

	"github.com/dirbridge/dirbridge/target"
)

// The abilities beyond [target.Target] that a [Target] has.
var (
	_ target.Batcher    = (*Target)(nil)
	_ target.BinLister  = (*Target)(nil)
	_ target.Deltaer    = (*Target)(nil)
	_ target.Domainer   = (*Target)(nil)
	_ target.Finder     = (*Target)(nil)
	_ target.Kinder     = (*Target)(nil)
	_ target.Protector  = (*Target)(nil)
	_ target.RefLimiter = (*Target)(nil)
	_ target.RefFinder  = (*Target)(nil)
)

// A Target is the users, and by option the groups, of one Office 365 tenant. It is safe for concurrent
// use. All calls of one Target share its pace; two Targets for the same tenant
// know nothing of each other and use the quota twice.
type Target struct {
	tenant  string
	options Options
	wire    *wire
	pacer   *pacer
	young   *young
	consent consent
	idle    func() // closes idle connections that are our own
}

// New returns the target for a tenant, given by the name or id that the
// directory has it under (contoso.onmicrosoft.com). Links are kept under this
// name. cred gives the access tokens; see [ClientSecret] and its neighbours.
//
// New sends nothing.
func New(tenant string, cred azcore.TokenCredential, o *Options) (*Target, error) {
	options, err := o.complete()
	if err != nil {
		return nil, err
	}
	where, err := parseEndpoint(options.Endpoint, options.Scope)
	if err != nil {
		return nil, err
	}
	if cred == nil {
		return nil, errors.New("a credential is required")
	}
	if _, static := cred.(staticToken); static && !loopback(where.base) {
		return nil, fmt.Errorf("a static token is for a simulator on a loopback address only, not for %s", where.base.Host)
	}
	client, idle := httpClient(options)
	adapter, err := newAdapter(where, cred, client)
	if err != nil {
		return nil, err
	}
	return build(tenant, where, adapter, options, idle)
}

// NewWithAdapter returns the target for a tenant by way of an adapter that the
// host program already has, for instance GraphServiceClient.GetAdapter().
// Authentication, connections and the endpoint are the adapter's.
//
// The SDK's own middleware must not retry (it repeats creates, and its
// compression corrupts what it repeats), compress or follow redirects. The
// target switches all three off for each of its requests by the SDK's request
// options, which the SDK's own handlers obey. It can't look into an adapter:
// middleware of the host's own making has to refrain from all three by itself.
func NewWithAdapter(tenant string, adapter abstractions.RequestAdapter, o *Options) (*Target, error) {
	options, err := o.complete()
	if err != nil {
		return nil, err
	}
	if adapter == nil {
		return nil, errors.New("an adapter is required")
	}
	if options.HTTPClient != nil || options.Proxy != nil || options.Scope != "" {
		return nil, errors.New("Options.HTTPClient, Proxy and Scope have no effect on an adapter: set them where it is made")
	}
	if base := strings.TrimRight(adapter.GetBaseUrl(), "/"); options.Endpoint == "" {
		options.Endpoint = base
	} else if base != "" && !strings.EqualFold(base, strings.TrimRight(options.Endpoint, "/")) {
		return nil, fmt.Errorf("Options.Endpoint isn't the adapter's base URL %s", base)
	}
	where, err := parseEndpoint(options.Endpoint, "the adapter's")
	if err != nil {
		return nil, err
	}
	return build(tenant, where, adapter, options, func() {})
}

func build(tenant string, where endpoint, adapter abstractions.RequestAdapter, o Options, idle func()) (*Target, error) {
	if tenant == "" || strings.Contains(tenant, "/") || strings.ContainsFunc(tenant, unicode.IsControl) {
		return nil, errors.New("the tenant's name is required, without '/' and control characters")
	}
	agent := "dirbridge-graphtarget"
	if o.UserAgent != "" {
		if strings.ContainsFunc(o.UserAgent, unicode.IsControl) {
			return nil, errors.New("Options.UserAgent has a control character")
		}
		agent = o.UserAgent + " " + agent
	}
	return &Target{
		tenant:  tenant,
		options: o,
		wire:    &wire{adapter: adapter, where: where, agent: agent, timeout: o.RequestTimeout, maxReply: o.MaxReplyBytes},
		pacer:   newPacer(o.QuotaShare, o.Size),
		young:   newYoung(),
		idle:    idle,
	}, nil
}

// Name returns the tenant.
func (t *Target) Name() string { return t.tenant }

// Close closes the idle connections of the target's own client. The target can
// be used again afterwards. It never returns an error.
func (t *Target) Close() error {
	t.idle()
	return nil
}

// newAdapter is the SDK's adapter with all that the SDK would choose by itself
// chosen here: its serializers, so that nothing depends on the SDK's global
// registry, and a client without its middleware.
func newAdapter(where endpoint, cred azcore.TokenCredential, client *http.Client) (abstractions.RequestAdapter, error) {
	// Without the host named here, the provider would send requests to it
	// without a token and without an error.
	auth, err := azureauth.NewAzureIdentityAuthenticationProviderWithScopesAndValidHosts(
		credential{cred}, []string{where.scope}, []string{where.base.Hostname()})
	if err != nil {
		return nil, fmt.Errorf("make the token provider: %w", err)
	}
	adapter, err := khttp.NewNetHttpRequestAdapterWithParseNodeFactoryAndSerializationWriterFactoryAndHttpClient(
		auth, jsonformat.NewJsonParseNodeFactory(), jsonformat.NewJsonSerializationWriterFactory(), client)
	if err != nil {
		return nil, fmt.Errorf("make the request adapter: %w", err)
	}
	adapter.SetBaseUrl(where.base.String())
	return adapter, nil
}

// httpClient is a client that sends what it is given once and unchanged: no
// middleware of the SDK's, no redirects, no cookies.
//
// It has no time-out of its own, since the SDK's adapter would take that for
// the sum of everything; the wire sets one for each request.
func httpClient(o Options) (client *http.Client, idle func()) {
	client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	idle = func() {}
	switch {
	case o.HTTPClient != nil && o.HTTPClient.Transport != nil:
		client.Transport = o.HTTPClient.Transport
	case o.HTTPClient != nil:
		client.Transport = http.DefaultTransport // what their client would have used
	default:
		own := &http.Transport{
			Proxy:                  o.Proxy,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    16,
			IdleConnTimeout:        90 * time.Second,
			TLSHandshakeTimeout:    10 * time.Second,
			MaxResponseHeaderBytes: 1 << 20,
		}
		client.Transport, idle = own, own.CloseIdleConnections
	}
	client.Transport = rewinding{client.Transport}
	return client, idle
}

// rewinding gives requests what net/http needs to send one again by itself when
// it finds, before it wrote anything, that the connection is gone. The SDK
// leaves that out, so that each idle connection that the server closed would
// cost a write whose outcome isn't known.
type rewinding struct{ http.RoundTripper }

func (r rewinding) RoundTrip(req *http.Request) (*http.Response, error) {
	body, ok := req.Body.(io.ReadSeeker)
	if !ok || req.GetBody != nil {
		return r.RoundTripper.RoundTrip(req)
	}
	again := req.WithContext(req.Context())
	again.GetBody = func() (io.ReadCloser, error) {
		_, err := body.Seek(0, io.SeekStart)
		return io.NopCloser(body), err
	}
	return r.RoundTripper.RoundTrip(again)
}
