package audit_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/audit/audittest"
)

func BenchmarkSealAndEncode(b *testing.B) {
	r := audittest.Chain(audit.Head{}, 1, "clerk")[0]
	b.ReportAllocs()
	for b.Loop() {
		r.Seal(r.Head())
		line, err := audit.Encode(&r)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(line)))
	}
}

func BenchmarkFileAppend500(b *testing.B) {
	f := openFile(b, filepath.Join(b.TempDir(), "audit.jsonl"))
	var head audit.Head
	for b.Loop() {
		b.StopTimer()
		c := audittest.Chain(head, 500, "clerk")
		head = c[499].Head()
		b.StartTimer()
		require.NoError(b, f.Append(ctx, c))
	}
}

func BenchmarkVerify(b *testing.B) {
	const n = 10_000
	log := text(b, audittest.Chain(audit.Head{}, n, "clerk"))
	b.SetBytes(int64(len(log)))
	b.ReportAllocs()
	for b.Loop() {
		_, err := audit.Verify(bytes.NewReader(log), nil)
		require.NoError(b, err)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}
