package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata/story.txt anew")

func TestTheStoryIsToldTheSameEveryTime(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, false))
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
	}
	require.Equal(t, told(t), out.String())
}

var golden = filepath.Join("testdata", "story.txt")

func told(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(golden)
	require.NoError(t, err)
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestColorAddsNothingButColor(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, true))
	text := out.String()
	for _, code := range []string{"0", bold, red, green, yellow} {
		require.Contains(t, text, "\x1b["+code+"m")
		text = strings.ReplaceAll(text, "\x1b["+code+"m", "")
	}
	require.Equal(t, told(t), text)
}

func TestAWriterThatFailsIsAnError(t *testing.T) {
	require.ErrorIs(t, run(t.Context(), broken{}, false), os.ErrClosed)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, os.ErrClosed }
