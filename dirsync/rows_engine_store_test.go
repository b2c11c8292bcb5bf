package dirsync_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

var errSick = errors.New("input/output error")

// An illness is what a store suffers from.
type illness struct {
	call string // "get", "scan", "record" (in the middle of a scan), "commit"
	done bool   // the commit is made, and nobody knows
	err  error
	for_ int // how many calls from the n-th on; 0: for good, until it is cured
	all  bool
}

// A sickStore falls ill at the n-th call of one sort. It is the store of a
// handle: who opens the store anew sees what is below.
type sickStore struct {
	state.Store
	ill illness
	n   int

	mu    sync.Mutex
	calls int
	fell  bool // it has happened
}

// sick counts a call of this sort and says what is wrong with it.
func (s *sickStore) sick(call string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fell && s.ill.all {
		return s.ill.err
	}
	if call != s.ill.call {
		return nil
	}
	s.calls++
	if s.n == 0 || s.calls < s.n || s.ill.for_ > 0 && s.calls >= s.n+s.ill.for_ {
		return nil
	}
	s.fell = true
	return s.ill.err
}

func (s *sickStore) down() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fell
}

func (s *sickStore) Get(ctx context.Context, key string) (state.Record, error) {
	if err := s.sick("get"); err != nil {
		return state.Record{}, err
	}
	return s.Store.Get(ctx, key)
}

func (s *sickStore) Scan(ctx context.Context, prefix string) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if err := s.sick("scan"); err != nil {
			yield(state.Record{}, err)
			return
		}
		for rec, err := range s.Store.Scan(ctx, prefix) {
			if err == nil {
				err = s.sick("record")
			}
			if err != nil {
				yield(state.Record{}, err)
				return
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func (s *sickStore) Commit(ctx context.Context, writes ...state.Write) error {
	err := s.sick("commit")
	if err == nil || s.ill.done {
		if e := s.Store.Commit(ctx, writes...); e != nil {
			return e
		}
	}
	return err
}

// A witness is a target that looks over the engine's shoulder: each call must
// have its intent in the store that would survive a crash now, and what removes
// must be among what is allowed.
type witness struct {
	*memtarget.Target
	w       *world
	allowed map[string]bool // "op anchor" of removals; nil: all, and they are noted
	seen    map[string]bool

	store *sickStore
	late  int // changes that were called for after the store fell ill
	mu    sync.Mutex
}

func (t *witness) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.store != nil && t.store.down() {
		t.late += len(cs)
	}
	intents := t.w.intents()
	for _, c := range cs {
		if !intents[intended(c)] {
			t.w.t.Errorf("call without its intent in the store: %s %s %s", c.Op, c.ID, c.Anchor)
		}
		if c.Op == target.Delete || c.Op == target.Disable {
			what := fmt.Sprint(c.Op, " ", t.w.anchorOf(c))
			t.seen[what] = true
			if t.allowed != nil && !t.allowed[what] {
				t.w.t.Errorf("%s, which no calm run does", what)
			}
		}
	}
	return t.Target.ApplyBatch(ctx, cs)
}

func (t *witness) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	r := t.ApplyBatch(ctx, []target.Change{c})[0]
	return r.Object, r.Err
}

func (w *world) anchorOf(c target.Change) string {
	o, _ := w.tgt.Get(c.ID)
	return o.Anchor
}

// intents are the open intents of the store itself.
func (w *world) intents() map[string]bool {
	all := map[string]bool{}
	l := ledger.New(w.store, "corp", "contoso")
	for _, open := range []iter.Seq2[ledger.Keyed[ledger.Intent], error]{l.Intents(context.Background()), l.RefIntents(context.Background())} {
		for k, err := range open {
			require.NoError(w.t, err)
			all[intended(k.Value.Change.Change)] = true
		}
	}
	return all
}

func intended(c target.Change) string {
	s := fmt.Sprint(c.Op, " ", c.ID, " ", c.Anchor)
	if c.Refs != nil {
		s += fmt.Sprint(" ", *c.Refs)
	}
	return s
}

