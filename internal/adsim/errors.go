package adsim

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// fail is an LDAP result other than success. It is what a client gets, and what
// the methods of [Directory] return: ask with [ldap.IsErrorWithCode].
func fail(code uint16, format string, args ...any) error {
	return ldap.NewError(code, fmt.Errorf(format, args...))
}

// result takes an error apart for the wire.
func result(err error) (code uint16, matched, text string) {
	if err == nil {
		return ldap.LDAPResultSuccess, "", ""
	}
	if e, ok := err.(*ldap.Error); ok {
		return e.ResultCode, e.MatchedDN, e.Err.Error()
	}
	return ldap.LDAPResultOther, "", err.Error()
}
