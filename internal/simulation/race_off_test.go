//go:build !race

package simulation_test

// seeds are about 60 s of one core.
const seeds = 15000

const raced = false
