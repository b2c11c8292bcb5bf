package ldapsource_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

// certify makes an authority and a certificate signed by it.
func certify(t *testing.T, change func(*x509.Certificate)) (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "dc1.corp.example.com"}, NotBefore: ca.NotBefore,
		NotAfter: ca.NotAfter, DNSNames: []string{"dc1.corp.example.com"}, KeyUsage: x509.KeyUsageDigitalSignature}
	if change != nil {
		change(leaf)
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &key.PublicKey, key)
	require.NoError(t, err)
	parsed, err := x509.ParseCertificate(caDER)
	require.NoError(t, err)
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, parsed, &key.PublicKey, key)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: key}, pool
}

// answering is a Dial whose connections serve answers; everything written to
// them is kept.
type answering struct {
	wg    sync.WaitGroup
	mu    sync.Mutex
	heard bytes.Buffer
	serve func(net.Conn)
}

func (a *answering) dial(context.Context, string, string) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // net.Pipe has no buffer: two who write wait for ever
	if err != nil {
		return nil, err
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		return nil, err
	}
	server, err := l.Accept()
	if err != nil {
		return nil, err
	}
	a.wg.Go(func() {
		defer server.Close()
		a.serve(heard{server, a})
		_, _ = io.Copy(io.Discard, heard{server, a})
	})
	return client, nil
}

type heard struct {
	net.Conn
	a *answering
}

func (h heard) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	h.a.mu.Lock()
	h.a.heard.Write(p[:n])
	h.a.mu.Unlock()
	return n, err
}

// try reads from a server at url whose connections a serves.
func try(t *testing.T, url string, a *answering, o ldapsource.Options) error {
	t.Helper()
	o.Dial = a.dial
	src, err := ldapsource.New([]string{url}, []string{"DC=corp,DC=example,DC=com"},
		ldapsource.Credentials{User: "svc-sync", Password: ldapsource.Password("s3cret")}, &o)
	require.NoError(t, err)
	r := read(src.All(t.Context()))
	require.NoError(t, src.Close())
	a.wg.Wait()
	require.Error(t, r.err)
	require.Zero(t, r.events)
	require.NotContains(t, a.heard.String(), "s3cret", "a password in clear")
	require.NotContains(t, r.err.Error(), "s3cret")
	return r.err
}

func TestA08_WhatIsWrongWithACertificateIsExplained(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		change     func(*x509.Certificate)
		max        uint16
		noCA       bool
	}{
		{"another name", `isn't for "dc1.corp.example.com"`, func(c *x509.Certificate) { c.DNSNames = []string{"dc2.corp.example.com"} }, 0, false},
		{"no alternative name", "no subject alternative names", func(c *x509.Certificate) { c.DNSNames = nil }, 0, false},
		{"expired", "has expired or isn't valid yet", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(time.Minute) }, 0, false},
		{"unknown authority", "give it in Options.RootCAs", nil, 0, true},
		{"TLS 1.1", "before 1.2", nil, tls.VersionTLS11, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cert, pool := certify(t, tt.change)
			if tt.noCA {
				_, pool = certify(t, nil)
			}
			c := &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS10, MaxVersion: tt.max}
			a := &answering{serve: func(conn net.Conn) { _ = tls.Server(conn, c).Handshake() }}
			err := try(t, "ldaps://dc1.corp.example.com", a, ldapsource.Options{RootCAs: pool})
			require.ErrorIs(t, err, source.ErrUnavailable)
			require.ErrorContains(t, err, tt.want)
		})
	}
	negative := errors.New("tls: failed to parse certificate from server: x509: negative serial number")
	require.ErrorContains(t, ldapsource.ExplainTLS(negative, "dc1"), "needs a new certificate")
	plain := &answering{serve: func(c net.Conn) { _, _ = c.Write([]byte("0\x0c\x02\x01\x01e\x07\n\x01\x00\x04\x00\x04\x00")) }}
	require.ErrorContains(t, try(t, "ldaps://dc1.corp.example.com", plain, ldapsource.Options{}), "doesn't speak TLS at this port")
}

