package ldapsource

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A Source reads the people of one Active Directory domain, and its groups and
// containers if asked to (Options.Kinds). Like every
// [source.Source] it is used by one reader at a time. It keeps one connection
// between calls: Close it.
type Source struct {
	name    string
	servers []server
	scope   scope
	attrs   attributeSet
	kinds   kinds
	pieces  int      // valuesAtOnce, but in tests
	asked   []string // the attributes' names, in order
	hash    string   // of scope, attributes and kinds
	bind    Credentials
	opts    *Options

	current int      // the server in use, or to be tried first
	kept    *session // an idle connection, or nil
	inside  inside
}

var (
	_ source.DeltaSource = (*Source)(nil)
	_ source.Poller      = (*Source)(nil)
	_ source.Finder      = (*Source)(nil)
	_ source.Confirmer   = (*Source)(nil)
	_ source.Resolver    = (*Source)(nil)
	_ source.Checker     = (*Source)(nil)
	_ source.Emptier     = (*Source)(nil)
)

// A server is one domain controller by URL.
type server struct {
	url  string // as configured
	host string
	addr string // host:port
	tls  bool   // from the first byte; else StartTLS
}

// New returns a Source that reads the people at or below baseDNs as bind's
// account. It does no I/O.
//
// servers are the domain's controllers, ldaps://host[:port] or ldap://host[:port]
// (which means StartTLS), in the order in which they are tried; the one that
// works is stayed with. All of them must be full controllers of one domain.
// baseDNs are in that domain, and none lies within another. opts may be nil.
func New(servers, baseDNs []string, bind Credentials, opts *Options) (*Source, error) {
	o, err := opts.withDefaults()
	errs := []error{err}
	s := &Source{bind: bind, opts: o, pieces: valuesAtOnce}
	if len(servers) == 0 {
		errs = append(errs, errors.New("no server: name at least one domain controller, ldaps://dc1.corp.example.com"))
	}
	for _, u := range servers {
		sv, err := parseServer(u)
		if err == nil && slices.ContainsFunc(s.servers, func(o server) bool { return o.addr == sv.addr }) {
			err = fmt.Errorf("server %q: named twice", u)
		}
		s.servers, errs = append(s.servers, sv), append(errs, err)
	}
	if s.scope, err = newScope(baseDNs); err != nil {
		errs = append(errs, err)
	}
	if s.kinds, err = newKinds(o); err != nil {
		errs = append(errs, err)
	}
	if s.attrs, err = newAttributeSet(slices.Concat(s.kinds.attributes(), o.Attributes), o.BinaryAttributes); err != nil {
		errs = append(errs, err)
	}
	if strings.TrimSpace(bind.User) == "" {
		errs = append(errs, errors.New("Credentials.User is empty: an anonymous account can't read a directory"))
	}
	if bind.Password == nil {
		errs = append(errs, errors.New("Credentials.Password is nil"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("ldapsource: %w", err)
	}
	s.name = o.Name
	if s.name == "" {
		s.name = "ad:" + s.scope.domain
	}
	s.asked = s.attrs.names()
	s.hash = s.scope.hash(s.attrs, s.kinds)
	return s, nil
}

// parseServer takes a URL apart.
func parseServer(text string) (server, error) {
	u, err := url.Parse(text)
	if err != nil {
		return server{}, fmt.Errorf("server %q: not a URL", text)
	}
	port := map[string]string{"ldaps": "636", "ldap": "389"}[u.Scheme]
	switch {
	case port == "":
		return server{}, fmt.Errorf("server %q: want ldaps://host[:port] or ldap://host[:port]", text)
	case u.User != nil:
		return server{}, errors.New("a server's URL carries a user name or password: give these as Credentials")
	case u.Hostname() == "":
		return server{}, fmt.Errorf("server %q: no host", text)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return server{}, fmt.Errorf("server %q: give the host alone, base DNs are a parameter of their own", text)
	case u.Port() == "3268" || u.Port() == "3269":
		return server{}, fmt.Errorf("server %q: a global catalogue holds only some attributes, use port 636 or 389", text)
	}
	if u.Port() != "" {
		port = u.Port()
	}
	return server{url: text, host: u.Hostname(), addr: net.JoinHostPort(u.Hostname(), port), tls: u.Scheme == "ldaps"}, nil
}

// Name implements [source.Source].
func (s *Source) Name() string { return s.name }

// String names the source and its servers, without credentials.
func (s *Source) String() string {
	urls := make([]string, len(s.servers))
	for i, sv := range s.servers {
		urls[i] = sv.url
	}
	return s.name + " at " + strings.Join(urls, ", ")
}

// Close ends the connection that the source keeps. The source can be used again
// and then has to be closed again.
func (s *Source) Close() error {
	if s.kept != nil {
		s.kept.close()
		s.kept = nil
	}
	return nil
}
