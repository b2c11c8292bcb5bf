package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/internal/graphsim"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
)

var errDead = errors.New("the process is dead")

// A life ends at its n-th step (a request, a commit), before or after the step
// is carried out; from then on nothing leaves the process any more.
type life struct {
	mu       sync.Mutex
	at, step int
	after    bool
	dead     bool
}

func (l *life) take(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dead {
		return errDead
	}
	if l.step++; l.step != l.at {
		return do()
	}
	l.dead = true
	if l.after {
		_ = do()
	}
	return errDead
}

type mortalStore struct {
	state.Store
	*life
}

func (s mortalStore) Commit(ctx context.Context, writes ...state.Write) error {
	return s.take(func() error { return s.Store.Commit(ctx, writes...) })
}

type mortalWire struct {
	http.RoundTripper
	*life
}

func (w mortalWire) RoundTrip(r *http.Request) (res *http.Response, err error) {
	if e := w.take(func() error { res, err = w.RoundTripper.RoundTrip(r); return nil }); e != nil {
		if res != nil {
			_, _ = io.Copy(io.Discard, res.Body) // the tenant has done all of it
			_ = res.Body.Close()
		}
		return nil, e
	}
	return res, err
}

// Three fixed plans; the process dies at each of their steps in turn, before
// and after the step is carried out.
func TestT01_ACrashAtEveryRequestAndEveryCommitDoublesAndLosesNothing(t *testing.T) {
	plans := []struct {
		name   string
		before int
		change func(*office, []source.ID)
	}{
		{"creates", 0, func(w *office, _ []source.ID) { w.people(25) }},
		{"everything at once", 9, func(w *office, ids []source.ID) {
			w.person("new", "contoso.com", "title", "Clerk")
			w.set(ids[0], "title", "Director")
			w.set(ids[1], "userAccountControl", "514")
			w.src.Remove(ids[2])
			w.src.MoveOut(ids[3])
			w.set(ids[4], "userPrincipalName", "p005@contoso.com") // a swap
			w.set(ids[5], "userPrincipalName", "p004@contoso.com")
		}},
		{"returns", 6, func(w *office, ids []source.ID) {
			w.src.Remove(ids[0])
			w.src.MoveOut(ids[1])
			w.sync()
			w.src.Undelete(ids[0])
			w.set(ids[0], "title", "Back")
			w.src.MoveIn(ids[1])
		}},
	}
	for _, p := range plans {
		t.Run(p.name, func(t *testing.T) {
			prepare := func(w *office, l *life) {
				w.opt.Parallel = 1
				w.restart()
				ids := w.people(p.before)
				w.sync()
				p.change(w, ids)
				if l == nil {
					return
				}
				safe, plain := w.store, w.graph
				w.store = mortalStore{w.store, l}
				w.graph.HTTPClient = &http.Client{Transport: mortalWire{w.tenant.Transport(), l}}
				w.restart()
				w.store, w.graph = safe, plain
			}
			var want []map[string]any
			undisturbed := 0
			inOffice(t, graphsim.Options{}, func(t *testing.T, w *office) {
				prepare(w, nil)
				before := w.tenant.Counts().TotalWrites()
				w.sync()
				undisturbed = w.tenant.Counts().TotalWrites() - before
				want = holdings(w)
			})
			crashes := 0
			for n := 1; ; n++ {
				reached := true
				for _, after := range []bool{false, true} {
					inOffice(t, graphsim.Options{Switches: graphsim.Switches{DuplicateAnchor: graphsim.DuplicateAnchorAllowed}}, func(t *testing.T, w *office) {
						l := &life{at: n, after: after}
						prepare(w, l)
						before := w.tenant.Counts().TotalWrites()
						_, err := w.try()
						if reached = l.dead; !reached {
							require.NoError(t, err)
							return
						}
						crashes++
						w.oneEach()
						w.restart()
						w.sync()
						w.oneEach()
						// Whether an account that was deleted a moment ago is
						// restored can't be told at once.
						time.Sleep(20 * time.Minute)
						w.sync()
						w.rest()
						require.Equal(t, want, holdings(w), "step %d, after: %t", n, after)
						// A repeat of what was on the wire: one batch.
						require.LessOrEqual(t, w.tenant.Counts().TotalWrites()-before, undisturbed+20, "step %d", n)
						require.LessOrEqual(t, len(w.tenant.DeletedUsers()), p.before)
					})
				}
				if !reached {
					require.Greater(t, crashes, 6)
					t.Logf("%d crashes", crashes)
					return
				}
			}
		})
	}
}

// holdings are all live accounts, without what differs from run to run.
func holdings(w *office) (all []map[string]any) {
	byUPN := map[string]map[string]any{}
	for _, u := range w.tenant.Users() {
		delete(u.Properties, "lastPasswordChangeDateTime")
		delete(u.Properties, "securityIdentifier")
		byUPN[u.UPN()] = u.Properties
	}
	for _, upn := range w.upns() {
		all = append(all, byUPN[upn])
	}
	return all
}

// badWeather loses 30 in 100 replies and 10 in 100 requests, of batches and of
// parts, and looks at the tenant before each.
func badWeather(w *office, seed uint64) func(graphsim.Op) *graphsim.Fault {
	var mu sync.Mutex
	chance := rand.New(rand.NewPCG(seed, 2))
	return func(graphsim.Op) *graphsim.Fault {
		mu.Lock()
		defer mu.Unlock()
		w.oneEach()
		switch p := chance.Float64(); {
		case p < 0.3:
			return graphsim.ReplyLost()
		case p < 0.4:
			return graphsim.RequestLost()
		}
		return nil
	}
}

