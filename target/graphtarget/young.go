package graphtarget

import (
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// young remembers which objects this target made a short while ago, so that
// "not found" can be told from "not yet". It holds what the write quota lets
// through in a quarter of an hour.
type young struct {
	mu    sync.Mutex
	since map[target.ID]time.Time
	order []target.ID // by since
}

func newYoung() *young { return &young{since: map[target.ID]time.Time{}} }

func (y *young) add(id target.ID) {
	y.mu.Lock()
	defer y.mu.Unlock()
	now := time.Now()
	n := 0
	for n < len(y.order) && now.Sub(y.since[y.order[n]]) >= replication {
		delete(y.since, y.order[n])
		n++
	}
	y.order = append(y.order[n:], id)
	y.since[id] = now
}

func (y *young) forget(id target.ID) {
	y.mu.Lock()
	defer y.mu.Unlock()
	delete(y.since, id) // its place in the order ages out
}

func (y *young) has(id target.ID) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	at, ok := y.since[id]
	return ok && time.Since(at) < replication
}
