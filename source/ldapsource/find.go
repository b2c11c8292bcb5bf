package ldapsource

import (
	"context"
	"iter"

	"github.com/dirbridge/dirbridge/source"
)

// Find implements [source.Finder]: it looks objects up by objectGUID in the
// whole domain, deleted ones included. An ID that isn't a GUID is nobody's.
func (s *Source) Find(ctx context.Context, ids []source.ID) iter.Seq2[source.Event, error] {
	return s.events(ctx, -1, func(o *op, yield func(source.Event) bool) error {
		if err := o.sess.resolve(o.ctx, s.scope); err != nil {
			return err
		}
		var list []guid
		for _, id := range ids {
			if g, ok := parseGUID(string(id)); ok {
				list = append(list, g)
			}
		}
		return o.byGUID(list, true, func(r record) error {
			if e, ok := o.event(r); ok || r.deleted {
				if !yield(e) {
					return errStopped
				}
				return nil
			}
			if !yield(o.left(r, "not a person")) {
				return errStopped
			}
			return nil
		}, yield)
	})
}