func TestT02_WithThirtyPercentLostRepliesThereIsNeverASecondAccountForAnAnchor(t *testing.T) {
	for seed := range uint64(12) {
		options := graphsim.Options{Seed: seed + 1, Switches: graphsim.Switches{DuplicateAnchor: graphsim.DuplicateAnchorAllowed}}
		if seed%2 == 0 {
			options.Lag, options.Flap = 20*time.Second, time.Minute
		}
		inOffice(t, options, func(t *testing.T, w *office) {
			ids := w.people(30)
			w.tenant.SetFault(badWeather(w, seed))
			tries := 0
			for ; tries < 60 && len(w.tenant.Users()) < len(ids); tries++ {
				_, _ = w.try()
				if tries%3 == 2 {
					w.restart()
				}
				time.Sleep(2 * time.Minute)
			}
			w.tenant.SetFault(nil)
			time.Sleep(time.Hour)
			w.sync()
			w.sync()
			w.oneEach()
			require.Len(t, w.tenant.Users(), len(ids), "seed %d", seed)
			w.rest()
			require.Empty(t, w.tenant.DeletedUsers())
		})
	}
}

func TestT03_NotFoundRightAfterACreateIsNotYetAndNothingIsMadeAgain(t *testing.T) {
	for _, tt := range []struct {
		name      string
		lag, flap time.Duration
		again     bool // a new process between the runs, which remembers no create
	}{
		{"late", 2 * time.Minute, 0, false},
		{"late and flapping", time.Minute, 5 * time.Minute, false},
		{"late and flapping, seen by a new process", time.Minute, 5 * time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inOffice(t, graphsim.Options{Lag: tt.lag, Flap: tt.flap, Switches: graphsim.Switches{
				DuplicateAnchor: graphsim.DuplicateAnchorAllowed, LagUpdates: true,
			}}, func(t *testing.T, w *office) {
				ids := w.people(12)
				require.Equal(t, 12, w.sync().Created)
				for i, id := range ids[:6] {
					w.set(id, "title", fmt.Sprint("Title ", i))
				}
				w.src.Remove(ids[6])
				w.src.MoveOut(ids[7])
				for range 12 {
					if tt.again {
						w.restart()
					}
					rep := w.sync()
					for _, p := range rep.Problems {
						require.Contains(t, []string{"not-visible-yet", "outcome-unknown"}, p.Code, "%+v", p)
					}
					time.Sleep(time.Minute)
				}
				require.Equal(t, 12, w.tenant.Counts().Requests["POST /users"], "each is made once")
				time.Sleep(time.Hour) // the pauses between tries become longer
				require.Empty(t, problems(w.sync()))
				require.Len(t, w.tenant.Users(), 11)
				require.Equal(t, "Title 3", w.account("p003@contoso.com").Get("jobTitle"))
				require.Equal(t, false, w.account("p007@contoso.com").Properties["accountEnabled"])
				_, there := w.tenant.User("p006@contoso.com")
				require.False(t, there)
				w.rest()
			})
		})
	}
}

// The batches of a first run: parts that fail each in its own way, then batches
// that arrive and whose replies don't.
func TestT05_EachPartOfABatchIsSettledByItself(t *testing.T) {
	kinds := []func() *graphsim.Fault{
		func() *graphsim.Fault { return graphsim.Refuse(500) },
		func() *graphsim.Fault { return graphsim.RefuseApplied(503) },
		func() *graphsim.Fault { return graphsim.Throttle("7") },
		func() *graphsim.Fault { return graphsim.ReplyLost() },
		func() *graphsim.Fault { return graphsim.HTML(502) },
		func() *graphsim.Fault { return graphsim.Empty(504) },
		func() *graphsim.Fault { return nil },
	}
	inOffice(t, graphsim.Options{Switches: graphsim.Switches{DuplicateAnchor: graphsim.DuplicateAnchorAllowed}}, func(t *testing.T, w *office) {
		_, err := w.tenant.AddUser(map[string]any{"userPrincipalName": "p011@contoso.com"})
		require.NoError(t, err)
		w.people(60)
		var mu sync.Mutex
		parts, wholes, struck := 0, 0, map[string]bool{}
		w.tenant.SetFault(func(op graphsim.Op) *graphsim.Fault {
			mu.Lock()
			defer mu.Unlock()
			w.oneEach()
			switch key := string(op.Body); {
			case op.Kind == "POST /$batch":
				if wholes++; wholes%4 == 0 {
					return graphsim.ReplyLost()
				}
			case op.Write && !struck[key]:
				struck[key] = true
				parts++
				return kinds[parts%len(kinds)]()
			}
			return nil
		})
		w.sync()
		w.tenant.SetFault(nil)
		time.Sleep(time.Hour)
		rep := w.sync()
		require.Equal(t, []string{"conflict-unowned"}, problems(rep), "of the one whose name is another's")
		require.Len(t, w.tenant.Users(), 60)
		w.oneEach()
		w.rest()
	})
}

func TestT04_AStormOf429WithoutRetryAfterEndsAndLosesNothing(t *testing.T) {
	limits := graphsim.MicrosoftLimits()
	limits.Writes = 150 // a twentieth of what is published
	inOffice(t, graphsim.Options{Limits: limits, Switches: graphsim.Switches{NoRetryAfter: true}}, func(t *testing.T, w *office) {
		w.people(600)
		for runs := 1; len(w.tenant.Users()) < 600; runs++ {
			require.Less(t, runs, 20, "it doesn't end")
			rep, _ := w.try()
			require.Empty(t, rep.Problems, "no object is to blame")
			time.Sleep(time.Minute)
		}
		w.sync()
		counts := w.tenant.Counts()
		require.Equal(t, 600, counts.Writes["POST /users"])
		require.NotZero(t, counts.Throttled)
		require.Less(t, counts.Throttled, 600, "no storm of our own making")
		w.rest()
	})
}
