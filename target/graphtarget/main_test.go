package graphtarget_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/internal/graphsim/contract"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const loopback = "http://127.0.0.1/v1.0"

// open returns a target for a simulated tenant, without a network and with
// every request and reply held against Microsoft's contract.
func open(t *testing.T, tn *graphsim.Tenant, o *graphtarget.Options) *graphtarget.Target {
	t.Helper()
	return openBy(t, tn, contract.Transport(t, tn.Transport()), o)
}

func openBy(t *testing.T, tn *graphsim.Tenant, by http.RoundTripper, o *graphtarget.Options) *graphtarget.Target {
	t.Helper()
	var c graphtarget.Options
	if o != nil {
		c = *o
	}
	c.Endpoint, c.HTTPClient = loopback, &http.Client{Transport: by}
	tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken(tn.Token()), &c)
	require.NoError(t, err)
	return tg
}

func contoso(o graphsim.Options) *graphsim.Tenant {
	o.Domains = append(o.Domains, "contoso.com")
	o.Seed = 1
	return graphsim.New(&o)
}

// openAs is open with an application that has just these permissions.
func openAs(t *testing.T, tn *graphsim.Tenant, permissions []string) *graphtarget.Target {
	t.Helper()
	tg, err := graphtarget.New("contoso.onmicrosoft.com", graphtarget.StaticToken(tn.AddApp(graphsim.App{Permissions: permissions})),
		&graphtarget.Options{Endpoint: loopback, HTTPClient: &http.Client{Transport: contract.Transport(t, tn.Transport())}})
	require.NoError(t, err)
	return tg
}

// ann is the create of one of many people.
func ann(n int) target.Change {
	return target.Change{Op: target.Create, Kind: target.User, Anchor: fmt.Sprintf("QW5uI%010d/+==", n), Set: target.Attributes{
		"userPrincipalName": {fmt.Sprintf("ann.%d@contoso.com", n)},
		"displayName":       {fmt.Sprintf("Ann %d", n)},
		"mailNickname":      {fmt.Sprintf("ann.%d", n)},
		"accountEnabled":    {"true"},
	}}
}

func people(n int) []target.Change {
	cs := make([]target.Change, n)
	for i := range cs {
		cs[i] = ann(i + 1)
	}
	return cs
}

// on is a change of what a create made.
func on(o target.Object, op target.Op, set target.Attributes) target.Change {
	return target.Change{Op: op, Kind: target.User, ID: o.ID, Anchor: o.Anchor, Set: set}
}

func all(t *testing.T, tg target.Target) []target.Object {
	t.Helper()
	var out []target.Object
	for o, err := range tg.Current(t.Context()) {
		require.NoError(t, err)
		out = append(out, o)
	}
	return out
}
