package graphsim

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const maxParts = 20

// A batchPart is one request of a batch.
type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	DependsOn []string          `json:"dependsOn"`
	Headers   map[string]string `json:"headers"`
	Body      json.RawMessage   `json:"body"`
}

// batch carries out the parts of POST /$batch. It costs nothing itself; each
// part is charged and may fail like a request of its own.
func (t *Tenant) batch(c *call, r *http.Request) reply {
	parts, e := parseBatch(c)
	if e != nil {
		return c.fail(e)
	}
	order, e := t.batchOrder(parts)
	if e != nil {
		return c.fail(e)
	}
	answers := make(map[string]reply, len(parts))
	lost := make(map[string]bool)
	for _, i := range order {
		p := &parts[i]
		if slices.ContainsFunc(p.DependsOn, func(id string) bool { return answers[id].status >= 400 }) {
			answers[p.ID] = c.fail(&apiError{status: http.StatusFailedDependency, code: "FailedDependency",
				message: "The request was not executed because a request it depends on failed."})
			continue
		}
		if t.opts.Switches.BatchCollides && collides(parts, i) {
			answers[p.ID] = c.fail(statusError(http.StatusConflict))
			continue
		}
		rep, f := t.part(c, r, p)
		answers[p.ID] = rep
		lost[p.ID] = f != nil && (f.Break == Drop || f.Break == Hang)
	}
	if !t.opts.Switches.BatchInOrder {
		t.shuffle(order)
	}
	b := []byte(`{"responses":[`)
	for _, i := range order {
		if id := parts[i].ID; !lost[id] {
			if b[len(b)-1] != '[' {
				b = append(b, ',')
			}
			b = appendAnswer(b, id, answers[id])
		}
	}
	return reply{status: http.StatusOK, body: append(b, `]}`...)}
}

func parseBatch(c *call) ([]batchPart, *apiError) {
	malformed := func(message string) *apiError {
		return &apiError{status: 400, code: "BadRequest", message: message}
	}
	var body struct {
		Requests []batchPart `json:"requests"`
	}
	if !strings.HasPrefix(strings.ToLower(c.header.Get("Content-Type")), "application/json") {
		return nil, malformed("Invalid batch payload format.")
	}
	if err := json.Unmarshal(c.body, &body); err != nil || len(body.Requests) == 0 {
		return nil, malformed("Invalid batch payload format.")
	}
	if len(body.Requests) > maxParts {
		return nil, malformed("Number of batch request steps exceeds the maximum value of 20.")
	}
	seen := make(map[string]bool)
	for _, p := range body.Requests {
		switch {
		case p.ID == "" || p.Method == "" || p.URL == "":
			return nil, malformed("Each batch request needs an id, a method and a url.")
		case seen[p.ID]:
			return nil, malformed("Request id '" + p.ID + "' is duplicated.")
		}
		seen[p.ID] = true
	}
	return body.Requests, nil
}

// batchOrder is an order of execution that respects dependsOn and is otherwise
// arbitrary, as the documentation warns.
func (t *Tenant) batchOrder(parts []batchPart) ([]int, *apiError) {
	index := make(map[string]int, len(parts))
	for i, p := range parts {
		index[p.ID] = i
	}
	waiting := make([]int, len(parts))
	for i := range waiting {
		waiting[i] = i
	}
	if !t.opts.Switches.BatchInOrder {
		t.shuffle(waiting)
	}
	done := make(map[string]bool)
	order := make([]int, 0, len(parts))
	for len(order) < len(parts) {
		before := len(order)
		for _, i := range waiting {
			ready := !done[parts[i].ID]
			for _, id := range parts[i].DependsOn {
				if _, ok := index[id]; !ok {
					return nil, &apiError{status: 400, code: "BadRequest", message: "Request '" + parts[i].ID + "' depends on the unknown request '" + id + "'."}
				}
				ready = ready && done[id]
			}
			if ready {
				done[parts[i].ID] = true
				order = append(order, i)
			}
		}
		if len(order) == before {
			return nil, &apiError{status: 400, code: "BadRequest", message: "The dependencies of the batch form a circle."}
		}
	}
	return order, nil
}

func (t *Tenant) shuffle(order []int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
}

// part carries out one part.
func (t *Tenant) part(outer *call, r *http.Request, p *batchPart) (reply, *Fault) {
	c := &call{app: outer.app, base: outer.base, now: outer.now, requestID: newGUID(),
		clientRequestID: outer.clientRequestID, header: make(http.Header)}
	for k, v := range p.Headers {
		c.header.Set(k, v)
	}
	if id := c.header.Get("client-request-id"); id != "" {
		c.clientRequestID = id
	}
	c.op.Part = true
	u, err := url.Parse(p.URL)
	if err != nil || u.IsAbs() || u.Host != "" {
		return c.fail(&apiError{status: 400, code: "BadRequest", message: "Invalid URL format in a batch request: it must be relative."}), nil
	}
	u, err = url.Parse(root + "/" + strings.TrimPrefix(p.URL, "/"))
	if err != nil {
		return c.fail(&apiError{status: 400, code: "BadRequest", message: "Invalid URL format in a batch request."}), nil
	}
	if e := c.target(strings.ToUpper(p.Method), u); e != nil {
		return c.fail(e), nil
	}
	if c.route != nil && c.route.batch {
		return c.fail(&apiError{status: 400, code: "BadRequest", message: "A batch cannot contain another batch."}), nil
	}
	if body := bytes.TrimSpace(p.Body); len(body) > 0 && !bytes.Equal(body, []byte("null")) {
		if c.header.Get("Content-Type") == "" {
			return c.fail(&apiError{status: 400, code: "BadRequest", message: "A batch request with a body needs a Content-Type header."}), nil
		}
		c.body = body
	}
	rep, f := t.perform(c, r)
	rep.set("request-id", c.requestID)
	rep.set("client-request-id", c.clientRequestID)
	return rep, f
}

func appendAnswer(b []byte, id string, rep reply) []byte {
	b = append(b, `{"id":`...)
	b = appendString(b, id)
	b = append(b, `,"status":`...)
	b = append(b, itoa(rep.status)...)
	h := map[string]any{}
	for k, v := range rep.header {
		if strings.HasPrefix(k, "X-Ms-") || strings.HasSuffix(k, "equest-Id") {
			k = strings.ToLower(k) // as the service writes them
		}
		h[k] = v[0]
	}
	if len(rep.body) > 0 {
		h["Cache-Control"] = "no-cache"
		if h["Content-Type"] == nil {
			h["Content-Type"] = contentType
		}
	}
	b = append(b, `,"headers":{`...)
	for i, k := range slices.Sorted(maps.Keys(h)) {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, k)
		b = append(b, ':')
		b = appendValue(b, h[k])
	}
	b = append(b, '}')
	if len(rep.body) > 0 {
		b = append(b, `,"body":`...)
		if json.Valid(rep.body) {
			b = append(b, rep.body...)
		} else {
			b = appendString(b, string(rep.body))
		}
	}
	return append(b, '}')
}
