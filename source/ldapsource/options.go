package ldapsource

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/source"
)

// A PasswordFunc gives the password for a bind. It is asked at every bind, so
// that a password can be changed while a program runs, and what it gives is
// neither kept nor logged.
type PasswordFunc func(ctx context.Context) (string, error)

// Password is a PasswordFunc that always gives p.
func Password(p string) PasswordFunc {
	return func(context.Context) (string, error) { return p, nil }
}

// Credentials say who reads the directory.
type Credentials struct {
	// User is the account's distinguished name, its user principal name
	// ("svc-sync@corp.example.com") or its name in the old form
	// ("CORP\svc-sync"). Required.
	User string

	// Password gives its password. Required. An empty password is refused: a
	// server may take it for an anonymous bind and report success (RFC 4513,
	// 5.1.2).
	Password PasswordFunc
}

// A DeltaMode says how a source learns what changed.
type DeltaMode string

const (
	// DeltaAuto is DirSync if the account may use it, else DeltaUSN.
	DeltaAuto DeltaMode = ""

	// DeltaDirSync is the DirSync control, which needs the right "Replicating
	// Directory Changes" on the domain. Without it, reads fail with
	// [source.ErrForbidden].
	DeltaDirSync DeltaMode = "dirsync"

	// DeltaUSN polls by uSNChanged, which needs no right but to read.
	DeltaUSN DeltaMode = "usn"
)

// Options are what a [Source] can be told beyond the necessary.
type Options struct {
	// Name is the source's name, under which links and watermarks are kept.
	//
	// Defaults to "ad:" and the domain's DNS name, "ad:corp.example.com",
	// whatever the scope within it is: changing the scope must not lose what
	// is known. Two sources in one domain need a Name each.
	Name string

	// RootCAs are the authorities that may have signed the servers'
	// certificates. Defaults to the system's.
	RootCAs *x509.CertPool

	// ServerName is the name that every server's certificate must carry.
	// Defaults to the host in the server's URL.
	ServerName string

	// InsecurePlainLDAP lets an ldap:// URL be used without StartTLS: the
	// password and everybody's data cross the network readable, and anybody on
	// the way can change them. For tests on one machine only.
	//
	// Defaults to false: ldap:// means StartTLS, and no TLS means no bind.
	InsecurePlainLDAP bool

	// Kinds are what is read: [source.User], [source.Group] and
	// [source.Container], each wherever it lies within the base DNs. With
	// containers, every object says in which one it lies ([source.Object]'s
	// Parent), and one that is renamed is one event, of the container alone.
	// Without, it is an event for everybody below it.
	//
	// Defaults to users alone.
	Kinds []source.Kind

	// References are what objects say of others, told as [source.Refers]:
	// member and managedBy (of groups), manager (of users). Each needs its
	// kind. Changing Kinds or References means one complete read.
	//
	// Defaults to none.
	References []string

	// PrimaryGroups has those told as members of a group whose primary group it is
	// (Domain Users, for nearly everybody), whom Active Directory doesn't count
	// among them. It needs References of member, and users. Changing it means one
	// complete read.
	//
	// Defaults to false, as Entra Connect has it.
	PrimaryGroups bool

	// Attributes are read beyond [DefaultAttributes]. "*" and attributes that
	// hold secrets or change by themselves are refused. Spell them as the
	// schema does: a name that the schema lacks reads as empty, which
	// [Source.Check] reports.
	Attributes []string

	// BinaryAttributes are read beyond DefaultAttributes, and their values
	// given as base64. Attributes that people commonly have (thumbnailPhoto,
	// userCertificate, objectSid, ...) are known to be binary wherever they
	// are named.
	BinaryAttributes []string

	// PageSize is the number of entries asked for at once, 1 to 1000, above
	// which domain controllers don't go. About two pages are held in memory.
	//
	// Defaults to 1000.
	PageSize int

	// ConnectTimeout is the longest that reaching one server may take, up to
	// and including TLS and the bind. Defaults to 15 seconds.
	ConnectTimeout time.Duration

	// IdleTimeout is the longest wait for the next byte of an answer. Defaults
	// to 60 seconds.
	IdleTimeout time.Duration

	// TotalTimeout is the longest that one read may take, the reader's own
	// time between events included. Defaults to 6 hours.
	TotalTimeout time.Duration

	// MaxPDU is the size in bytes of the largest message taken from a server.
	// Defaults to 64 MiB.
	MaxPDU int64

	// MaxNesting is how deep BER elements may be nested in it. Defaults to 32.
	MaxNesting int

	// Delta says how changes are found. Defaults to DeltaAuto.
	Delta DeltaMode

	// Dial makes the network connection, for a proxy or a test; network is
	// "tcp", address "host:port". TLS comes on top of what it returns.
	// Defaults to a [net.Dialer].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)

	// Logger receives the source's log: which server is used and why another
	// isn't. Defaults to discarding it.
	Logger *slog.Logger
}

// withDefaults returns a copy of o, which may be nil, with every default in
// place, or what is wrong with it.
func (o *Options) withDefaults() (*Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	var errs []error
	bad := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	switch c.Delta {
	case DeltaAuto, DeltaDirSync, DeltaUSN:
	default:
		bad("Options.Delta %q: want %q, %q or nothing", c.Delta, DeltaDirSync, DeltaUSN)
	}
	switch {
	case c.PageSize == 0:
		c.PageSize = 1000
	case c.PageSize < 0 || c.PageSize > 1000:
		bad("Options.PageSize %d: want 1 to 1000, since a domain controller gives no more at once", c.PageSize)
	}
	switch {
	case c.MaxPDU == 0:
		c.MaxPDU = 64 << 20
	case c.MaxPDU < 1<<16 || c.MaxPDU > 1<<31-1:
		bad("Options.MaxPDU %d: want 64 KiB to 2 GiB", c.MaxPDU)
	}
	switch {
	case c.MaxNesting == 0:
		c.MaxNesting = 32
	case c.MaxNesting < 8 || c.MaxNesting > 1000:
		bad("Options.MaxNesting %d: want 8 to 1000", c.MaxNesting)
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"ConnectTimeout", &c.ConnectTimeout, 15 * time.Second},
		{"IdleTimeout", &c.IdleTimeout, time.Minute},
		{"TotalTimeout", &c.TotalTimeout, 6 * time.Hour},
	} {
		if *d.value < 0 {
			bad("Options.%s %v: can't be negative", d.name, *d.value)
		} else if *d.value == 0 {
			*d.value = d.def
		}
	}
	if strings.ContainsFunc(c.Name, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f }) {
		bad("Options.Name %q: can't contain '/' or control characters", c.Name)
	}
	if c.Dial == nil {
		c.Dial = (&net.Dialer{}).DialContext
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &c, errors.Join(errs...)
}
