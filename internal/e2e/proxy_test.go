package e2e_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy stands between a client and a domain controller. It passes everything
// on until so many bytes came from the server, and then does what it was told.
type proxy struct {
	listener net.Listener
	to       string

	mu     sync.Mutex
	conns  map[net.Conn]bool
	passed int    // bytes from the server, in all
	at     int    // when to strike, by passed
	strike func() // nil: never
	work   sync.WaitGroup
}

// newProxy listens on loopback for connections to the address to.
func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	p := &proxy{listener: l, to: to, conns: map[net.Conn]bool{}}
	p.work.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.work.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		p.cut()
		p.work.Wait()
	})
	return p
}

// dial connects to the proxy, wherever it is asked to.
func (p *proxy) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", p.listener.Addr().String())
}

func (p *proxy) serve(client net.Conn) {
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		client.Close()
		return
	}
	p.mu.Lock()
	p.conns[client], p.conns[server] = true, true
	p.mu.Unlock()
	p.work.Go(func() {
		_, _ = io.Copy(server, client)
		server.Close()
	})
	p.back(client, server)
	client.Close()
	server.Close()
	p.mu.Lock()
	delete(p.conns, client)
	delete(p.conns, server)
	p.mu.Unlock()
}

// back passes on what the server says.
func (p *proxy) back(client, server net.Conn) {
	buf := make([]byte, 4096)
	for {
		n, err := server.Read(buf)
		p.mu.Lock()
		strike := p.strike
		if strike != nil && p.passed+n >= p.at {
			n, p.strike = max(0, p.at-p.passed), nil
		} else {
			strike = nil
		}
		p.passed += n
		p.mu.Unlock()
		if _, werr := client.Write(buf[:n]); werr != nil || err != nil && strike == nil {
			return
		}
		if strike != nil {
			strike()
			_, _ = io.Copy(io.Discard, server) // until somebody closes it
			return
		}
	}
}

// after has the proxy call f once n more bytes came from the server. From then on
// the connection gives nothing more, but stays open unless f cuts it.
func (p *proxy) after(n int, f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at, p.strike = p.passed+n, f
}

// struck reports whether f of the last call of after was called, and takes it
// back if it wasn't.
func (p *proxy) struck() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.strike == nil
	p.strike = nil
	return was
}

// bytes is how many came from the server so far.
func (p *proxy) bytes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}