func TestA08_WithoutStartTLSNothingIsSent(t *testing.T) {
	ok := tlv(0x30, tlv(2, []byte{1}), tlv(0x78, tlv(10, []byte{0}), tlv(4), tlv(4)))
	bound := tlv(0x30, tlv(2, []byte{1}), tlv(0x61, tlv(10, []byte{0}), tlv(4), tlv(4)))
	for _, tt := range []struct {
		name, want string
		answer     []byte
	}{
		{"refused", "Unavailable", tlv(0x30, tlv(2, []byte{1}), tlv(0x78, tlv(10, []byte{52}), tlv(4), tlv(4, []byte("no TLS"))))},
		{"stripped by something on the way", "something else", bound},
		{"the answer to something else", "something else", tlv(0x30, tlv(2, []byte{9}), tlv(0x78, tlv(10, []byte{0}), tlv(4), tlv(4)))},
		{"no TLS follows", "TLS", append(bytes.Clone(ok), bound...)},
		{"a bomb", "nested deeper", nested(60_000)},
		{"nothing", "StartTLS", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := &answering{serve: func(c net.Conn) {
				_, _ = c.Read(make([]byte, 512))
				_, _ = c.Write(tt.answer)
				if tt.answer == nil {
					_ = c.Close()
				}
			}}
			err := try(t, "ldap://dc1.corp.example.com", a, ldapsource.Options{})
			require.ErrorIs(t, err, source.ErrUnavailable)
			require.ErrorContains(t, err, tt.want)
			require.NotContains(t, a.heard.String(), "svc-sync")
		})
	}
}

func TestLdapURLsMeanStartTLS(t *testing.T) {
	s := simulate(t, &adsim.Options{RequireSigning: true})
	s.people(3)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan struct{})
	go func() { defer close(served); _ = s.srv.Serve(l) }()
	defer func() { _ = l.Close(); <-served }()
	open := func(o ldapsource.Options) *ldapsource.Source {
		src, err := ldapsource.New([]string{"ldap://" + l.Addr().String()}, []string{s.in}, syncer(s.dir), &o)
		require.NoError(t, err)
		t.Cleanup(func() { _ = src.Close() })
		return src
	}
	r := read(open(ldapsource.Options{RootCAs: poolOf(t, s.srv)}).All(t.Context()))
	require.NoError(t, r.err)
	require.Len(t, r.upserts, 3)

	r = read(open(ldapsource.Options{InsecurePlainLDAP: true}).All(t.Context()))
	require.ErrorIs(t, r.err, source.ErrUnauthenticated, "the server demands TLS")
	require.ErrorContains(t, r.err, "over TLS only")
}

func TestStartTLSOnTheRealDomainController(t *testing.T) {
	bed := dc(t)
	src, err := ldapsource.New([]string{bed.env["LDAP_URL"]}, []string{bed.env["BASE_DN"]}, bed.as("SYNC"), &ldapsource.Options{RootCAs: bed.roots(t)})
	require.NoError(t, err)
	defer src.Close()
	findings, err := src.Check(t.Context())
	require.NoError(t, err)
	require.Empty(t, findings)
}

func TestA08_BindsAreRefusedBeforeTheyAreSent(t *testing.T) {
	s := simulate(t, nil)
	for name, password := range map[string]ldapsource.PasswordFunc{
		"is empty":     ldapsource.Password(""),
		"can't be had": func(context.Context) (string, error) { return "", errors.New("vault sealed") },
	} {
		src, err := ldapsource.New([]string{s.srv.URL()}, []string{s.in}, ldapsource.Credentials{User: s.dir.AccountDN(adsim.SyncName), Password: password},
			&ldapsource.Options{RootCAs: poolOf(t, s.srv)})
		require.NoError(t, err)
		r := read(src.All(t.Context()))
		require.ErrorIs(t, r.err, source.ErrUnauthenticated)
		require.ErrorContains(t, r.err, name)
	}
	for data, want := range map[string]string{"52e": "wrong password", "533": "disabled", "701": "expired", "773": "must be changed", "775": "locked out"} {
		err := ldapsource.ExplainBind("u", 49, "80090308: LdapErr: DSID-0C09044E, comment: AcceptSecurityContext error, data "+data+", v2580\x00")
		require.ErrorIs(t, err, source.ErrUnauthenticated)
		require.ErrorContains(t, err, want)
		require.False(t, strings.ContainsRune(err.Error(), 0))
	}
}
