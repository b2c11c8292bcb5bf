package adsim

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A GUID is an objectGUID or invocationId: the 16 bytes as the directory keeps
// them, the first three fields little-endian.
type GUID [16]byte

// String returns the usual text form, "b9ab2ef7-091b-50bf-845c-72bb8a00e909".
func (g GUID) String() string {
	return fmt.Sprintf("%08x-%04x-%04x-%x-%x", binary.LittleEndian.Uint32(g[:]), binary.LittleEndian.Uint16(g[4:]),
		binary.LittleEndian.Uint16(g[6:]), g[8:10], g[10:])
}

// ParseGUID reads the text form, or 32 hexadecimal digits of the bytes as kept.
func ParseGUID(s string) (GUID, error) {
	var g GUID
	plain := len(s) == 32
	if !plain && (len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-') {
		return g, fmt.Errorf("guid %q: not 8-4-4-4-12 hexadecimal digits", s)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(s, "-", ""))
	if err != nil || len(raw) != 16 {
		return g, fmt.Errorf("guid %q: not 32 hexadecimal digits", s)
	}
	copy(g[:], raw)
	if !plain {
		g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
		g[4], g[5] = g[5], g[4]
		g[6], g[7] = g[7], g[6]
	}
	return g, nil
}

// sidBytes is the domain's SID with a relative identifier; rid 0 is the
// domain's own.
func sidBytes(domain [3]uint32, rid uint32) string {
	sub := []uint32{21, domain[0], domain[1], domain[2]}
	if rid != 0 {
		sub = append(sub, rid)
	}
	b := []byte{1, byte(len(sub)), 0, 0, 0, 0, 0, 5}
	for _, v := range sub {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return string(b)
}

// sidText writes a SID as S-1-5-21-….
func sidText(b string) string {
	if len(b) < 8 || len(b) != 8+4*int(b[1]) {
		return ""
	}
	var authority uint64
	for _, c := range []byte(b[2:8]) {
		authority = authority<<8 | uint64(c)
	}
	out := fmt.Sprintf("S-%d-%d", b[0], authority)
	for i := 8; i < len(b); i += 4 {
		out += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32([]byte(b[i:i+4]))), 10)
	}
	return out
}

const epochDiff = 11644473600 // seconds from 1601 to 1970

// fileTime is t in 100 ns since 1601.
func fileTime(t time.Time) int64 { return (t.Unix()+epochDiff)*1e7 + int64(t.Nanosecond())/100 }

// generalizedTime is t as whenChanged is written.
func generalizedTime(t time.Time) string { return t.UTC().Format("20060102150405") + ".0Z" }

// fold brings text into the form in which names and values are compared.
func fold(s string) string { return strings.ToLower(s) }

func upperFirstLabel(domain string) string {
	label, _, _ := strings.Cut(domain, ".")
	return strings.ToUpper(label)
}
