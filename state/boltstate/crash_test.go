package boltstate_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/state/boltstate"
)

// committer names the store that this binary, run as a child, commits to until
// it is killed.
const committer = "BOLTSTATE_TEST_COMMITTER"

func TestMain(m *testing.M) {
	if path := os.Getenv(committer); path != "" {
		if err := commitForever(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// A batch is some records that all carry its number, and the number itself. Its
// size varies, so that the file grows and gets free pages.
func batch(n int) []state.Write {
	writes := []state.Write{state.Put("last", []byte(strconv.Itoa(n)))}
	for i := range 1 + n%17 {
		v := append([]byte(strconv.Itoa(n)+" "), bytes.Repeat([]byte{byte(n)}, (n*i*131)%3000)...)
		writes = append(writes, state.Put(fmt.Sprintf("batch/%03d/%02d", n%300, i), v))
	}
	for i := 1 + n%17; i < 20; i++ {
		writes = append(writes, state.Remove(fmt.Sprintf("batch/%03d/%02d", n%300, i)))
	}
	return writes
}

// commitForever commits batch after batch and prints the number of each that is
// acknowledged.
func commitForever(path string) error {
	s, err := boltstate.Open(path, nil)
	if err != nil {
		return err
	}
	n := 0
	if r, err := s.Get(ctx, "last"); err == nil {
		n, _ = strconv.Atoi(string(r.Value))
	} else if !errors.Is(err, state.ErrNotFound) {
		return err
	}
	for {
		n++
		if err := s.Commit(ctx, batch(n)...); err != nil {
			return err
		}
		fmt.Println(n)
	}
}

func TestNoAcknowledgedCommitIsLostWhenTheProcessIsKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	acknowledged := 0
	for range 10 {
		acknowledged = kill(t, path, random, acknowledged)
		s, err := boltstate.Open(path, nil)
		require.NoError(t, err)
		require.NoError(t, s.Check(ctx))
		last, err := strconv.Atoi(value(t, s, "last"))
		require.NoError(t, err)
		// The one after the last acknowledged may have been made, too.
		require.Contains(t, []int{acknowledged, acknowledged + 1}, last)
		want := map[string]string{}
		for n := 1; n <= last; n++ {
			for _, w := range batch(n) {
				if delete(want, w.Key); !w.Delete {
					want[w.Key] = string(w.Value)
				}
			}
		}
		got := map[string]string{}
		for _, r := range records(t, s) {
			got[r.Key] = string(r.Value)
		}
		require.True(t, equal(want, got), "the store isn't what %d whole batches make", last)
		require.NoError(t, s.Close())
		acknowledged = last
	}
}

// kill runs a child, kills it at a random moment after a random number of
// commits, and returns the last number that it acknowledged.
func kill(t *testing.T, path string, random *rand.Rand, before int) (acknowledged int) {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), committer+"="+path)
	var complaint bytes.Buffer
	child.Stderr = &complaint
	out, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())

	acknowledged = before
	stop := before + 1 + random.IntN(60)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		acknowledged, err = strconv.Atoi(lines.Text())
		require.NoError(t, err)
		if acknowledged == stop {
			// A moment within a commit. What is still printed counts.
			time.AfterFunc(time.Duration(random.IntN(3000))*time.Microsecond, func() { _ = child.Process.Kill() })
		}
	}
	require.Error(t, child.Wait(), "the child ended by itself")
	require.Empty(t, complaint.String())
	require.GreaterOrEqual(t, acknowledged, stop)
	return acknowledged
}

func equal(a, b map[string]string) bool {
	for k := range b {
		if _, ok := a[k]; !ok {
			return false
		}
	}
	for k, v := range a {
		if w, ok := b[k]; !ok || w != v {
			return false
		}
	}
	return true
}
