package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// MaxBatch returns 20, what Graph takes in one batch.
func (t *Target) MaxBatch() int { return batchSize }

// Apply carries out one change; see [target.Target]. An object that it returns
// has the attributes that Graph's reply gives, which for anything but a create
// or a restore are none.
//
// A restore has two steps: out of the bin, then the attributes. An error of
// the second leaves the object restored; applying the change again does the
// rest.
func (t *Target) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	return t.carry(ctx, alone{t}, c)
}

// ApplyBatch carries out changes by batches of twenty; see [target.Batcher].
// They count against Microsoft's quotas as if sent one by one: what batches
// save is round trips. Several changes of one object are carried out one after
// the other, in their order, in batches of their own.
func (t *Target) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	out := make([]target.Result, len(cs))
	for from := 0; from < len(cs); from += batchSize {
		part := cs[from:min(from+batchSize, len(cs))]
		if len(part) == 1 {
			out[from].Object, out[from].Err = t.Apply(ctx, part[0])
			continue
		}
		lines := lines(part)
		v := newConvoy(t, len(lines))
		var changes sync.WaitGroup
		for _, line := range lines {
			changes.Go(func() {
				defer v.leave()
				for _, i := range line {
					r := &out[from+i]
					r.Object, r.Err = t.carry(ctx, seat{v, i}, part[i])
				}
			})
		}
		changes.Wait()
		v.wait()
	}
	return out
}

// lines sorts changes by their objects. Those of one object go one after the
// other, since Graph is known to trip over writes to one object at the same time.
func lines(cs []target.Change) [][]int {
	var out [][]int
	of := map[target.ID]int{}
	for i, c := range cs {
		if at, ok := of[c.ID]; ok && c.ID != "" {
			out[at] = append(out[at], i)
			continue
		}
		of[c.ID] = len(out)
		out = append(out, []int{i})
	}
	return out
}

// carry carries out one change by way of a carrier.
func (t *Target) carry(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	if kinds := t.Kinds(); !slices.Contains(kinds, c.Kind) {
		return target.Object{}, &target.Error{Sentinel: target.ErrInvalid, Err: fmt.Errorf("kind %q: this target has only %v", c.Kind, kinds)}
	}
	if c.Kind == target.Group && (c.Op == target.Disable || c.Op == target.Enable) {
		return target.Object{}, &target.Error{Sentinel: target.ErrInvalid, Err: errors.New("a group can't be switched off or on")}
	}
	if c.Op != target.Create && c.ID == "" {
		return target.Object{}, &target.Error{Sentinel: target.ErrInvalid, Err: fmt.Errorf("%s without an id", c.Op)}
	}
	o, err := t.step(ctx, via, c)
	return o, t.consented(ctx, err)
}

// step carries out a change that makes sense.
func (t *Target) step(ctx context.Context, via carrier, c target.Change) (target.Object, error) {
	switch c.Op {
	case target.Create:
		if c.Kind == target.Group {
			return t.createGroup(ctx, via, c)
		}
		return t.create(ctx, via, c)
	case target.Update:
		return t.update(ctx, via, c)
	case target.Disable:
		return t.update(ctx, via, enabled(c, "false"))
	case target.Enable:
		return t.update(ctx, via, enabled(c, "true"))
	case target.Delete:
		return t.remove(ctx, via, c)
	case target.Restore:
		return t.restore(ctx, via, c)
	case target.Refer:
		return t.refer(ctx, via, c)
	default:
		return target.Object{}, &target.Error{Sentinel: target.ErrInvalid, Err: fmt.Errorf("operation %q isn't known", c.Op)}
	}
}

// enabled is c with accountEnabled as its operation says.
func enabled(c target.Change, value string) target.Change {
	c.Set = c.Set.Clone()
	c.Set[target.AttrAccountEnabled] = []string{value}
	return c
}

// insist sends a call whose repetition is harmless until there is an answer of
// Graph's, within reason. doubt says that a try before the last may have been
// carried out without our knowing.
func insist(ctx context.Context, via carrier, c call) (r reply, doubt bool) {
	for try := 1; ; try++ {
		r = via.send(ctx, c)
		v := judge(r)
		if v.outcome == unknown {
			doubt = true
		}
		again := v.outcome == unknown || v.outcome == untried && v.err.Sentinel == target.ErrUnavailable
		if !again || try == writeTries {
			return r, doubt
		}
		wait := max(backoff(try, firstWriteWait, maxWriteWait), min(retryAfter(r.header), maxWriteWait))
		if via.sleep(ctx, wait) != nil {
			return r, doubt
		}
	}
}

const (
	writeTries     = 5
	firstWriteWait = 500 * time.Millisecond
	maxWriteWait   = 15 * time.Second
)

// inDoubt is the error for a change of which an earlier try may have been
// carried out: a refusal that would have met that try as well says that it
// wasn't, any other leaves the outcome unknown.
func inDoubt(v verdict) *target.Error {
	e := *v.err
	if v.outcome != refused || !lasting(e.Sentinel) {
		e.Sentinel = target.ErrUnknownOutcome
	}
	return &e
}

// lasting reports whether a refusal is about the request itself: the same
// request is refused, sooner or later.
func lasting(sentinel error) bool {
	switch sentinel {
	case target.ErrExists, target.ErrDomainNotVerified, target.ErrInvalid, target.ErrReadOnly, target.ErrNotFound:
		return true
	}
	return false
}
