package schedule

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
)

// An Engine is what is run. [dirsync.Engine] is one.
type Engine interface {
	Sync(ctx context.Context, req *dirsync.Request) (*dirsync.Report, error)
	Poll(ctx context.Context) (changed bool, err error)
}

var _ Engine = (*dirsync.Engine)(nil)

// Options tune [Run]. The zero value is good.
type Options struct {
	// Every is how long after the beginning of a run the next one begins.
	// Defaults to three hours, the interval of the original DirSync. A run
	// that takes longer is followed by the next one at once.
	Every time.Duration

	// Jitter is the most by which a run is delayed at random, so that many
	// instances don't call at the same second. Defaults to a fiftieth of
	// Every; negative means none. The first run isn't delayed.
	Jitter time.Duration

	// MaxIdle is how long runs may be left out because the source says that
	// nothing changed ([dirsync.Engine.Poll]). A run also sees the target's
	// verified domains and retries what failed, so it isn't left out for
	// long. Defaults to one hour; negative means never leave one out. With
	// Every of an hour or more, each run is made.
	MaxIdle time.Duration

	// Full is how long after a complete read the next run is a complete one.
	// Zero means never by itself: the engine reads everything when it must.
	Full time.Duration

	// Trigger asks for a run at once. What is asked for while a run is under
	// way is made after it, once, however often it is asked for. Nil means
	// never.
	Trigger <-chan dirsync.Request

	// OnRun is told the outcome of each run, by Run's goroutine. It may be
	// nil.
	OnRun func(*dirsync.Report, error)
}

func (o *Options) withDefaults() (Options, error) {
	var x Options
	if o != nil {
		x = *o
	}
	if x.Every < 0 {
		return x, fmt.Errorf("schedule: Every is %v, it must be positive", x.Every)
	}
	if x.Every == 0 {
		x.Every = 3 * time.Hour
	}
	if x.Jitter == 0 {
		x.Jitter = x.Every / 50
	}
	if x.MaxIdle == 0 {
		x.MaxIdle = time.Hour
	}
	return x, nil
}

// Run runs eng at once, then every [Options.Every], and whenever it is asked to,
// until ctx ends; then it returns ctx's error. A run that fails is no reason to
// stop: it is told to OnRun, and the next one comes when its time has come. Runs
// never overlap.
//
// A contradiction in the options is returned at once.
func Run(ctx context.Context, eng Engine, o *Options) error {
	opt, err := o.withDefaults()
	if err != nil {
		return err
	}
	s := &scheduler{Options: opt, eng: eng, full: time.Now()}
	req := dirsync.Request{}
	asked := true // the first run is always made
	for {
		began := time.Now()
		s.run(ctx, req, asked)
		if req, asked = s.pending(); asked {
			if ctx.Err() == nil {
				continue
			}
		}
		next := began.Add(opt.Every)
		if opt.Jitter > 0 {
			next = next.Add(rand.N(opt.Jitter))
		}
		var err error
		if req, asked, err = s.wait(ctx, next); err != nil {
			return err
		}
	}
}

// wait returns when it is time for the next run, or when somebody asks for one.
func (s *scheduler) wait(ctx context.Context, next time.Time) (req dirsync.Request, asked bool, err error) {
	t := time.NewTimer(max(0, time.Until(next)))
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return req, false, ctx.Err()
		case <-t.C:
			return req, false, nil
		case req, asked = <-s.Trigger:
			if asked {
				return req, true, nil
			}
			s.Trigger = nil // closed: nobody will ask any more
		}
	}
}

// A scheduler is the state of one Run.
type scheduler struct {
	Options
	eng  Engine
	last time.Time // beginning of the last run that was made
	full time.Time // beginning of the last complete one, or of Run
	open bool      // the last run failed: what it read is still to do
}

// run makes one run, unless nobody asked for it and nothing changed.
func (s *scheduler) run(ctx context.Context, req dirsync.Request, asked bool) {
	if ctx.Err() != nil {
		return
	}
	began := time.Now()
	if s.Full > 0 && began.Sub(s.full) >= s.Full {
		req.Full = true
	}
	if !asked && !req.Full && !s.open && !s.last.IsZero() && began.Sub(s.last) < s.MaxIdle {
		if changed, err := s.eng.Poll(ctx); err == nil && !changed {
			return
		}
	}
	rep, err := s.eng.Sync(ctx, &req)
	if errors.Is(err, dirsync.ErrRunning) {
		// Somebody runs the engine by hand: that is the run.
		return
	}
	if s.open = err != nil; err == nil {
		s.last = began
		if rep.Mode == dirsync.Full {
			s.full = began
		}
	}
	if s.OnRun != nil {
		s.OnRun(rep, err)
	}
}

// pending takes what was asked for during a run: one request for all.
func (s *scheduler) pending() (req dirsync.Request, asked bool) {
	for {
		select {
		case more, ok := <-s.Trigger:
			if !ok {
				s.Trigger = nil
				return req, asked
			}
			asked = true
			req.Full = req.Full || more.Full
			req.Retry = req.Retry || more.Retry
		default:
			return req, asked
		}
	}
}
