package dirsync

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// findBatch is how many objects are looked up in the source at once.
const findBatch = 500

// confirmSuspects looks up what a complete read didn't give. An object is only
// taken as deleted or left if it, or its tombstone, is found; what can't be
// found is reported and stays as it is.
func (r *run) confirmSuspects(ctx context.Context) error {
	if err := r.confirmContainers(ctx); err != nil {
		return err
	}
	var suspects, beside []source.ID // at home here, and elsewhere
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return err
		}
		if k.Value.Home != r.from.home {
			if k.Value.Shared && !r.seen.has(k.ID) {
				beside = append(beside, k.ID)
			}
			continue
		}
		if k.Value.Presence == plan.Deleted {
			if err := r.l.Unit(ctx, func() error { return r.prune(ctx, k.ID) }); err != nil {
				return err
			}
		}
		if k.Value.Presence != plan.Deleted && !r.seen.has(k.ID) {
			suspects = append(suspects, k.ID)
		}
	}
	// So may objects be gone that were only known as unreadable, or that an
	// outdated domain controller has shown as that after their deletion.
	for k, err := range r.l.Problems(ctx) {
		if err != nil {
			return err
		}
		if r.seen.has(k.ID) {
			continue
		}
		if h, err := r.l.Head(ctx, k.ID); err != nil {
			return err
		} else if h == nil && !r.several() || h != nil && h.Home == r.from.home && h.Presence == plan.Deleted {
			left := slices.DeleteFunc(k.Value, func(p plan.Problem) bool { return h == nil || p.Code == "unreadable" })
			if err := r.l.Unit(ctx, func() error { return r.l.SetProblems(k.ID, left) }); err != nil {
				return err
			}
		}
	}
	suspects = append(suspects, beside...)
	for ids := range slices.Chunk(suspects, findBatch) {
		err := r.consume(ctx, r.from, source.Find(ctx, r.from.src, ids), false)
		if err != nil && !errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("look up what a full read of %s didn't give: %w", r.from.src.Name(), err)
		}
	}
	for _, id := range suspects {
		if r.seen.has(id) {
			continue
		}
		if err := r.l.Unit(ctx, func() error { return r.observeMissing(ctx, id) }); err != nil {
			return err
		}
	}
	return r.missGroups(ctx, r.from)
}

// forgetUnread ends what is told of objects that were only known as unreadable, once
// each of several sources was read whole and none gave them. What one of them
// doesn't give says nothing: another may have told it. With a single source
// [run.confirmSuspects] does it.
func (r *run) forgetUnread(ctx context.Context) error {
	if !r.several() || !r.full {
		return nil
	}
	for k, err := range r.l.Problems(ctx) {
		if err != nil {
			return err
		}
		if r.spoiled[k.ID] {
			continue
		}
		if h, err := r.l.Head(ctx, k.ID); err != nil {
			return err
		} else if h != nil {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(k.Value), func(p plan.Problem) bool { return p.Code == "unreadable" })
		if err := r.l.Unit(ctx, func() error { return r.l.SetProblems(k.ID, left) }); err != nil {
			return err
		}
	}
	return nil
}

// keptDeleted is how long an account in the target's bin is remembered: longer
// than any bin keeps it.
const keptDeleted = 60 * 24 * time.Hour

// prune forgets an object that was deleted long ago.
func (r *run) prune(ctx context.Context, id source.ID) error {
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil || e.Owned() {
		return err
	}
	if in, err := r.l.Intent(ctx, id); in != nil || err != nil {
		return err // an account may still come of it
	}
	if e.Link != nil {
		if r.report.Started.Sub(e.Link.Binned) < keptDeleted {
			return nil
		}
		r.l.ClearOwner(e.Link.ID)
	}
	return r.forget(ctx, e)
}

// observeMissing remembers that nothing is known about an object any more.
func (r *run) observeMissing(ctx context.Context, id source.ID) error {
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil {
		return err
	}
	r.uncouple(e)
	if there, err := r.departed(ctx, e); there || err != nil {
		return err
	}
	in, err := r.l.Intent(ctx, id)
	if err != nil {
		return err
	}
	if e.Link == nil && in == nil && e.Joined.To == "" {
		return r.forget(ctx, e)
	}
	if e.Presence == plan.Missing {
		return nil
	}
	e.Presence, e.Digest = plan.Missing, [sha256.Size]byte{}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	return r.markDue(ctx, id, "")
}

// An idSet is a set of IDs in 16 bytes each, whatever their length.
type idSet struct{ m map[[16]byte]struct{} }

func newIDSet() *idSet { return &idSet{make(map[[16]byte]struct{})} }

func (s *idSet) key(id source.ID) [16]byte {
	sum := sha256.Sum256([]byte(id))
	return [16]byte(sum[:16])
}

func (s *idSet) add(id source.ID)      { s.m[s.key(id)] = struct{}{} }
func (s *idSet) has(id source.ID) bool { _, ok := s.m[s.key(id)]; return ok }
