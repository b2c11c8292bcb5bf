package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// connect opens a session with the first server that works, beginning with the
// one last used. Credentials that one server refused are not tried on another:
// that would only lock the account sooner.
func (s *Source) connect(ctx context.Context) (*session, error) {
	var errs []error
	for i := range s.servers {
		at := (s.current + i) % len(s.servers)
		sess, err := s.connectTo(ctx, s.servers[at])
		if err == nil {
			if at != s.current || len(errs) > 0 {
				s.opts.Logger.Info("ldap: using server", "source", s.name, "server", s.servers[at].url)
			}
			s.current = at
			return sess, nil
		}
		if cause := context.Cause(ctx); cause != nil {
			return nil, fmt.Errorf("%w: %w", source.ErrUnavailable, cause)
		}
		if errors.Is(err, source.ErrUnauthenticated) || errors.Is(err, source.ErrForbidden) {
			return nil, err
		}
		s.opts.Logger.Warn("ldap: server can't be used", "source", s.name, "server", s.servers[at].url, "error", err)
		errs = append(errs, fmt.Errorf("%s: %w", s.servers[at].url, err))
	}
	return nil, fmt.Errorf("%w: %w", source.ErrUnavailable, errors.Join(errs...))
}

// connectTo opens, secures and binds one connection and reads who is at its
// other end.
func (s *Source) connectTo(parent context.Context, sv server) (_ *session, err error) {
	ctx, cancel := context.WithTimeoutCause(parent, s.opts.ConnectTimeout,
		fmt.Errorf("no connection within %v (Options.ConnectTimeout)", s.opts.ConnectTimeout))
	defer cancel()
	raw, err := s.opts.Dial(ctx, "tcp", sv.addr)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, err
	}
	// From here on, the end of ctx ends whatever waits on the connection.
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	defer func() {
		if stop(); err != nil {
			_ = raw.Close()
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
		}
	}()

	conn := raw
	if !sv.tls && !s.opts.InsecurePlainLDAP {
		if err := s.startTLS(conn); err != nil {
			return nil, err
		}
	}
	if sv.tls || !s.opts.InsecurePlainLDAP {
		if conn, err = s.secure(ctx, conn, sv); err != nil {
			return nil, err
		}
	}
	sess := &session{server: sv, guard: newGuard(conn, s.opts), raw: raw}
	sess.conn = ldap.NewConn(sess.guard, true)
	// go-ldap waits for ever without a timeout of its own, and with one drops,
	// silently, an entry that a slow reader doesn't take in time. So it has
	// one, and it is longer than any operation may take: see open.
	sess.conn.SetTimeout(s.opts.TotalTimeout + time.Minute)
	sess.conn.Start()
	defer func() {
		if err != nil {
			sess.close()
		}
	}()
	if err := s.bindTo(ctx, sess); err != nil {
		return nil, err
	}
	if err := sess.readRoot(ctx, true); err != nil {
		return nil, err
	}
	return sess, sess.readInvocationID(ctx)
}

// bindTo authenticates the session.
func (s *Source) bindTo(ctx context.Context, sess *session) error {
	password, err := s.bind.Password(ctx)
	if err != nil {
		return fmt.Errorf("%w: the password of %q can't be had: %w", source.ErrUnauthenticated, s.bind.User, err)
	}
	if password == "" {
		return fmt.Errorf("%w: the password of %q is empty: refused, since a server may take it for an anonymous bind",
			source.ErrUnauthenticated, s.bind.User)
	}
	done := sess.guard.await()
	defer done()
	sess.secret = password
	if err := sess.conn.Bind(s.bind.User, password); err != nil {
		return explainBind(s.bind.User, sess.explain(ctx, err))
	}
	return nil
}
