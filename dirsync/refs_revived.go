package dirsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
)

// checkRefsTo notes that an object came back from its deletion, if ev says so. Those
// that referred to it may not do so any more, and will never say that. It belongs into
// the unit in which ev is remembered: the reads after it don't tell it again.
func (r *run) checkRefsTo(ev source.Event) {
	if ev.Revived && (r.refers() || r.byGroup()) {
		r.l.SetRefCheck(ev.Object.ID)
	}
}

// confirmRefs asks the source which references to objects that came back don't
// hold any more. A deny is the holder's word, as good as an event. Where the source
// can't tell now, because the object is gone again or it can't speak for the moment of
// the watermark, it is asked again in the next run.
func (r *run) confirmRefs(ctx context.Context) error {
	if !r.refers() && !r.byGroup() {
		return nil
	}
	w, err := r.l.Watermark(ctx)
	if w.Value == "" || err != nil {
		return err
	}
	for id, err := range r.l.RefChecks(ctx) {
		if err != nil {
			return err
		}
		h, err := r.l.Head(ctx, id)
		if err != nil {
			return err
		}
		if h != nil {
			if h.Presence == plan.Deleted || h.Presence == plan.Missing {
				continue // until it comes back once more
			}
			err = r.confirmRefsTo(ctx, w.Value, id)
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, source.ErrWatermarkExpired), errors.Is(err, source.ErrIncomplete):
			r.opt.Logger.Info("who refers to an object that came back can't be asked now", "source", r.src.Name(), "object", string(id), "reason", err)
			continue
		case errors.Is(err, errors.ErrUnsupported): // only a complete read can tell
		case err != nil:
			return err
		}
		if err := r.l.Unit(ctx, func() error { r.l.ClearRefCheck(id); return nil }); err != nil {
			return err
		}
	}
	return nil
}

// confirmRefsTo asks all that refer to id as far as is known, some at a time: what
// is synchronized, and the groups by which the scope goes.
func (r *run) confirmRefsTo(ctx context.Context, w source.Watermark, id source.ID) error {
	holders := map[string][]source.ID{} // by what the source calls the reference
	ask := func(attr string) error {
		ids := holders[attr]
		delete(holders, attr)
		for ev, err := range source.Confirm(ctx, r.src, w, id, attr, ids) {
			if err != nil {
				return fmt.Errorf("ask who refers to %s: %w", id, err)
			}
			x := ev.References
			if ev.Op != source.Refers || x == nil || x.First || x.Last || len(x.Add) > 0 || !slices.Equal(x.Remove, []source.ID{id}) ||
				!slices.Contains(ids, ev.Object.ID) {
				return fmt.Errorf("asked who refers to %s, the source said something else", id)
			}
			if err := r.takeRefs(ctx, ev); err != nil {
				return err
			}
		}
		return ctx.Err()
	}
	groups, err := r.l.RosteredIn(ctx, id)
	if err != nil {
		return err
	}
	if len(groups) > 0 {
		holders["member"] = groups
	}
	for k, err := range r.l.RefsTo(ctx, id) {
		if err != nil {
			return err
		}
		if x, err := r.l.Ref(ctx, k); err != nil {
			return err
		} else if x == nil || !x.Wanted {
			continue
		}
		attr := sourceAttribute(k.Attribute)
		if slices.Contains(groups, k.Holder) && attr == "member" {
			continue // asked already
		}
		holders[attr] = append(holders[attr], k.Holder)
		if len(holders[attr]) >= findBatch {
			if err := ask(attr); err != nil {
				return err
			}
		}
	}
	for _, attr := range slices.Sorted(maps.Keys(holders)) {
		if err := ask(attr); err != nil {
			return err
		}
	}
	return nil
}

// sourceAttribute is what the source calls what the target calls attr.
func sourceAttribute(attr string) string {
	for name, a := range refAttributes {
		if a == attr {
			return name
		}
	}
	return ""
}
