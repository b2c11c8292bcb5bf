package schedule_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/schedule"
)

// Poll says that nothing changed, but what the failed run read is still to do.
func TestAFailedRunIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		run(t, 150*time.Second, e, schedule.Options{Every: time.Minute, OnRun: func(*dirsync.Report, error) {
			e.err = nil
			if len(e.runs) == 1 {
				e.err = errors.New("target down") // the second one fails
				e.changed = true
			} else {
				e.changed = false
			}
		}})
		require.Equal(t, []time.Duration{0, time.Minute, 2 * time.Minute}, e.runs)
	})
}

func TestAFullRunComesAlsoAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{runs: []time.Duration{-time.Hour}} // an engine with a state: its first run here is a delta
		run(t, 25*time.Hour, e, schedule.Options{Every: 6 * time.Hour, Full: 24 * time.Hour})
		require.Len(t, e.reqs, 5)
		require.True(t, e.reqs[4].Full)
		require.False(t, e.reqs[3].Full)
	})
}

func TestClosingTheTriggerMakesNoRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := &engine{}
		ask := make(chan dirsync.Request)
		time.AfterFunc(time.Hour, func() { close(ask) })
		run(t, 4*time.Hour, e, schedule.Options{Trigger: ask})
		require.Equal(t, []time.Duration{0}, e.runs[:1])
		for _, at := range e.runs[1:] {
			require.NotEqual(t, time.Hour, at)
		}
	})
}
