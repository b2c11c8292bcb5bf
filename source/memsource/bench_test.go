package memsource_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
)

// company is a directory of n people with 15 attributes each.
func company(n int) *memsource.Source {
	src := memsource.New("corp", nil)
	for i := range n {
		a := source.Attributes{}
		for _, name := range []string{"displayName", "givenName", "sn", "title", "department", "company", "mail", "userPrincipalName",
			"sAMAccountName", "telephoneNumber", "mobile", "l", "st", "co", "userAccountControl"} {
			a.Set(name, fmt.Sprintf("%s of person %d", name, i))
		}
		src.Put(source.Object{ID: source.ID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i)), Attributes: a})
	}
	return src
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkHold100000(b *testing.B) {
	for b.Loop() {
		before := heap()
		src := company(100_000)
		b.ReportMetric(float64(heap()-before)/100_000, "B/object")
		runtime.KeepAlive(src)
	}
}

func BenchmarkAll(b *testing.B) {
	src := company(100_000)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range src.All(b.Context()) {
			if n++; err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(n), "events")
	}
}

// A delta of ten changes among 100,000 objects.
func BenchmarkSince(b *testing.B) {
	src := company(100_000)
	var w source.Watermark
	for e := range src.All(b.Context()) {
		w = e.Watermark
	}
	for i := range 10 {
		src.Edit(source.ID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", i*1000)), func(o *source.Object) { o.Attributes.Set("title", "x") })
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range src.Since(b.Context(), w) {
			n++
		}
		if n != 11 {
			b.Fatal(n)
		}
	}
}
