package graphsim

import (
	"net/http"
	"strconv"
	"sync"
	"time"
)

// A Fault is what goes wrong with one operation. The functions of this file
// make the usual ones; the zero Fault refuses the operation with 500.
//
// In a part of a batch, Status, Headers and Body concern the part's own answer,
// Drop leaves the part out of the reply, and the other breaks do nothing.
type Fault struct {
	// Apply carries the operation out before the fault strikes.
	Apply bool

	// Status answers with this status and Graph's error for it. Where Apply is
	// set, 0 keeps the true answer; else 0 means 500.
	Status int

	// Code and Message replace those of the error.
	Code, Message string

	// RetryAfter is sent as it is in the Retry-After header, if not empty.
	RetryAfter string

	// Body replaces the reply's body; ContentType goes with it.
	Body        []byte
	ContentType string

	// Header is added to the reply's.
	Header http.Header

	// Break spoils the sending of the reply.
	Break Break

	// Size goes with Bomb: how many bytes it unpacks to. Pace goes with Drip:
	// the pause after each byte.
	Size int64
	Pace time.Duration

	// Host goes with ForeignLink and takes the place of the nextLink's host.
	Host string

	// Delay comes before everything else. If the caller gives up meanwhile,
	// the operation isn't carried out.
	Delay time.Duration
}

// A Break says how the sending of a reply fails.
type Break int

const (
	NoBreak     Break = iota
	Drop              // the connection closes before the reply
	Hang              // no reply until the caller gives up
	Truncate          // the connection closes in the middle of the body, or before a reply without one
	CutJSON           // a complete HTTP reply whose JSON, if it has any, ends in the middle
	Bomb              // a gzip body that unpacks to Size bytes
	Drip              // one byte at a time
	ForeignLink       // the nextLink names Host
)

// ReplyLost applies the operation and loses the reply.
func ReplyLost() *Fault { return &Fault{Apply: true, Break: Drop} }

// RequestLost loses the request: the connection closes, nothing is applied.
func RequestLost() *Fault { return &Fault{Break: Drop} }

// Timeout applies nothing and answers nothing until the caller gives up.
func Timeout() *Fault { return &Fault{Break: Hang} }

// AppliedTimeout applies the operation and then is as [Timeout].
func AppliedTimeout() *Fault { return &Fault{Apply: true, Break: Hang} }

// Refuse answers with status and applies nothing.
func Refuse(status int) *Fault { return &Fault{Status: status} }

// RefuseApplied answers with status though the operation was applied.
func RefuseApplied(status int) *Fault { return &Fault{Apply: true, Status: status} }

// Throttle answers 429; an empty retryAfter leaves the header out.
func Throttle(retryAfter string) *Fault { return &Fault{Status: 429, RetryAfter: retryAfter} }

// HTML answers with a web page, as a proxy on the way does.
func HTML(status int) *Fault {
	return &Fault{Status: status, ContentType: "text/html; charset=utf-8",
		Body: []byte("<html><head><title>" + http.StatusText(status) + "</title></head><body>Proxy error</body></html>")}
}

// Empty answers with status and no body.
func Empty(status int) *Fault { return &Fault{Status: status, Body: []byte{}} }

// Redirect answers 307 to another URL.
func Redirect(url string) *Fault {
	return &Fault{Status: http.StatusTemporaryRedirect, Body: []byte{}, Header: http.Header{"Location": {url}}}
}

// Broken applies the operation and spoils the sending of the true reply.
func Broken(b Break) *Fault { return &Fault{Apply: true, Break: b} }

// GzipBomb applies the operation and answers with a body that unpacks to size
// bytes.
func GzipBomb(size int64) *Fault { return &Fault{Apply: true, Break: Bomb, Size: size} }

// ForeignNextLink answers truly, but the nextLink leads to another host.
func ForeignNextLink(host string) *Fault { return &Fault{Apply: true, Break: ForeignLink, Host: host} }

// Nth returns a function for [Options.Fault] that gives f to the n-th operation,
// counted from 1, for which match holds, and to no other. A nil match counts
// the writes, batch parts included.
func Nth(n int, f *Fault, match func(Op) bool) func(Op) *Fault {
	if match == nil {
		match = func(o Op) bool { return o.Write }
	}
	var mu sync.Mutex
	seen := 0
	return func(o Op) *Fault {
		if !match(o) {
			return nil
		}
		mu.Lock()
		defer mu.Unlock()
		if seen++; seen == n {
			return f
		}
		return nil
	}
}

// reply is the answer of a fault that doesn't apply the operation, or that
// replaces the true answer.
func (f *Fault) reply(t *Tenant, c *call) reply {
	status := f.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	e := statusError(status)
	if f.Code != "" {
		e.code = f.Code
	} else if status == 429 && t.opts.Switches.ThrottleCode != "" {
		e.code = t.opts.Switches.ThrottleCode
	}
	if f.Message != "" {
		e.message = f.Message
	}
	if status == 404 && f.Message == "" {
		e = notFound(c.op.ID)
	}
	rep := c.fail(e)
	if f.Body != nil {
		rep.body = f.Body
	}
	if f.ContentType != "" {
		rep.set("Content-Type", f.ContentType)
	}
	if f.RetryAfter != "" {
		rep.set("Retry-After", f.RetryAfter)
	}
	for k, v := range f.Header {
		for _, s := range v {
			rep.set(k, s)
		}
	}
	return rep
}

// String names the break for messages.
func (b Break) String() string {
	names := [...]string{"none", "drop", "hang", "truncate", "cut JSON", "bomb", "drip", "foreign link"}
	if b < 0 || int(b) >= len(names) {
		return "Break(" + strconv.Itoa(int(b)) + ")"
	}
	return names[b]
}
