package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// readPlaces reads the containers in which the objects of the pairs lie, and
// those above them, if the scope asks for places: they may lie elsewhere by now.
func (r *run) readPlaces(ctx context.Context, pairs []Pair) error {
	if r.opt.Scope == nil || len(r.opt.Scope.Containers()) == 0 {
		return nil
	}
	var below []source.ID // what to look up the places of
	for _, p := range pairs {
		for _, id := range []source.ID{p.Object, p.From} {
			e, err := r.l.Entry(ctx, id)
			if err != nil {
				return err
			}
			if e != nil {
				below = append(below, e.Object.Parent)
			}
		}
	}
	asked := newIDSet()
	for depth := 0; len(below) > 0 && depth < maxDepth; depth++ {
		slices.Sort(below)
		below = slices.DeleteFunc(slices.Compact(below), func(id source.ID) bool { return id == "" || asked.has(id) })
		for some := range slices.Chunk(below, findBatch) {
			if err := r.findAll(ctx, some); err != nil {
				return fmt.Errorf("look up containers: %w", err)
			}
		}
		var above []source.ID
		for _, id := range below {
			asked.add(id)
			c, err := r.l.Container(ctx, id)
			if err != nil {
				return err
			}
			if c != nil {
				above = append(above, c.Parent)
			}
		}
		below = above
	}
	return r.l.Flush(ctx)
}

// readGroups reads whom the groups hold by which the scope goes: it may be others
// by now.
func (r *run) readGroups(ctx context.Context) error {
	if !r.byGroup() {
		return nil
	}
	var ids []source.ID
	for k, err := range r.l.Rosters(ctx) {
		if err != nil {
			return err
		}
		ids = append(ids, k.ID)
	}
	for some := range slices.Chunk(ids, findBatch) {
		if err := r.findAll(ctx, some); err != nil {
			return fmt.Errorf("look up groups: %w", err)
		}
	}
	return r.missGroups(ctx, nil)
}

// isPlaced reports whether it was just read where e lies, up to the top, if the
// scope asks for places: a container that the source doesn't show any more may lie
// elsewhere by now, and nothing tells.
func (r *run) isPlaced(e *ledger.Entry) bool {
	if r.opt.Scope == nil || len(r.opt.Scope.Containers()) == 0 {
		return true
	}
	return !slices.ContainsFunc(r.tree.place(e.Object.Parent).Path, func(c mapping.Container) bool { return !r.seen.has(c.ID) })
}

// scopeFirst sees that the scope can be applied: if it can't by what is known of
// containers, everything is read, as the first run does it.
func (r *run) scopeFirst(ctx context.Context) error {
	err := r.underScope(ctx)
	if !errors.Is(err, ErrScope) {
		return err
	}
	return r.readAll(ctx)
}

// scopeOrReadAll applies the scope to what was read. If it names what isn't known,
// everything is read: nothing is kept of this run that the next one could begin
// with.
func (r *run) scopeOrReadAll(ctx context.Context) error {
	err := r.noteScope(ctx)
	if r.full || !errors.Is(err, ErrScope) {
		return err
	}
	return r.readAll(ctx)
}

func (r *run) readAll(ctx context.Context) error {
	r.req.Full = true
	if err := r.read(ctx); err != nil {
		return err
	}
	return r.noteScope(ctx)
}

// underScope has the run decide by the configured scope, without a read of the
// source: by the containers as they were last told. That the scope was changed
// stays for the next run to note.
func (r *run) underScope(ctx context.Context) error {
	if err := r.loadTree(ctx); err != nil {
		return err
	}
	if r.unplaced() {
		return fmt.Errorf("%w: it asks where objects lie, and no complete read has said so yet", ErrScope)
	}
	was := *r.scoping
	err := r.bind(ctx)
	*r.scoping = was
	if err != nil {
		return err
	}
	return r.knownGroups(ctx)
}
