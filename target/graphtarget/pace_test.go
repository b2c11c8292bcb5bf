package graphtarget_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/graphtarget"
)

// throttledOnce refuses the first n requests and takes all later ones.
func throttledOnce(n int, header ...string) *fake {
	return &fake{answer: func(i int, _ asked) (*http.Response, error) {
		if i <= n {
			return says(429, graphError("TooManyRequests", "x"), header...), nil
		}
		return says(204, ""), nil
	}}
}

func TestRetryAfterIsObeyedToTheFractionOfASecond(t *testing.T) {
	for _, tt := range []struct {
		header      []string
		least, most time.Duration
	}{
		{[]string{"Retry-After", "7"}, 7 * time.Second, 7 * time.Second},
		{[]string{"Retry-After", "2.128"}, 2128 * time.Millisecond, 2128 * time.Millisecond},
		{[]string{"Retry-After", "Sat, 01 Jan 2000 00:01:30 GMT"}, 90 * time.Second, 90 * time.Second}, // the bubble starts at midnight
		{nil, 500 * time.Millisecond, time.Second},
		{[]string{"Retry-After", "0"}, 500 * time.Millisecond, time.Second},
		{[]string{"Retry-After", "-5"}, 500 * time.Millisecond, time.Second},
		{[]string{"Retry-After", "soon"}, 500 * time.Millisecond, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			tg := over(t, throttledOnce(1, tt.header...), nil)
			start := time.Now()
			_, err := tg.Apply(t.Context(), update)
			require.NoError(t, err)
			took := time.Since(start)
			require.GreaterOrEqual(t, took, tt.least, tt.header)
			require.LessOrEqual(t, took, tt.most, tt.header)
		})
	}
}

func TestT04_WithoutRetryAfterTheWaitDoubles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := over(t, throttledOnce(6), nil)
		start := time.Now()
		_, err := tg.Apply(t.Context(), update)
		require.NoError(t, err)
		require.GreaterOrEqual(t, time.Since(start), 31*time.Second) // (1+2+4+8+16+32)/2 at the least
		require.LessOrEqual(t, time.Since(start), 63*time.Second)
	})
}

func TestOne429StopsEverybody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var first time.Time
		var during int
		f := &fake{}
		f.answer = func(i int, _ asked) (*http.Response, error) {
			if i == 1 {
				first = time.Now()
				return says(429, graphError("TooManyRequests", "x"), "Retry-After", "30"), nil
			}
			if time.Since(first) < 30*time.Second {
				during++
			}
			return says(200, `{"value":[]}`), nil
		}
		tg := over(t, f, nil)
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				_, err := tg.Domains(t.Context())
				require.NoError(t, err)
			})
			synctest.Wait()
		}
		wg.Wait()
		require.Zero(t, during)
		require.Len(t, f.calls(), 11)
	})
}

func TestT05_OnlyTheRefusedPartsOfABatchAreSentAgainAfterTheLongestWait(t *testing.T) {
	for _, waits := range []map[string]string{{"2": "3", "5": "11.5"}, {"2": "11.5", "5": "3"}} { // of the first batch
		synctest.Test(t, func(t *testing.T) {
			var sizes []int
			var times []time.Time
			seen := map[string]int{}
			f := &fake{answer: func(n int, a asked) (*http.Response, error) {
				out := ""
				times = append(times, time.Now())
				parts := partsOf(a.body)
				sizes = append(sizes, len(parts))
				for _, p := range parts {
					seen[p.URL]++
					if wait := waits[p.ID]; n == 1 && wait != "" {
						out += fmt.Sprintf(`,{"id":%q,"status":429,"headers":{"Retry-After":%q},"body":%s}`, p.ID, wait, graphError("TooManyRequests", "x"))
					} else {
						out += fmt.Sprintf(`,{"id":%q,"status":204}`, p.ID)
					}
				}
				return says(200, `{"responses":[`+out[1:]+`]}`), nil
			}}
			tg := over(t, f, nil)
			cs := make([]target.Change, 7)
			for i := range cs {
				cs[i] = update
				cs[i].ID = target.ID(fmt.Sprintf("aaaaaaaa-bbbb-cccc-dddd-%012d", i+1))
			}
			for _, r := range tg.ApplyBatch(t.Context(), cs) {
				require.NoError(t, r.Err)
			}
			require.Equal(t, []int{7, 2}, sizes)
			require.GreaterOrEqual(t, times[1].Sub(times[0]), 11500*time.Millisecond)
			for i := range cs {
				want := 1
				if i+1 == 2 || i+1 == 5 {
					want = 2
				}
				require.Equal(t, want, seen["/users/"+string(cs[i].ID)])
			}
		})
	}
}

