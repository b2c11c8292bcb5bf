package ldapsource_test

import (
	"bytes"
	"errors"
	"runtime"
	"testing"

	"github.com/dirbridge/dirbridge/source/ldapsource"
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/stretchr/testify/require"
)

// tlv is one BER element with a definite length in as few octets as it takes.
func tlv(tag byte, content ...[]byte) []byte {
	body := bytes.Join(content, nil)
	head := []byte{tag}
	switch n := len(body); {
	case n < 0x80:
		head = append(head, byte(n))
	case n < 1<<16:
		head = append(head, 0x82, byte(n>>8), byte(n))
	default:
		head = append(head, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(head, body...)
}

// nested is a message of n bytes, six for each level, that is nothing but
// nesting.
func nested(n int) []byte {
	b := make([]byte, 0, n)
	for left := n - 6; left >= 0; left -= 6 {
		b = append(b, 0x30, 0x84, byte(left>>24), byte(left>>16), byte(left>>8), byte(left))
	}
	return b
}

func TestA10_TheScannerRefusesWhatAServerNeverSends(t *testing.T) {
	many := bytes.Repeat([]byte{0x04, 0x00}, 200_000)
	for _, tt := range []struct {
		name  string
		bytes []byte
		want  string // "" if it is accepted
	}{
		{"a small message", tlv(0x30, tlv(2, []byte{1}), tlv(0x65, tlv(10, []byte{0}), tlv(4), tlv(4))), ""},
		{"two messages", bytes.Repeat(tlv(0x30, tlv(2, []byte{1})), 2), ""},
		{"an empty message", tlv(0x30), ""},
		{"a value of 600 KB", tlv(0x30, tlv(4, make([]byte, 600_000))), ""},
		{"15,000 small values", tlv(0x30, tlv(0x31, bytes.Repeat(tlv(4, []byte("a")), 15_000))), ""},
		{"larger than the limit", tlv(0x30, tlv(4, make([]byte, 1<<20))), "more than the limit of 1048576"},
		{"a length of 4 GiB", []byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff}, "a message of 4294967301 bytes"},
		{"a length of nine octets", []byte{0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1}, "a length of 9 octets"},
		{"the reserved length", []byte{0x30, 0xff}, "a length of 128 octets"},
		{"indefinite length", []byte{0x30, 0x80}, "indefinite length"},
		{"indefinite length inside", tlv(0x30, []byte{0x30, 0x80, 0, 0}), "indefinite length"},
		{"nested as deep as allowed", deep(16), ""},
		{"nested one deeper", deep(17), "nested deeper than 16"},
		{"nearly 1 MB of nested sequences", nested(1_000_000), "nested deeper than 16"},
		{"a child larger than its parent", []byte{0x30, 4, 4, 3, 1, 2, 3}, "an element of 5 bytes where 4 are left"},
		{"a child's header beyond its parent", []byte{0x30, 2, 4, 0x82, 0, 0}, "where 2 are left"},
		{"not a message", []byte("HTTP/1.1 400 Bad Request"), "not an LDAP message"},
		{"a tag without end", append([]byte{0x30, 20, 0x3f}, bytes.Repeat([]byte{0xff}, 10)...), "a tag of more than"},
		{"200,000 empty values", tlv(0x30, many), "elements in one message"},
		{"controls of 200 KB", tlv(0x30, tlv(2, []byte{1}), tlv(0x65), tlv(0xa0, make([]byte, 200_000))), "controls of"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := ldapsource.NewScanner(1<<20, 16)
			err := s.Scan(tt.bytes)
			if tt.want == "" {
				require.NoError(t, err)
				require.True(t, s.Idle())
				return
			}
			require.ErrorIs(t, err, ldapsource.ErrHostile)
			require.ErrorContains(t, err, tt.want)
			bytewise := ldapsource.NewScanner(1<<20, 16) // however it is cut into reads
			var got error
			for i := 0; i < len(tt.bytes) && got == nil; i++ {
				got = bytewise.Scan(tt.bytes[i : i+1])
			}
			require.EqualError(t, got, err.Error())
		})
	}
}

// deep is a message nested n deep.
func deep(n int) []byte {
	b := tlv(0x30)
	for range n - 1 {
		b = tlv(0x30, b)
	}
	return b
}

func TestA10_NestingIsRefusedWithFlatMemory(t *testing.T) {
	bomb := nested(1 << 20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	require.ErrorIs(t, ldapsource.NewScanner(64<<20, 32).Scan(bomb), ldapsource.ErrHostile)
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<10))
}

// FuzzScanner: what the scanner accepts as whole messages, go-ldap's decoder
// decodes as definite, no deeper and no larger than allowed, however the stream
// is cut.
func FuzzScanner(f *testing.F) {
	f.Add(tlv(0x30, tlv(2, []byte{1}), tlv(0x65, tlv(10, []byte{0}), tlv(4), tlv(4))), uint8(3))
	f.Add([]byte{0x30, 0x80, 0, 0}, uint8(1))
	f.Add(nested(90), uint8(7))
	f.Add(append(tlv(0x30, tlv(0x31, tlv(4, []byte("a")), tlv(4))), 0x30, 0x82, 1), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, step uint8) {
		const limit, depth = 1 << 12, 8
		whole, pieces := ldapsource.NewScanner(limit, depth), ldapsource.NewScanner(limit, depth)
		err := whole.Scan(b)
		var cut error
		for rest := b; len(rest) > 0 && cut == nil; {
			n := min(int(step)+1, len(rest))
			cut = pieces.Scan(rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, err == nil, cut == nil)
		if err != nil {
			require.True(t, errors.Is(err, ldapsource.ErrHostile))
			return
		}
		require.Equal(t, whole.Idle(), pieces.Idle())
		for r := bytes.NewReader(b); whole.Idle() && r.Len() > 0; {
			left := r.Len()
			p, err := ber.ReadPacket(r)
			if err != nil {
				return // the decoder judges values too
			}
			require.LessOrEqual(t, left-r.Len(), limit)
			require.LessOrEqual(t, depthOf(p), depth+1)
		}
	})
}

func depthOf(p *ber.Packet) int {
	d := 0
	for _, c := range p.Children {
		d = max(d, depthOf(c))
	}
	return d + 1
}
