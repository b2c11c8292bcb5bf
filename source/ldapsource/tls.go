package ldapsource

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// startTLSName is the extended operation of RFC 4511, 4.14.
const startTLSName = "1.3.6.1.4.1.1466.20037"

// secure puts TLS on conn and verifies the server's name and chain.
func (s *Source) secure(ctx context.Context, conn net.Conn, sv server) (net.Conn, error) {
	c := &tls.Config{RootCAs: s.opts.RootCAs, ServerName: s.opts.ServerName, MinVersion: tls.VersionTLS12}
	if c.ServerName == "" {
		c.ServerName = sv.host
	}
	t := tls.Client(conn, c)
	if err := t.HandshakeContext(ctx); err != nil {
		return nil, explainTLS(err, c.ServerName)
	}
	return t, nil
}

// startTLS asks the server to speak TLS from its next byte on. go-ldap's own
// StartTLS would put its decoder below TLS, out of the guard's reach; here the
// one answer in clear is read through a guard and not a byte further, so that
// nothing sent in clear can pass for a later, encrypted answer.
func (s *Source) startTLS(conn net.Conn) error {
	const id = 1
	request := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	request.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(id), ""))
	op := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationExtendedRequest, nil, "")
	op.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, startTLSName, ""))
	request.AppendChild(op)
	if _, err := conn.Write(request.Bytes()); err != nil {
		return fmt.Errorf("StartTLS: %w", err)
	}
	o := *s.opts
	o.MaxPDU = 1 << 16 // an extended response is some dozens of bytes
	answer, err := ber.ReadPacket(newGuard(conn, &o))
	if err != nil {
		return fmt.Errorf("StartTLS: %w", err)
	}
	if err := checkStartTLS(answer, id); err != nil {
		return fmt.Errorf("StartTLS: %w; the server may lack a certificate: use ldaps:// to one that has, nothing is sent without TLS", err)
	}
	return nil
}

// checkStartTLS accepts the successful answer to request id, and nothing else.
func checkStartTLS(p *ber.Packet, id int64) error {
	if len(p.Children) < 2 || p.Children[0].Value != id || p.Children[1].ClassType != ber.ClassApplication ||
		p.Children[1].Tag != ldap.ApplicationExtendedResponse {
		return errors.New("the server sent something else than the answer")
	}
	err := ldap.GetLDAPError(p)
	if l, ok := errors.AsType[*ldap.Error](err); ok {
		return &resultError{code: l.ResultCode, text: printable(l.Err.Error())}
	}
	return err
}

// explainTLS says in an administrator's words what is wrong with a certificate.
func explainTLS(err error, name string) error {
	var hint string
	if host, ok := errors.AsType[x509.HostnameError](err); ok {
		hint = fmt.Sprintf("the certificate isn't for %q: name the server as its certificate does, or set Options.ServerName", name)
		if c := host.Certificate; c != nil && len(c.DNSNames) == 0 && len(c.IPAddresses) == 0 {
			hint = "the certificate has no subject alternative names, without which no name can be verified: the domain controller needs a new certificate"
		} else if c != nil && len(c.DNSNames) > 0 {
			hint += " (it is for " + printable(strings.Join(c.DNSNames, ", ")) + ")"
		}
	} else if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		hint = "the certificate's authority isn't trusted: give it in Options.RootCAs"
	} else if invalid, ok := errors.AsType[x509.CertificateInvalidError](err); ok {
		hint = "the certificate isn't valid"
		if invalid.Reason == x509.Expired {
			hint = "the certificate has expired or isn't valid yet: renew it, and compare the clocks"
		}
	} else if strings.Contains(err.Error(), "negative serial number") {
		hint = "the certificate has a negative serial number, which RFC 5280 forbids and Go refuses (Samba's self-made certificates may): the domain controller needs a new certificate"
	} else if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		hint = "the server doesn't speak TLS at this port: ldaps:// is port 636, ldap:// with StartTLS port 389"
	} else if strings.Contains(err.Error(), "protocol version") {
		hint = "the server offers only versions of TLS before 1.2"
	}
	if hint == "" {
		return fmt.Errorf("TLS: %w", err)
	}
	return fmt.Errorf("TLS: %s: %w", hint, err)
}
