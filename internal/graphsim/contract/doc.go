// Package contract checks HTTP traffic against Microsoft's description of Graph
// v1.0, so that our client and our simulator can't agree with each other but not
// with Microsoft. It is test support: it may be imported by tests only.
//
//	server := httptest.NewServer(contract.Middleware(t, tenant.Handler()))
//
// or, on the client's side,
//
//	client := &http.Client{Transport: contract.Transport(t, http.DefaultTransport)}
//
// Every request and every reply is validated, the parts of a $batch one by one;
// each violation is a t.Errorf. A request that is wrong on purpose says so in
// the header [ExemptHeader].
//
// What the description lacks stands in overlay.json, each path with the page of
// Microsoft's that it comes from.
//
// The description is graph-v1.0.openapi.json in ../shared/contract beside the
// project's root, or in the contract directory of $DIRBRIDGE_SHARED. Where it is
// missing, traffic passes unchecked with a word in the test's log, and under
// CI=true the test fails. [Require] skips the test instead.
package contract
