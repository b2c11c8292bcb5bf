package audittest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/dirbridge/dirbridge/dirsync/audit"
)

type reader = func() []audit.Record

// Run checks the contract of [audit.Sink] on sinks made by open, which hold
// nothing. read returns all records that the sink holds, in order; nil if they
// can't be read back. Whatever has to be released, open registers with
// t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) (s audit.Sink, read func() []audit.Record)) {
	for _, r := range []struct {
		name string
		test func(t *testing.T, s audit.Sink, read reader)
	}{
		{"ANewSinkHoldsNothing", func(t *testing.T, s audit.Sink, read reader) {
			wantAt(t, s, read, nil)
			add(t, s, nil)
			wantAt(t, s, read, nil)
		}},
		{"ItHoldsWhatWasAppendedAsItWas", testAppend},
		{"ItBeginsWithAnyRecord", func(t *testing.T, s audit.Sink, read reader) {
			c := Chain(audit.Head{Seq: 41, Hash: strings.Repeat("ab", 32)}, 10, "a")
			add(t, s, c[:4])
			add(t, s, c[4:])
			wantAt(t, s, read, c)
		}},
		{"DeliveringAgainAddsNothingTwice", testAgain},
		{"WhatWasBeforeItsBeginningIsSkipped", func(t *testing.T, s audit.Sink, read reader) {
			c := Chain(audit.Head{}, 10, "a")
			add(t, s, c[4:8])
			add(t, s, c[:3])
			add(t, s, c[:5])
			wantAt(t, s, read, c[4:8])
			add(t, s, c)
			wantAt(t, s, read, c[4:])
		}},
		{"AForkIsRefused", testFork},
		{"AGapIsRefused", testGap},
		{"ARecordThatIsNotSealedIsRefused", testUnsealed},
		{"ALargeRecordIsHeld", func(t *testing.T, s audit.Sink, read reader) {
			c := Chain(audit.Head{}, 3, "a")
			for range 20 {
				c[1].Rules = append(c[1].Rules, audit.Rule{Branch: strings.Repeat("\u2028", 20_000)})
			}
			c[1].Seal(c[0].Head())
			c[2].Seal(c[1].Head())
			add(t, s, c)
			wantAt(t, s, read, c)
			add(t, s, c[1:])
			wantAt(t, s, read, c)
		}},
		{"ManyRecordsAreHeld", func(t *testing.T, s audit.Sink, read reader) {
			c := Chain(audit.Head{}, 5000, "a")
			add(t, s, c[:1])
			add(t, s, c)
			wantAt(t, s, read, c)
		}},
		{"ItKeepsNothingOfWhatItWasGiven", func(t *testing.T, s audit.Sink, read reader) {
			c, given := Chain(audit.Head{}, 6, "a"), Chain(audit.Head{}, 6, "a")
			add(t, s, given)
			for i := range given {
				if given[i].After != nil {
					given[i].After["title"][0] = "other"
					given[i].After["new"] = nil
				}
				given[i].Seq, given[i].Hash = 0, ""
			}
			wantAt(t, s, read, c)
		}},
		{"ACancelledContextAppendsNothing", func(t *testing.T, s audit.Sink, read reader) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			c := Chain(audit.Head{}, 2, "a")
			if err := s.Append(ctx, c); !errors.Is(err, context.Canceled) {
				t.Errorf("Append: %v, want context.Canceled", err)
			}
			wantAt(t, s, read, nil)
			add(t, s, c)
			wantAt(t, s, read, c)
		}},
	} {
		t.Run(r.name, func(t *testing.T) {
			s, read := open(t)
			r.test(t, s, read)
		})
	}
}

// RunDurable checks what must hold of a sink that is closed and opened again.
// open opens the sink that lives in dir, an empty directory at first, and
// returns a function that closes it.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) (s audit.Sink, read func() []audit.Record, close func())) {
	t.Run("ItGoesOnAfterReopening", func(t *testing.T) {
		dir := t.TempDir()
		c := Chain(audit.Head{}, 40, "a")
		for n := range 40 {
			s, read, stop := open(t, dir)
			wantAt(t, s, read, c[:n])
			add(t, s, c[max(0, n-7):n]) // as after a crash
			wantAt(t, s, read, c[:n])
			add(t, s, c[max(0, n-3):n+1])
			wantAt(t, s, read, c[:n+1])
			stop()
		}
	})
	t.Run("AForkIsRefusedAfterReopening", func(t *testing.T) {
		dir := t.TempDir()
		c := Chain(audit.Head{}, 10, "a")
		s, _, stop := open(t, dir)
		add(t, s, c)
		stop()
		s, read, stop := open(t, dir)
		defer stop()
		testFork(t, s, read)
	})
}

func testAppend(t *testing.T, s audit.Sink, read reader) {
	c := Chain(audit.Head{}, 40, "a")
	for i, n := 0, 1; i < len(c); i, n = i+n, n+1 {
		end := min(i+n, len(c))
		add(t, s, c[i:end])
		wantAt(t, s, read, c[:end])
	}
	add(t, s, nil)
	wantAt(t, s, read, c)
}

func testAgain(t *testing.T, s audit.Sink, read reader) {
	c := Chain(audit.Head{}, 12, "a")
	add(t, s, c[:8])
	for i := range 9 {
		for j := i; j <= 8; j++ {
			add(t, s, c[i:j])
		}
	}
	wantAt(t, s, read, c[:8])
	add(t, s, c[5:10])
	wantAt(t, s, read, c[:10])
	add(t, s, c)
	wantAt(t, s, read, c)
}

// testFork begins with a sink that is empty or holds ten records of a chain.
func testFork(t *testing.T, s audit.Sink, read reader) {
	c, other := Chain(audit.Head{}, 14, "a"), Chain(audit.Head{}, 14, "b")
	add(t, s, c[:10])
	torn := slices.Concat(c[10:11], other[11:13])
	for what, records := range map[string][]audit.Record{
		"another last record":               other[9:10],
		"another record earlier":            other[3:5],
		"others that reach beyond":          other[8:12],
		"the next of another chain":         other[10:12],
		"two that don't follow one another": torn,
	} {
		if err := s.Append(context.Background(), records); !errors.Is(err, audit.ErrForked) {
			t.Errorf("%s: %v, want ErrForked", what, err)
		}
		wantAt(t, s, read, c[:10])
	}
	add(t, s, c)
	wantAt(t, s, read, c)
}

func testGap(t *testing.T, s audit.Sink, read reader) {
	c := Chain(audit.Head{}, 14, "a")
	add(t, s, c[:5])
	for what, records := range map[string][]audit.Record{
		"one is missing":            c[6:8],
		"one is missing in between": slices.Concat(c[5:7], c[8:9]),
		"in the wrong order":        {c[6], c[5]},
		"twice in one delivery":     {c[5], c[5]},
	} {
		if err := s.Append(context.Background(), records); !errors.Is(err, audit.ErrGap) {
			t.Errorf("%s: %v, want ErrGap", what, err)
		}
		wantAt(t, s, read, c[:5])
	}
	add(t, s, c[5:])
	wantAt(t, s, read, c)
}

func testUnsealed(t *testing.T, s audit.Sink, read reader) {
	changed := Chain(audit.Head{}, 2, "a")
	changed[1].Detail += "!"
	for what, records := range map[string][]audit.Record{
		"never sealed":                {{Event: audit.EventWrite}},
		"changed after it was sealed": changed,
	} {
		if err := s.Append(context.Background(), records); err == nil {
			t.Errorf("%s: it was taken", what)
		}
		wantAt(t, s, read, nil)
	}
}
