package graphtarget_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

const tenantID = "00000000-1111-2222-3333-444444444444"

// pemFile is a self-signed certificate with its key, in one file.
func pemFile(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sync"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	require.NoError(t, err)
	return append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, key)})...)
}

func pkcs8(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return der
}

func TestCredentialsAreMadeOrSayWhyNot(t *testing.T) {
	o := &graphtarget.CredentialOptions{Authority: "https://login.microsoftonline.us/", HTTPClient: &http.Client{}}
	for _, options := range []*graphtarget.CredentialOptions{nil, o} {
		cred, err := graphtarget.ClientSecret(tenantID, someID, "canary", options)
		require.NoError(t, err)
		require.NotNil(t, cred)
		cred, err = graphtarget.Certificate(tenantID, someID, pemFile(t), "", options)
		require.NoError(t, err)
		require.NotNil(t, cred)
		cred, err = graphtarget.WorkloadIdentity(tenantID, someID, "/var/run/token", options)
		require.NoError(t, err)
		require.NotNil(t, cred)
		cred, err = graphtarget.ManagedIdentity(someID, options)
		require.NoError(t, err)
		require.NotNil(t, cred)
		cred, err = graphtarget.DefaultChain(tenantID, options)
		require.NoError(t, err)
		require.NotNil(t, cred)
	}
	_, err := graphtarget.ClientSecret(tenantID, someID, "", nil)
	require.Error(t, err)
	cred, err := graphtarget.ClientSecret("no/tenant", someID, "canary", nil)
	require.Error(t, err)
	require.True(t, cred == nil, "an interface that holds a nil pointer would pass for a credential")
	require.NotContains(t, err.Error(), "canary")
	_, err = graphtarget.Certificate(tenantID, someID, []byte("canary"), "canary", nil)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "canary")
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	_, err = graphtarget.Certificate(tenantID, someID, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(t, ec)}), "", nil)
	require.Error(t, err, "a key without a certificate")
}

// failing is a credential that gives no token.
type failing struct{ err error }

func (f failing) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, f.err
}

func TestWithoutATokenNothingIsSentAndTheReasonIsTold(t *testing.T) {
	refusal := &azidentity.AuthenticationFailedError{RawResponse: &http.Response{StatusCode: 401,
		Body: io.NopCloser(strings.NewReader("")), Request: &http.Request{URL: &url.URL{}}}}
	for _, tt := range []struct {
		name string
		err  error
		want error
		says string
	}{
		{"the platform refuses", refusal, target.ErrUnauthenticated, "no access token"},
		{"a code is kept, the rest isn't", errors.New("AADSTS7000215: canary secret"), target.ErrUnauthenticated, "AADSTS7000215"},
		{"no token and no error", nil, target.ErrUnauthenticated, "no access token"},
		{"the platform is busy", &azidentity.AuthenticationFailedError{RawResponse: &http.Response{StatusCode: 429,
			Body: io.NopCloser(strings.NewReader("")), Request: &http.Request{URL: &url.URL{}}}}, target.ErrUnavailable, "no access token"},
		{"the platform gave no answer, says azidentity", &azidentity.AuthenticationFailedError{}, target.ErrUnavailable, "no access token"},
		{"the platform can't be reached", &net.OpError{Op: "dial", Err: io.EOF}, target.ErrUnavailable, "no access token"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := always(204, "")
				tg, err := graphtarget.New("contoso.onmicrosoft.com", failing{tt.err}, &graphtarget.Options{HTTPClient: &http.Client{Transport: f}})
				require.NoError(t, err)
				_, err = tg.Apply(t.Context(), ann(1))
				require.ErrorIs(t, err, tt.want)
				require.False(t, target.OutcomeUnknown(err))
				require.ErrorContains(t, err, tt.says)
				require.NotContains(t, err.Error(), "canary")
				_, err = tg.Domains(t.Context())
				require.ErrorIs(t, err, tt.want)
				require.Empty(t, f.calls())
			})
		})
	}
}

// rotating is a credential that is refused unless it has the current secret.
type rotating struct {
	secret  string
	current *string
}

func (r rotating) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	if r.secret != *r.current {
		return azcore.AccessToken{}, &azidentity.AuthenticationFailedError{RawResponse: &http.Response{StatusCode: 401,
			Body: io.NopCloser(strings.NewReader("")), Request: &http.Request{URL: &url.URL{}}}}
	}
	return azcore.AccessToken{Token: "token", ExpiresOn: time.Now().Add(time.Hour)}, nil
}

func TestT14_ARotatedSecretIsReadAgainWithoutARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, valid, reads := "one", "one", 0
		cred := graphtarget.Renewed(func() (azcore.TokenCredential, error) {
			reads++
			return rotating{kept, &valid}, nil
		})
		tg, err := graphtarget.New("contoso.onmicrosoft.com", cred, &graphtarget.Options{HTTPClient: &http.Client{Transport: always(204, "")}})
		require.NoError(t, err)
		apply := func() error { _, err := tg.Apply(t.Context(), update); return err }
		require.NoError(t, apply())
		require.NoError(t, apply())
		require.Equal(t, 1, reads)

		valid = "two" // at the tenant, while the file still has the old one
		time.Sleep(time.Hour)
		require.ErrorIs(t, apply(), target.ErrUnauthenticated)
		require.ErrorIs(t, apply(), target.ErrUnauthenticated)
		require.Equal(t, 2, reads, "once a minute at most")
		kept = "two"
		time.Sleep(time.Minute)
		require.NoError(t, apply())
		require.Equal(t, 3, reads)
	})
	_, err := graphtarget.Renewed(func() (azcore.TokenCredential, error) { return graphtarget.StaticToken("x"), nil }).
		GetToken(t.Context(), policy.TokenRequestOptions{})
	require.Error(t, err)
}

func TestOverARealConnectionNothingIsLeftOpen(t *testing.T) {
	tn := contoso(graphsim.Options{})
	server, err := tn.Start("127.0.0.1:0")
	require.NoError(t, err)
	defer server.Close()
	tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken(server.Token), &graphtarget.Options{Endpoint: server.URL})
	require.NoError(t, err)
	for _, r := range target.ApplyAll(t.Context(), tg, people(25)) {
		require.NoError(t, r.Err)
	}
	require.Len(t, all(t, tg), 25)
	require.NoError(t, tg.Close()) // TestMain looks for what is left
	domains, err := tg.Domains(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, domains)
	require.NoError(t, tg.Close())
}

// A real credential whose token service doesn't answer: nobody has refused it.
func TestATokenServiceThatCannotBeReachedHasRefusedNobody(t *testing.T) {
	down := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: errors.New("no such host")}
	})}
	cred, err := graphtarget.ClientSecret("contoso.onmicrosoft.com", "00000000-0000-0000-0000-000000000001", "canary",
		&graphtarget.CredentialOptions{HTTPClient: down})
	require.NoError(t, err)
	tg, err := graphtarget.New("contoso.onmicrosoft.com", cred, &graphtarget.Options{HTTPClient: down})
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = tg.Apply(ctx, ann(1))
	require.ErrorIs(t, err, target.ErrUnavailable)
	require.NotErrorIs(t, err, target.ErrUnauthenticated)
	require.NotContains(t, err.Error(), "canary")
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
