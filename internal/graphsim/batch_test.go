package graphsim_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
)

func part(id, method, url string, body any, after ...string) props {
	p := props{"id": id, "method": method, "url": url}
	if body != nil {
		p["body"] = body
		p["headers"] = props{"Content-Type": "application/json"}
	}
	if after != nil {
		p["dependsOn"] = after
	}
	return p
}

func batchOf(parts ...props) props { return props{"requests": parts} }

// parts returns the answers of a batch by id, and the ids in order.
func (a answer) parts(t *testing.T) (map[string]props, []string) {
	t.Helper()
	require.Equal(t, 200, a.status, a.raw)
	out := map[string]props{}
	var order []string
	for _, v := range a.body["responses"].([]any) {
		p := v.(props)
		id := p["id"].(string)
		require.NotContains(t, out, id)
		out[id] = p
		order = append(order, id)
	}
	return out, order
}

func TestBatchAnswersEachPartByItself(t *testing.T) {
	s := open(t, nil)
	s.create("ann@contoso.com")
	a := s.do("POST", "/$batch", batchOf(
		part("a", "POST", "/users", person("bob@contoso.com")),
		part("b", "POST", "users", person("ann@contoso.com")),
		part("c", "GET", "/users/ann@contoso.com?$select=id,displayName", nil),
		part("d", "PATCH", "/users/ann@contoso.com", props{"city": "Graz"}),
		part("e", "GET", "/users/nobody@contoso.com", nil),
	))
	got, _ := a.parts(t)
	status := map[string]any{}
	for id, p := range got {
		status[id] = p["status"]
	}
	require.Equal(t, map[string]any{"a": 201., "b": 400., "c": 200., "d": 204., "e": 404.}, status)
	require.Equal(t, "ann", got["c"]["body"].(props)["displayName"])
	require.Contains(t, got["c"]["headers"].(props)["Content-Type"], "application/json")
	require.NotContains(t, got["d"], "body")
	require.NotEmpty(t, got["d"]["headers"].(props)["request-id"])
	c := s.Counts()
	require.Equal(t, 2, c.HTTP)
	require.Equal(t, 2, c.Writes["POST /users"])
	require.Equal(t, 3, c.Requests["POST /users"])
}

func TestBatchDependencies(t *testing.T) {
	s := open(t, nil)
	for range 5 { // each time in another order
		a := s.do("POST", "/$batch", batchOf(
			part("3", "DELETE", "/users/ann@contoso.com", nil, "2"),
			part("2", "PATCH", "/users/ann@contoso.com", props{"city": "Graz"}, "1"),
			part("1", "POST", "/users", person("ann@contoso.com")),
			part("x", "GET", "/users/nobody@contoso.com", nil),
			part("y", "GET", "/domains", nil, "x"),
		))
		got, _ := a.parts(t)
		require.EqualValues(t, 201, got["1"]["status"])
		require.EqualValues(t, 204, got["2"]["status"])
		require.EqualValues(t, 204, got["3"]["status"])
		require.EqualValues(t, 424, got["y"]["status"])
	}
	require.Equal(t, 400, s.do("POST", "/$batch", batchOf(part("1", "GET", "/users", nil, "2"))).status, "unknown")
	require.Equal(t, 400, s.do("POST", "/$batch", batchOf(part("1", "GET", "/users", nil, "2"), part("2", "GET", "/users", nil, "1"))).status, "a circle")
}

func TestBatchRepliesComeInAnyOrder(t *testing.T) {
	orders := func(inOrder bool) int {
		s := open(t, &graphsim.Options{Seed: 7, Switches: graphsim.Switches{BatchInOrder: inOrder}})
		var parts []props
		for i := range 20 {
			parts = append(parts, part(fmt.Sprint(i), "GET", "/domains", nil))
		}
		seen := map[string]bool{}
		for range 4 {
			_, order := s.do("POST", "/$batch", batchOf(parts...)).parts(t)
			require.Len(t, order, 20)
			seen[fmt.Sprint(order)] = true
		}
		return len(seen)
	}
	require.Equal(t, 4, orders(false))
	require.Equal(t, 1, orders(true))
}

func TestMalformedBatchesAreRefused(t *testing.T) {
	s := open(t, nil)
	var many []props
	for i := range 21 {
		many = append(many, part(fmt.Sprint(i), "GET", "/users", nil))
	}
	for name, body := range map[string]any{
		"21 parts": batchOf(many...), "no parts": batchOf(), "no JSON": "{", "duplicate id": batchOf(many[0], many[0]),
		"no url": batchOf(props{"id": "1", "method": "GET"}), "nothing": "",
	} {
		a := s.wrong("POST", "/$batch", body)
		code, _ := a.fault()
		require.Equal(t, 400, a.status, name)
		require.Equal(t, "BadRequest", code, name)
	}
	exempt := props{contract.ExemptHeader: "request"}
	odd := []props{
		{"id": "absolute", "method": "GET", "url": "https://graph.microsoft.com/v1.0/users", "headers": exempt},
		{"id": "nested", "method": "POST", "url": "/$batch", "headers": exempt, "body": batchOf(many[0])},
		{"id": "no content type", "method": "PATCH", "url": "/users/x", "headers": exempt, "body": props{"city": "x"}},
		{"id": "unknown", "method": "GET", "url": "/planets", "headers": exempt},
	}
	got, _ := s.do("POST", "/$batch", batchOf(odd...), contract.ExemptHeader, "request,reply").parts(t)
	for id, p := range got {
		require.Contains(t, []any{400., 404.}, p["status"], id)
	}
}
