package graphtarget

import (
	"encoding/json"
	"net/http"

	"github.com/dirbridge/dirbridge/target"
)

// A fate is what became of a call.
type fate int

const (
	lost      fate = iota // may have arrived: no whole reply came back
	answered              // Graph, or something on the way to it, replied
	unsent                // hasn't been sent, or can't have arrived
	throttled             // refused with 429 until our patience ended
)

// A reply is what became of a call, with what Graph said.
type reply struct {
	fate   fate
	status int
	header http.Header // never nil if answered
	body   []byte      // as far as it came
	err    error       // unless answered: why not; safe to show

	clientID string // the client-request-id that it was sent with; "" if it wasn't sent
	batchID  string // Graph's id of the batch that it was a part of
}

// ok reports whether Graph did what was asked.
func (r reply) ok() bool { return r.fate == answered && r.status/100 == 2 }

// requestID is Graph's id of the call, if it looks like one: the call's own,
// else that of its batch.
func (r reply) requestID() string {
	id := r.header.Get("request-id")
	if id == "" && !r.ok() {
		var e struct {
			Error struct {
				InnerError struct {
					RequestID string `json:"request-id"`
				} `json:"innerError"`
			} `json:"error"`
		}
		if json.Unmarshal(r.body, &e) == nil {
			id = e.Error.InnerError.RequestID
		}
	}
	if guid.MatchString(id) { // nothing else gets on from here: a proxy may echo anything
		return id
	}
	return r.batchID
}

// signed is o with the ids of the call that r is the reply to.
func (r reply) signed(o target.Object) target.Object {
	o.RequestID, o.ClientRequestID = r.requestID(), r.clientID
	return o
}

// mustJSON encodes what can't fail to be.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a defect of this package: only strings and raw JSON get here
	}
	return b
}
