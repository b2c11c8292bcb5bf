package dirsync

import (
	"log/slog"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
)

// Options tune an [Engine]. The zero value is good.
type Options struct {
	// Mapper decides what a source object should be at the target. Defaults
	// to [mapping.New] with its defaults.
	Mapper mapping.Mapper

	// Limits are what a run may remove without approval. The zero value means
	// 500 accounts, and 20 % of all owned ones once these are over 100.
	Limits plan.Limits

	// Leaving says what happens to the account of an object that left the
	// scope. Defaults to [plan.DisableOnLeave].
	Leaving plan.Leaving

	// Parallel is how many calls (batches, where the target has them) are on
	// the wire at once. Defaults to 4. The target's write quota is what limits
	// speed, not this.
	Parallel int

	// Grace is how long calls on the wire may go on after the context of a run
	// was cancelled, so that their outcome is known. Defaults to 20 s;
	// negative means not at all.
	Grace time.Duration

	// Patience is how long a run waits, in all, for objects that the target
	// accepted but doesn't show yet. Defaults to 30 s; negative means not at
	// all. What isn't there by then is tried again in the next run.
	Patience time.Duration

	// OnEvent is told what happens, synchronously and in order, by the
	// goroutine that runs Sync or Plan. It must be quick. A panic in it is
	// recovered and logged.
	OnEvent func(Event)

	// Logger receives the engine's log: counts, codes and objectGUIDs, never
	// names or values. Defaults to discarding it.
	Logger *slog.Logger
}

func (o *Options) withDefaults() (Options, error) {
	var x Options
	if o != nil {
		x = *o
	}
	if x.Mapper == nil {
		rules, err := mapping.New(nil)
		if err != nil {
			return x, err
		}
		x.Mapper = rules
	}
	if x.Leaving == "" {
		x.Leaving = plan.DisableOnLeave
	}
	if x.Parallel <= 0 {
		x.Parallel = 4
	}
	if x.Grace == 0 {
		x.Grace = 20 * time.Second
	}
	if x.Patience == 0 {
		x.Patience = 30 * time.Second
	}
	if x.Logger == nil {
		x.Logger = slog.New(slog.DiscardHandler)
	}
	return x, nil
}

// A Request says how a run should go. The zero value (and nil) is the ordinary
// run: a delta if possible.
type Request struct {
	// Full asks for a complete read of the source.
	Full bool

	// Retry asks for everything that failed before to be tried again now,
	// without waiting until its time has come.
	Retry bool
}
