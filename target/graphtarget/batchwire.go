package graphtarget

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
)

// batchSize is the most parts that Graph takes in a batch.
const batchSize = 20

var errNoPart = errors.New("the reply of the batch lacks this part")

// sendBatch makes one exchange for up to twenty calls and returns a reply for
// each, in the order of the calls. whole is the reply of the batch itself.
//
// The SDK has its own batches. They aren't used: its collection cuts at 19,
// and reading a part without a body (every update and delete) panics.
func (w *wire) sendBatch(ctx context.Context, cs []call, bulk bool) (parts []reply, whole reply) {
	whole = w.send(ctx, call{
		method: http.MethodPost, url: w.where.base.JoinPath("$batch"), body: encodeBatch(w.where, cs, bulk),
	}, bulk)
	if whole.ok() {
		return decodeBatch(whole, len(cs)), whole // the parts go under the batch's client-request-id
	}
	parts = make([]reply, len(cs))
	for i := range parts {
		parts[i] = whole
	}
	return parts, whole
}

type batchPart struct {
	ID        string            `json:"id"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	DependsOn []string          `json:"dependsOn,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
	Body      json.RawMessage   `json:"body,omitempty"`
}

func encodeBatch(where endpoint, cs []call, bulk bool) []byte {
	parts := make([]batchPart, len(cs))
	for i, c := range cs {
		headers := map[string]string{}
		if bulk {
			headers["x-ms-throttle-priority"] = "low"
		}
		if c.body != nil {
			headers["Content-Type"] = "application/json"
		}
		if c.prefer != "" {
			headers["Prefer"] = c.prefer
		}
		if c.level != "" {
			headers["ConsistencyLevel"] = c.level
		}
		parts[i] = batchPart{ID: strconv.Itoa(i + 1), Method: c.method, URL: where.relative(c.url), Headers: headers, Body: c.body}
		if c.after && i > 0 {
			parts[i].DependsOn = []string{strconv.Itoa(i)}
		}
	}
	return mustJSON(map[string]any{"requests": parts})
}

// decodeBatch sorts the parts of a batch's reply by their ids. A part that is
// missing, comes twice or makes no sense is lost: its outcome isn't known.
func decodeBatch(whole reply, n int) []reply {
	parts := make([]reply, n)
	for i := range parts {
		parts[i] = reply{fate: lost, err: errNoPart}
	}
	defer func() {
		for i := range parts {
			parts[i].clientID, parts[i].batchID = whole.clientID, whole.requestID()
		}
	}()
	var body struct {
		Responses []json.RawMessage `json:"responses"`
	}
	if json.Unmarshal(whole.body, &body) != nil {
		return parts
	}
	seen := make([]bool, n)
	for _, raw := range body.Responses {
		id, part, ok := decodePart(raw)
		if !ok || id < 1 || id > n {
			continue
		}
		if seen[id-1] {
			part = reply{fate: lost, err: errors.New("the reply of the batch has this part twice")}
		}
		seen[id-1], parts[id-1] = true, part
	}
	return parts
}

func decodePart(raw json.RawMessage) (id int, r reply, ok bool) {
	var part struct {
		ID      string          `json:"id"`
		Status  int             `json:"status"`
		Headers map[string]any  `json:"headers"`
		Body    json.RawMessage `json:"body"`
	}
	if json.Unmarshal(raw, &part) != nil || part.Status < 200 || part.Status > 599 {
		return 0, reply{}, false
	}
	id, err := strconv.Atoi(part.ID)
	if err != nil {
		return 0, reply{}, false
	}
	r = reply{fate: answered, status: part.Status, header: http.Header{}, body: part.Body}
	for name, value := range part.Headers {
		if text, isText := value.(string); isText {
			r.header.Set(name, text)
		}
	}
	return id, r, true
}
