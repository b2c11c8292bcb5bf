package graphtarget

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// exchange sends calls at the pacer's pace and returns a reply for each, in
// the same order. Up to twenty go into one batch, one alone goes as it is. Calls
// that are refused with 429 are sent again, those only, until there is another
// reply or the patience ends; everything else is for the caller to judge.
func (t *Target) exchange(ctx context.Context, cs []call, bulk bool) []reply {
	replies := make([]reply, len(cs))
	pending := make([]int, len(cs))
	for i := range cs {
		pending[i] = i
	}
	var patience time.Time
	for len(pending) > 0 {
		now := pending[:min(batchSize, len(pending))]
		rest := pending[len(now):]
		parts := pick(cs, now)
		if err := t.pacer.wait(ctx, costOf(parts), &patience, t.options.MaxThrottleWait); err != nil {
			for _, i := range pending {
				replies[i] = heldBack(replies[i], err)
			}
			return replies
		}
		var again []int
		for j, r := range t.sendOnce(ctx, parts, bulk) {
			i := now[j]
			replies[i] = r
			if r.fate == answered && r.status == http.StatusTooManyRequests {
				again = append(again, i)
			}
		}
		pending = append(again, rest...)
	}
	return replies
}

// heldBack is the reply of a call that the pacer didn't let through; last is
// the reply to its last try, if any.
func heldBack(last reply, err error) reply {
	closed, gate := errors.AsType[*closedError](err)
	switch {
	case gate:
		header := last.header.Clone()
		if header == nil {
			header = http.Header{}
		}
		header.Set("Retry-After", strconv.FormatFloat(closed.wait.Seconds(), 'f', 3, 64))
		last.fate, last.header, last.err = throttled, header, err
		return last
	case last.fate == answered: // with 429, and ctx ended while we waited
		last.fate, last.err = throttled, err
		return last
	case last.fate == lost && last.err == nil: // the zero reply: never sent
		return reply{fate: unsent, err: err}
	default:
		return last
	}
}

// sendOnce sends up to twenty calls, once, and tells the pacer what came.
func (t *Target) sendOnce(ctx context.Context, cs []call, bulk bool) []reply {
	sent := time.Now()
	if len(cs) == 1 {
		r := t.wire.send(ctx, cs[0], bulk)
		t.learn(r, sent)
		return []reply{r}
	}
	parts, whole := t.wire.sendBatch(ctx, cs, bulk)
	if !whole.ok() {
		t.learn(whole, sent)
		if whole.fate == answered && notOurBatch(whole.status) {
			return t.sendApart(ctx, cs, bulk)
		}
		return parts
	}
	for _, r := range parts {
		t.learn(r, sent)
	}
	return parts
}

// notOurBatch reports whether a status means that the batch as such was refused,
// so that no part of it was looked at.
func notOurBatch(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// sendApart sends calls one by one, so that one that Graph can't digest doesn't
// take nineteen others with it.
func (t *Target) sendApart(ctx context.Context, cs []call, bulk bool) []reply {
	out := make([]reply, len(cs))
	for i, c := range cs {
		var patience time.Time
		if err := t.pacer.wait(ctx, costOf([]call{c}), &patience, t.options.MaxThrottleWait); err != nil {
			out[i] = heldBack(reply{}, err)
			continue
		}
		sent := time.Now()
		out[i] = t.wire.send(ctx, c, bulk)
		t.learn(out[i], sent)
	}
	return out
}

func (t *Target) learn(r reply, sent time.Time) {
	if r.fate == answered && r.status == http.StatusTooManyRequests {
		t.pacer.refuse(r, sent)
		return
	}
	t.pacer.heed(r, sent)
}

func pick(cs []call, which []int) []call {
	out := make([]call, len(which))
	for j, i := range which {
		out[j] = cs[i]
	}
	return out
}

// read sends reading calls until each has a reply of Graph's, within reason.
// Reading again is harmless.
func (t *Target) read(ctx context.Context, cs []call, bulk bool) []reply {
	replies := t.exchange(ctx, cs, bulk)
	for try := 1; try < readTries; try++ {
		var again []int
		var wait time.Duration
		for i, r := range replies {
			if readAgain(r) {
				again = append(again, i)
				wait = max(wait, min(retryAfter(r.header), maxReadWait))
			}
		}
		if len(again) == 0 || sleep(ctx, max(wait, backoff(try, firstReadWait, maxReadWait))) != nil {
			break
		}
		for j, r := range t.exchange(ctx, pick(cs, again), bulk) {
			replies[again[j]] = r
		}
	}
	return replies
}

const (
	readTries     = 6
	firstReadWait = 500 * time.Millisecond
	maxReadWait   = 15 * time.Second
)

// readAgain reports whether reading again may help.
func readAgain(r reply) bool {
	if errors.Is(r.err, errTooLarge) {
		return false
	}
	if r.ok() {
		return r.err != nil // broke off
	}
	v := judge(r)
	return v.outcome == unknown || v.err.Sentinel == target.ErrUnavailable
}
