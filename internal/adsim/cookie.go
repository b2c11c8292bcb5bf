package adsim

import (
	"encoding/binary"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// A syncCookie is where a DirSync reader stands, in AD's own form (ad-facts.md
// 2): "MSDS", version, time, the vector of USNs, the invocationId, and the
// up-to-dateness vector with one entry, this domain controller.
type syncCookie struct {
	object     int64 // objects up to this uSNChanged have been given
	property   int64 // attributes up to this stamp were known before this cycle
	invocation GUID
}

const (
	cookieLen     = 108
	cookieVersion = 3
)

func (c syncCookie) encode(now time.Time) string {
	b := make([]byte, cookieLen)
	le := binary.LittleEndian
	copy(b, "MSDS")
	le.PutUint32(b[4:], cookieVersion)
	le.PutUint64(b[8:], uint64(fileTime(now)))
	le.PutUint32(b[24:], cookieLen-68)
	le.PutUint64(b[28:], uint64(c.object))
	le.PutUint64(b[44:], uint64(c.property))
	copy(b[52:], c.invocation[:])
	le.PutUint32(b[68:], 1) // version of the vector
	le.PutUint32(b[76:], 1) // number of entries
	copy(b[84:], c.invocation[:])
	le.PutUint64(b[100:], uint64(c.property))
	return string(b)
}

// decodeCookie reads a cookie. The empty one is the beginning. A cookie of
// another database is no error: it leads to a full read.
func decodeCookie(s string, invocation GUID) (syncCookie, error) {
	c := syncCookie{invocation: invocation}
	if s == "" {
		return c, nil
	}
	b := []byte(s)
	le := binary.LittleEndian
	if len(b) < 68 || string(b[:4]) != "MSDS" || le.Uint32(b[4:]) != cookieVersion || 68+int(le.Uint32(b[24:])) > len(b) {
		return c, fail(ldap.LDAPResultUnavailableCriticalExtension, "00000057: LdapErr: DSID-0C09079A, comment: Error processing control, data 0: dirsync cookie")
	}
	if GUID(b[52:68]) == invocation {
		c.object, c.property = int64(le.Uint64(b[28:])), int64(le.Uint64(b[44:]))
	}
	return c, nil
}
