package memstate_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/memstate"
)

// A scan of a few records must not cost a pass over all of them. Allocations
// don't depend on how busy the machine is, so they are what is counted.
func TestAShortScanInABigStoreCopiesOnlyWhatItYields(t *testing.T) {
	store := memstate.New()
	var writes []state.Write
	for i := range 100_000 {
		writes = append(writes, state.Put(fmt.Sprintf("link/%06d", i), []byte("v")))
	}
	require.NoError(t, store.Commit(context.Background(), writes...))

	allocated := testing.AllocsPerRun(10, func() {
		seen := 0
		for _, err := range store.Scan(context.Background(), "link/05000") {
			require.NoError(t, err)
			seen++
		}
		require.Equal(t, 10, seen)
	})
	require.Less(t, allocated, 60.0)
}
