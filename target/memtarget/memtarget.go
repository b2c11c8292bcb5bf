package memtarget

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"

	"github.com/dirbridge/dirbridge/target"
)

// A Target is a tenant in memory. It is safe for concurrent use.
type Target struct {
	name   string
	limits map[string]int
	batch  int
	binned map[target.Kind]bool // kinds that have a bin

	maxMembers int // of a group; 0 is any number

	mu      sync.Mutex
	domains domains
	live    map[target.ID]*object
	bin     map[target.ID]*object
	order   []placed // as created or restored; may hold some that are gone
	places  uint64
	unique  map[key]target.ID
	refs    refs
	guarded map[target.ID]target.Protection
	made    uint64 // IDs given
	counts  Counts

	accepted uint64 // changes

	history
}

var (
	_ target.Batcher    = (*Target)(nil)
	_ target.BinLister  = (*Target)(nil)
	_ target.Deltaer    = (*Target)(nil)
	_ target.Domainer   = (*Target)(nil)
	_ target.Finder     = (*Target)(nil)
	_ target.Kinder     = (*Target)(nil)
	_ target.Protector  = (*Target)(nil)
	_ target.RefLimiter = (*Target)(nil)
	_ target.RefFinder  = (*Target)(nil)
)

// New returns an empty tenant. Name becomes [Target.Name]: it must not be empty
// and must have no '/'.
func New(name string, opts *Options) *Target {
	if opts == nil {
		opts = &Options{}
	}
	t := &Target{name: name, limits: maps.Clone(opts.Limits), batch: cmp.Or(max(opts.MaxBatch, 0), 20), maxMembers: max(opts.MaxMembers, 0),
		binned:  map[target.Kind]bool{target.User: true, target.Group: !opts.NoGroupBin},
		domains: newDomains(name, opts.Domains),
		live:    map[target.ID]*object{}, bin: map[target.ID]*object{}, unique: map[key]target.ID{}, guarded: map[target.ID]target.Protection{}}
	t.refs = newRefs(t.noteRef)
	return t
}

// Name returns the name given to [New].
func (t *Target) Name() string { return t.name }

// Current yields every live object in the order of creation (or restoration). See
// [target.Target]. It may be changed meanwhile, also in the body of the range.
func (t *Target) Current(ctx context.Context) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		t.mu.Lock()
		t.counts.Lists++
		order := t.order[:len(t.order):len(t.order)] // never written to again
		t.mu.Unlock()
		for _, at := range order {
			if err := ctx.Err(); err != nil {
				yield(target.Object{}, fmt.Errorf("list %s: %w", t.name, err))
				return
			}
			t.mu.Lock()
			o := t.at(at)
			if o != nil {
				t.counts.Listed++
			}
			t.mu.Unlock()
			if o != nil && !yield(o.export(), nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(target.Object{}, fmt.Errorf("list %s: %w", t.name, err))
		}
	}
}

// Domains returns the tenant's domains. See [target.Domainer].
func (t *Target) Domains(ctx context.Context) ([]target.Domain, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list domains of %s: %w", t.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.DomainReads++
	return t.domains.sorted(), nil
}

// Find looks live objects up, by ID, anchor and name at once, by mail too. See
// [target.Finder].
func (t *Target) Find(ctx context.Context, kind target.Kind, keys []target.Key) ([][]target.Object, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("find in %s: %w", t.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Finds++
	t.counts.Keys += len(keys)
	out := make([][]target.Object, len(keys))
	for i, k := range keys {
		id := k.ID
		if id == "" {
			id = t.unique[keyOf(kind, k)]
		}
		if o := t.live[id]; o != nil && o.kind == kind {
			out[i] = []target.Object{o.export()}
		}
	}
	return out, nil
}

// FindDeleted looks into the bin. See [target.Restorer].
func (t *Target) FindDeleted(ctx context.Context, kind target.Kind, id target.ID) (target.Object, error) {
	if err := ctx.Err(); err != nil {
		return target.Object{}, fmt.Errorf("find in the bin of %s: %w", t.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.BinReads++
	o := t.bin[id]
	if o == nil || o.kind != kind {
		return target.Object{}, &target.Error{Sentinel: target.ErrNotFound, Err: fmt.Errorf("no %s %s in the bin", kind, id)}
	}
	return o.export(), nil
}

// Deleted lists the bin by ID. See [target.BinLister].
func (t *Target) Deleted(ctx context.Context, kind target.Kind) iter.Seq2[target.Object, error] {
	return func(yield func(target.Object, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(target.Object{}, fmt.Errorf("list the bin of %s: %w", t.name, err))
			return
		}
		t.mu.Lock()
		t.counts.BinReads++
		var all []target.Object
		for _, id := range slices.Sorted(maps.Keys(t.bin)) {
			if o := t.bin[id]; o.kind == kind {
				all = append(all, o.export())
			}
		}
		t.mu.Unlock()
		for _, o := range all {
			if err := ctx.Err(); err != nil {
				yield(target.Object{}, fmt.Errorf("list the bin of %s: %w", t.name, err))
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}

// Protected returns whom [Target.Protect] was called for. See
// [target.Protector].
func (t *Target) Protected(ctx context.Context, kind target.Kind) (map[target.ID]target.Protection, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("read who is protected in %s: %w", t.name, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.ProtectionReads++
	who := map[target.ID]target.Protection{}
	for id, why := range t.guarded {
		o := t.live[id]
		if o == nil {
			o = t.bin[id]
		}
		if o != nil && (o.kind == kind || o.kind == target.Group) {
			who[id] = why
		}
	}
	return who, nil
}
