package ldapsource_test

import (
	"context"
	"io"
	"net"
	"sync"
)

// A cutter makes connections that can be cut in the middle of what the server
// says.
type cutter struct {
	mu   sync.Mutex
	left int // bytes from the server until the cut, -1 for never
	n    counts
}

// counts is what a cutter has seen since it was made.
type counts struct {
	received int // bytes from the server
	cuts     int // connections that were cut
	dialled  int
	written  int // writes to the server: a request each
}

func newCutter() *cutter { return &cutter{left: -1} }

// arm cuts the connection, the present one or the next, after so many bytes.
func (c *cutter) arm(bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = bytes
}

// seen gives the counts as they are now: a connection's reader may outlive Close by
// a moment, so that nobody else may look at them without the lock.
func (c *cutter) seen() counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

func (c *cutter) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n.dialled++
	return &cutConn{Conn: conn, c: c}, nil
}

type cutConn struct {
	net.Conn
	c *cutter
}

func (c *cutConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	if c.c.left >= 0 && n > c.c.left {
		n = c.c.left
		c.c.n.cuts++
		c.c.left = -1
		_ = c.Close()
		if n == 0 {
			return 0, io.EOF
		}
	} else if c.c.left >= 0 {
		c.c.left -= n
	}
	c.c.n.received += n
	return n, err
}

func (c *cutConn) Write(p []byte) (int, error) {
	c.c.mu.Lock()
	c.c.n.written++
	c.c.mu.Unlock()
	return c.Conn.Write(p)
}
