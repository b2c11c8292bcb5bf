package graphtarget

import (
	"encoding/json"
	"net/http"
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
}

// ok reports whether Graph did what was asked.
func (r reply) ok() bool { return r.fate == answered && r.status/100 == 2 }

// requestID is Graph's id of the call, if it looks like one.
func (r reply) requestID() string {
	id := r.header.Get("request-id")
	if id == "" {
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
	return token(id)
}

// token returns s if it can only be an identifier, else "". What comes from
// outside gets into error texts by this alone.
func token(s string) string {
	if len(s) > 64 {
		return ""
	}
	for _, c := range []byte(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '_', c == '-', c == '.':
		default:
			return ""
		}
	}
	return s
}

// mustJSON encodes what can't fail to be.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // a defect of this package: only strings and raw JSON get here
	}
	return b
}
