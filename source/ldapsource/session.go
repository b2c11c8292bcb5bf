package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// A session is one bound connection to one domain controller.
type session struct {
	server server
	conn   *ldap.Conn
	guard  *guard
	raw    net.Conn // below TLS: closing it ends everything at once

	root         rootDSE
	invocationID string
	controls     map[string]bool // supportedControl
	bases        []*ldap.DN      // the scope as the server spells it; nil until resolved
	domain       *ldap.DN        // its domain; nil until resolved
	unusable     bool            // an answer may still be under way

	// vouched is the watermark that was made or trusted on this connection. A
	// controller that is restored drops its connections.
	vouched source.Watermark
	secret  string // what it was bound with, to keep it out of texts
}

// rootDSE is what a domain controller says of itself.
type rootDSE struct {
	dnsHostName  string
	dsService    string // DN of its NTDS settings
	domain       string // naming context of its domain
	config       string
	schema       string
	usn          int64     // highestCommittedUSN
	now          time.Time // its clock
	capabilities []string
	tokenGroups  [][]byte // SIDs of the bound account and its groups
}

// What is wrong with a configuration, as only a server can tell.
var (
	errNotAD       = errors.New("not an Active Directory domain controller")
	errNoBase      = errors.New("a base DN doesn't exist or the account can't see it")
	errForeignBase = errors.New("a base DN in another domain")
)

const (
	adCapability      = "1.2.840.113556.1.4.800"
	deletedObjectsDN  = "CN=Deleted Objects,"
	generalizedLayout = "20060102150405.0Z"
)

// readRoot reads the rootDSE: all of it, or, for a poll, what changes.
func (s *session) readRoot(ctx context.Context, whole bool) error {
	attrs := []string{"dsServiceName", "highestCommittedUSN", "currentTime"}
	if whole {
		attrs = append(attrs, "dnsHostName", "defaultNamingContext", "configurationNamingContext", "schemaNamingContext",
			"supportedControl", "supportedCapabilities", "tokenGroups")
	}
	e, _, err := s.lookup(ctx, "", "(objectClass=*)", attrs)
	if err != nil {
		return fmt.Errorf("read the rootDSE: %w", err)
	}
	if e == nil {
		return errors.New("read the rootDSE: the server gave none")
	}
	r := &s.root
	if whole {
		r.dnsHostName, r.domain = e.GetEqualFoldAttributeValue("dnsHostName"), e.GetEqualFoldAttributeValue("defaultNamingContext")
		r.config, r.schema = e.GetEqualFoldAttributeValue("configurationNamingContext"), e.GetEqualFoldAttributeValue("schemaNamingContext")
		r.capabilities, r.tokenGroups = e.GetEqualFoldAttributeValues("supportedCapabilities"), e.GetEqualFoldRawAttributeValues("tokenGroups")
		s.controls = map[string]bool{}
		for _, c := range e.GetEqualFoldAttributeValues("supportedControl") {
			s.controls[c] = true
		}
		if r.domain == "" || !slices.Contains(r.capabilities, adCapability) {
			return fmt.Errorf("%w: its rootDSE lacks the capability %s", errNotAD, adCapability)
		}
	}
	service := e.GetEqualFoldAttributeValue("dsServiceName")
	if !whole && service != r.dsService {
		return errors.New("the server behind the connection changed its dsServiceName")
	}
	r.dsService = service
	if r.usn, err = strconv.ParseInt(e.GetEqualFoldAttributeValue("highestCommittedUSN"), 10, 64); err != nil {
		return errors.New("read the rootDSE: no highestCommittedUSN")
	}
	if r.now, err = time.Parse(generalizedLayout, e.GetEqualFoldAttributeValue("currentTime")); err != nil {
		return errors.New("read the rootDSE: no currentTime")
	}
	return nil
}

// readInvocationID reads the identity of the server's database. It changes when
// a controller is restored the proper way.
func (s *session) readInvocationID(ctx context.Context) error {
	e, _, err := s.lookup(ctx, s.root.dsService, "(objectClass=*)", []string{"invocationId"})
	if err != nil {
		return fmt.Errorf("read the invocationId of %s: %w", s.root.dnsHostName, err)
	}
	if e != nil {
		if g, err := guidFrom(e.GetEqualFoldRawAttributeValue("invocationId")); err == nil {
			s.invocationID = g.text()
			return nil
		}
	}
	return fmt.Errorf("%w: the account can't read invocationId of %q: it needs to read the configuration partition, as every account may by default",
		source.ErrForbidden, s.root.dsService)
}

// resolve finds the base DNs and takes the server's own spelling of them, since
// it compares more loosely than the client can.
func (s *session) resolve(ctx context.Context, sc scope) error {
	s.bases = nil
	domain, err := ldap.ParseDN(s.root.domain)
	if err != nil {
		return fmt.Errorf("the server's domain %q isn't a distinguished name", printable(s.root.domain))
	}
	s.domain = domain
	for i, b := range sc.bases {
		if !within(sc.parsed[i], domain) {
			return fmt.Errorf("%w: base DN %q isn't in %s, the domain of %s", errForeignBase, b, s.root.domain, s.server.url)
		}
		e, _, err := s.lookup(ctx, b, "(objectClass=*)", []string{"1.1"})
		if err != nil && code(err) != ldap.LDAPResultNoSuchObject {
			return fmt.Errorf("base DN %q: %w", b, err)
		}
		if e == nil {
			return fmt.Errorf("%w: %q: was it renamed, moved or deleted?", errNoBase, b)
		}
		dn, err := ldap.ParseDN(e.DN)
		if err != nil {
			return fmt.Errorf("base DN %q: the server calls it %q, which isn't a distinguished name", b, printable(e.DN))
		}
		s.bases = append(s.bases, dn)
	}
	return nil
}

// isDeletedDN reports whether dn is below the container of deleted objects.
func (s *session) isDeletedDN(dn string) bool {
	tail := "," + deletedObjectsDN + s.root.domain
	return len(dn) > len(tail) && strings.EqualFold(dn[len(dn)-len(tail):], tail)
}

// kill ends the connection at once, from any goroutine. Whatever waits on it
// returns an error.
func (s *session) kill() { _ = s.raw.Close() }

// close ends the connection and joins its goroutines.
func (s *session) close() {
	s.kill()
	_ = s.conn.Close()
}
