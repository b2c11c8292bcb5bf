// Package e2e holds the end-to-end tests: the real leaves joined by the engine,
// mostly as the dirbridge program, from a domain controller over ldaps to Graph
// over HTTP. Package compare is the second opinion that they ask.
//
// There is nothing here to import. Without more, the tests run for some seconds
// against the simulators. DIRBRIDGE_E2E=1 adds what takes minutes: a real domain
// controller (../shared/testbed/samba-ad.sh in a directory of its own; needs Samba
// and root), fifty kills, two hundred cuts. Where the domain controller can't be
// had, its tests skip with a word; under CI=true they fail. DIRBRIDGE_E2E_SEED
// chooses other random moments than the usual ones.
package e2e
