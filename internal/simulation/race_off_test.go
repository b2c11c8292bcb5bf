//go:build !race

package simulation_test

// seeds are about 60 s of one core.
const seeds = 6000

const raced = false
