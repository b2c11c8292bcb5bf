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

// confirmRefs asks the sources which references to objects that came back don't
// hold any more. A deny is the holder's word, as good as an event. Where that can't be
// told now, because the object is gone again or a source can't speak for the moment of
// its watermark, it is asked again in the next run.
func (r *run) confirmRefs(ctx context.Context) error {
	if !r.refers() && !r.byGroup() {
		return nil
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
			if done, err := r.confirmRefsOf(ctx, id); err != nil {
				return err
			} else if !done {
				continue
			}
		}
		if err := r.l.Unit(ctx, func() error { r.l.ClearRefCheck(id); return nil }); err != nil {
			return err
		}
	}
	return r.l.Flush(ctx)
}

// confirmRefsOf asks each source for what it holds. done says that one of them has
// the object, and that all said what they know.
func (r *run) confirmRefsOf(ctx context.Context, id source.ID) (done bool, err error) {
	all, some, able := true, false, false
	for _, o := range r.origins {
		if o.err != nil {
			all = false
			continue
		}
		w, err := r.l.Watermark(ctx, o.home)
		if err != nil {
			return false, err
		}
		r.from = o
		err = r.confirmRefsTo(ctx, w.Value, id)
		able = able || !errors.Is(err, errors.ErrUnsupported)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case err == nil:
			some = true
		case errors.Is(err, errors.ErrUnsupported): // only a complete read can tell
		case errors.Is(err, source.ErrIncomplete): // the object isn't there, most likely
		case errors.Is(err, source.ErrWatermarkExpired):
			all = false
		case r.several() && errors.As(err, new(sourceError)):
			o.err, all = fmt.Errorf("look up objects in the source %s: %w", o.src.Name(), err), false
		default:
			return false, fmt.Errorf("read the source %s: %w", o.src.Name(), err)
		}
	}
	if done = all && (some || !able); !done {
		r.opt.Logger.Info("who refers to an object that came back can't be asked now", "object", string(id))
	}
	return done, nil
}

// confirmRefsTo asks all that refer to id as far as is known, some at a time: what
// is synchronized, and the groups by which the scope goes.
func (r *run) confirmRefsTo(ctx context.Context, w source.Watermark, id source.ID) error {
	holders := map[string][]source.ID{} // by what the source calls the reference
	ask := func(attr string) error {
		ids := holders[attr]
		delete(holders, attr)
		for ev, err := range source.Confirm(ctx, r.from.src, w, id, attr, ids) {
			if err != nil {
				return sourceError{fmt.Errorf("ask who refers to %s: %w", id, err)}
			}
			x := ev.References
			if ev.Op != source.Refers || x == nil || x.First || x.Last || len(x.Add) > 0 || !slices.Equal(x.Remove, []source.ID{id}) ||
				!slices.Contains(ids, ev.Object.ID) {
				return sourceError{fmt.Errorf("asked who refers to %s, the source said something else", id)}
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
