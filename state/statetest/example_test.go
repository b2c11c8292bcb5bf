package statetest_test

import (
	"testing"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/state/statetest"
)

// The whole test file of a store. Yours goes where memstate stands.
func Example() {
	_ = func(t *testing.T) { // func TestStore(t *testing.T) in your file
		statetest.Run(t, func(*testing.T) state.Store { return memstate.New() })
	}
	_ = func(b *testing.B) { // func BenchmarkStore(b *testing.B)
		statetest.Benchmark(b, func(*testing.B) state.Store { return memstate.New() })
	}
	// Output:
}
