// Package state is the engine's memory, as a contract: what a store has to keep
// so that nothing is lost and nothing happens twice ([Store]). What the engine
// writes into it is the engine's own affair and may change from version to
// version; a store only moves bytes.
//
// A [Store] keeps small records under slash-separated keys, and makes several
// writes in one commit that happens whole or not at all. Whoever writes a store
// implements three methods and never has to touch them again when the engine
// remembers something new. Package statetest holds the conformance suite,
// memstate a store in memory, boltstate the embedded default.
//
// This package depends on the standard library alone.
package state
