//go:build unix

package ldapsource_test

import (
	"bytes"
	"context"
	"net"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/internal/adsim"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

// cpu is the processor time that this process has used.
func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkFullRead reads everybody of the real domain, and again with
// ldapsearch: the same filter, attributes, page size and domain controller.
func BenchmarkFullRead(b *testing.B) {
	bed := dc(b)
	b.Run("ldapsource", func(b *testing.B) {
		src := bed.source(b, "SYNC")
		b.ReportAllocs()
		start, n := cpu(), 0
		for b.Loop() {
			for _, err := range src.All(b.Context()) {
				require.NoError(b, err)
				n++
			}
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
		b.ReportMetric(float64((cpu()-start).Microseconds())/float64(n), "cpu-µs/object")
	})
	b.Run("ldapsearch", func(b *testing.B) {
		n, used := 0, time.Duration(0)
		for b.Loop() {
			args := append([]string{"-x", "-LLL", "-E", "pr=1000/noprompt", "-H", bed.env["LDAPS_URL"], "-D", bed.env["SYNC_DN"], "-w",
				bed.env["SYNC_PASSWORD"], "-b", bed.env["BASE_DN"], "(&(objectCategory=person)(objectClass=user))", "uSNChanged"}, ldapsource.DefaultAttributes()...)
			cmd := exec.Command("ldapsearch", args...)
			cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+bed.env["CA_FILE"])
			out, err := cmd.Output()
			require.NoError(b, err)
			used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			n += bytes.Count(out, []byte("\ndn:")) + 1 // each but the first follows an empty line
		}
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "objects/s")
		b.ReportMetric(float64(used.Microseconds())/float64(n), "cpu-µs/object")
	})
}

func BenchmarkIdlePoll(b *testing.B) {
	bed := dc(b)
	src := bed.source(b, "SYNC")
	all := read(src.All(b.Context()))
	require.NoError(b, all.err)
	b.ReportAllocs()
	for b.Loop() {
		maybe, err := src.Poll(b.Context(), all.mark())
		require.NoError(b, err)
		require.False(b, maybe)
	}
}

// BenchmarkDecode reads a recorded page of 1,000 people, without a server: what
// the client alone costs.
func BenchmarkDecode(b *testing.B) {
	s := &simulation{t: b, dir: adsim.New(nil)}
	require.NoError(b, s.dir.SeedPeople(1000, 1))
	s.in = adsim.PeopleOU + "," + s.dir.BaseDN()
	srv, err := adsim.NewServer(s.dir)
	require.NoError(b, err)
	defer srv.Close()
	tape := &tape{}
	run := func(dial func(context.Context, string, string) (net.Conn, error)) {
		src, err := ldapsource.New([]string{"ldap://dc1"}, []string{s.in}, syncer(s.dir), &ldapsource.Options{InsecurePlainLDAP: true, Dial: dial})
		require.NoError(b, err)
		n := 0
		for _, err := range src.All(b.Context()) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, 1001, n)
		require.NoError(b, src.Close())
	}
	run(func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go srv.ServeConn(server)
		return &recorder{Conn: client, tape: tape}, nil
	})
	size := 0
	for _, a := range tape.answers {
		size += len(a)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	start, n := cpu(), 0
	for b.Loop() {
		run(func(context.Context, string, string) (net.Conn, error) { return newPlayer(tape), nil })
		n += 1000
	}
	b.ReportMetric(float64((cpu()-start).Microseconds())/float64(n), "cpu-µs/object")
}

// A tape is what a server answered to each request.
type tape struct{ answers [][]byte }

type recorder struct {
	net.Conn
	tape *tape
	mu   sync.Mutex
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.tape.answers = append(r.tape.answers, nil)
	r.mu.Unlock()
	return r.Conn.Write(p)
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.tape.answers) - 1
	r.tape.answers[last] = append(r.tape.answers[last], p[:n]...)
	return n, err
}

// A player gives, at each request, the recorded answer to it.
type player struct {
	net.Conn // the client's end of a pipe, for deadlines and closing
	tape     *tape
	next     int
	ready    chan []byte
	rest     []byte
	closed   chan struct{}
	once     sync.Once
}

func newPlayer(t *tape) *player {
	c, _ := net.Pipe()
	return &player{Conn: c, tape: t, ready: make(chan []byte, len(t.answers)), closed: make(chan struct{})}
}

func (p *player) Write(b []byte) (int, error) {
	if p.next < len(p.tape.answers) {
		p.ready <- p.tape.answers[p.next]
		p.next++
	}
	return len(b), nil
}

func (p *player) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		select {
		case p.rest = <-p.ready:
		case <-p.closed:
			return 0, net.ErrClosed
		}
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

func (p *player) Close() error {
	p.once.Do(func() { close(p.closed) })
	return p.Conn.Close()
}
