package dirsync_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/source/memsource"
	"github.com/dirbridge/dirbridge/target"
	"github.com/dirbridge/dirbridge/target/memtarget"
)

// A listener that panics at every event changes nothing about a run.
func TestE08_APanickingListenerChangesNothing(t *testing.T) {
	for _, sc := range scenarios {
		opt := dirsync.Options{Parallel: 1, Patience: -1}
		want := calmRun(t, sc.people, sc.change, opt)
		panics := 0
		opt.OnEvent = func(e dirsync.Event) {
			panics++
			panic(e)
		}
		w := newWorld(t, smallBatches(opt))
		w.prepared(sc.people, sc.change)
		_, err := w.eng.Sync(t.Context(), nil)
		require.NoError(t, err)
		require.Equal(t, want.accounts, w.accounts())
		require.Equal(t, want.writes, w.tgt.Counts().Writes())
		require.Greater(t, panics, 4)
		w.mustRest()
	}
}

// A log handler that panics at every record changes nothing about a run either,
// also when what it is to log is another panic.
func TestE08_APanickingLogHandlerChangesNothing(t *testing.T) {
	for _, listener := range []func(dirsync.Event){nil, func(dirsync.Event) { panic("listener") }} {
		w := newWorld(t, func(w *world) {
			w.opt.Logger = slog.New(panickingHandler{})
			w.opt.OnEvent = listener
		})
		w.people(3)
		var rep *dirsync.Report
		require.NotPanics(t, func() {
			var err error
			rep, err = w.eng.Sync(t.Context(), nil)
			require.NoError(t, err)
		})
		require.Equal(t, 3, rep.Created)
		w.mustRest()
	}
}

type panickingHandler struct{}

func (panickingHandler) Enabled(context.Context, slog.Level) bool  { return true }
func (panickingHandler) Handle(context.Context, slog.Record) error { panic("log handler") }
func (h panickingHandler) WithAttrs([]slog.Attr) slog.Handler      { return h }
func (h panickingHandler) WithGroup(string) slog.Handler           { return h }

// A target that panics at its n-th call, for all n and each sort of call: the
// run's error or the open outcome of some changes, never the end of the process;
// and the next run comes to the right end.
func TestE08_APanickingTargetIsTheRunsErrorAndTheNextRunGoesOn(t *testing.T) {
	for _, sc := range scenarios {
		opt := dirsync.Options{Parallel: 1, Patience: -1}
		want := calmRun(t, sc.people, sc.change, opt)
		for _, call := range []string{"apply", "domains", "find", "bin", "current"} {
			for n := 1; ; n++ {
				w := newWorld(t, smallBatches(opt))
				w.prepared(sc.people, sc.change)
				tgt := &panickingTarget{Target: w.tgt, bomb: bomb{call: call, n: n}}
				require.NotPanics(t, func() {
					_, err := w.engine(w.src, tgt, w.store).Sync(t.Context(), nil)
					if tgt.count >= n && call != "apply" && call != "bin" && call != "find" {
						require.Error(t, err)
					}
				}, "%s %d", call, n)
				if tgt.count < n {
					break
				}
				require.NoError(t, w.again())
				require.Equal(t, want.accounts, w.accounts(), "%s %d", call, n)
				w.mustRest()
			}
		}
	}
}

// A bomb goes off at the n-th call of its sort.
type bomb struct {
	call     string
	n, count int
}

func (b *bomb) tick(call string) {
	if call != b.call {
		return
	}
	if b.count++; b.count == b.n {
		panic(fmt.Sprintf("%s %d", call, b.n))
	}
}

type panickingTarget struct {
	*memtarget.Target
	bomb
}

func (t *panickingTarget) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	t.tick("apply")
	return t.Target.Apply(ctx, c)
}

func (t *panickingTarget) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	t.tick("apply")
	out := t.Target.ApplyBatch(ctx, cs)
	t.tick("apply") // after it was carried out
	return out
}

func (t *panickingTarget) Domains(ctx context.Context) ([]target.Domain, error) {
	t.tick("domains")
	return t.Target.Domains(ctx)
}

func (t *panickingTarget) Find(ctx context.Context, k target.Kind, keys []target.Key) ([][]target.Object, error) {
	t.tick("find")
	return t.Target.Find(ctx, k, keys)
}

func (t *panickingTarget) FindDeleted(ctx context.Context, k target.Kind, id target.ID) (target.Object, error) {
	t.tick("bin")
	return t.Target.FindDeleted(ctx, k, id)
}

func (t *panickingTarget) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	t.tick("current")
	return t.Target.Current(ctx)
}

// A source that panics at its n-th event, for all n: an incomplete read, after
// which nothing is lost.
func TestE08_APanickingSourceIsAnIncompleteRead(t *testing.T) {
	for _, full := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			ids := w.people(6)
			watermark := w.sync().Watermark
			w.src.Remove(ids[0])
			w.set(ids[1], "title", "Clerk")
			w.src.Hide(ids[2])
			src := &panickingSource{Source: w.src, bomb: bomb{call: "event", n: n}}
			accounts := w.accounts()
			require.NotPanics(t, func() {
				rep, err := w.engine(src, w.tgt, w.store).Sync(t.Context(), &dirsync.Request{Full: full})
				if src.count >= n {
					require.Error(t, err)
					require.Equal(t, watermark, rep.Watermark)
					require.Equal(t, accounts, w.accounts())
				}
			}, "event %d", n)
			if src.count < n {
				break
			}
			rep := w.sync()
			require.Equal(t, 1, rep.Deleted)
			require.Equal(t, 1, rep.Updated)
		}
	}
}

func TestE08_APanickingPollIsAnError(t *testing.T) {
	w := newWorld(t)
	w.people(1)
	w.sync()
	eng := w.engine(&panickingSource{Source: w.src, bomb: bomb{call: "poll", n: 1}}, w.tgt, w.store)
	require.NotPanics(t, func() {
		_, err := eng.Poll(t.Context())
		require.Error(t, err)
	})
	changed, err := eng.Poll(t.Context())
	require.NoError(t, err, "the engine isn't stuck")
	require.False(t, changed)
}

type panickingSource struct {
	*memsource.Source
	bomb
}

func (s *panickingSource) ticking(events iter.Seq2[source.Event, error]) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for ev, err := range events {
			s.tick("event")
			if !yield(ev, err) {
				return
			}
		}
	}
}

func (s *panickingSource) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return s.ticking(s.Source.All(ctx))
}

func (s *panickingSource) Since(ctx context.Context, w source.Watermark) iter.Seq2[source.Event, error] {
	return s.ticking(s.Source.Since(ctx, w))
}

func (s *panickingSource) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	return s.ticking(s.Source.Find(ctx, ids))
}

func (s *panickingSource) Poll(ctx context.Context, w source.Watermark) (bool, error) {
	s.tick("poll")
	return s.Source.Poll(ctx, w)
}
