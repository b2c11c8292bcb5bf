// Package memstate is a [state.Store] in memory: for tests, for simulations and
// for programs that need not remember anything beyond their own life.
//
// It keeps the whole contract, passes package statetest, and is good for
// millions of records: every operation finds its place in O(log n), and a scan
// copies a few records at a time, never the whole store.
//
// It isn't durable: a commit is as durable as the process.
package memstate
