package contract

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// Middleware validates what next is asked and what it answers. A reply that
// next breaks off isn't checked.
func Middleware(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	rt := router(t)
	if rt == nil {
		return next
	}
	k := checker{t, rt}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Helper()
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request %s %s: %v", r.Method, r.URL, err)
		}
		r.Body = io.NopCloser(bytes.NewReader(raw))
		e := &exchange{method: r.Method, url: r.URL, header: r.Header}
		if !exempt(r.Header, "request") || isBatch(e) {
			if e.body, err = unpack(r.Header, raw); err != nil && !exempt(r.Header, "request") {
				k.violation(e, "request", err)
			}
		}
		k.request(e)
		tee := &teeWriter{ResponseWriter: w, keep: !exempt(r.Header, "reply")}
		next.ServeHTTP(tee, r)
		if !tee.keep {
			return
		}
		e.status, e.reply = tee.status, w.Header()
		if e.status == 0 {
			e.status = http.StatusOK
		}
		if e.answer, err = unpack(e.reply, tee.body.Bytes()); err != nil {
			k.violation(e, "reply", err)
			return
		}
		k.response(e)
	})
}

// A teeWriter keeps a copy of what it writes.
type teeWriter struct {
	http.ResponseWriter
	keep   bool
	status int
	body   bytes.Buffer
}

func (w *teeWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *teeWriter) Write(b []byte) (int, error) {
	if w.keep {
		w.body.Write(b)
	}
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the writer below.
func (w *teeWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Transport validates what goes out through next and what comes back. A reply
// whose body can't be read to its end isn't checked, and its error is passed
// on.
func Transport(t testing.TB, next http.RoundTripper) http.RoundTripper {
	t.Helper()
	rt := router(t)
	if rt == nil {
		return next
	}
	return &teeTransport{checker{t, rt}, next}
}

type teeTransport struct {
	checker
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (tt *teeTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	tt.t.Helper()
	e := &exchange{method: r.Method, url: r.URL, header: r.Header}
	out := r.Clone(r.Context())
	if r.Body != nil {
		raw, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil {
			return nil, err
		}
		out.Body = io.NopCloser(bytes.NewReader(raw))
		if e.body, err = unpack(r.Header, raw); err != nil {
			tt.violation(e, "request", err)
		}
	}
	tt.request(e)
	resp, err := tt.next.RoundTrip(out)
	if err != nil || exempt(r.Header, "reply") {
		return resp, err
	}
	raw, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	resp.Body = io.NopCloser(io.MultiReader(bytes.NewReader(raw), &failing{err}))
	if err != nil {
		return resp, nil
	}
	e.status, e.reply = resp.StatusCode, resp.Header
	if e.answer, err = unpack(resp.Header, raw); err != nil {
		tt.violation(e, "reply", err)
		return resp, nil
	}
	tt.response(e)
	return resp, nil
}

// failing ends a body with the error that reading it gave.
type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}
