package graphtarget

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/target"
)

// A consent remembers whether the application may do anything at all.
type consent struct {
	mu        sync.Mutex
	asked     time.Time
	withdrawn *target.Error // what the last question was refused with, nil if it wasn't
}

// consentKept is how long an answer holds.
const consentKept = time.Minute

// consented tells apart what Graph says with one and the same 403: "not this
// account", which is that object's problem, and "not you", as when an
// administrator withdrew the consent or a policy shuts the application out,
// which is nobody's and would meet every object. It asks for something that
// any application of ours may read, once a minute at most. If that is refused
// as well, the error is [target.ErrUnauthenticated] and wraps
// [target.ErrForbidden].
func (t *Target) consented(ctx context.Context, err error) error {
	e, ok := errors.AsType[*target.Error](err)
	if !ok || e.Sentinel != target.ErrForbidden {
		return err
	}
	c := &t.consent
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.asked.IsZero() || time.Since(c.asked) >= consentKept {
		reply := t.exchange(ctx, []call{t.calls().anyone()}, false)[0]
		refusal := judge(reply).err
		if refusal != nil && refusal.Sentinel != target.ErrForbidden && refusal.Sentinel != target.ErrUnauthenticated {
			return err // no answer to the question
		}
		c.asked, c.withdrawn = time.Now(), refusal
	}
	if c.withdrawn == nil {
		return err
	}
	all := *e
	all.Sentinel, all.Err = target.ErrUnauthenticated, fmt.Errorf("the application may not even read users: %w", c.withdrawn)
	return &all
}
