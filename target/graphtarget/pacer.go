package graphtarget

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Microsoft's quotas for one application in one tenant.
const (
	writesQuota  = 3000
	writesPeriod = 150 * time.Second
	unitsPeriod  = 10 * time.Second
)

func unitsQuota(s TenantSize) float64 {
	switch s {
	case Medium:
		return 5000
	case Large:
		return 8000
	default:
		return 3500
	}
}

// A pacer keeps a target within Microsoft's quotas: two token buckets, of writes
// and of resource units, and one gate in front of both that a 429 closes for
// everybody. It is the only place that waits for Graph.
type pacer struct {
	writes, units *bucket

	mu       sync.Mutex
	opens    time.Time // the gate is closed until then
	slowed   time.Time // when a 429 last slowed the buckets
	climbed  time.Time // when they were last made faster
	refusals int       // 429s in a row that didn't say how long to wait
}

func newPacer(share float64, size TenantSize) *pacer {
	return &pacer{
		writes: newBucket(writesQuota, writesPeriod, share),
		units:  newBucket(unitsQuota(size), unitsPeriod, share),
	}
}

// A cost is what requests take out of the buckets.
type cost struct{ writes, units int }

// costOf charges every request its units, and every write one write, a PATCH
// that adds twenty members too. Parts of a
// batch are charged as if sent alone, the batch itself isn't. ($select, which
// all our reads have, makes a list of users a request of one unit.)
func costOf(cs []call) cost {
	var c cost
	for _, one := range cs {
		c.units += max(1, one.units)
		if one.method != http.MethodGet {
			c.writes++
		}
	}
	return c
}

// A closedError is that the gate stays closed for longer than the caller has
// patience.
type closedError struct{ wait time.Duration }

func (e *closedError) Error() string {
	return fmt.Sprintf("no request for another %s", e.wait.Round(time.Second))
}

// wait returns once a request may be sent that costs c. patience is when the
// caller stops waiting at the gate; it is set by the first closed gate, to max
// from then, and kept by the caller over its attempts. The error is a
// [*closedError], or ctx's.
func (p *pacer) wait(ctx context.Context, c cost, patience *time.Time, most time.Duration) error {
	for {
		if err := p.pass(ctx, patience, most); err != nil {
			return err
		}
		writes, units := p.writes.take(c.writes), p.units.take(c.units)
		delay := max(writes.Delay(), units.Delay())
		if delay <= 0 {
			return nil
		}
		if err := sleep(ctx, delay); err != nil {
			writes.Cancel() // for others
			units.Cancel()
			return err
		}
		if p.closedFor() <= 0 {
			return nil
		}
		// It closed meanwhile. What was taken stays taken: so much less is
		// sent right after it opens.
	}
}

// pass waits at the gate.
func (p *pacer) pass(ctx context.Context, patience *time.Time, most time.Duration) error {
	for {
		closed := p.closedFor()
		if closed <= 0 {
			return ctx.Err()
		}
		now := time.Now()
		if patience.IsZero() {
			*patience = now.Add(most)
		}
		if now.Add(closed).After(*patience) {
			return &closedError{closed}
		}
		if err := sleep(ctx, closed); err != nil {
			return err
		}
	}
}

func (p *pacer) closedFor() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.opens)
}

// refuse takes note of a 429 to a request that was sent at a time.
func (p *pacer) refuse(r reply, sent time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	wait := retryAfter(r.header)
	first := sent.After(p.slowed) || p.slowed.IsZero() // of those that were under way together
	if wait <= 0 {
		if first {
			p.refusals++
		}
		wait = backoff(p.refusals, time.Second, 2*time.Minute)
	}
	if opens := now.Add(wait); opens.After(p.opens) {
		p.opens = opens
	}
	if !first {
		return
	}
	p.slowed = now
	switch info := r.header.Get("x-ms-throttle-information"); {
	case strings.EqualFold(info, "WriteLimitExceeded"):
		p.writes.slow()
	case strings.EqualFold(info, "ResourceUnitLimitExceeded"):
		p.units.slow()
	default:
		p.writes.slow()
		p.units.slow()
	}
}

// heed takes note of a reply that isn't a 429: the buckets climb again, unless
// Graph says that little is left of the quota.
func (p *pacer) heed(r reply, sent time.Time) {
	if r.fate != answered {
		return
	}
	used, _ := strconv.ParseFloat(r.header.Get("x-ms-throttle-limit-percentage"), 64)
	p.mu.Lock()
	defer p.mu.Unlock()
	if !sent.After(p.slowed) {
		return // of before the last 429
	}
	p.refusals = 0
	now := time.Now()
	if now.Sub(p.climbed) < time.Second {
		return
	}
	p.climbed = now
	switch {
	case used >= 1:
		p.writes.slow()
		p.units.slow()
	case used >= 0.9: // of others too: hold
	default:
		p.writes.climb()
		p.units.climb()
	}
}

// A bucket is one token bucket, whose rate can go down and up again.
type bucket struct {
	limiter *rate.Limiter
	full    rate.Limit
	burst   int
}

// leastBurst is the largest request there is: a batch.
const leastBurst = batchSize

// newBucket makes a bucket for a share of a quota. The share flows in steadily;
// the rest of the quota is what may go at once after a quiet time, so that a
// small tenant's runs don't wait at all. How Microsoft counts isn't published:
// what goes at once and what flows in during one period are the whole quota
// together, so that a sliding window isn't exceeded either.
func newBucket(quota float64, period time.Duration, share float64) *bucket {
	burst := max(leastBurst, int(quota/100), int(quota*(1-share)))
	full := rate.Limit(max(min(quota*share, quota-float64(burst)), quota/100) / period.Seconds())
	return &bucket{limiter: rate.NewLimiter(full, burst), full: full, burst: burst}
}

// take takes n tokens, which may be used after the reservation's delay.
func (b *bucket) take(n int) *rate.Reservation {
	return b.limiter.ReserveN(time.Now(), n)
}

// slow halves the rate and takes the burst away: what gathered while the gate
// was closed mustn't come all at once when it opens.
func (b *bucket) slow() {
	b.limiter.SetBurst(leastBurst)
	b.limiter.SetLimit(max(b.limiter.Limit()/2, b.full/16))
}

// climb adds a twentieth of the full rate.
func (b *bucket) climb() {
	now := b.limiter.Limit()
	if now >= b.full {
		return
	}
	b.limiter.SetLimit(min(now+b.full/20, b.full))
	if now+b.full/20 >= b.full {
		b.limiter.SetBurst(b.burst)
	}
}
