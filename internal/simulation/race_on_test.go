//go:build race

package simulation_test

// seeds are fewer under the race detector, which is ten times as slow.
const seeds = 500

// raced says that the race detector watches. The simulated world is kept in order
// by fake time and not by locks: what it would find are its own accesses.
// dirsync's own tests call targets side by side under the detector.
const raced = true
