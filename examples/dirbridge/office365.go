package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// newTarget makes the target. Graph and the token service are reached by one
// client, so that proxy and authorities hold for both.
func (x *parts) newTarget(env environment) (*graphtarget.Target, error) {
	o := x.Target.Office365
	if x.use.offline() {
		return graphtarget.New(o.Tenant, nobody{}, &graphtarget.Options{Endpoint: o.Endpoint, Scope: o.Scope, Groups: x.Groups.Security})
	}
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	x.closes = append(x.closes, func() error { client.CloseIdleConnections(); return nil })
	cred, err := o.credential(env, client)
	if err != nil {
		return nil, err
	}
	options := &graphtarget.Options{
		Endpoint: o.Endpoint, Scope: o.Scope, HTTPClient: client, UserAgent: "dirbridge/" + version(), Groups: x.Groups.Security,
		Size: map[string]graphtarget.TenantSize{"medium": graphtarget.Medium, "large": graphtarget.Large}[o.TenantSize],
	}
	if o.QuotaShare != nil {
		options.QuotaShare = *o.QuotaShare
	}
	return graphtarget.New(o.Tenant, cred, options)
}

// nobody can't sign in: for what is done without asking the tenant.
type nobody struct{}

func (nobody) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{}, errors.New("this command doesn't ask the tenant")
}

func (o *office365Config) client() (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil {
			return nil, err
		}
		t.Proxy = http.ProxyURL(u)
	}
	if o.CAFile != "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without authorities of its own
		}
		if err := addAuthorities(pool, o.CAFile); err != nil {
			return nil, err
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &http.Client{Transport: t}, nil
}

// credential is the one way to sign in that the file names.
func (o *office365Config) credential(env environment, client *http.Client) (azcore.TokenCredential, error) {
	a := &o.Auth
	co := &graphtarget.CredentialOptions{Authority: a.Authority, HTTPClient: client}
	switch {
	case a.ClientSecretEnv != "" || a.ClientSecretFile != "":
		value, err := secret{a.ClientSecretEnv, a.ClientSecretFile, env}.read()
		if err != nil {
			return nil, err
		}
		return graphtarget.ClientSecret(o.Tenant, a.ClientID, value, co)
	case a.CertificateFile != "":
		file, err := os.ReadFile(a.CertificateFile)
		if err != nil {
			return nil, err
		}
		var password string
		if a.CertificatePasswordEnv != "" || a.CertificatePasswordFile != "" {
			if password, err = (secret{a.CertificatePasswordEnv, a.CertificatePasswordFile, env}).read(); err != nil {
				return nil, err
			}
		}
		return graphtarget.Certificate(o.Tenant, a.ClientID, file, password, co)
	case a.WorkloadIdentity.On:
		return graphtarget.WorkloadIdentity(o.Tenant, a.ClientID, a.WorkloadIdentity.TokenFile, co)
	case a.ManagedIdentity.On:
		return graphtarget.ManagedIdentity(a.ClientID, co)
	case a.DefaultChain:
		return graphtarget.DefaultChain(o.Tenant, co)
	default:
		value, err := secret{env: a.TokenEnv, lookup: env}.read()
		if err != nil {
			return nil, err
		}
		return graphtarget.StaticToken(value), nil
	}
}

// onlyAuthorities trusts those in the file and no others.
func onlyAuthorities(path string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	return pool, addAuthorities(pool, path)
}

func addAuthorities(pool *x509.CertPool, path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !pool.AppendCertsFromPEM(text) {
		return fmt.Errorf("there is no certificate in %s (want PEM)", path)
	}
	return nil
}
