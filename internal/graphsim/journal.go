package graphsim

import (
	"maps"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// An Op is one operation: an HTTP request, or a part of a batch.
type Op struct {
	// Kind is the method and the endpoint's pattern, as "PATCH /users/{id}";
	// "GET ?" for an endpoint that isn't simulated.
	Kind string

	Method string
	Path   string // decoded, without /v1.0
	ID     string // of the object in the path, as written: an object id or a UPN
	Query  url.Values
	Header http.Header
	Body   []byte // unpacked; not to be changed

	App       string // the application's id
	Part      bool   // inside a batch
	Write     bool   // asks for a change; false for the batch itself
	N         int    // number of the operation, from 1
	Time      time.Time
	RequestID string

	// Status is the answer; 0 while none is known, and for what a fault kept
	// from being carried out.
	Status int
}

// Counts are totals since the start or the last [Tenant.ResetCounts].
type Counts struct {
	// Requests counts operations by kind, batch parts included, whatever came
	// of them.
	Requests map[string]int

	// Writes counts by kind the operations that changed something.
	Writes map[string]int

	// HTTP is the number of HTTP requests that were let in: a batch is one.
	HTTP int

	// Throttled is the number of operations answered with 429 by the quota.
	Throttled int
}

// TotalWrites is the sum of Writes.
func (c Counts) TotalWrites() int {
	n := 0
	for _, v := range c.Writes {
		n += v
	}
	return n
}

// A journal counts and remembers operations, and asks for faults.
type journal struct {
	jmu    sync.Mutex
	counts Counts
	size   int
	last   []Op // ring, oldest at next
	next   int
	n      int
	fault  func(Op) *Fault
}

func (j *journal) start(size int) {
	j.size = max(size, 0)
	j.counts = Counts{Requests: map[string]int{}, Writes: map[string]int{}}
}

func (j *journal) setFault(f func(Op) *Fault) {
	j.jmu.Lock()
	defer j.jmu.Unlock()
	j.fault = f
}

// note records the beginning of op, numbers it and returns its fault.
func (j *journal) note(op *Op) *Fault {
	j.jmu.Lock()
	j.n++
	op.N = j.n
	j.counts.Requests[op.Kind]++
	if !op.Part {
		j.counts.HTTP++
	}
	if j.size > 0 {
		if len(j.last) < j.size {
			j.last = append(j.last, *op)
		} else {
			j.last[j.next] = *op
			j.next = (j.next + 1) % j.size
		}
	}
	fault := j.fault
	j.jmu.Unlock()
	if fault == nil {
		return nil
	}
	return fault(*op)
}

// done records the answer.
func (j *journal) done(op *Op, status int) {
	j.jmu.Lock()
	defer j.jmu.Unlock()
	op.Status = status
	if op.Write && status < 300 {
		j.counts.Writes[op.Kind]++
	}
	if status == http.StatusTooManyRequests {
		j.counts.Throttled++
	}
	// The ring holds the numbers n-len+1 .. n.
	if back := j.n - op.N; back < len(j.last) {
		i := (j.next - 1 - back + 2*len(j.last)) % len(j.last)
		if j.last[i].N == op.N {
			j.last[i].Status = status
		}
	}
}

// Counts returns the totals.
func (t *Tenant) Counts() Counts {
	t.jmu.Lock()
	defer t.jmu.Unlock()
	c := t.counts
	c.Requests, c.Writes = maps.Clone(c.Requests), maps.Clone(c.Writes)
	return c
}

// ResetCounts sets all totals to zero and forgets the requests.
func (t *Tenant) ResetCounts() {
	t.jmu.Lock()
	defer t.jmu.Unlock()
	t.counts = Counts{Requests: map[string]int{}, Writes: map[string]int{}}
	t.last, t.next = nil, 0
}

// Requests returns the last operations, oldest first, batch parts after their
// batch.
func (t *Tenant) Requests() []Op {
	t.jmu.Lock()
	defer t.jmu.Unlock()
	out := make([]Op, 0, len(t.last))
	for i := range t.last {
		out = append(out, t.last[(t.next+i)%len(t.last)])
	}
	return out
}
