package dirsync

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/state"
	"github.com/dirbridge/dirbridge/target"
)

// An Engine keeps a target in step with a source and remembers in a store what
// it did. Its methods are safe for concurrent use; only one run happens at a
// time.
type Engine struct {
	src   source.Source
	tgt   target.Target
	store state.Store
	opt   Options

	running sync.Mutex
}

// New returns an engine for this source, target and store. It does no I/O. The
// names of source and target are the keys under which everything is
// remembered: an engine with another name starts from the beginning.
func New(src source.Source, tgt target.Target, store state.Store, o *Options) (*Engine, error) {
	if src == nil || tgt == nil || store == nil {
		return nil, errors.New("dirsync: a source, a target and a store are required")
	}
	for what, name := range map[string]string{"source": src.Name(), "target": tgt.Name()} {
		if name == "" || len(name) > 200 || strings.ContainsFunc(name, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f }) {
			return nil, fmt.Errorf("dirsync: the %s's name %q must be 1 to 200 bytes without '/' and control characters", what, name)
		}
	}
	opt, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("dirsync: %w", err)
	}
	return &Engine{src: src, tgt: tgt, store: store, opt: opt}, nil
}

// Poll reports whether a run could find something to do at the source: false
// means that certainly nothing changed there since the last run. It costs one
// look into the store and one small question to the source, and asks the target
// nothing.
func (e *Engine) Poll(ctx context.Context) (bool, error) {
	if !e.running.TryLock() {
		return false, ErrRunning
	}
	defer e.running.Unlock()
	w, err := ledger.New(e.store, e.src.Name(), e.tgt.Name()).Watermark(ctx)
	if err != nil {
		return false, err
	}
	return source.Poll(ctx, e.src, w.Value)
}

// Sync makes one run: it reads what changed at the source (everything in the
// first run, when asked, and when the source can't tell), plans, and applies
// the plan to the target. See the package comment for the order of things.
//
// The report is never nil, and tells also of a run that failed what it did. The
// error says why the run couldn't do its work: the source or the target can't
// be reached, [ErrHalted], [ErrRunning], or the store failed. Single objects
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
	err := r.sync(ctx)
	return r.end(ctx, err)
}

// Plan makes the plan that Sync would carry out now, and writes nothing,
// neither to the target nor to the store.
//
// The plan is kept in memory. If the next Sync finds source and target as they
// are now, it applies just these changes; it may need more rounds when the
// target refuses some. Objects with a change whose outcome an earlier run left
// open aren't in the plan: Sync settles these first.
func (e *Engine) Plan(ctx context.Context, req *Request) (*Plan, error) {
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(ledger.NewOverlay(e.store), req)
	r.dry = true
	if err := r.sync(ctx); err != nil {
		r.end(ctx, err)
		return nil, err
	}
	report, err := r.end(ctx, nil)
	if err != nil {
		return nil, err
	}
	return &Plan{Report: report, Hash: report.PlanHash, Counts: r.counts, Breaches: r.breaches, ledger: r.l}, nil
}

func (e *Engine) newRun(store state.Store, req *Request) *run {
	if req == nil {
		req = &Request{}
	}
	return &run{
		Engine: e,
		req:    *req,
		l:      ledger.New(store, e.src.Name(), e.tgt.Name()),
		report: &Report{Started: time.Now().UTC(), Problems: []Problem{}},
		failed: make(map[source.ID]bool),
		aside:  make(map[source.ID]bool),
		seen:   newIDSet(),

		unowned: &unowned{map[string]target.ID{}, map[string]target.ID{}, map[string]target.ID{}},
	}
}
