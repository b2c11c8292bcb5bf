// Package wire is the simulation's slow tier: the real engine between the real
// leaves, source/ldapsource and target/graphtarget, which speak LDAP and HTTP
// with simulators (internal/adsim, internal/graphsim) that break what goes over
// the wire. It all happens in bubbles of testing/synctest, so that waiting costs
// nothing. There are only tests; they compile the Graph SDK, which is why they
// aren't in package simulation.
//
// A seed's schedule is small, and its judge simple: the fast tier has the
// subtleties of names, this one has bytes.
package wire
