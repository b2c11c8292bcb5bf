package graphsim

import (
	"math"
	"strconv"
	"sync"
	"time"
)

// Limits are the quotas of the identity service, as token buckets: each holds
// what its window allows and refills evenly over the window.
type Limits struct {
	// Writes per WriteWindow, for each application.
	Writes      int
	WriteWindow time.Duration

	// TenantWrites per TenantWindow, for all applications together.
	TenantWrites int
	TenantWindow time.Duration

	// Units per UnitWindow, for each application: Small in a tenant with fewer
	// than 50 users, Large with more than 500, Medium between.
	Small, Medium, Large int
	UnitWindow           time.Duration

	// MinRetryAfter is the least that Retry-After says.
	//
	// Defaults to one second.
	MinRetryAfter time.Duration
}

// MicrosoftLimits are the published limits: 3,000 writes per 150 s for an
// application in a tenant, 18,000 per 5 min for the tenant, 3,500, 5,000 or
// 8,000 resource units per 10 s. Source: Microsoft Graph, throttling limits,
// identity and access (2026-02-06).
func MicrosoftLimits() *Limits {
	return &Limits{
		Writes: 3000, WriteWindow: 150 * time.Second,
		TenantWrites: 18000, TenantWindow: 5 * time.Minute,
		Small: 3500, Medium: 5000, Large: 8000, UnitWindow: 10 * time.Second,
	}
}

// A meter keeps the buckets.
type meter struct {
	bmu    sync.Mutex
	limits *Limits
	tenant bucket
	perApp map[string]*appBuckets
}

type appBuckets struct{ units, writes bucket }

func (m *meter) start(l *Limits) {
	m.limits = l
	m.perApp = make(map[string]*appBuckets)
}

// A bucket fills to size at a steady rate. Its zero value is full.
type bucket struct {
	used float64 // tokens missing
	at   time.Time
}

// drain brings the bucket up to now.
func (b *bucket) drain(now time.Time, size float64, window time.Duration) {
	if !now.After(b.at) {
		return // calls at once may come out of order
	}
	if !b.at.IsZero() {
		b.used = max(0, b.used-size*now.Sub(b.at).Seconds()/window.Seconds())
	}
	b.at = now
}

// A charged is what a call cost.
type charged struct {
	units   int
	percent float64
	on      bool
}

func (c charged) headers(r *reply) {
	if c.units > 0 {
		r.set("x-ms-resource-unit", strconv.Itoa(c.units))
	}
	if c.on && c.percent >= 0.8 {
		r.set("x-ms-throttle-limit-percentage", strconv.FormatFloat(min(c.percent, 1.8), 'f', 2, 64))
	}
}

// cost is the price of a call in resource units.
func (c *call) cost() int {
	units := c.route.units
	if c.query.Has("$select") {
		units--
	}
	if c.query.Has("$expand") {
		units++
	}
	if n, err := strconv.Atoi(c.query.Get("$top")); err == nil && n < 20 {
		units--
	}
	return max(units, 1)
}

// A claim is what a call takes from one bucket.
type claim struct {
	b      *bucket
	n      float64
	size   int
	window time.Duration
	scope  string
	reason string
}

// charge takes what a call costs from the buckets, from all or from none.
func (m *meter) charge(t *Tenant, c *call) (charged, *apiError) {
	ch := charged{units: c.cost()}
	l := m.limits
	if l == nil {
		return ch, nil
	}
	ch.on = true
	size := l.unitsFor(t.size())
	m.bmu.Lock()
	defer m.bmu.Unlock()
	app := m.perApp[c.app.ID]
	if app == nil {
		app = &appBuckets{}
		m.perApp[c.app.ID] = app
	}
	scope := "/" + c.app.ID + "/" + t.id
	claims := []claim{{&app.units, float64(ch.units), size, l.UnitWindow, "Tenant_Application/ReadWrite" + scope, "ResourceUnitLimitExceeded"}}
	if c.op.Write {
		writes := c.writes(t)
		claims = append(claims,
			claim{&app.writes, writes, l.Writes, l.WriteWindow, "Tenant_Application/Write" + scope, "WriteLimitExceeded"},
			claim{&m.tenant, writes, l.TenantWrites, l.TenantWindow, "Tenant/Write/" + t.id, "WriteLimitExceeded"})
	}
	var full []*claim
	for i := range claims {
		k := &claims[i]
		if k.size <= 0 || k.window <= 0 {
			k.b = nil // no limit
			continue
		}
		k.b.drain(c.now, float64(k.size), k.window)
		if k.b.used+k.n-float64(k.size) > 1e-9 {
			full = append(full, k)
		}
	}
	for _, k := range claims {
		if k.b == nil {
			continue
		}
		if len(full) == 0 || !t.opts.Switches.FreeRejections {
			k.b.used = min(k.b.used+k.n, float64(k.size))
		}
		ch.percent = max(ch.percent, k.b.used/float64(k.size))
	}
	// Who waits as long as Retry-After says must get through, so it counts what
	// the refused request itself has used up.
	var worst *claim
	var longest time.Duration
	for _, k := range full {
		over := k.b.used + k.n - float64(k.size)
		if d := time.Duration(over / float64(k.size) * float64(k.window)); worst == nil || d > longest {
			worst, longest = k, d
		}
	}
	if worst == nil {
		return ch, nil
	}
	return ch, t.throttled(ch, worst, max(longest, l.MinRetryAfter))
}

func (l *Limits) unitsFor(users int) int {
	switch {
	case users < 50:
		return l.Small
	case users <= 500:
		return l.Medium
	}
	return l.Large
}

// size is the number of live users.
func (t *Tenant) size() int {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.live.len()
}

func (t *Tenant) throttled(ch charged, k *claim, wait time.Duration) *apiError {
	e := statusError(429)
	s := &t.opts.Switches
	if s.ThrottleCode != "" {
		e.code = s.ThrottleCode
	}
	e.header = map[string][]string{
		"X-Ms-Throttle-Scope":            {k.scope},
		"X-Ms-Throttle-Information":      {k.reason},
		"X-Ms-Resource-Unit":             {strconv.Itoa(ch.units)},
		"X-Ms-Throttle-Limit-Percentage": {strconv.FormatFloat(max(1, ch.percent), 'f', 2, 64)},
	}
	switch seconds := wait.Seconds(); {
	case s.NoRetryAfter:
	case s.FractionalRetryAfter:
		e.header["Retry-After"] = []string{strconv.FormatFloat(max(seconds, 0.001), 'f', 3, 64)}
	default:
		e.header["Retry-After"] = []string{strconv.Itoa(int(max(1, math.Ceil(seconds))))}
	}
	return e
}

// UseQuota takes n writes from the tenant's bucket, as other applications do.
func (t *Tenant) UseQuota(n int) {
	if t.limits == nil {
		return
	}
	t.bmu.Lock()
	defer t.bmu.Unlock()
	t.tenant.drain(time.Now(), float64(t.limits.TenantWrites), t.limits.TenantWindow)
	t.tenant.used = min(t.tenant.used+float64(n), float64(t.limits.TenantWrites))
}
