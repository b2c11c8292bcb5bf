package graphsim

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	root        = "/v1.0"
	maxBody     = 4 << 20 // Graph's own limit for a request
	contentType = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
)

// A call is one operation on its way through the tenant: an HTTP request or a
// part of a batch.
type call struct {
	op              Op
	route           *route
	segments        []string
	query           url.Values
	header          http.Header
	body            []byte
	app             *App
	base            string // scheme, host and root of links in replies
	now             time.Time
	requestID       string
	clientRequestID string
}

// A reply is what comes of a call.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r *reply) set(key, value string) {
	if r.header == nil {
		r.header = make(http.Header)
	}
	r.header.Set(key, value)
}

func (c *call) fail(e *apiError) reply {
	r := reply{status: e.status, body: e.append(nil, c)}
	for k, v := range e.header {
		r.set(k, v[0])
	}
	return r
}

// Handler answers HTTP requests whose paths begin with /v1.0.
func (t *Tenant) Handler() http.Handler { return http.HandlerFunc(t.serve) }

func (t *Tenant) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{
		header: r.Header, now: time.Now(), requestID: newGUID(),
		clientRequestID: r.Header.Get("client-request-id"), base: baseURL(r),
	}
	if c.clientRequestID == "" {
		c.clientRequestID = c.requestID
	}
	rep, f := t.answer(c, r)
	if f == nil || f.Break == NoBreak {
		t.write(w, r, c, rep)
		return
	}
	t.breakReply(w, r, c, rep, f)
}

// answer carries the request out and returns, beside the reply, what is to go
// wrong with sending it.
func (t *Tenant) answer(c *call, r *http.Request) (reply, *Fault) {
	c.app = t.apps.find(r.Header.Get("Authorization"))
	if c.app == nil {
		return c.fail(t.unauthenticated(r.Header.Get("Authorization"))), nil
	}
	if e := c.target(r.Method, r.URL); e != nil {
		return c.fail(e), nil
	}
	body, e := readBody(r)
	if e != nil {
		return c.fail(e), nil
	}
	c.body = body
	return t.perform(c, r)
}

// perform runs a call with its faults around it.
func (t *Tenant) perform(c *call, r *http.Request) (reply, *Fault) {
	c.describe()
	f := t.journal.note(&c.op)
	if f != nil && f.Delay > 0 {
		if !wait(r, f.Delay) {
			return c.fail(statusError(504)), &Fault{Break: Drop}
		}
		c.now = time.Now()
	}
	if f != nil && !f.Apply {
		return f.reply(t, c), f
	}
	rep := t.do(c, r)
	t.journal.done(&c.op, rep.status)
	if f != nil && f.Status != 0 {
		rep = f.reply(t, c)
	}
	return rep, f
}

// do carries out a call that no fault stops.
func (t *Tenant) do(c *call, r *http.Request) reply {
	if c.route == nil {
		return c.fail(c.noRoute())
	}
	if c.route.batch {
		return t.batch(c, r)
	}
	if e := c.permitted(t); e != nil {
		return c.fail(e)
	}
	charge, e := t.meter.charge(t, c)
	if e != nil {
		return c.fail(e)
	}
	rep := c.route.handle(t, c)
	charge.headers(&rep)
	return rep
}

// target splits the URL and finds the route.
func (c *call) target(method string, u *url.URL) *apiError {
	path, ok := strings.CutPrefix(u.EscapedPath(), root)
	if !ok || path != "" && path[0] != '/' {
		return &apiError{status: 404, code: "BadRequest", message: "Invalid version: " + u.Path}
	}
	c.op.Method, c.op.Path = method, u.Path[len(root):]
	for s := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		s, err := url.PathUnescape(s)
		if err != nil {
			return &apiError{status: 400, code: "BadRequest", message: "Malformed path segment."}
		}
		c.segments = append(c.segments, s)
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return &apiError{status: 400, code: "BadRequest", message: "Malformed query string."}
	}
	c.query = q
	c.route = findRoute(method, c.segments)
	return nil
}

func (c *call) describe() {
	c.op.App, c.op.Query, c.op.Body, c.op.Header = c.app.ID, c.query, c.body, c.header
	c.op.Time, c.op.RequestID = c.now, c.requestID
	c.op.Kind = c.op.Method + " ?"
	if c.route != nil {
		c.op.Kind = c.op.Method + " " + c.route.pattern
		c.op.Write = c.op.Method != http.MethodGet && !c.route.batch
		if i := c.route.id; i > 0 && i < len(c.segments) {
			c.op.ID = c.segments[i]
		}
	}
}

func readBody(r *http.Request) ([]byte, *apiError) {
	if r.Body == nil {
		return nil, nil
	}
	var in io.Reader = r.Body
	switch enc := r.Header.Get("Content-Encoding"); {
	case strings.EqualFold(enc, "gzip"):
		z, err := gzip.NewReader(r.Body)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, badRequest("Unable to read the gzip encoded body.")
		}
		in = z
	case enc != "" && !strings.EqualFold(enc, "identity"):
		return nil, &apiError{status: 415, code: codeBadRequest, message: "Unsupported content encoding."}
	}
	b, err := io.ReadAll(io.LimitReader(in, maxBody+1))
	if err != nil {
		return nil, badRequest("Unable to read the body.")
	}
	if len(b) > maxBody {
		return nil, &apiError{status: 413, code: "RequestEntityTooLarge", message: "The request body is too large."}
	}
	return b, nil
}

func baseURL(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	if r.URL.Scheme != "" {
		scheme = r.URL.Scheme
	}
	return scheme + "://" + r.Host + root
}

// write sends a reply.
func (t *Tenant) write(w http.ResponseWriter, r *http.Request, c *call, rep reply) {
	t.head(w, c, rep)
	body := rep.body
	if len(body) > 0 && acceptsGzip(r) && w.Header().Get("Content-Encoding") == "" {
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(rep.status)
		z := gzip.NewWriter(w)
		z.Write(body)
		z.Close()
		return
	}
	if rep.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(rep.status)
	w.Write(body)
}

// head sets the headers of every reply.
func (t *Tenant) head(w http.ResponseWriter, c *call, rep reply) {
	h := w.Header()
	h.Set("request-id", c.requestID)
	h.Set("client-request-id", c.clientRequestID)
	h.Set("Date", time.Now().Add(t.opts.ClockSkew).UTC().Format(http.TimeFormat))
	h.Set("x-ms-ags-diagnostic", `{"ServerInfo":{"DataCenter":"Simulated","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"GRAPHSIM"}}`)
	h.Set("Cache-Control", "no-cache")
	if len(rep.body) > 0 {
		h.Set("Content-Type", contentType)
		h.Set("odata-version", "4.0")
		h.Add("Vary", "Accept-Encoding")
	}
	for k, v := range rep.header {
		h[k] = v
	}
}

func acceptsGzip(r *http.Request) bool {
	for _, v := range r.Header.Values("Accept-Encoding") {
		for e := range strings.SplitSeq(v, ",") {
			name, q, _ := strings.Cut(strings.TrimSpace(e), ";")
			if strings.EqualFold(name, "gzip") && strings.ReplaceAll(q, " ", "") != "q=0" {
				return true
			}
		}
	}
	return false
}