func TestPatienceEndsWithThrottledAndHowLongToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(429, graphError("TooManyRequests", "x"), "Retry-After", "50")
		tg := over(t, f, &graphtarget.Options{MaxThrottleWait: 2 * time.Minute})
		start := time.Now()
		_, err := tg.Apply(t.Context(), update)
		require.ErrorIs(t, err, target.ErrThrottled)
		require.False(t, target.OutcomeUnknown(err))
		require.Equal(t, 100*time.Second, time.Since(start), "the third wait would be too much")
		e, ok := errors.AsType[*target.Error](err)
		require.True(t, ok)
		require.Equal(t, 50*time.Second, e.RetryAfter)
		require.Len(t, f.calls(), 3)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = tg.Apply(ctx, ann(1))
		require.ErrorIs(t, err, target.ErrNotApplied, "it never was sent")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestA21_MicrosoftsQuotaIsUsedUpAndNotExceeded(t *testing.T) {
	for share, most := range map[float64]time.Duration{1: 310 * time.Second, 0.8: 385 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			tn := contoso(graphsim.Options{Limits: graphsim.MicrosoftLimits()})
			tg := openBy(t, tn, tn.Transport(), &graphtarget.Options{QuotaShare: share})
			const n = 6_000
			start := time.Now()
			todo := make(chan []target.Change)
			var workers sync.WaitGroup
			for range 8 {
				workers.Go(func() {
					for cs := range todo {
						for _, r := range tg.ApplyBatch(t.Context(), cs) {
							require.NoError(t, r.Err)
						}
					}
				})
			}
			cs := people(n)
			for len(cs) > 0 {
				todo <- cs[:20]
				cs = cs[20:]
			}
			close(todo)
			workers.Wait()
			took := time.Since(start)
			require.Len(t, tn.Users(), n)
			require.Zero(t, tn.Counts().Throttled, "at %v of the quota nothing is refused", share)
			require.LessOrEqual(t, took, most)
			atOnce := max(60, 3000*(1-share)) // what is left of the quota may go at once
			require.GreaterOrEqual(t, float64(took), (n-atOnce)/(20*share)*float64(time.Second), "no more than the share")
			t.Logf("%d creates at a share of %v: %s, %.2f/s", n, share, took.Round(time.Second), n/took.Seconds())
		})
	}
}

func TestT04_AStormOf429PassesWithoutALostOrDoubledChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := graphsim.MicrosoftLimits()
		limits.Writes = 400 // others use most of the quota
		for _, s := range []graphsim.Switches{{}, {NoRetryAfter: true}, {FractionalRetryAfter: true}} {
			tn := contoso(graphsim.Options{Limits: limits, Switches: s})
			tg := openBy(t, tn, tn.Transport(), &graphtarget.Options{MaxThrottleWait: 6 * time.Hour})
			var workers sync.WaitGroup
			cs := people(2000)
			results := make([][]target.Result, 4)
			for w := range 4 {
				workers.Go(func() { results[w] = target.ApplyAll(t.Context(), tg, cs[w*500:(w+1)*500]) })
			}
			workers.Wait()
			for _, part := range results {
				for _, r := range part {
					require.NoError(t, r.Err)
				}
			}
			require.Len(t, tn.Users(), 2000)
			counts := tn.Counts()
			require.Equal(t, 2000, counts.TotalWrites())
			require.NotZero(t, counts.Throttled)
			require.Less(t, counts.Throttled, 2000, "less than one refusal for each change: no storm of our own making")
			t.Logf("%d of %d requests refused", counts.Throttled, counts.Requests["POST /users"])
		}
	})
}

func TestA21_GraphsWarningSlowsUsBefore429Does(t *testing.T) {
	pace := func(percentage string) time.Duration {
		var took time.Duration
		synctest.Test(t, func(t *testing.T) {
			f := &fake{answer: func(int, asked) (*http.Response, error) {
				return says(204, "", "x-ms-throttle-limit-percentage", percentage), nil
			}}
			tg := over(t, f, nil)
			start := time.Now()
			for range 1100 {
				_, err := tg.Apply(t.Context(), update)
				require.NoError(t, err)
			}
			took = time.Since(start)
		})
		return took
	}
	usual := pace("")
	require.InDelta(t, (1100-600)/16.0, usual.Seconds(), 1, "600 at once, then 16 a second")
	require.InDelta(t, usual.Seconds(), pace("0.85").Seconds(), 0.1)
	require.Greater(t, pace("1.3"), 4*usual)
}

func TestAfterA429ThePaceRestartsLowerAndClimbs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tg := over(t, throttledOnce(1, "Retry-After", "60"), nil)
		take := func(n int) float64 {
			start := time.Now()
			for range n {
				_, err := tg.Apply(t.Context(), update)
				require.NoError(t, err)
			}
			return time.Since(start).Seconds()
		}
		require.InDelta(t, 60+13.7, take(200), 1, "from 8 a second, a twentieth of 16 more each second; what gathered doesn't come at once")
		require.InDelta(t, 300/16.0, take(300), 2, "and back at full pace")
	})
}

func TestA429ThatNamesItsQuotaSlowsThatOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{answer: func(n int, a asked) (*http.Response, error) {
			if n == 1 {
				return says(429, graphError("TooManyRequests", "x"), "Retry-After", "60", "x-ms-throttle-information", "ResourceUnitLimitExceeded"), nil
			}
			return says(200, `{"value":[]}`), nil
		}}
		tg := over(t, f, nil)
		took := func(n int, call func() error) float64 {
			start := time.Now()
			for range n {
				require.NoError(t, call())
			}
			return time.Since(start).Seconds()
		}
		read := func() error { _, err := tg.Domains(t.Context()); return err }
		write := func() error { _, err := tg.Apply(t.Context(), update); return err }
		require.InDelta(t, 60+9.5, took(2000, read), 0.7, "reads restart lower; at full pace it would be 7.1")
		require.InDelta(t, (700-600)/16.0, took(700, write), 0.5, "writes go on at full pace")
		require.InDelta(t, (5000-700)/280.0, took(5000, read), 0.5, "reads are back at 700 at once and 280 a second")
	})
}

func TestACancelledContextEndsWaitingAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := always(429, graphError("TooManyRequests", "x"), "Retry-After", "300")
		tg := over(t, f, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		results := tg.ApplyBatch(ctx, people(20))
		require.Equal(t, 5*time.Second, time.Since(start))
		for _, r := range results {
			require.ErrorIs(t, r.Err, target.ErrThrottled)
			require.False(t, target.OutcomeUnknown(r.Err))
		}
	})
}
