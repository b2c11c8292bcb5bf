package graphtarget

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	abstractions "github.com/microsoft/kiota-abstractions-go"
	khttp "github.com/microsoft/kiota-http-go"
)

// A wire sends single requests by way of the SDK's adapter and gives back what
// came, as bytes: status, headers and body are the same thing here as in a part
// of a batch, so that there is one way to judge both.
type wire struct {
	adapter  abstractions.RequestAdapter
	where    endpoint
	agent    string
	timeout  time.Duration
	maxReply int64
}

var errTooLarge = errors.New("the reply is too large")

// send makes one HTTP exchange: no retry, no redirect, no compression of the
// request. bulk asks Graph to throttle this before other work.
func (w *wire) send(ctx context.Context, c call, bulk bool) (r reply) {
	if err := ctx.Err(); err != nil {
		return reply{fate: unsent, err: err}
	}
	if !w.where.owns(c.url) {
		return reply{fate: unsent, err: errors.New("the request's URL isn't on the endpoint's host")}
	}
	// The SDK has panicked on odd replies (a WWW-Authenticate header without
	// quotes); for us that is a reply that got lost.
	defer func() {
		if p := recover(); p != nil {
			r = reply{fate: lost, err: errors.New("the SDK panicked on the reply")}
		}
	}()
	limited, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()

	id := uuid()
	defer func() {
		if r.fate != unsent {
			r.clientID = id
		}
	}()
	got := reply{err: errors.New("the adapter gave no HTTP response")}
	err := w.adapter.SendNoContent(limited, w.request(c, id, bulk, &got), nil)
	switch {
	case got.fate == answered:
		return got
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return reply{fate: lost, err: fmt.Errorf("no reply within %s", w.timeout)}
	case err != nil:
		return failed(err)
	default:
		return got
	}
}

// uuid makes a random one, to tell one request from all others.
func uuid() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// request describes c, under the client-request-id id, to the adapter; the
// response is read into got.
func (w *wire) request(c call, id string, bulk bool, got *reply) *abstractions.RequestInformation {
	info := abstractions.NewRequestInformation()
	info.Method = methodOf(c.method)
	info.SetUri(*c.url)
	info.Headers.Add("Accept", "application/json")
	info.Headers.Add("User-Agent", w.agent)
	info.Headers.Add("client-request-id", id)
	if bulk {
		info.Headers.Add("x-ms-throttle-priority", "low")
	}
	if c.prefer != "" {
		info.Headers.Add("Prefer", c.prefer)
	}
	if c.level != "" {
		info.Headers.Add("ConsistencyLevel", c.level)
	}
	if c.body != nil {
		info.Content = c.body
		info.Headers.Add("Content-Type", "application/json")
		info.Headers.Add("Content-Length", strconv.Itoa(len(c.body))) // or else it is sent in chunks
	}
	handler := abstractions.NewRequestHandlerOption()
	handler.SetResponseHandler(func(response any, _ abstractions.ErrorMappings) (any, error) {
		if res, ok := response.(*http.Response); ok {
			*got = w.read(res)
		}
		return nil, nil //nolint:nilnil // the SDK wants a result; the reply is in got
	})
	info.AddRequestOptions(append(refrain(), handler))
	return info
}

// refrain are the request options by which the SDK's own handlers, in an
// adapter that isn't ours, let a request alone.
func refrain() []abstractions.RequestOption {
	return []abstractions.RequestOption{
		&khttp.RetryHandlerOptions{
			ShouldRetry: func(time.Duration, int, *http.Request, *http.Response) bool { return false },
		},
		&khttp.RedirectHandlerOptions{
			ShouldRedirect: func(*http.Request, *http.Response) bool { return false },
		},
		khttp.NewCompressionOptionsReference(false),
	}
}

func methodOf(method string) abstractions.HttpMethod {
	switch method {
	case http.MethodPost:
		return abstractions.POST
	case http.MethodPut:
		return abstractions.PUT
	case http.MethodPatch:
		return abstractions.PATCH
	case http.MethodDelete:
		return abstractions.DELETE
	default:
		return abstractions.GET
	}
}

// read takes in a response, no more of it than is allowed. What can't be read
// to its end keeps its status, and its body is of no use.
func (w *wire) read(res *http.Response) reply {
	defer res.Body.Close() //nolint:errcheck // nothing is lost with it
	r := reply{fate: answered, status: res.StatusCode, header: res.Header}
	var from io.Reader = res.Body
	if strings.EqualFold(res.Header.Get("Content-Encoding"), "gzip") { // the transport left it to us
		unzip, err := gzip.NewReader(res.Body)
		if err != nil {
			r.err = errors.New("the reply isn't the gzip that it says")
			return r
		}
		from = unzip
	}
	var body bytes.Buffer
	n, err := body.ReadFrom(io.LimitReader(from, w.maxReply+1))
	switch {
	case n > w.maxReply:
		r.err = errTooLarge
	case err != nil:
		r.err = fmt.Errorf("the reply broke off: %w", safe(err))
	default:
		r.body = body.Bytes()
	}
	return r
}