// A calm is how one of the fixed runs ends when nothing goes wrong.
type calm struct {
	accounts map[string]target.Attributes
	writes   int
	removals map[string]bool
	calls    map[string]int
}

// inFlight is how many changes go out in one call: few, so that a run has many
// commits.
const inFlight = 3

func smallBatches(opt dirsync.Options) func(*world) {
	return func(w *world) {
		w.opt = opt
		w.tgt = memtarget.New("contoso", &memtarget.Options{MaxBatch: inFlight})
		w.tgt.VerifyDomain("contoso.com")
	}
}

func calmRun(t *testing.T, people int, change func(*world, []source.ID), opt dirsync.Options) calm {
	w := newWorld(t, smallBatches(opt))
	w.prepared(people, change)
	c := calm{removals: map[string]bool{}, calls: map[string]int{}}
	counter := map[string]*sickStore{}
	store := state.Store(w.store)
	for _, call := range []string{"get", "scan", "record", "commit"} {
		counter[call] = &sickStore{Store: store, ill: illness{call: call}}
		store = counter[call]
	}
	_, err := w.engine(w.src, &witness{Target: w.tgt, w: w, seen: c.removals}, store).Sync(t.Context(), nil)
	require.NoError(t, err)
	for call, s := range counter {
		c.calls[call] = s.calls
	}
	c.accounts, c.writes = w.accounts(), w.tgt.Counts().Writes()
	w.mustRest()
	return c
}

// illnesses are the ways in which a store fails, each at the n-th call for all n.
var illnesses = map[string]illness{
	"one read fails, over a damaged record":       {call: "get", err: state.ErrCorrupt, for_: 1},
	"one scan fails":                              {call: "scan", err: errSick, for_: 1},
	"a scan fails in its middle":                  {call: "record", err: errSick, for_: 1},
	"one commit fails, nothing was written":       {call: "commit", err: errSick, for_: 1},
	"one commit fails, but all was written":       {call: "commit", err: errSick, for_: 1, done: true},
	"a conflict":                                  {call: "commit", err: state.ErrConflict, for_: 1},
	"the disk is full":                            {call: "commit", err: fmt.Errorf("%w: no space left on device", errSick)},
	"a failed fsync: the handle is done for":      {call: "commit", err: fmt.Errorf("%w: fsync", state.ErrReopen), all: true},
	"a failed fsync, but all is on the disk":      {call: "commit", err: fmt.Errorf("%w: fsync", state.ErrReopen), all: true, done: true},
	"the connection to the store breaks in a get": {call: "get", err: state.ErrReopen, all: true},
}

// Each fault at the n-th call for all n, in each of the three fixed runs. Then an
// engine that begins anew, on what the store kept, comes to the end of the calm
// run: nothing doubled, nothing lost, nothing removed that the calm run doesn't
// remove, repeated at most what was on the wire, and never a call whose intent
// isn't durable.
func TestE05_AFaultOfTheStoreAtEveryCallStopsWritingAndLosesNothing(t *testing.T) {
	for _, sc := range scenarios {
		for name, ill := range illnesses {
			for _, parallel := range []int{1, 3} {
				if parallel > 1 && ill.call != "commit" {
					continue // reads happen in the same order
				}
				t.Run(fmt.Sprintf("%s, %s, %d calls at once", sc.name, name, parallel), func(t *testing.T) {
					t.Parallel()
					opt := dirsync.Options{Parallel: parallel, Patience: -1}
					want := calmRun(t, sc.people, sc.change, opt)
					fell := 0
					for n := 1; n <= want.calls[ill.call]; n++ {
						w := newWorld(t, smallBatches(opt))
						w.prepared(sc.people, sc.change)
						store := &sickStore{Store: w.store, ill: ill, n: n}
						tgt := &witness{Target: w.tgt, w: w, allowed: want.removals, seen: map[string]bool{}, store: store}
						rep, err := w.engine(w.src, tgt, store).Sync(t.Context(), nil)
						if !store.fell {
							require.NoError(t, err) // rounds may differ when calls run side by side
							continue
						}
						fell++
						require.ErrorIs(t, err, ill.err, "call %d: a store's failure is the run's", n)
						require.NotNil(t, rep)
						// What was on the wire may arrive. A commit only fails when less is there than may be.
						wire := inFlight * parallel
						if ill.call == "commit" {
							wire -= inFlight
						}
						require.LessOrEqual(t, tgt.late, wire, "call %d: written on after the store failed", n)
						open := len(w.intents())
						require.LessOrEqual(t, open, inFlight*parallel, "call %d", n)

						// The process ends, the disk is freed, another begins.
						again := &witness{Target: w.tgt, w: w, allowed: want.removals, seen: map[string]bool{}}
						w.eng = w.engine(w.src, again, w.store)
						require.NoError(t, w.again(), "call %d", n)
						require.Equal(t, want.accounts, w.accounts(), "call %d", n)
						require.LessOrEqual(t, w.tgt.Counts().Writes(), want.writes+open, "call %d: more than the open calls was repeated", n)
						w.mustRest()
						if t.Failed() {
							t.Fatalf("at call %d of %d", n, want.calls[ill.call])
						}
					}
					require.Positive(t, fell)
				})
			}
		}
	}
}

