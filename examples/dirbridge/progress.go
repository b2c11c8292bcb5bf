package main

import (
	"fmt"
	"io"
	"time"

	"github.com/dirbridge/dirbridge/dirsync"
)

// progressEvery is how often a long run says how far it is.
const progressEvery = 10 * time.Second

// A progress tells how far a run is, for runs that take long enough.
type progress struct {
	w           io.Writer
	last, began time.Time
	done, total int
}

func newProgress(w io.Writer) *progress { return &progress{w: w, last: time.Now()} }

// take listens to the engine.
func (p *progress) take(e dirsync.Event) {
	switch e := e.(type) {
	case dirsync.Planned:
		p.done, p.total, p.began = 0, e.Counts.Total(), time.Now()
	case dirsync.Applied:
		p.done++
		if now := time.Now(); now.Sub(p.last) >= progressEvery {
			p.last = now
			fmt.Fprintf(p.w, "dirbridge: %d of %d changes, %.0f a second\n", p.done, p.total, float64(p.done)/now.Sub(p.began).Seconds())
		}
	}
}
