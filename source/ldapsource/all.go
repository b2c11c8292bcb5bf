package ldapsource

import (
	"context"
	"fmt"
	"iter"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// peopleFilter finds the people of a full read. Both attributes are indexed;
// computers have another objectCategory, contacts another class.
const peopleFilter = "(&(objectCategory=person)(objectClass=user))"

// All implements [source.Source]. It yields one Checkpoint, at the end; its
// watermark was taken before the first search.
func (s *Source) All(ctx context.Context) iter.Seq2[source.Event, error] {
	return s.events(ctx, -1, func(o *op, yield func(source.Event) bool) error {
		if err := o.sess.resolve(o.ctx, s.scope); err != nil {
			return err
		}
		mark, err := o.mark()
		if err != nil {
			return err
		}
		o.containers.all = true
		for _, base := range s.scope.bases {
			l := look{base: base, scope: ldap.ScopeWholeSubtree, filter: s.kinds.filter(), refs: true, means: func(r record) (source.Event, bool) {
				_, ok := s.kinds.kind(r.class)
				r.revived = false // everything is told whole
				return o.here(r), ok
			}}
			if err := o.tellObjects(l, yield); err != nil {
				return fmt.Errorf("base DN %q: %w", base, err)
			}
		}
		return o.checkpoint(&mark, yield)
	})
}

// events is the frame of every sequence: it opens an op, runs body, and yields
// body's error, if any, once and last. body returns errStopped, or what it
// likes, after yield was false.
func (s *Source) events(ctx context.Context, prefer int, body func(o *op, yield func(source.Event) bool) error) iter.Seq2[source.Event, error] {
	return func(yield func(source.Event, error) bool) {
		o, err := s.open(ctx, prefer)
		if err != nil {
			yield(source.Event{}, s.final(ctx, err))
			return
		}
		stopped := false
		err = body(o, func(e source.Event) bool {
			stopped = stopped || !yield(e, nil)
			return !stopped && ctx.Err() == nil
		})
		if err == nil {
			err = ctx.Err() // what came may be whole, but nobody waits for it
		}
		if stopped || err != nil && code(err) == 0 {
			o.sess.unusable = true
		}
		o.end()
		if err != nil && !stopped {
			yield(source.Event{}, s.final(ctx, err))
		}
	}
}

// final is err as the caller sees it.
func (s *Source) final(ctx context.Context, err error) error {
	if cause := ctx.Err(); cause != nil {
		err = fmt.Errorf("%w: %w", source.ErrIncomplete, cause)
	}
	return fmt.Errorf("%s: %w", s.name, classify(err))
}
