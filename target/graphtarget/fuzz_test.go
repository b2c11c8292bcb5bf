package graphtarget_test

import (
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// FuzzBatchReply: whatever comes as the reply of a batch, no part gets a status
// that its own, single entry doesn't have.
func FuzzBatchReply(f *testing.F) {
	f.Add([]byte(`{"responses":[{"id":"1","status":204},{"id":"2","status":201,"headers":{"Retry-After":"1"},"body":{"id":"x"}}]}`))
	f.Add([]byte(`{"responses":[{"id":"1","status":204},{"id":"1","status":404}]}`))
	f.Add([]byte(`{"responses":null}`))
	f.Add([]byte(`{"responses":[{"id":"99999999999999999999","status":204},[],{"id":"2","status":1e9}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		for i, status := range graphtarget.DecodeBatch(body, 3) {
			if status != 0 && (status < 200 || status > 599) {
				t.Errorf("part %d has status %d", i, status)
			}
		}
	})
}

// FuzzErrorBody: whatever Graph says, its words don't get into our error, and
// the sentinel fits the outcome.
func FuzzErrorBody(f *testing.F) {
	f.Add(400, "Request_BadRequest", "Another object with the same value for property userPrincipalName already exists.", "userPrincipalName")
	f.Add(404, "Request_ResourceNotFound", "Resource 'x' does not exist", "")
	f.Add(503, "", "<html>", "mail")
	f.Fuzz(func(t *testing.T, status int, code, message, about string) {
		if status < 200 || status > 599 {
			return
		}
		const secret = "Ann Example <ann@contoso.com>"
		made, unknown, err := graphtarget.Judge(status, []byte(graphError(code, message+secret, code+secret, about+secret)))
		switch {
		case made != (status/100 == 2), made != (err == nil):
			t.Errorf("status %d: made %v, error %v", status, made, err)
		case err == nil:
		case unknown != target.OutcomeUnknown(err):
			t.Errorf("status %d: unknown %v, but %v", status, unknown, err)
		case strings.Contains(err.Error(), secret):
			t.Errorf("the error quotes Graph: %v", err)
		}
	})
}
