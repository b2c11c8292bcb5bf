package fault

import (
	"context"
	"fmt"
	"iter"
	"sync"

	"github.com/dirbridge/dirbridge/target"
)

// AbleTarget is a Target with all the abilities.
type AbleTarget interface {
	target.Batcher
	target.Deltaer
	target.Domainer
	target.Finder
	target.BinLister
	target.Kinder
	target.RefFinder
	target.Protector
}

// A Target passes on what it is asked to do, or doesn't.
type Target struct {
	inner AbleTarget

	writes                                                           calls // by change, in a batch or not
	lists, finds, bins, binLists, domains, refs, deltas, protections calls

	mu     sync.Mutex
	lose   int // calls whose replies get lost
	hide   bool
	hidden map[target.ID]bool
}

var _ AbleTarget = (*Target)(nil)

// NewTarget wraps inner.
func NewTarget(inner AbleTarget) *Target {
	return &Target{inner: inner, hidden: map[target.ID]bool{}}
}

// OnWrite makes the n-th change from now go wrong, alone or in a batch, where it
// leaves the others alone; 1 is the next. Without an Err the outcome is said to be
// unknown, be it done or not.
func (t *Target) OnWrite(n int, f Fault) { t.writes.on(n, f) }

// OnCurrent, OnFind, OnFindDeleted, OnDeleted, OnDomains, OnDelta (Latest and
// Changes) and OnProtected make the n-th call from now go wrong; 1 is the next.
func (t *Target) OnCurrent(n int, f Fault)     { t.lists.on(n, f) }
func (t *Target) OnFind(n int, f Fault)        { t.finds.on(n, f) }
func (t *Target) OnFindDeleted(n int, f Fault) { t.bins.on(n, f) }
func (t *Target) OnDeleted(n int, f Fault)     { t.binLists.on(n, f) }
func (t *Target) OnDomains(n int, f Fault)     { t.domains.on(n, f) }
func (t *Target) OnDelta(n int, f Fault)       { t.deltas.on(n, f) }
func (t *Target) OnProtected(n int, f Fault)   { t.protections.on(n, f) }

// LoseReplies makes the next n calls of Apply and ApplyBatch end in an unknown
// outcome, for all their changes, though they were carried out.
func (t *Target) LoseReplies(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lose = n
}

// HideNew makes objects that are created from now on invisible in all reads and
// [target.ErrNotYet] for changes, until it is called with false: replication
// that lags.
func (t *Target) HideNew(hide bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.hide = hide
	if !hide {
		clear(t.hidden)
	}
}

// Writes is how many changes were tried.
func (t *Target) Writes() int { return t.writes.made() }

// Name is the inner target's.
func (t *Target) Name() string { return t.inner.Name() }

// MaxBatch is the inner target's.
func (t *Target) MaxBatch() int { return t.inner.MaxBatch() }

// Apply carries out one change.
func (t *Target) Apply(ctx context.Context, c target.Change) (target.Object, error) {
	r := t.apply(ctx, []target.Change{c}, func(cs []target.Change) []target.Result {
		o, err := t.inner.Apply(ctx, cs[0])
		return []target.Result{{Object: o, Err: err}}
	})[0]
	return r.Object, r.Err
}

// ApplyBatch carries out a batch.
func (t *Target) ApplyBatch(ctx context.Context, cs []target.Change) []target.Result {
	return t.apply(ctx, cs, func(cs []target.Change) []target.Result { return t.inner.ApplyBatch(ctx, cs) })
}

