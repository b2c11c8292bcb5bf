package fault

import (
	"context"
	"errors"
	"sync"
)

// ErrInjected is what a fault without an error of its own gives.
var ErrInjected = errors.New("injected fault")

// A Fault is what goes wrong with one call.
type Fault struct {
	// Err is what the caller gets, as it is. Nil means ErrInjected, for a
	// change of a target wrapped in [target.ErrUnknownOutcome].
	Err error

	// Done says that the call is carried out all the same: only the caller
	// doesn't learn of it. Without it, nothing is done.
	Done bool

	// Stall, if not nil, holds the call up, after it was carried out if it is
	// Done, until the channel is closed or the ctx is over. A fault that only
	// stalls (Err is nil) lets the call go on and succeed.
	Stall <-chan struct{}
}

// onlyStalls reports whether the call succeeds in the end.
func (f Fault) onlyStalls() bool { return f.Stall != nil && f.Err == nil }

func (f Fault) err() error {
	if f.Err == nil {
		return ErrInjected
	}
	return f.Err
}

// wait holds the call up.
func (f Fault) wait(ctx context.Context) error {
	if f.Stall == nil {
		return nil
	}
	select {
	case <-f.Stall:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// calls counts the calls of one sort and knows which go wrong.
type calls struct {
	mu     sync.Mutex
	count  int
	faults map[int]Fault
}

// on makes the n-th call from now go wrong; 1 is the next.
func (c *calls) on(n int, f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.faults == nil {
		c.faults = map[int]Fault{}
	}
	c.faults[c.count+n] = f
}

// next counts a call and says what goes wrong with it.
func (c *calls) next() (f Fault, faulty bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count++
	f, faulty = c.faults[c.count]
	return f, faulty
}

func (c *calls) made() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count
}

// do makes one call that may go wrong. Lost says that it was not made or that
// its outcome doesn't reach the caller, err why.
func (c *calls) do(ctx context.Context, call func()) (lost bool, err error) {
	f, faulty := c.next()
	if !faulty {
		call()
		return false, nil
	}
	if f.Done {
		call()
	}
	if err := f.wait(ctx); err != nil {
		return true, err
	}
	if f.onlyStalls() {
		if !f.Done {
			call()
		}
		return false, nil
	}
	return true, f.err()
}
