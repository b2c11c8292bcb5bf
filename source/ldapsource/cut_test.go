package ldapsource_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/ldapsource"
	"github.com/stretchr/testify/require"
)

// TestS01_AReadCutAtAnyByteIsIncomplete cuts the connection at 200 random places,
// from the first byte of the handshake to the last but one of the read.
func TestS01_AReadCutAtAnyByteIsIncomplete(t *testing.T) {
	bed := dc(t)
	base := `OU=Sales,OU=People,OU=Corp,` + bed.env["BASE_DN"]
	cut := newCutter()
	small := func(o *ldapsource.Options) { o.Dial, o.PageSize = cut.dial, 25 }
	first := read(bed.scoped(t, "SYNC", base, small).All(t.Context()))
	require.NoError(t, first.err)
	bed.churn(t, 40)
	for _, tt := range []struct {
		name string
		read func(src *ldapsource.Source) reading
	}{
		{"full", func(src *ldapsource.Source) reading { return read(src.All(t.Context())) }},
		{"delta", func(src *ldapsource.Source) reading { return read(src.Since(t.Context(), first.mark())) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			once := func() (reading, int) {
				before := cut.seen().received
				src := bed.scoped(t, "SYNC", base, small)
				r := tt.read(src)
				require.NoError(t, src.Close())
				return r, cut.seen().received - before
			}
			whole, total := once()
			require.NoError(t, whole.err)
			require.Greater(t, whole.events, 10)
			cuts := 100
			if testing.Short() {
				cuts = 10
			}
			for range cuts {
				at := rand.IntN(total - 64) // sizes differ by some bytes from one handshake to the next
				before := cut.seen().cuts
				cut.arm(at)
				r, _ := once()
				require.Equal(t, before+1, cut.seen().cuts)
				require.Error(t, r.err, "cut after %d of %d bytes, the read passes for complete", at, total)
				require.True(t, errors.Is(r.err, source.ErrIncomplete) || errors.Is(r.err, source.ErrUnavailable), "%v", r.err)
				require.Empty(t, r.marks, "the watermark doesn't move")
				if tt.name == "full" {
					require.Empty(t, r.deleted)
				}
			}
		})
	}
}

func TestAnIdlePollIsOneRequest(t *testing.T) {
	bed := dc(t)
	cut := newCutter()
	src := bed.source(t, "SYNC", func(o *ldapsource.Options) { o.Dial = cut.dial })
	all := read(src.All(t.Context()))
	require.NoError(t, all.err)
	poll := func(want bool) int {
		t.Helper()
		before := cut.seen().written
		maybe, err := src.Poll(t.Context(), all.mark())
		require.NoError(t, err)
		require.Equal(t, want, maybe)
		return cut.seen().written - before
	}
	for range 3 {
		require.Equal(t, 1, poll(false))
	}
	require.Equal(t, 1, cut.seen().dialled, "the connection is kept")

	require.NoError(t, src.Close())
	poll(false)
	require.Equal(t, 2, cut.seen().dialled)
	cut.arm(0) // the kept connection dies: the next poll makes a new one
	poll(false)
	require.Equal(t, 3, cut.seen().dialled)

	newHands(t, bed) // makes organizational units
	require.Equal(t, 1, poll(true))
	again := read(src.Since(t.Context(), all.mark()))
	require.NoError(t, again.err)
	maybe, err := src.Poll(t.Context(), again.mark())
	require.NoError(t, err)
	require.False(t, maybe, "a delta moves the watermark even if it gave nothing")
	for _, bad := range []source.Watermark{"", "x", again.mark() + "x"} {
		maybe, err := src.Poll(t.Context(), bad)
		require.NoError(t, err)
		require.True(t, maybe)
	}
}

func TestCancellingEndsTheSearchAtOnce(t *testing.T) {
	bed := dc(t)
	src := bed.source(t, "SYNC", func(o *ldapsource.Options) { o.PageSize = 10 })
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range src.All(ctx) {
		if last = err; err != nil {
			break
		}
		if n++; n == 15 {
			cancel()
		}
	}
	require.ErrorIs(t, last, context.Canceled)
	require.ErrorIs(t, last, source.ErrIncomplete)
	require.Equal(t, 15, n, "nothing comes after the cancellation")
	all := read(src.All(t.Context())) // and the source is as good as new
	require.NoError(t, all.err)
}
