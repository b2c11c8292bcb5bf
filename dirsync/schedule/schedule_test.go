package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/schedule"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/state/memstate"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// An engine notes when it is run.
type engine struct {
	start   time.Time
	runs    []time.Duration
	reqs    []dirsync.Request
	takes   time.Duration
	changed bool
	err     error
	running bool
}

func (e *engine) Poll(context.Context) (bool, error) { return e.changed, nil }

func (e *engine) Sync(_ context.Context, req *dirsync.Request) (*dirsync.Report, error) {
	if e.running {
		panic("two runs at a time")
	}
	e.running = true
	defer func() { e.running = false }()
	e.runs = append(e.runs, time.Since(e.start))
	e.reqs = append(e.reqs, *req)
	time.Sleep(e.takes)
	mode := dirsync.Delta
	if req.Full || len(e.runs) == 1 {
		mode = dirsync.Full
	}
	return &dirsync.Report{Mode: mode}, e.err
}

func run(t *testing.T, d time.Duration, e *engine, o schedule.Options) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	e.start = time.Now()
	o.Jitter = -1
	require.ErrorIs(t, schedule.Run(ctx, e, &o), context.DeadlineExceeded)
}

func TestARunIsMadeAtOnceAndThenEveryThreeHours(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		run(t, 10*time.Hour, e, schedule.Options{})
		require.Equal(t, []time.Duration{0, 3 * time.Hour, 6 * time.Hour, 9 * time.Hour}, e.runs)
	})
}

func TestTheIntervalCountsFromTheBeginningOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{takes: 20 * time.Minute, changed: true}
		run(t, 100*time.Minute, e, schedule.Options{Every: 30 * time.Minute})
		require.Equal(t, []time.Duration{0, 30 * time.Minute, 60 * time.Minute, 90 * time.Minute}, e.runs)
	})
}

func TestALongRunIsFollowedByTheNextAndNeverOverlapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{takes: 45 * time.Minute, changed: true}
		run(t, 100*time.Minute, e, schedule.Options{Every: 30 * time.Minute})
		require.Equal(t, []time.Duration{0, 45 * time.Minute, 90 * time.Minute}, e.runs)
	})
}

func TestAFailedRunDoesNotEndTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{err: errors.New("down")}
		told := 0
		run(t, 7*time.Hour, e, schedule.Options{OnRun: func(*dirsync.Report, error) { told++ }})
		require.Len(t, e.runs, 3)
		require.Equal(t, 3, told)
	})
}

func TestARunIsMadeAtOnceWhenAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		ask := make(chan dirsync.Request)
		go func() {
			time.Sleep(time.Hour)
			ask <- dirsync.Request{Full: true}
		}()
		run(t, 5*time.Hour, e, schedule.Options{Trigger: ask})
		require.Equal(t, []time.Duration{0, time.Hour, 4 * time.Hour}, e.runs)
		require.True(t, e.reqs[1].Full)
	})
}

func TestWhatIsAskedForDuringARunIsMadeOnceAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{takes: 10 * time.Minute}
		ask := make(chan dirsync.Request, 3)
		go func() {
			time.Sleep(time.Minute)
			ask <- dirsync.Request{}
			ask <- dirsync.Request{Full: true}
			ask <- dirsync.Request{Retry: true}
		}()
		run(t, 2*time.Hour, e, schedule.Options{Trigger: ask})
		require.Equal(t, []time.Duration{0, 10 * time.Minute}, e.runs)
		require.Equal(t, dirsync.Request{Full: true, Retry: true}, e.reqs[1])
	})
}

func TestARunIsLeftOutWhileNothingChangesButNotForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		run(t, 130*time.Minute, e, schedule.Options{Every: time.Minute})
		require.Equal(t, []time.Duration{0, time.Hour, 2 * time.Hour}, e.runs)
	})
	synctest.Test(t, func(t *testing.T) {
		e := &engine{changed: true}
		run(t, 5*time.Minute+time.Second, e, schedule.Options{Every: time.Minute})
		require.Len(t, e.runs, 6)
	})
}

func TestAFullRunIsMadeWhenItsTimeHasCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		run(t, 49*time.Hour, e, schedule.Options{Every: 12 * time.Hour, Full: 24 * time.Hour})
		full := []bool{}
		for _, r := range e.reqs {
			full = append(full, r.Full)
		}
		require.Equal(t, []bool{false, false, true, false, true}, full)
	})
}

func TestAClosedTriggerAsksForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		ask := make(chan dirsync.Request)
		close(ask)
		run(t, 4*time.Hour, e, schedule.Options{Trigger: ask})
		require.Len(t, e.runs, 2)
	})
}

func TestANegativeIntervalIsRefused(t *testing.T) {
	require.Error(t, schedule.Run(t.Context(), &engine{}, &schedule.Options{Every: -1}))
}

func ExampleRun() {
	src, tgt := memsource.New("corp", nil), memtarget.New("contoso", nil)
	eng, err := dirsync.New(src, tgt, memstate.New(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	err = schedule.Run(ctx, eng, &schedule.Options{
		Every: time.Hour,
		OnRun: func(rep *dirsync.Report, err error) {
			fmt.Println(rep.Mode, "run:", rep.Created, "created,", err)
			stop() // an ordinary host lets it go on
		},
	})
	fmt.Println(err)
	// Output:
	// full run: 0 created, <nil>
	// context canceled
}
