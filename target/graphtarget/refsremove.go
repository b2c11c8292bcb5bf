package graphtarget

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// remove removes ids one by one, in a batch in which each waits for the one
// before: Graph is known to trip over writes to one group at the same time.
func (r *referral) remove(ctx context.Context, ids []target.ID) {
	for try := 1; len(ids) > 0 && r.err == nil; try++ {
		cs := make([]call, len(ids))
		for i, id := range ids {
			cs[i] = r.t.calls().unbind(r.change.ID, r.change.Refs.Attribute, id)
			cs[i].after = true
		}
		var again []target.ID
		var last *target.Error
		for i, rep := range r.via.chain(ctx, cs) {
			if open := r.removed(ctx, ids[i], rep); open != nil {
				again, last = append(again, ids[i]), open
			}
		}
		ids = again
		if len(ids) == 0 || r.err != nil {
			break
		}
		if try == writeTries || r.via.sleep(ctx, backoff(try, firstWriteWait, maxWriteWait)) != nil {
			r.err = last
		}
	}
}

// removed judges the reply to a removal. The error says that it is to be tried
// again.
func (r *referral) removed(ctx context.Context, id target.ID, rep reply) *target.Error {
	v, f := judge(rep), faultOf(rep)
	switch {
	case v.outcome == made:
		r.made(rep, id)
	case v.outcome == unknown, v.outcome == untried && v.err.Sentinel == target.ErrUnavailable:
		return v.err
	case v.outcome == untried:
		r.refuseOrEnd(id, v.err)
	case f.says("removed object references do not exist"):
		r.made(rep, id) // wasn't there
	case v.err.Sentinel == target.ErrNotFound:
		if f.says(string(id)) || r.source(ctx) {
			r.made(rep, id)
		}
	case f.says("at least one owner"):
		r.refuse(id, v.err)
	default:
		r.refuseOrEnd(id, v.err)
	}
	return nil
}

// refuseOrEnd notes a refusal that is about the change as a whole, unless some of
// it was made.
func (r *referral) refuseOrEnd(id target.ID, e *target.Error) {
	if e.Sentinel == target.ErrInvalid {
		r.refuse(id, e)
	} else if r.err == nil {
		r.err = e
	}
}

// exchangeChain is exchange for calls that write to one object: in a batch, each
// waits for the one before. Those that Graph leaves out because an earlier one
// failed are sent again.
func (t *Target) exchangeChain(ctx context.Context, cs []call) []reply {
	if len(cs) == 1 {
		return t.exchange(ctx, cs, false)
	}
	replies := make([]reply, len(cs))
	pending := make([]int, len(cs))
	for i := range cs {
		pending[i] = i
	}
	var patience time.Time
	for len(pending) > 0 {
		now := pending[:min(batchSize, len(pending))]
		if err := t.pacer.wait(ctx, costOf(pick(cs, now)), &patience, t.options.MaxThrottleWait); err != nil {
			for _, i := range pending {
				replies[i] = heldBack(replies[i], err)
			}
			return replies
		}
		var again []int
		progress := false
		for j, r := range t.sendOnce(ctx, pick(cs, now), true) {
			i := now[j]
			skipped := r.fate == answered && r.status == http.StatusFailedDependency
			if skipped || r.fate == answered && r.status == http.StatusTooManyRequests {
				again = append(again, i)
			}
			progress = progress || !skipped
			replies[i] = r
		}
		if !progress {
			return replies // a batch that waits for nothing: not known
		}
		pending = append(again, pending[len(now):]...)
	}
	return replies
}

// asError is err as one of ours.
func asError(err error) *target.Error {
	if e, ok := errors.AsType[*target.Error](err); ok {
		return e
	}
	return &target.Error{Sentinel: target.ErrUnavailable, Err: err}
}
