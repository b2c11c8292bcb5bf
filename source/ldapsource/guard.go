package ldapsource

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// errIdle says that a server stopped in the middle of an answer.
var errIdle = errors.New("no byte came for the idle timeout while an answer was awaited")

// A guard is a connection whose incoming bytes pass a scanner first, so that a
// decoder above it sees only what is small and flat enough, and which doesn't
// wait for ever for an answer. It sits between TLS and the decoder.
type guard struct {
	net.Conn
	idle time.Duration

	mu      sync.Mutex
	scanner *scanner
	awaited int   // answers that are awaited
	err     error // the first error of a read
}

func newGuard(conn net.Conn, o *Options) *guard {
	return &guard{Conn: conn, idle: o.IdleTimeout, scanner: newScanner(o.MaxPDU, o.MaxNesting)}
}

// Read implements [net.Conn]. A refused byte is never delivered, nor is any
// after it.
func (g *guard) Read(p []byte) (int, error) {
	g.mu.Lock()
	if err := g.err; err != nil {
		g.mu.Unlock()
		return 0, err
	}
	g.arm()
	g.mu.Unlock()

	n, err := g.Conn.Read(p)

	g.mu.Lock()
	defer g.mu.Unlock()
	if n > 0 {
		if bad := g.scanner.scan(p[:n]); bad != nil {
			n, err = 0, bad
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errIdle
	}
	if err != nil && g.err == nil {
		g.err = err
	}
	return n, err
}

// await starts the idle clock until the function that it returns is called.
func (g *guard) await() (done func()) {
	g.count(1)
	return func() { g.count(-1) }
}

// pause stops the idle clock of one awaited answer until the function that it
// returns is called.
func (g *guard) pause() (resume func()) {
	g.count(-1)
	return func() { g.count(1) }
}

func (g *guard) count(n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.awaited += n
	g.arm()
}

// arm sets the deadline of the present or next read. An idle connection has
// none: nobody waits.
func (g *guard) arm() {
	var t time.Time
	if g.awaited > 0 && g.idle > 0 {
		t = time.Now().Add(g.idle)
	}
	_ = g.SetReadDeadline(t) // it fails only on a closed connection, as the read then does
}

// cause is the first error that a read met, or nil.
func (g *guard) cause() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}
