package contract

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// ExemptHeader is a request header, also of a part of a batch, that names what
// is not to be checked because the test means it to be wrong: "request",
// "reply", "missing" (a batch may leave parts unanswered), or several of them
// with commas.
const ExemptHeader = "X-Contract-Exempt"

func exempt(h http.Header, what string) bool {
	for v := range strings.SplitSeq(h.Get(ExemptHeader), ",") {
		if strings.TrimSpace(v) == what {
			return true
		}
	}
	return false
}

// A checker validates exchanges for one test.
type checker struct {
	t      testing.TB
	router routers.Router
}

// An exchange is one request and what came back.
type exchange struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte // unpacked
	status int
	reply  http.Header
	answer []byte // unpacked
}

func (k checker) violation(e *exchange, what string, err error) {
	k.t.Helper()
	k.t.Errorf("contract violated by the %s of %s %s: %s", what, e.method, e.url.RequestURI(), brief(err))
}

// request checks the request of e, and those in it if it is a batch.
func (k checker) request(e *exchange) {
	k.t.Helper()
	if exempt(e.header, "request") {
		return
	}
	in, err := k.input(e)
	if err == nil {
		err = openapi3filter.ValidateRequest(context.Background(), in)
	}
	if err != nil {
		k.violation(e, "request", err)
		return
	}
	if isBatch(e) {
		parts, err := batchParts(e)
		if err != nil {
			k.violation(e, "request", err)
		}
		for _, p := range parts {
			k.request(p)
		}
	}
}

// response checks the reply of e, and those in it if it is a batch.
func (k checker) response(e *exchange) {
	k.t.Helper()
	if exempt(e.header, "reply") {
		return
	}
	in, err := k.input(e)
	if err != nil {
		// An endpoint that the contract lacks: the request's check has said so,
		// or the test meant it. An error envelope is all that can be asked for.
		if err := envelope(e); err != nil {
			k.violation(e, "reply", err)
		}
		return
	}
	if strings.HasSuffix(e.url.Path, "/$count") && e.status == http.StatusOK {
		// kin-openapi reads text/plain as a string, the contract says integer.
		if _, err := strconv.Atoi(string(e.answer)); err != nil {
			k.violation(e, "reply", err)
		}
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: e.status, Header: e.reply, Body: io.NopCloser(bytes.NewReader(e.answer)),
		Options: &openapi3filter.Options{MultiError: true, IncludeResponseStatus: true},
	})
	if err != nil {
		k.violation(e, "reply", fmt.Errorf("status %d: %w", e.status, err))
		return
	}
	if isBatch(e) && e.status == http.StatusOK {
		if err := k.batchReplies(e); err != nil {
			k.violation(e, "reply", err)
		}
	}
}

// input finds the operation of e.
func (k checker) input(e *exchange) (*openapi3filter.RequestValidationInput, error) {
	r := (&http.Request{Method: e.method, URL: e.url, Header: e.header.Clone(), Host: e.url.Host,
		Body: io.NopCloser(bytes.NewReader(e.body)), ContentLength: int64(len(e.body))}).WithContext(context.Background())
	r.Header.Del("Content-Encoding")
	route, params, err := k.router.FindRoute(r)
	if err != nil {
		return nil, err
	}
	return &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true}}, nil
}

// envelope checks that an error reply has the shape of all Graph errors.
func envelope(e *exchange) error {
	var body struct {
		Error *struct{ Code, Message string }
	}
	if err := json.Unmarshal(e.answer, &body); err != nil {
		return fmt.Errorf("status %d: %w", e.status, err)
	}
	if e.status < 400 || body.Error == nil || body.Error.Code == "" {
		return fmt.Errorf("status %d for an unknown endpoint, without an error envelope", e.status)
	}
	return nil
}

func isBatch(e *exchange) bool {
	return e.method == http.MethodPost && strings.HasSuffix(e.url.Path, "/$batch")
}

// batchParts are the requests inside a batch.
func batchParts(e *exchange) ([]*exchange, error) {
	var body struct {
		Requests []struct {
			ID, Method, URL string
			Headers         map[string]string
			Body            json.RawMessage
		}
	}
	if err := json.Unmarshal(e.body, &body); err != nil {
		return nil, err
	}
	var out []*exchange
	root := strings.TrimSuffix(e.url.Path, "/$batch")
	for _, p := range body.Requests {
		u, err := url.Parse(root + "/" + strings.TrimPrefix(p.URL, "/"))
		if err != nil {
			return nil, fmt.Errorf("part %s: %w", p.ID, err)
		}
		x := &exchange{method: p.Method, url: u, header: make(http.Header), body: p.Body}
		for k, v := range p.Headers {
			x.header.Set(k, v)
		}
		out = append(out, x)
	}
	return out, nil
}

// batchReplies checks the replies inside a batch against their requests.
func (k checker) batchReplies(e *exchange) error {
	var req struct{ Requests []struct{ ID string } }
	var body struct {
		Responses []struct {
			ID      string
			Status  int
			Headers map[string]string
			Body    json.RawMessage
		}
	}
	parts, err := batchParts(e)
	if err = errors.Join(err, json.Unmarshal(e.body, &req), json.Unmarshal(e.answer, &body)); err != nil {
		return err
	}
	byID := make(map[string]*exchange)
	for i, r := range req.Requests {
		byID[r.ID] = parts[i]
	}
	for _, r := range body.Responses {
		p := byID[r.ID]
		if p == nil {
			return fmt.Errorf("reply for the id %q, which wasn't sent or was answered before", r.ID)
		}
		delete(byID, r.ID)
		p.status, p.answer, p.reply = r.Status, r.Body, make(http.Header)
		for k, v := range r.Headers {
			p.reply.Set(k, v)
		}
		k.response(p)
	}
	if len(byID) > 0 && !exempt(e.header, "missing") {
		return fmt.Errorf("%d parts have no reply", len(byID))
	}
	return nil
}

// unpack undoes gzip.
func unpack(h http.Header, body []byte) ([]byte, error) {
	if !strings.EqualFold(h.Get("Content-Encoding"), "gzip") || len(body) == 0 {
		return body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// brief keeps the first lines of an error of kin-openapi, which repeats whole
// schemas.
func brief(err error) string {
	s := err.Error()
	if i := strings.Index(s, "\nSchema:"); i > 0 {
		s = s[:i]
	}
	if len(s) > 1500 {
		s = s[:1500] + "…"
	}
	return s
}
