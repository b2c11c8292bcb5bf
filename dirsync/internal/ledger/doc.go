// Package ledger is the engine's typed view on a [state.Store]: what was seen
// at the source, what was applied to the target, what is planned, on the wire,
// still to do or wrong. The layout of the keys is in keys.go.
//
// It is private to dirsync and its subpackages. Nothing in it decides.
package ledger
