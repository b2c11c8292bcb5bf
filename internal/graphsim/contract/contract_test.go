package contract_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
)

// A recorder is a testing.TB that keeps what is reported to it.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

// exchange sends one request through both wrappers, by turns, to a server that
// gives a fixed answer, and returns what each of them reported.
func exchange(t *testing.T, method, path, body, status, answer string, header ...string) (atServer, atClient []string) {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer != "" {
			w.Header().Set("Content-Type", "application/json;odata.metadata=minimal")
		}
		var code int
		fmt.Sscan(status, &code)
		w.WriteHeader(code)
		io.WriteString(w, answer)
	})
	send := func(client *http.Client, url string) {
		r, err := http.NewRequestWithContext(t.Context(), method, url+"/v1.0"+path, strings.NewReader(body))
		require.NoError(t, err)
		if body != "" {
			r.Header.Set("Content-Type", "application/json")
		}
		for i := 0; i < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		resp, err := client.Do(r)
		require.NoError(t, err)
		got, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		require.Equal(t, answer, string(got), "the answer passes unchanged")
		resp.Body.Close()
	}
	server, client := &recorder{TB: t}, &recorder{TB: t}
	checked := httptest.NewServer(contract.Middleware(server, handler))
	defer checked.Close()
	send(checked.Client(), checked.URL)
	plain := httptest.NewServer(handler)
	defer plain.Close()
	send(&http.Client{Transport: contract.Transport(client, http.DefaultTransport)}, plain.URL)
	return server.errors, client.errors
}

func TestViolationsAreReportedOnBothSides(t *testing.T) {
	contract.Require(t)
	const (
		user  = `{"id":"1","displayName":"Ann"}`
		wrong = `{"error":{"code":"Request_BadRequest","message":"no"}}`
	)
	batch := func(part string) string { return `{"requests":[` + part + `]}` }
	for _, tt := range []struct {
		name, method, path, body, status, answer string
		want                                     string // part of the report, "" for none
	}{
		{"a good exchange", "GET", "/users/1?$select=id,displayName", "", "200", user, ""},
		{"a good refusal", "PATCH", "/users/1", `{"city":"Graz"}`, "400", wrong, ""},
		{"an unknown path", "GET", "/planets", "", "404", wrong, "request of GET /v1.0/planets"},
		{"an unknown property is asked for", "GET", "/users?$select=shoeSize", "", "400", wrong, "request"},
		{"a read-only property is written", "PATCH", "/users/1", `{"proxyAddresses":["smtp:a@b.c"]}`, "400", wrong, "request"},
		{"too long a value", "PATCH", "/users/1", `{"city":"` + strings.Repeat("x", 129) + `"}`, "400", wrong, "request"},
		{"a body that isn't JSON", "PATCH", "/users/1", `{`, "400", wrong, "request"},
		{"an unknown property in the reply", "GET", "/users/1", "", "200", `{"shoeSize":44}`, "reply"},
		{"a wrong status", "PATCH", "/users/1", `{"city":"Graz"}`, "200", user, "reply"},
		{"a wrong envelope", "GET", "/users/1", "", "404", `{"message":"no"}`, "reply"},
		{"a password in the reply", "GET", "/users/1", "", "200", `{"passwordProfile":{"password":"x"}}`, "reply"},
		{"a good batch", "POST", "/$batch", batch(`{"id":"1","method":"GET","url":"/users/1"}`), "200",
			`{"responses":[{"id":"1","status":200,"headers":{"Content-Type":"application/json"},"body":` + user + `}]}`, ""},
		{"a bad request in a batch", "POST", "/$batch", batch(`{"id":"1","method":"GET","url":"/planets"}`), "200",
			`{"responses":[{"id":"1","status":404,"headers":{"Content-Type":"application/json"},"body":` + wrong + `}]}`, "request of GET /v1.0/planets"},
		{"a bad reply in a batch", "POST", "/$batch", batch(`{"id":"1","method":"GET","url":"/users/1"}`), "200",
			`{"responses":[{"id":"1","status":200,"headers":{"Content-Type":"application/json"},"body":{"shoeSize":1}}]}`, "reply of GET /v1.0/users/1"},
		{"a part without a reply", "POST", "/$batch", batch(`{"id":"1","method":"GET","url":"/users/1"}`), "200", `{"responses":[]}`, "no reply"},
		{"a reply to nothing", "POST", "/$batch", batch(`{"id":"1","method":"DELETE","url":"/users/1"}`), "200",
			`{"responses":[{"id":"1","status":204},{"id":"2","status":204}]}`, "wasn't sent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server, client := exchange(t, tt.method, tt.path, tt.body, tt.status, tt.answer)
			for _, got := range [][]string{server, client} {
				if tt.want == "" {
					require.Empty(t, got)
					continue
				}
				require.NotEmpty(t, got)
				require.Contains(t, got[0], tt.want)
			}
		})
	}
}

func TestExemptionsCoverJustWhatTheyName(t *testing.T) {
	contract.Require(t)
	for exempt, want := range map[string]int{"": 2, "request": 1, "reply": 1, "request,reply": 0, "other": 2} {
		server, client := exchange(t, "PATCH", "/users/1", `{"shoeSize":44}`, "200", `{"shoeSize":44}`, contract.ExemptHeader, exempt)
		require.Len(t, server, want, exempt)
		require.Len(t, client, want, exempt)
	}
}

func TestTheOverlayIsHeldToo(t *testing.T) {
	contract.Require(t)
	const good = `{"value":[{"id":"1","principalId":"2"}]}`
	for path, answer := range map[string]string{
		"/roleManagement/directory/roleAssignments":                       `{"value":[{"id":"1"}]}`,
		"/roleManagement/directory/roleEligibilitySchedules":              `{"value":[{"id":"1","principalId":"2","color":"red"}]}`,
		"/directory/administrativeUnits?$select=id":                       `{"value":[{"id":7}]}`,
		"/directory/administrativeUnits/1/members?$select=id":             good,
		"/directory/administrativeUnits/1/members?$select=id,color":       `{"value":[]}`,
		"/identityGovernance/privilegedAccess/group/eligibilitySchedules": good,
	} {
		server, client := exchange(t, "GET", path, "", "200", answer)
		require.Len(t, server, 1, path)
		require.Len(t, client, 1, path)
	}
	for _, path := range []string{"/roleManagement/directory/roleAssignments?$top=999",
		"/identityGovernance/privilegedAccess/group/eligibilitySchedules?$filter=groupId%20eq%20'11111111-2222-3333-4444-555555555555'"} {
		server, client := exchange(t, "GET", path, "", "200", good)
		require.Empty(t, append(server, client...), path)
	}
}
