package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// A resultError is a server's own answer that an operation didn't succeed.
type resultError struct {
	code uint16 // RFC 4511, 4.1.9
	text string // the server's diagnostic message, safe to print
}

func (e *resultError) Error() string {
	t := fmt.Sprintf("the server answered %s (%d)", ldap.LDAPResultCodeMap[e.code], e.code)
	if e.text != "" {
		t += ": " + e.text
	}
	return t
}

// code is the result code of the server's answer in err, 0 if there is none.
func code(err error) uint16 {
	if r, ok := errors.AsType[*resultError](err); ok {
		return r.code
	}
	return 0
}

// explain turns what go-ldap returned into an error that says what happened:
// the server's answer, what the guard refused, or why the connection ended.
// go-ldap's own types and texts stay in here.
func (s *session) explain(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause // it closed the connection; whatever that led to is noise
	}
	l, ok := errors.AsType[*ldap.Error](err)
	if ok && l.ResultCode < ldap.ErrorNetwork { // what is above are go-ldap's own
		return &resultError{code: l.ResultCode, text: printable(s.hush(l.Err.Error()))}
	}
	if cause := s.guard.cause(); cause != nil {
		return fmt.Errorf("connection to %s: %w", s.server.url, cause)
	}
	if ok {
		return fmt.Errorf("connection to %s: %s", s.server.url, printable(s.hush(l.Err.Error())))
	}
	return fmt.Errorf("connection to %s: %w", s.server.url, err)
}

// hush takes the password out of a text, which a server that knows it may have
// put there.
func (s *session) hush(text string) string {
	if s.secret == "" {
		return text
	}
	return strings.ReplaceAll(text, s.secret, "[secret]")
}

// classify wraps the error of a read that began in the sentinel that says what
// it means. Its default is ErrIncomplete: the read didn't reach its end.
func classify(err error) error {
	if err == nil {
		return nil
	}
	for _, known := range []error{source.ErrIncomplete, source.ErrUnavailable, source.ErrUnauthenticated,
		source.ErrForbidden, source.ErrWatermarkExpired} {
		if errors.Is(err, known) {
			return err
		}
	}
	switch c := code(err); c {
	case ldap.LDAPResultInsufficientAccessRights:
		return fmt.Errorf("%w: %w", source.ErrForbidden, err)
	case ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication,
		ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return fmt.Errorf("%w: %w", source.ErrUnauthenticated, err)
	case ldap.LDAPResultOperationsError:
		// What a domain controller says to one who isn't bound.
		if r, _ := errors.AsType[*resultError](err); strings.Contains(r.text, "successful bind must be completed") || strings.HasPrefix(r.text, "00002020") {
			return fmt.Errorf("%w: %w", source.ErrUnauthenticated, err)
		}
	}
	return fmt.Errorf("%w: %w", source.ErrIncomplete, err)
}

// bindReasons are what Windows puts after "data" in the text of
// invalidCredentials (Win32 error codes, hexadecimal).
var bindReasons = map[string]string{
	"525": "there is no such account",
	"52e": "wrong password or no such account",
	"530": "the account may not log on at this hour",
	"531": "the account may not log on from this computer",
	"532": "the account's password has expired",
	"533": "the account is disabled",
	"568": "the account is in too many groups",
	"701": "the account has expired",
	"773": "the account's password must be changed first",
	"775": "the account is locked out",
}

var bindData = regexp.MustCompile(`\bdata ([0-9a-f]{3,4})\b`)

// explainBind adds to a refused bind's error what its code means.
func explainBind(user string, err error) error {
	r, ok := errors.AsType[*resultError](err)
	if !ok {
		return err
	}
	switch r.code {
	case ldap.LDAPResultInvalidCredentials:
		why := bindReasons["52e"]
		if m := bindData.FindStringSubmatch(strings.ToLower(r.text)); m != nil && bindReasons[m[1]] != "" {
			why = bindReasons[m[1]]
		}
		return fmt.Errorf("%w: bind as %q: %s: %w", source.ErrUnauthenticated, user, why, err)
	case ldap.LDAPResultStrongAuthRequired, ldap.LDAPResultConfidentialityRequired:
		return fmt.Errorf("%w: bind as %q: the server takes passwords over TLS only, use ldaps:// or leave Options.InsecurePlainLDAP off: %w",
			source.ErrUnauthenticated, user, err)
	case ldap.LDAPResultBusy, ldap.LDAPResultUnavailable:
		return fmt.Errorf("%w: %w", source.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: bind as %q: %w", source.ErrUnauthenticated, user, err)
}

// printable is a server's text without what could disturb a log, and no longer
// than it is of use.
func printable(t string) string {
	t = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.TrimRight(t, "\x00"))
	if r := []rune(t); len(r) > 300 {
		return string(r[:300]) + "..."
	}
	return t
}
