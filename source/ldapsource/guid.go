package ldapsource

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/dirbridge/dirbridge/source"
)

// A guid is an objectGUID as the directory holds it: 16 bytes, the first three
// fields little-endian (MS-DTYP 2.3.4.2).
type guid [16]byte

// guidFrom takes the raw bytes of an objectGUID.
func guidFrom(raw []byte) (g guid, err error) {
	if len(raw) != len(g) {
		return g, fmt.Errorf("an objectGUID of %d bytes", len(raw))
	}
	return guid(raw), nil
}

// text is the usual form: bytes f72eabb91b09bf50845c72bb8a00e909 are
// "b9ab2ef7-091b-50bf-845c-72bb8a00e909".
func (g guid) text() string {
	b := [16]byte{g[3], g[2], g[1], g[0], g[5], g[4], g[7], g[6]}
	copy(b[8:], g[8:])
	var t [36]byte
	hex.Encode(t[0:8], b[0:4])
	hex.Encode(t[9:13], b[4:6])
	hex.Encode(t[14:18], b[6:8])
	hex.Encode(t[19:23], b[8:10])
	hex.Encode(t[24:36], b[10:16])
	t[8], t[13], t[18], t[23] = '-', '-', '-', '-'
	return string(t[:])
}

func (g guid) id() source.ID { return source.ID(g.text()) }

// parseGUID is the inverse of text.
func parseGUID(t string) (g guid, ok bool) {
	if len(t) != 36 || t[8] != '-' || t[13] != '-' || t[18] != '-' || t[23] != '-' {
		return g, false
	}
	b, err := hex.DecodeString(t[0:8] + t[9:13] + t[14:18] + t[19:23] + t[24:])
	if err != nil {
		return g, false
	}
	copy(g[:], []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]})
	copy(g[8:], b[8:])
	return g, true
}

// filterOfGUIDs is an LDAP filter (RFC 4515) that matches exactly these objects.
// It holds nothing but escaped bytes, so no value can change its meaning.
func filterOfGUIDs(ids []guid) string {
	var f strings.Builder
	f.WriteString("(|")
	for _, g := range ids {
		f.WriteString("(objectGUID=")
		f.WriteString(escapeBytes(g[:]))
		f.WriteByte(')')
	}
	f.WriteByte(')')
	return f.String()
}

// escapeBytes writes every byte as a filter's hex escape.
func escapeBytes(b []byte) string {
	const digits = "0123456789abcdef"
	t := make([]byte, 0, 3*len(b))
	for _, c := range b {
		t = append(t, '\\', digits[c>>4], digits[c&15])
	}
	return string(t)
}
