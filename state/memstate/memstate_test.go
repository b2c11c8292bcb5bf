package memstate_test

import (
	"testing"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/state/statetest"
)

func TestStore(t *testing.T) {
	statetest.Run(t, func(*testing.T) state.Store { return memstate.New() })
}

func BenchmarkStore(b *testing.B) {
	statetest.Benchmark(b, func(*testing.B) state.Store { return memstate.New() })
}
