package memtarget_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// What 100,000 accounts with 14 attributes take.
func BenchmarkHold100000(b *testing.B) {
	heap := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	for b.Loop() {
		before := heap()
		tgt := memtarget.New("contoso", nil)
		for i := range 100_000 {
			c := create(fmt.Sprintf("user%06d", i))
			for _, name := range []string{"givenName", "surname", "jobTitle", "department", "companyName", "officeLocation", "city", "state", "country", "mobilePhone"} {
				c.Set[name] = []string{fmt.Sprintf("%s of %d", name, i)}
			}
			if _, err := tgt.Apply(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(heap()-before)/100_000, "B/object")
		runtime.KeepAlive(tgt)
	}
}

func BenchmarkApplyUpdate(b *testing.B) {
	tgt := memtarget.New("contoso", nil)
	ann, err := tgt.Apply(b.Context(), create("ann"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := tgt.Apply(b.Context(), target.Change{Op: target.Update, Kind: target.User, ID: ann.ID,
			Set: target.Attributes{"jobTitle": {fmt.Sprint(i)}}}); err != nil {
			b.Fatal(err)
		}
	}
}
