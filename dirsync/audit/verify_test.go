package audit_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/audit/audittest"
)

// verify verifies a log whose last record is known.
func verify(log []byte, until audit.Head) (audit.Head, error) {
	return audit.Verify(bytes.NewReader(log), &audit.VerifyOptions{Until: &until})
}

// requireBroken checks that err says that a log is broken, and where.
func requireBroken(t *testing.T, err error, line int, seq uint64, msgAndArgs ...any) {
	t.Helper()
	var b *audit.BrokenError
	require.ErrorAs(t, err, &b, msgAndArgs...)
	require.Equal(t, line, b.Line, msgAndArgs...)
	require.Equal(t, seq, b.Seq, msgAndArgs...)
	require.NotEmpty(t, b.Reason, msgAndArgs...)
}

func TestAWholeLogIsVerified(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 50, "a")
	log := text(t, c)
	head, err := verify(log, c[49].Head())
	require.NoError(t, err)
	require.Equal(t, c[49].Head(), head)
	head, err = audit.Verify(iotest.OneByteReader(bytes.NewReader(log)), nil)
	require.NoError(t, err)
	require.Equal(t, c[49].Head(), head)

	head, err = audit.Verify(strings.NewReader(""), nil)
	require.NoError(t, err)
	require.Equal(t, audit.Head{}, head)
}

func TestFilesOfARotatedLogAreVerifiedOneAfterTheOther(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 20, "a")
	first, second := text(t, c[:8]), text(t, c[8:])
	head, err := audit.Verify(bytes.NewReader(first), nil)
	require.NoError(t, err)
	last := c[19].Head()
	_, err = audit.Verify(bytes.NewReader(second), &audit.VerifyOptions{After: head, Until: &last})
	require.NoError(t, err)
	_, err = audit.Verify(bytes.NewReader(second), &audit.VerifyOptions{Anywhere: true, Until: &last})
	require.NoError(t, err)
	_, err = audit.Verify(bytes.NewReader(second), nil)
	requireBroken(t, err, 1, 1)
	_, err = audit.Verify(bytes.NewReader(second), &audit.VerifyOptions{After: c[6].Head()})
	requireBroken(t, err, 1, 8)
	head.Hash = c[6].Hash
	_, err = audit.Verify(bytes.NewReader(second), &audit.VerifyOptions{After: head})
	requireBroken(t, err, 1, 9)
	// An empty file right after a rotation.
	end := c[7].Head()
	_, err = audit.Verify(strings.NewReader(""), &audit.VerifyOptions{After: end, Until: &end})
	require.NoError(t, err)
}

func TestA17_EveryFlippedBitOfALogIsFound(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 5, "a")
	log := text(t, c)
	line := 1
	for i := range log {
		for bit := range 8 {
			flipped := bytes.Clone(log)
			flipped[i] ^= 1 << bit
			_, err := verify(flipped, c[4].Head())
			var b *audit.BrokenError
			require.ErrorAs(t, err, &b, "bit %d of byte %d, %q", bit, i, log[i])
			// One in hash is noticed there, since it is part of the line.
			require.Equal(t, line, b.Line, "bit %d of byte %d", bit, i)
		}
		if log[i] == '\n' {
			line++
		}
	}
}

func TestA17_EveryByteThatIsPutInOrTakenOutIsFound(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 4, "a")
	log := text(t, c)
	for i := range len(log) + 1 {
		for _, extra := range []string{" ", "\n", "\r", "0", "\x00", "{}", `"`, "a"} {
			_, err := verify(slices.Concat(log[:i], []byte(extra), log[i:]), c[3].Head())
			require.ErrorAs(t, err, new(*audit.BrokenError), "%q before byte %d", extra, i)
		}
		if i < len(log) {
			_, err := verify(slices.Concat(log[:i], log[i+1:]), c[3].Head())
			require.ErrorAs(t, err, new(*audit.BrokenError), "without byte %d", i)
		}
	}
}

func TestA17_EveryCutOfTheEndIsFound(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 5, "a")
	log := text(t, c)
	for i := range log {
		whole := bytes.Count(log[:i], []byte("\n"))
		head, err := verify(log[:i], c[4].Head())
		requireBroken(t, err, whole+1, uint64(whole+1), "cut at byte %d", i)
		if whole > 0 {
			require.Equal(t, c[whole-1].Head(), head)
		}
		// Without knowing the end only a cut within a line can be seen.
		_, err = audit.Verify(bytes.NewReader(log[:i]), nil)
		if i == 0 || log[i-1] == '\n' {
			require.NoError(t, err)
		} else {
			require.Error(t, err)
		}
	}
}