// A store that needs two seconds for each commit makes a run slow, and nothing
// else: no call is given up, none is made twice. That a run is cancelled in the
// middle of a commit doesn't tear it.
func TestE05_ASlowStoreOnlyTakesTime(t *testing.T) {
	for _, sc := range scenarios {
		want := calmRun(t, sc.people, sc.change, dirsync.Options{Parallel: 2, Patience: -1})
		for cancelAfter := time.Second; cancelAfter < 2*time.Second*time.Duration(want.calls["commit"]+3); cancelAfter += 2 * time.Second {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, smallBatches(dirsync.Options{Parallel: 2, Patience: -1}))
				w.prepared(sc.people, sc.change)
				slow := slowStore{w.store}
				tgt := &witness{Target: w.tgt, w: w, allowed: want.removals, seen: map[string]bool{}}
				ctx, cancel := context.WithTimeout(t.Context(), cancelAfter)
				defer cancel()
				_, err := w.engine(w.src, tgt, slow).Sync(ctx, nil)
				if err != nil {
					require.ErrorIs(t, err, context.DeadlineExceeded)
				}
				if ctx.Err() == nil {
					require.Equal(t, want.writes, w.tgt.Counts().Writes(), "nothing is called for twice")
				}
				require.NoError(t, w.again())
				require.Equal(t, want.accounts, w.accounts(), "cancelled after %v", cancelAfter)
				require.LessOrEqual(t, w.tgt.Counts().Writes(), want.writes, "cancelled after %v: calls got their grace", cancelAfter)
				w.mustRest()
			})
		}
	}
}

type slowStore struct{ state.Store }

// Commit is brought to its end once it is begun, as boltstate's is.
func (s slowStore) Commit(ctx context.Context, writes ...state.Write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	return s.Store.Commit(context.WithoutCancel(ctx), writes...)
}

// A full disk stays full for run after run: each says so, none calls the target
// for anything new, and memory isn't where intents live.
func TestE05_WhileTheDiskIsFullNothingIsWrittenToTheTarget(t *testing.T) {
	w := newWorld(t)
	ids := w.people(30)
	w.sync()
	before := w.tgt.Counts().Writes()
	for i, id := range ids {
		w.set(id, "title", fmt.Sprint("T", i))
	}
	full := &sickStore{Store: w.store, n: 1, ill: illness{call: "commit", err: errSick}}
	eng := w.engine(w.src, w.tgt, full)
	for range 5 {
		rep, err := eng.Sync(t.Context(), &dirsync.Request{Retry: true})
		require.ErrorIs(t, err, errSick)
		require.Zero(t, rep.Writes)
		require.False(t, strings.Contains(err.Error(), "p000"), "no names in errors of the store")
	}
	require.Equal(t, before, w.tgt.Counts().Writes())
	full.n = 0 // freed; the same engine goes on
	full.fell = false
	rep, err := eng.Sync(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, 30, rep.Updated)
	w.mustRest()
}
