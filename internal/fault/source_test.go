package fault_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/fault"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/source/sourcetest"
)

// Without faults the wrapper keeps the contract; with Cut the suite can see what
// a broken read does; repeats and another order are allowed.
func TestSourceKeepsTheContract(t *testing.T) {
	for name, prepare := range map[string]func(*fault.Source){
		"as it is":  func(*fault.Source) {},
		"repeating": func(s *fault.Source) { s.Repeat(true) },
		"reordered": func(s *fault.Source) { s.Reorder(rand.New(rand.NewPCG(1, 2))) },
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Directory {
				mem := memsource.New("corp", &memsource.Options{MaxReferences: 4})
				src := fault.NewSource(mem)
				prepare(src)
				return sourcetest.Directory{
					Source: src,
					Put:    func(o source.Object) (source.ID, error) { return mem.Put(o), nil },
					Remove: func(id source.ID) error { mem.Remove(id); return nil },
					Group: func(o source.Object) (source.ID, error) {
						id := mem.Put(o)
						mem.Refer(id, "member") // groups have members from now on
						return id, nil
					},
					Refer: func(id source.ID, attribute string, add, remove []source.ID) error {
						mem.Unrefer(id, attribute, remove...)
						mem.Refer(id, attribute, add...)
						return nil
					},
					Cut: func(n int) error { src.Cut(n, fmt.Errorf("cut: %w", source.ErrIncomplete)); return nil },
				}
			})
		})
	}
}

func TestCutEndsOneReadOnly(t *testing.T) {
	mem := memsource.New("corp", nil)
	mem.Put(source.Object{})
	mem.Put(source.Object{})
	src := fault.NewSource(mem)
	count := func() (n int, err error) {
		for _, e := range src.All(t.Context()) {
			if err = e; err == nil {
				n++
			}
		}
		return n, err
	}
	boom := errors.New("boom")
	src.Cut(1, boom)
	n, err := count()
	require.Equal(t, 1, n)
	require.ErrorIs(t, err, boom)
	src.Cut(1, nil) // a lie: it looks complete
	n, err = count()
	require.Equal(t, 1, n)
	require.NoError(t, err)
	n, err = count()
	require.Equal(t, 3, n)
	require.NoError(t, err)
	require.Equal(t, 3, src.Reads())
}

func TestTheNthCallFails(t *testing.T) {
	src := fault.NewSource(memsource.New("corp", nil))
	src.OnPoll(2, fault.Fault{})
	_, err := src.Poll(t.Context(), "")
	require.NoError(t, err)
	_, err = src.Poll(t.Context(), "")
	require.ErrorIs(t, err, fault.ErrInjected)

	src.OnCheck(1, fault.Fault{Err: source.ErrForbidden})
	_, err = src.Check(t.Context())
	require.ErrorIs(t, err, source.ErrForbidden)
	_, err = src.Check(t.Context())
	require.NoError(t, err)

	src.OnFind(1, fault.Fault{Err: source.ErrUnavailable})
	for _, err := range src.Find(t.Context(), []source.ID{"a"}) {
		require.ErrorIs(t, err, source.ErrUnavailable)
	}
}

func TestAStallEndsWithItsChannelOrTheContext(t *testing.T) {
	src := fault.NewSource(memsource.New("corp", nil))
	release := make(chan struct{})
	src.OnPoll(1, fault.Fault{Stall: release})
	done := make(chan error)
	go func() {
		_, err := src.Poll(context.Background(), "")
		done <- err
	}()
	close(release)
	require.NoError(t, <-done)

	src.OnPoll(1, fault.Fault{Stall: make(chan struct{})})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := src.Poll(ctx, "")
	require.ErrorIs(t, err, context.Canceled)
}
