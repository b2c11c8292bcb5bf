package schedule_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/schedule"
)

type reviewEngine struct {
	n     int
	fulls int
	fail  func(n int) error
	polls int
}

func (e *reviewEngine) Sync(_ context.Context, req *dirsync.Request) (*dirsync.Report, error) {
	e.n++
	m := dirsync.Delta
	if req.Full {
		e.fulls++
		m = dirsync.Full
	}
	var err error
	if e.fail != nil {
		err = e.fail(e.n)
	}
	return &dirsync.Report{Mode: m}, err
}
func (e *reviewEngine) Poll(context.Context) (bool, error) { e.polls++; return false, nil }

func TestAFailedRunIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &reviewEngine{}
		e.fail = func(n int) error {
			if n == 2 {
				return errors.New("target down")
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		trigger := make(chan dirsync.Request, 1)
		done := make(chan error)
		go func() {
			done <- schedule.Run(ctx, e, &schedule.Options{Every: time.Minute, Jitter: -1, Trigger: trigger})
		}()
		time.Sleep(30 * time.Second)
		trigger <- dirsync.Request{} // fails, with the watermark moved
		time.Sleep(5 * time.Minute)
		require.GreaterOrEqual(t, e.n, 3, "the failed run is made again at the next interval")
		cancel()
		<-done
	})
}

func TestAFullRunComesAlsoAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &reviewEngine{} // its first run is a delta: the state is there
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- schedule.Run(ctx, e, &schedule.Options{Every: time.Hour, Jitter: -1, Full: 24 * time.Hour})
		}()
		time.Sleep(10 * 24 * time.Hour)
		require.NotZero(t, e.fulls)
		cancel()
		<-done
	})
}

func TestClosingTheTriggerMakesNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &reviewEngine{}
		ctx, cancel := context.WithCancel(t.Context())
		trigger := make(chan dirsync.Request)
		done := make(chan error)
		go func() {
			done <- schedule.Run(ctx, e, &schedule.Options{Every: time.Hour, Jitter: -1, Trigger: trigger})
		}()
		time.Sleep(time.Minute)
		close(trigger)
		time.Sleep(time.Minute)
		require.Equal(t, 1, e.n)
		cancel()
		<-done
	})
}
