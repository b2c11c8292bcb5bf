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
		events := o.pump(s.opts.PageSize, func(emit func(source.Event) error) error {
			for _, base := range s.scope.bases {
				if err := o.people(base, &mark, emit); err != nil {
					return fmt.Errorf("base DN %q: %w", base, err)
				}
			}
			return nil
		})
		for e, err := range events {
			if err != nil {
				return err
			}
			if !yield(e) {
				return errStopped
			}
		}
		yield(source.Event{Op: source.Checkpoint, Watermark: mark.text()})
		return nil
	})
}

// people emits an Upsert for everybody at or below base.
func (o *op) people(base string, mark *watermark, emit func(source.Event) error) error {
	q := query{base: base, scope: ldap.ScopeWholeSubtree, filter: peopleFilter,
		attrs: append([]string{"uSNChanged"}, o.src.asked...), controls: o.sess.supported(oidDomainScope)}
	return o.read(q, func(e *ldap.Entry) error {
		r, err := o.src.attrs.decode(e)
		if err != nil {
			return emit(unreadable(e.DN, err))
		}
		if r.class != person {
			return nil
		}
		mark.witness(r)
		return emit(source.Event{Op: source.Upsert, Object: r.object})
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
