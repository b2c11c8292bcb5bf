package graphtarget

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"
)

// A carrier takes the calls of one change to Graph. What a change does between
// its calls, it does through its carrier as well.
type carrier interface {
	send(ctx context.Context, c call) reply
	// chain sends calls that write to one object, one after the other.
	chain(ctx context.Context, cs []call) []reply
	sleep(ctx context.Context, d time.Duration) error
}

// alone carries the calls of one change, one after the other.
type alone struct{ t *Target }

func (a alone) send(ctx context.Context, c call) reply {
	return a.t.exchange(ctx, []call{c}, false)[0]
}

func (a alone) chain(ctx context.Context, cs []call) []reply { return a.t.exchangeChain(ctx, cs) }

func (a alone) sleep(ctx context.Context, d time.Duration) error { return sleep(ctx, d) }

// A convoy carries the calls of up to twenty changes. Each change is a straight
// line of steps in a goroutine of its own; the convoy sends a batch whenever
// every change that isn't asleep has come to its next call or to its end. So
// the first calls of all go in one batch, and what is to be settled afterwards
// goes in further ones.
type convoy struct {
	t       *Target
	flights sync.WaitGroup

	mu      sync.Mutex
	moving  int          // changes that will send, sleep or leave next, or that wait for the batch to fill
	waiting []*passenger // of them, those that wait
}

// A seat is one change's place in a convoy. Batches are in the order of seats,
// so that equal changes make equal batches.
type seat struct {
	*convoy
	number int
}

type passenger struct {
	seat  int
	ctx   context.Context
	call  call
	reply chan reply
}

func newConvoy(t *Target, changes int) *convoy { return &convoy{t: t, moving: changes} }

func (v seat) send(ctx context.Context, c call) reply {
	p := &passenger{v.number, ctx, c, make(chan reply, 1)}
	v.mu.Lock()
	v.waiting = append(v.waiting, p)
	v.departIfFull()
	v.mu.Unlock()
	return <-p.reply // always comes: a flight ends when its context does
}

func (v *convoy) sleep(ctx context.Context, d time.Duration) error {
	v.leave()
	err := sleep(ctx, d)
	v.mu.Lock()
	v.moving++
	v.mu.Unlock()
	return err
}

// chain sends a batch of the change's own; the others go on meanwhile.
func (v *convoy) chain(ctx context.Context, cs []call) []reply {
	v.leave()
	replies := v.t.exchangeChain(ctx, cs)
	v.mu.Lock()
	v.moving++
	v.mu.Unlock()
	return replies
}

// leave says that a change won't send for the time being, or ever.
func (v *convoy) leave() {
	v.mu.Lock()
	v.moving--
	v.departIfFull()
	v.mu.Unlock()
}

// wait returns when no batch is under way any more.
func (v *convoy) wait() { v.flights.Wait() }

// departIfFull sends those who wait if there is nobody to wait for. The caller
// holds the lock.
func (v *convoy) departIfFull() {
	if len(v.waiting) == 0 || len(v.waiting) < v.moving {
		return
	}
	aboard := v.waiting
	v.waiting = nil
	v.moving -= len(aboard)
	slices.SortFunc(aboard, func(a, b *passenger) int { return cmp.Compare(a.seat, b.seat) })
	v.flights.Go(func() {
		cs := make([]call, len(aboard))
		for i, p := range aboard {
			cs[i] = p.call
		}
		replies := v.t.exchange(aboard[0].ctx, cs, true)
		v.mu.Lock()
		v.moving += len(aboard)
		v.mu.Unlock()
		for i, p := range aboard {
			p.reply <- replies[i]
		}
	})
}