func TestA17_EveryLineCutOutDoubledOrMovedIsFound(t *testing.T) {
	const n = 12
	c := audittest.Chain(audit.Head{}, n, "a")
	end := c[n-1].Head()
	check := func(order []int, at int, what string, i, j int) {
		t.Helper()
		var log []byte
		for _, k := range order {
			log = append(log, text(t, c[k:k+1])...)
		}
		_, err := verify(log, end)
		requireBroken(t, err, at+1, uint64(min(at, n)+1), "%s %d %d", what, i, j)
	}
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	for i := range n {
		for j := i + 1; j <= n; j++ {
			check(slices.Concat(all[:i], all[j:]), i, "cut out", i, j)
		}
		for j := range n + 1 { // line i once more before line j
			order := slices.Insert(slices.Clone(all), j, i)
			at := j
			if i == j {
				at++ // the first of both is where it should be
			}
			if at == n && j == n {
				requireAdded(t, c, order)
				continue
			}
			check(order, at, "doubled", i, j)
		}
		for j := i + 1; j < n; j++ {
			order := slices.Clone(all)
			order[i], order[j] = order[j], order[i]
			check(order, i, "swapped", i, j)
		}
	}
}

func requireAdded(t *testing.T, c []audit.Record, order []int) {
	t.Helper()
	var log []byte
	for _, k := range order {
		log = append(log, text(t, c[k:k+1])...)
	}
	_, err := verify(log, c[len(c)-1].Head())
	require.ErrorAs(t, err, new(*audit.BrokenError))
}

func TestA17_ARecordThatIsSealedAnewIsFound(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 6, "a")
	end := c[5].Head()
	for i := range c {
		forged := slices.Clone(c)
		forged[i].Approver = "mallory"
		before := audit.Head{}
		if i > 0 {
			before = c[i-1].Head()
		}
		forged[i].Seal(before)
		_, err := verify(text(t, forged), end)
		if i == 5 { // nothing follows: only the state knows
			requireBroken(t, err, 6, 6)
		} else {
			requireBroken(t, err, i+2, uint64(i+2))
		}
		// All that follow anew: a good chain with another end.
		for j := i + 1; j < len(forged); j++ {
			forged[j].Seal(forged[j-1].Head())
		}
		_, err = audit.Verify(bytes.NewReader(text(t, forged)), nil)
		require.NoError(t, err)
		_, err = verify(text(t, forged), end)
		requireBroken(t, err, 6, 6)
	}
}

func TestARecordThatFollowsByItsHashButNotByItsNumberIsFound(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 4, "a")
	for _, seq := range []uint64{1, 2, 4, 6, 7} {
		forged := audit.Record{Detail: "forged"}
		forged.Seal(audit.Head{Seq: seq - 1, Hash: c[3].Hash})
		_, err := audit.Verify(bytes.NewReader(text(t, append(slices.Clone(c), forged))), nil)
		requireBroken(t, err, 5, 5)
	}
}

func TestRecordsThatAreAddedAreFound(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 6, "a")
	known := c[3].Head()
	_, err := verify(text(t, c), known)
	requireBroken(t, err, 5, 5)
	// Unless somebody is writing.
	head, err := audit.Verify(bytes.NewReader(text(t, c)), &audit.VerifyOptions{Until: &known, More: true})
	require.NoError(t, err)
	require.Equal(t, c[5].Head(), head)
	known.Hash = c[4].Hash
	_, err = audit.Verify(bytes.NewReader(text(t, c)), &audit.VerifyOptions{Until: &known, More: true})
	requireBroken(t, err, 4, 4)
	_, err = audit.Verify(bytes.NewReader(text(t, c)), &audit.VerifyOptions{Until: &audit.Head{}})
	requireBroken(t, err, 1, 1)
}

func TestWhatTheReaderSaysComesThrough(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 3, "a")
	failed := errors.New("disk on fire")
	head, err := audit.Verify(io.MultiReader(bytes.NewReader(text(t, c)), iotest.ErrReader(failed)), nil)
	require.ErrorIs(t, err, failed)
	require.False(t, errors.As(err, new(*audit.BrokenError)))
	require.Equal(t, c[2].Head(), head)
}

// endless is a hostile log: n bytes of one line.
type endless struct{ n int }

func (e *endless) Read(b []byte) (int, error) {
	if e.n == 0 {
		return 0, io.EOF
	}
	n := min(len(b), e.n)
	for i := range b[:n] {
		b[i] = 'x'
	}
	e.n -= n
	return n, nil
}

func TestALineThatIsTooLongIsNotHeld(t *testing.T) {
	c := audittest.Chain(audit.Head{}, 2, "a")
	log := func() io.Reader {
		return io.MultiReader(bytes.NewReader(text(t, c[:1])), &endless{200 << 20}, strings.NewReader("\n"), bytes.NewReader(text(t, c[1:])))
	}
	_, err := audit.Verify(log(), nil)
	requireBroken(t, err, 2, 2)
	var memory uint64
	var got []uint64
	memory = allocated(func() {
		for r, err := range audit.History(log(), nil) {
			if err != nil {
				requireBroken(t, err, 2, 0)
			}
			got = append(got, r.Seq)
		}
	})
	require.Equal(t, []uint64{1, 0, 2}, got)
	require.Less(t, memory, uint64(100<<20))
}
