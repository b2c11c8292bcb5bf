package graphsim

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// A Server is a tenant that listens on a TCP address.
type Server struct {
	// URL is the address of the API, up to and with /v1.0.
	URL string

	// Token is the bearer token of the tenant's first application.
	Token string

	server *http.Server
	done   chan error
}

// Start serves the tenant at addr, as "127.0.0.1:0" for any free port on this
// machine only, without TLS. Close the server when it isn't needed any more.
func (t *Tenant) Start(addr string) (*Server, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the Graph simulator: %w", err)
	}
	s := &Server{
		URL:    "http://" + l.Addr().String() + root,
		Token:  t.Token(),
		server: &http.Server{Handler: t.Handler(), ReadHeaderTimeout: time.Minute},
		done:   make(chan error, 1),
	}
	go func() { s.done <- s.server.Serve(l) }()
	return s, nil
}

// Close stops listening, breaks all connections and waits for the end.
func (s *Server) Close() error {
	err := s.server.Close()
	if e := <-s.done; !errors.Is(e, http.ErrServerClosed) {
		err = errors.Join(err, e)
	}
	s.done <- http.ErrServerClosed // for a second Close
	return err
}
