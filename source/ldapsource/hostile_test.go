package ldapsource_test

import (
	"bufio"
	"context"
	"net"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/stretchr/testify/require"
)

// TestA10_ABombIsRefusedBeforeItIsDecoded: go-ldap's decoder makes more than a
// gigabyte of one megabyte of nested sequences.
func TestA10_ABombIsRefusedBeforeItIsDecoded(t *testing.T) {
	for name, bomb := range map[string][]byte{
		"nesting":     nested(1 << 20),
		"a long PDU":  {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff},
		"no length":   {0x30, 0x80, 0x02, 0x01, 0x01},
		"empty sets":  tlv(0x30, make([]byte, 0), repeat([]byte{0x31, 0}, 500_000)),
		"not LDAP":    []byte("HTTP/1.1 400 Bad Request\r\n\r\n"),
		"big control": tlv(0x30, tlv(2, []byte{1}), tlv(0x61), tlv(0xa0, repeat([]byte{0x30, 0}, 500_000))),
	} {
		t.Run(name, func(t *testing.T) {
			a := &answering{serve: func(c net.Conn) { // answers the bind
				_, _ = ber.ReadPacket(bufio.NewReader(c))
				_, _ = c.Write(bomb)
			}}
			src, err := ldapsource.New([]string{"ldap://dc1.corp.example.com"}, []string{"DC=corp,DC=example,DC=com"},
				ldapsource.Credentials{User: "svc", Password: ldapsource.Password("p")}, &ldapsource.Options{InsecurePlainLDAP: true, Dial: a.dial})
			require.NoError(t, err)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			r := read(src.All(t.Context()))
			runtime.ReadMemStats(&after)
			a.wg.Wait()
			require.ErrorContains(t, r.err, "refused before decoding")
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(2*len(bomb)+16<<20), "twice the message and 16 MiB")
		})
	}
}

func repeat(b []byte, n int) []byte {
	out := make([]byte, 0, len(b)*n)
	for range n {
		out = append(out, b...)
	}
	return out
}

// piped serves a simulated domain over in-memory connections, so that time can
// be made to pass in a bubble.
func piped(t *testing.T, change func(*ldapsource.Options)) (*simulation, *ldapsource.Source) {
	s := &simulation{t: t, dir: adsim.New(nil)}
	s.in = "OU=In," + s.dir.BaseDN()
	_, err := s.dir.Add(s.in, adsim.Attrs{"objectClass": {"organizationalUnit"}})
	require.NoError(t, err)
	s.srv, err = adsim.NewServer(s.dir)
	require.NoError(t, err)
	s.people(10)
	o := ldapsource.Options{InsecurePlainLDAP: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go s.srv.ServeConn(server)
		return client, nil
	}}
	change(&o)
	src, err := ldapsource.New([]string{"ldap://dc1"}, []string{s.in}, syncer(s.dir), &o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = src.Close(); _ = s.srv.Close() })
	return s, src
}

func TestA10_AServerThatFallsSilentIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, src := piped(t, func(o *ldapsource.Options) { o.IdleTimeout = 20 * time.Second })
		first := read(src.All(t.Context()))
		require.NoError(t, first.err)
		s.srv.Inject(adsim.OnSearch(2, adsim.Fault{After: 3, Hang: true}))
		start := time.Now()
		r := read(src.All(t.Context()))
		require.ErrorIs(t, r.err, source.ErrIncomplete)
		require.ErrorContains(t, r.err, "idle timeout")
		require.Len(t, r.upserts, 3)
		require.Equal(t, 20*time.Second, time.Since(start).Truncate(time.Second))

		s.srv.Inject(nil)
		require.NoError(t, read(src.All(t.Context())).err)
		time.Sleep(5 * time.Minute) // an idle connection isn't given up: nobody waits for an answer
		maybe, err := src.Poll(t.Context(), first.mark())
		require.NoError(t, err)
		require.False(t, maybe)
	})
}

func TestA10_AServerThatDripsIsGivenUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, src := piped(t, func(o *ldapsource.Options) { o.TotalTimeout = time.Minute })
		s.srv.Inject(adsim.OnSearch(2, adsim.Fault{Drip: 25 * time.Second}))
		start := time.Now()
		r := read(src.All(t.Context()))
		require.ErrorIs(t, r.err, source.ErrIncomplete)
		require.ErrorContains(t, r.err, "Options.TotalTimeout")
		require.Equal(t, time.Minute, time.Since(start))
		require.Len(t, r.upserts, 2)
	})
}

// TestASlowReaderLosesNothing: go-ldap drops an entry that isn't taken within
// its own timeout, without a word.
func TestASlowReaderLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, src := piped(t, func(o *ldapsource.Options) { o.PageSize = 1 })
		n := 0
		for _, err := range src.All(t.Context()) {
			require.NoError(t, err)
			n++
			time.Sleep(20 * time.Minute)
		}
		require.Equal(t, 11, n)
	})
}

func TestACancelledContextEndsAHangingServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, src := piped(t, func(o *ldapsource.Options) {})
		s.srv.Inject(func(r adsim.Request) *adsim.Fault {
			if r.Kind == "bind" {
				return &adsim.Fault{Hang: true}
			}
			return nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		start := time.Now()
		r := read(src.All(ctx))
		require.ErrorIs(t, r.err, context.Canceled)
		require.Equal(t, 3*time.Second, time.Since(start))

		r = read(src.All(t.Context())) // a bind that hangs ends with the time for connecting
		require.ErrorIs(t, r.err, source.ErrUnavailable)
		require.ErrorContains(t, r.err, "Options.ConnectTimeout")
		require.Equal(t, 18*time.Second, time.Since(start))
	})
}
