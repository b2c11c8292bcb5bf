package statetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/dirbridge/dirbridge/state"
)

// Sizes of [Benchmark].
const (
	benchRecords = 100_000
	benchValue   = 300 // bytes, about a link with its last applied values
)

// Benchmark measures a store of 100,000 records of 300 bytes: point reads, a
// full ordered scan (time for the whole of it), and commits that change 1, 100
// and 1000 records picked at random.
func Benchmark(b *testing.B, open func(b *testing.B) state.Store) {
	ctx := context.Background()
	s := open(b)
	value := make([]byte, benchValue)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range value {
		value[i] = byte(random.Uint32())
	}
	key := func(i int) string {
		return fmt.Sprintf("link/ad/%08x-091b-50bf-845c-72bb8a00e909", uint32(i)*2654435761)
	}
	writes := make([]state.Write, 0, benchRecords)
	for i := range benchRecords {
		writes = append(writes, state.Put(key(i), value))
	}
	for start := 0; start < benchRecords; start += 10_000 {
		commit(b, s, writes[start:start+10_000]...)
	}

	b.Run("Get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := s.Get(ctx, key(random.IntN(benchRecords))); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Scan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n := 0
			for _, err := range s.Scan(ctx, "link/") {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != benchRecords {
				b.Fatalf("%d records", n)
			}
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRecords, "ns/record")
	})
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("Commit%d", size), func(b *testing.B) {
			writes := make([]state.Write, size)
			for b.Loop() {
				for i := range writes {
					writes[i] = state.Put(key(random.IntN(benchRecords)), value)
				}
				commit(b, s, writes...)
			}
		})
	}
}