// apply passes on to call what isn't to fail before.
func (t *Target) apply(ctx context.Context, cs []target.Change, call func([]target.Change) []target.Result) []target.Result {
	out := make([]target.Result, len(cs))
	faults := map[int]Fault{}
	early := make([]map[target.ID]error, len(cs)) // references to what is hidden
	var pass []target.Change
	var at []int // where they are in cs
	for i, c := range cs {
		f, faulty := t.writes.next()
		if faulty {
			faults[i] = f
		}
		switch {
		case t.isHidden(c.ID):
			out[i].Err = &target.Error{Sentinel: target.ErrNotYet, Err: fmt.Errorf("%s %s", c.Kind, c.ID)}
			continue
		case faulty && f.onlyStalls() && !f.Done:
			if err := f.wait(ctx); err != nil {
				out[i].Err = unknown(err)
				continue
			}
		case faulty && !f.Done:
			out[i].Err = failed(ctx, f)
			continue
		}
		c, early[i] = t.withoutHidden(c)
		pass, at = append(pass, c), append(at, i)
	}
	lost := t.loses()
	if len(pass) == 0 {
		return out
	}
	for j, r := range call(pass) {
		i := at[j]
		r.Err = refusing(r.Err, early[i])
		if r.Err == nil && pass[j].Op == target.Create {
			t.created(r.Object.ID)
		}
		switch f, faulty := faults[i]; {
		case lost:
			r = target.Result{Err: unknown(ErrInjected)}
		case faulty && f.Done && f.onlyStalls():
			if err := f.wait(ctx); err != nil {
				r = target.Result{Err: unknown(err)}
			}
		case faulty && f.Done:
			r = target.Result{Err: failed(ctx, f)}
		}
		out[i] = r
	}
	return out
}

// failed is the error of a change with f.
func failed(ctx context.Context, f Fault) error {
	if err := f.wait(ctx); err != nil {
		return unknown(err)
	}
	if f.Err != nil {
		return f.Err
	}
	return unknown(ErrInjected)
}

func unknown(err error) error {
	return &target.Error{Sentinel: target.ErrUnknownOutcome, Err: err}
}

func (t *Target) loses() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lose == 0 {
		return false
	}
	t.lose--
	return true
}

func (t *Target) created(id target.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hide {
		t.hidden[id] = true
	}
}

func (t *Target) isHidden(id target.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.hidden[id]
}

// Current yields the live objects that aren't hidden.
func (t *Target) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		var objects iter.Seq2[target.Object, error]
		if lost, err := t.lists.do(ctx, func() { objects = t.inner.Current(ctx) }); lost {
			yield(target.Object{}, err)
			return
		}
		for o, err := range objects {
			if !t.isHidden(o.ID) && !yield(o, err) {
				return
			}
		}
	}
}

// Find looks up what isn't hidden.
func (t *Target) Find(ctx context.Context, kind target.Kind, keys []target.Key) (found [][]target.Object, err error) {
	lost, fault := t.finds.do(ctx, func() { found, err = t.inner.Find(ctx, kind, keys) })
	if lost {
		return nil, fault
	}
	for i := range found {
		var seen []target.Object
		for _, o := range found[i] {
			if !t.isHidden(o.ID) {
				seen = append(seen, o)
			}
		}
		found[i] = seen
	}
	return found, err
}

// FindDeleted looks into the bin.
func (t *Target) FindDeleted(ctx context.Context, kind target.Kind, id target.ID) (o target.Object, err error) {
	lost, fault := t.bins.do(ctx, func() { o, err = t.inner.FindDeleted(ctx, kind, id) })
	if lost {
		return target.Object{}, fault
	}
	return o, err
}

// Deleted lists the bin.
func (t *Target) Deleted(ctx context.Context, kind target.Kind) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		var objects iter.Seq2[target.Object, error]
		if lost, err := t.binLists.do(ctx, func() { objects = t.inner.Deleted(ctx, kind) }); lost {
			yield(target.Object{}, err)
			return
		}
		for o, err := range objects {
			if !yield(o, err) {
				return
			}
		}
	}
}

// Domains returns the inner target's domains.
func (t *Target) Domains(ctx context.Context) (domains []target.Domain, err error) {
	lost, fault := t.domains.do(ctx, func() { domains, err = t.inner.Domains(ctx) })
	if lost {
		return nil, fault
	}
	return domains, err
}

// Protected returns whom the inner target protects.
func (t *Target) Protected(ctx context.Context, kind target.Kind) (who map[target.ID]target.Protection, err error) {
	lost, fault := t.protections.do(ctx, func() { who, err = t.inner.Protected(ctx, kind) })
	if lost {
		return nil, fault
	}
	return who, err
}
