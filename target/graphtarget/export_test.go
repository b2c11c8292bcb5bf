package graphtarget

import "github.com/dirbridge/dirbridge/target"

// DecodePage decodes a page of users, for the benchmark.
func DecodePage(body []byte) []target.Object {
	found, _, err := decodePage(reply{fate: answered, status: 200, body: body})
	if err != nil {
		panic(err)
	}
	return found
}

// DecodeBatch returns the status of each of n parts, 0 for one that is lost.
func DecodeBatch(body []byte, n int) []int {
	out := make([]int, n)
	for i, r := range decodeBatch(reply{fate: answered, status: 200, body: body}, n) {
		if r.fate == answered {
			out[i] = r.status
		}
	}
	return out
}

// Judge judges a reply as it comes from the network.
func Judge(status int, body []byte) (made, unknownOutcome bool, err error) {
	v := judge(reply{fate: answered, status: status, body: body})
	if v.err != nil {
		err = v.err
	}
	return v.outcome == 0, v.outcome == unknown, err
}

// Encode encodes the body of a create.
func Encode(c target.Change) int {
	u, err := newUser(c.Anchor, c.Set, NewPassword("x"))
	if err != nil {
		panic(err)
	}
	made, err := (calls{mustEndpoint().base}).create(u)
	if err != nil {
		panic(err)
	}
	return len(made.body)
}

func mustEndpoint() endpoint {
	e, err := parseEndpoint("", "")
	if err != nil {
		panic(err)
	}
	return e
}
