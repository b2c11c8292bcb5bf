package audit_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/audit/audittest"
)

func TestMemorySink(t *testing.T) {
	audittest.Run(t, func(t *testing.T) (audit.Sink, func() []audit.Record) {
		s := new(audit.MemorySink)
		return s, s.Records
	})
}

func TestFile(t *testing.T) {
	audittest.Run(t, func(t *testing.T) (audit.Sink, func() []audit.Record) {
		f := openFile(t, filepath.Join(t.TempDir(), "audit.jsonl"))
		return f, func() []audit.Record { return readFile(t, f.Path()) }
	})
}

func TestFileOpenedAgain(t *testing.T) {
	audittest.RunDurable(t, func(t *testing.T, dir string) (audit.Sink, func() []audit.Record, func()) {
		f := openFile(t, filepath.Join(dir, "audit.jsonl"))
		return f, func() []audit.Record { return readFile(t, f.Path()) }, func() {}
	})
}

func openFile(t testing.TB, path string) *audit.File {
	t.Helper()
	f, err := audit.OpenFile(path, nil)
	require.NoError(t, err)
	return f
}

// readFile reads a log, each record of which must be in order.
func readFile(t testing.TB, path string) []audit.Record {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	var out []audit.Record
	for r, err := range audit.History(f, nil) {
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

// text is the log that records make.
func text(t testing.TB, records []audit.Record) []byte {
	t.Helper()
	var out []byte
	for i := range records {
		line, err := audit.Encode(&records[i])
		require.NoError(t, err)
		out = append(out, line...)
	}
	return out
}
