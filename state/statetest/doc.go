// Package statetest is the conformance suite of [state.Store]: each sentence of
// the contract is a test, and its name says which.
//
// The test file of a store is a few lines:
//
//	func TestStore(t *testing.T) {
//		statetest.Run(t, func(t *testing.T) state.Store {
//			return mystore.New(t.TempDir())
//		})
//	}
//
// [RunDurable] adds what must hold when a store is closed and opened again;
// [Benchmark] measures the operations that the engine's speed depends on, under
// the same names for every store.
//
// What a suite can't see (that a commit survives a loss of power, that damage is
// noticed) a store has to test for itself; package boltstate shows how.
//
// The suite needs nothing but the standard library. A rule that a bug teaches
// goes in here first.
package statetest
