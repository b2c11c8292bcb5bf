package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// CredentialOptions tune how tokens are fetched. The zero value is good.
type CredentialOptions struct {
	// Authority is where tokens are issued, for a national cloud:
	// https://login.microsoftonline.us/ (US government),
	// https://login.chinacloudapi.cn/ (China).
	//
	// Defaults to https://login.microsoftonline.com/.
	Authority string

	// HTTPClient fetches the tokens, for a proxy.
	//
	// Defaults to azidentity's own client.
	HTTPClient *http.Client
}

func (o *CredentialOptions) client() policy.ClientOptions {
	var c policy.ClientOptions
	if o == nil {
		return c
	}
	if o.Authority != "" {
		c.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: o.Authority}
	}
	if o.HTTPClient != nil {
		c.Transport = o.HTTPClient
	}
	return c
}

// Certificate proves the application by a certificate and its private key,
// both in file: PEM, or PFX with password. Prefer it over a secret: the key is
// never sent.
func Certificate(tenant, clientID string, file []byte, password string, o *CredentialOptions) (azcore.TokenCredential, error) {
	certs, key, err := azidentity.ParseCertificates(file, []byte(password))
	if err != nil {
		return nil, fmt.Errorf("read the certificate file: %w", err)
	}
	cred, err := azidentity.NewClientCertificateCredential(tenant, clientID, certs, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: o.client()})
	return checked(cred, err)
}

// ClientSecret proves the application by a secret.
func ClientSecret(tenant, clientID, secret string, o *CredentialOptions) (azcore.TokenCredential, error) {
	if secret == "" {
		return nil, errors.New("the client secret is empty")
	}
	cred, err := azidentity.NewClientSecretCredential(tenant, clientID, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: o.client()})
	return checked(cred, err)
}

// WorkloadIdentity proves the application by a token that its platform
// (Kubernetes) keeps fresh in tokenFile. azidentity takes what is empty here
// from AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_FEDERATED_TOKEN_FILE.
func WorkloadIdentity(tenant, clientID, tokenFile string, o *CredentialOptions) (azcore.TokenCredential, error) {
	cred, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: o.client(), TenantID: tenant, ClientID: clientID, TokenFilePath: tokenFile,
	})
	return checked(cred, err)
}

// ManagedIdentity is the identity that Azure gives the machine: the
// user-assigned one with clientID, or the system-assigned one if it is empty.
func ManagedIdentity(clientID string, o *CredentialOptions) (azcore.TokenCredential, error) {
	options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o.client()}
	if clientID != "" {
		options.ID = azidentity.ClientID(clientID)
	}
	cred, err := azidentity.NewManagedIdentityCredential(options)
	return checked(cred, err)
}

// DefaultChain is azidentity's default chain: environment variables, workload
// identity, managed identity, a developer's tools. It reads the environment.
func DefaultChain(tenant string, o *CredentialOptions) (azcore.TokenCredential, error) {
	cred, err := azidentity.NewDefaultAzureCredential(
		&azidentity.DefaultAzureCredentialOptions{ClientOptions: o.client(), TenantID: tenant})
	return checked(cred, err)
}

// checked keeps a nil pointer from becoming a non-nil interface, and the secret
// out of whatever prints the credential.
func checked[C azcore.TokenCredential](cred C, err error) (azcore.TokenCredential, error) {
	if err != nil {
		return nil, fmt.Errorf("make the credential: %w", err)
	}
	var c azcore.TokenCredential = cred
	return sealed{&c}, nil
}

// sealed prints as "[secret]". azidentity's credentials print all that they
// hold if the verb is wrong. As in [Password], a pointer keeps a struct around
// it from printing it, too.
type sealed struct{ cred *azcore.TokenCredential }

func (s sealed) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return (*s.cred).GetToken(ctx, o)
}

// Format keeps what the credential holds to itself.
func (s sealed) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// StaticToken is a credential that always gives token. [New] takes it only
// with an endpoint on a loopback address: it is for a simulator.
func StaticToken(token string) azcore.TokenCredential { return staticToken{&token} }

type staticToken struct{ secret *string }

func (s staticToken) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: *s.secret, ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// Format keeps the token out of whatever prints the credential.
func (staticToken) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// Renewed is a credential that can change while the program runs: source is
// called at the first use, and again when a token is refused, at most once a
// minute, to read the secret or the certificate from where it is kept. It takes
// no [StaticToken].
func Renewed(source func() (azcore.TokenCredential, error)) azcore.TokenCredential {
	return &renewed{source: source}
}

type renewed struct {
	source func() (azcore.TokenCredential, error)

	mu      sync.Mutex
	cred    azcore.TokenCredential
	reading int // how often the source was read
	at      time.Time
}

const renewEvery = time.Minute

func (r *renewed) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	cred, reading, err := r.after(0)
	if err != nil {
		return azcore.AccessToken{}, err
	}
	token, err := cred.GetToken(ctx, o)
	if err == nil || !refusedToken(err) {
		return token, err
	}
	next, later, renewErr := r.after(reading)
	if renewErr != nil || later == reading {
		return token, err
	}
	return next.GetToken(ctx, o)
}

// after returns the credential of a later reading than one that was refused,
// if it is time for one, else of the last. Before the first reading was 0.
func (r *renewed) after(refused int) (cred azcore.TokenCredential, reading int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.reading > refused || r.reading > 0 && time.Since(r.at) < renewEvery {
		return r.cred, r.reading, nil
	}
	cred, err = r.source()
	if err != nil {
		return nil, 0, fmt.Errorf("read the credential: %w", err)
	}
	if _, static := cred.(staticToken); static || cred == nil {
		return nil, 0, errors.New("read the credential: it isn't one that can be renewed")
	}
	r.cred, r.at = cred, time.Now()
	r.reading++
	return r.cred, r.reading, nil
}

// A credential marks the errors of the one that it wraps, so that "no token"
// can be told from "no reply": nothing was sent to Graph then.
type credential struct{ azcore.TokenCredential }

func (c credential) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := c.TokenCredential.GetToken(ctx, o)
	if err == nil && token.Token == "" {
		err = errors.New("the credential gave an empty token")
	}
	if err != nil {
		return azcore.AccessToken{}, &tokenError{err}
	}
	return token, nil
}

// A tokenError is that there is no access token.
type tokenError struct{ cause error }

func (e *tokenError) Error() string { return "no access token: " + e.cause.Error() }
func (e *tokenError) Unwrap() error { return e.cause }
