package memsource

import (
	"context"
	"fmt"
	"iter"

	"github.com/dirbridge/dirbridge/source"
)

// Confirm yields which of holders don't refer to the object to. See
// [source.Confirmer].
func (s *Source) Confirm(ctx context.Context, w source.Watermark, to source.ID, attribute string, holders []source.ID) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		for _, id := range holders {
			if err := ctx.Err(); err != nil {
				yield(source.Event{}, fmt.Errorf("confirm references in %s: %w", s.name, err))
				return
			}
			ev, denied, err := s.denies(w, id, attribute, to)
			if err != nil {
				yield(source.Event{}, fmt.Errorf("confirm references in %s: %w", s.name, err))
				return
			}
			if denied && !yield(ev, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield(source.Event{}, fmt.Errorf("confirm references in %s: %w", s.name, err))
		}
	}
}

// denies reports whether the object id certainly doesn't refer to another one.
func (s *Source) denies(w source.Watermark, id source.ID, attribute string, to source.ID) (ev source.Event, denied bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, _, err := s.resume(w); err != nil {
		return ev, false, err
	}
	e, t := s.entries[id], s.entries[to]
	switch {
	case t == nil || t.state == deleted || t.state == hidden:
		return ev, false, fmt.Errorf("%w: %s isn't found", source.ErrIncomplete, to)
	case !e.tells():
		return ev, false, nil
	}
	if set := s.sets[setKey{id, attribute}]; set != nil {
		if m, ok := set.marks[to]; ok && !m.gone && !m.lost {
			return ev, false, nil
		}
	}
	return source.Event{Op: source.Refers, Object: source.Object{ID: id, Kind: e.kind},
		References: &source.References{Attribute: attribute, Remove: []source.ID{to}}}, true, nil
}
