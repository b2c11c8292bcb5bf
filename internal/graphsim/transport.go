package graphsim

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// Transport carries requests to the tenant without a network, whatever host
// they name: for tests inside a synctest bubble, and for speed. Faults that
// close the connection come out as an error that wraps io.ErrUnexpectedEOF.
func (t *Tenant) Transport() http.RoundTripper { return transport{t.Handler()} }

type transport struct{ handler http.Handler }

// RoundTrip runs the handler in a goroutine that ends when the reply is read or
// closed, or when the request's context is done.
func (tr transport) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(req.Context())
	r := req.Clone(ctx)
	if r.Body == nil {
		r.Body = http.NoBody
	}
	if r.Host == "" {
		r.Host = r.URL.Host
	}
	r.RequestURI = r.URL.RequestURI()
	pr, pw := io.Pipe()
	w := &pipeWriter{header: make(http.Header), body: pw, started: make(chan int, 1)}
	go func() {
		defer r.Body.Close()
		defer func() {
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler {
					panic(p)
				}
				w.once.Do(func() { close(w.started) })
				pw.CloseWithError(io.ErrUnexpectedEOF)
			}
		}()
		tr.handler.ServeHTTP(w, r)
		w.WriteHeader(http.StatusOK)
		pw.Close()
	}()
	select {
	case <-ctx.Done():
		cancel()
		pr.Close()
		return nil, req.Context().Err()
	case status, ok := <-w.started:
		if !ok {
			cancel()
			return nil, fmt.Errorf("connection closed before the reply: %w", io.ErrUnexpectedEOF)
		}
		resp := &http.Response{
			Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
			Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: w.sent, Body: &pipeBody{pr, cancel}, ContentLength: -1, Request: req,
		}
		if n, err := strconv.ParseInt(w.sent.Get("Content-Length"), 10, 64); err == nil {
			resp.ContentLength = n
		}
		return resp, nil
	}
}

// A pipeWriter is the ResponseWriter of a request without a network.
type pipeWriter struct {
	header  http.Header
	sent    http.Header // header as it was when the reply began
	body    *io.PipeWriter
	once    sync.Once
	started chan int
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.sent = w.header.Clone()
		w.started <- status
	})
}

func (w *pipeWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if len(b) == 0 {
		return 0, nil // a pipe would wait for a reader
	}
	return w.body.Write(b)
}

// Flush has nothing to do: the pipe holds nothing back.
func (w *pipeWriter) Flush() { w.WriteHeader(http.StatusOK) }

// A pipeBody ends the request when it is closed.
type pipeBody struct {
	*io.PipeReader
	cancel context.CancelFunc
}

func (b *pipeBody) Close() error {
	b.cancel()
	return b.PipeReader.Close()
}
