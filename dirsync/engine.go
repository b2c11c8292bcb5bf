package dirsync

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
)

// An Engine keeps a target in step with a source and remembers in a store what
// it did. Its methods are safe for concurrent use; only one run happens at a
// time.
type Engine struct {
	srcs  []source.Source // by name
	name  string
	tgt   target.Target
	store state.Store
	opt   Options

	running sync.Mutex
}

// New returns an engine for this source, target and store. It does no I/O. The
// names of source and target are the keys under which everything is
// remembered: an engine with another name starts from the beginning.
//
// It may have several sources ([Options.Sources]). In which order they are given
// makes no difference.
func New(src source.Source, tgt target.Target, store state.Store, o *Options) (*Engine, error) {
	if src == nil || tgt == nil || store == nil {
		return nil, errors.New("dirsync: a source, a target and a store are required")
	}
	if err := checkName("target", tgt.Name()); err != nil {
		return nil, fmt.Errorf("dirsync: %w", err)
	}
	opt, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("dirsync: %w", err)
	}
	srcs, name, err := inOrder(src, &opt)
	if err != nil {
		return nil, fmt.Errorf("dirsync: %w", err)
	}
	return &Engine{srcs: srcs, name: name, tgt: tgt, store: store, opt: opt}, nil
}

// Poll reports whether a run could find something to do at the source: false
// means that certainly nothing changed there since the last run. It costs one
// look into the store and one small question to each source, and asks the target
// nothing.
func (e *Engine) Poll(ctx context.Context) (bool, error) {
	if !e.running.TryLock() {
		return false, ErrRunning
	}
	defer e.running.Unlock()
	l := ledger.New(e.store, e.name, e.tgt.Name())
	for _, src := range e.srcs {
		w, err := l.Watermark(ctx, e.home(src))
		if err != nil {
			return false, err
		}
		if w.Broken {
			return true, nil
		}
		changed := false
		err = unbroken(func() (err error) {
			changed, err = source.Poll(ctx, src, w.Value)
			return err
		})
		if changed || err != nil {
			return changed, err
		}
	}
	return false, nil
}

// Sync makes one run: it reads what changed at the source (everything in the
// first run, when asked, and when the source can't tell), plans, and applies
// the plan to the target. See the package comment for the order of things.
//
// The report is never nil, and tells also of a run that failed what it did. The
// error says why the run couldn't do its work: the source or the target can't
// be reached, [ErrHalted], [ErrRunning], or the store failed. If one of several
// sources can't be read, the run goes on with what the others say, and ends with
// that error. Single objects
// that failed are no error but Problems in the report; they are remembered and
// tried again.
//
// When ctx is cancelled, calls on the wire get [Options.Grace] to end, what is
// known is committed, and Sync returns ctx's error. A crash at any moment loses
// nothing: the next Sync settles what was on the wire and goes on.
func (e *Engine) Sync(ctx context.Context, req *Request) (*Report, error) {
	if !e.running.TryLock() {
		return &Report{Problems: []Problem{}}, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, req)
	err := unbroken(func() error { return r.syncAll(ctx) })
	return r.end(ctx, err)
}

// Apply carries out just the plan that waits and has this hash (twelve
// characters of it are enough). What changed at the source is read first; then
// each change of the plan has to be as it would be planned now, or nothing of
// it is written and the error wraps [ErrPlanStale]. What else there is to do
// waits for the next Sync. The budgets count unless somebody approved the plan.
//
// A plan that couldn't be carried out as a whole (a crash, a target that became
// unavailable) still waits with what is left of it, under the same approval.
func (e *Engine) Apply(ctx context.Context, hash string) (*Report, error) {
	if !e.running.TryLock() {
		return &Report{Problems: []Problem{}}, ErrRunning
	}
	defer e.running.Unlock()
	if hash == "" {
		return &Report{Problems: []Problem{}}, &StaleError{Reason: "no hash was given"}
	}
	r := e.newRun(e.store, nil)
	r.apply = hash
	err := unbroken(func() error { return r.syncAll(ctx) })
	return r.end(ctx, err)
}

// Plan reads what changed at the source and makes the plan that Sync would
// carry out now, without writing anything to the target. The plan is kept in the
// store: [Engine.Apply] carries out just this one, [Engine.Approve] lets it
// through whatever the budgets say. It takes the place of the plan that waited
// before, its approval included, and waits until a run carries it out, makes
// another one that has to wait, or finds that nobody's word is needed any more.
//
// Removals that wait for a proof of the configuration are in the plan; to
// approve it is that proof. Objects with a change whose outcome an earlier run
// left open aren't: Sync settles these first. If the target refuses some
// changes, a run needs more rounds than the plan shows.
func (e *Engine) Plan(ctx context.Context, req *Request) (*Plan, error) {
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, req)
	r.keeping = true
	report, err := r.end(ctx, unbroken(func() error { return r.sync(ctx) }))
	if err != nil {
		return nil, err
	}
	p := keptPlan(r.kept, r.l)
	p.Report = report
	return p, nil
}

// Preview makes the plan that Sync would carry out now, and writes nothing,
// neither to the target nor to the store: the plan is in memory, and can't be
// approved or applied. Everything else is as for [Engine.Plan].
func (e *Engine) Preview(ctx context.Context, req *Request) (*Plan, error) {
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(ledger.NewOverlay(e.store), req)
	r.dry = true
	if err := unbroken(func() error { return r.sync(ctx) }); err != nil {
		r.end(ctx, err)
		return nil, err
	}
	report, err := r.end(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &Plan{Report: report, Hash: report.PlanHash, Counts: r.counts, Breaches: r.breaches, Run: report.Run, Made: report.Started,
		ledger: r.l, area: r.area}, nil
}

func (e *Engine) newRun(store state.Store, req *Request) *run {
	if req == nil {
		req = &Request{}
	}
	var only map[source.ID]bool
	for _, id := range req.Only {
		if only == nil {
			only = map[source.ID]bool{}
		}
		only[id] = true
	}
	r := &run{
		Engine:   e,
		only:     only,
		req:      *req,
		l:        ledger.New(store, e.name, e.tgt.Name()),
		report:   &Report{Started: time.Now().UTC(), Problems: []Problem{}},
		failed:   make(map[source.ID]bool),
		aside:    make(map[source.ID]bool),
		doubtful: make(map[source.ID]bool),
		spoiled:  make(map[source.ID]bool),
		seen:     newIDSet(),

		scope: &mapping.BoundScope{}, tree: newTree(),
		unowned: &unowned{anchors: map[string]target.ID{}, upns: map[string]target.ID{}, mails: map[string]target.ID{}, nicknames: map[string]target.ID{}},
	}
	for _, src := range e.srcs {
		r.origins = append(r.origins, &origin{src: src, home: e.home(src)})
	}
	r.from = r.origins[0]
	return r
}
