package adsim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
)

// A Server answers LDAP from a [Directory]. It is safe for concurrent use.
type Server struct {
	dir *Directory
	tls *identity

	mu        sync.Mutex
	hook      Hook
	listeners map[net.Listener]bool
	conns     map[net.Conn]bool
	closed    bool
	seq       int // connections so far
	addr      net.Addr
	work      sync.WaitGroup
}

// NewServer makes a server that listens nowhere yet: give it listeners or
// connections. It makes its own certificate authority and a certificate for
// localhost, 127.0.0.1, ::1 and the domain controller's name.
func NewServer(d *Directory) (*Server, error) {
	id, err := newIdentity(d.opts.Host + "." + d.opts.Domain)
	if err != nil {
		return nil, err
	}
	return &Server{dir: d, tls: id, listeners: map[net.Listener]bool{}, conns: map[net.Conn]bool{}}, nil
}

// Start serves d over ldaps on a TCP address, "127.0.0.1:0" for any free port
// of this machine, until Close.
func Start(addr string, d *Directory) (*Server, error) {
	s, err := NewServer(d)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("adsim: %w", err)
	}
	s.addr = l.Addr()
	s.work.Go(func() { s.ServeTLS(l) })
	return s, nil
}

// Directory is what the server answers from.
func (s *Server) Directory() *Directory { return s.dir }

// URL is where a server made by [Start] answers, "ldaps://127.0.0.1:40123".
func (s *Server) URL() string {
	if s.addr == nil {
		return ""
	}
	return "ldaps://" + s.addr.String()
}

// CAPEM is the certificate of the server's own authority, for a client's pool.
func (s *Server) CAPEM() []byte { return s.tls.caPEM }

// TLSConfig is a client's configuration that trusts the server.
func (s *Server) TLSConfig() *tls.Config {
	return &tls.Config{RootCAs: s.tls.pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// Serve answers plain LDAP, with StartTLS offered, on every connection of l
// until l or the server is closed. It closes l.
func (s *Server) Serve(l net.Listener) error { return s.serve(l, false) }

// ServeTLS is Serve with TLS from the start.
func (s *Server) ServeTLS(l net.Listener) error { return s.serve(l, true) }

func (s *Server) serve(l net.Listener, secure bool) error {
	defer l.Close()
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return net.ErrClosed
	}
	s.listeners[l] = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.listeners, l)
		s.mu.Unlock()
	}()
	for {
		c, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			return fmt.Errorf("adsim: %w", err)
		}
		if !s.handle(c, secure, true) {
			c.Close()
			return nil
		}
	}
}

// ServeConn answers plain LDAP, with StartTLS offered, on one connection until
// either side closes it. It works over [net.Pipe], and so in a bubble of
// testing/synctest.
func (s *Server) ServeConn(c net.Conn) { s.handle(c, false, false) }

// ServeConnTLS is ServeConn with TLS from the start.
func (s *Server) ServeConnTLS(c net.Conn) { s.handle(c, true, false) }

// handle runs one connection and reports false if the server is closed.
func (s *Server) handle(raw net.Conn, secure, background bool) bool {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		raw.Close()
		return false
	}
	s.conns[raw] = true
	s.seq++
	c := &conn{srv: s, dir: s.dir, raw: raw, id: s.seq, pages: map[string]*pageState{}, running: map[int64]func(){}}
	s.work.Add(1)
	s.mu.Unlock()
	run := func() {
		defer s.work.Done()
		defer func() {
			raw.Close()
			s.mu.Lock()
			delete(s.conns, raw)
			s.mu.Unlock()
		}()
		c.serve(secure)
	}
	if background {
		go run()
	} else {
		run()
	}
	return true
}

// CloseConns cuts all connections, as a domain controller that restarts does.
// Clients may connect again.
func (s *Server) CloseConns() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

// Close ends the server: listeners and connections are closed, and everything
// that it started has ended when Close returns. It may be called again.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.Close()
	}
	s.mu.Unlock()
	s.work.Wait()
	return nil
}
