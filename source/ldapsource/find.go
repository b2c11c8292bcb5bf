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
		why := "not a person"
		if !s.kinds.peopleOnly() {
			why = "not of a kind that is read"
		}
		var list []guid
		for _, id := range ids {
			if g, ok := parseGUID(string(id)); ok {
				list = append(list, g)
			}
		}
		return o.byGUID(list, look{deleted: true, refs: true, means: func(r record) (source.Event, bool) {
			e, ok := o.event(r)
			switch {
			case !ok && r.deleted:
				e = o.gone(r.guid, r.object.Kind, r.object.DN)
			case !ok:
				e = o.left(r, why)
			}
			return e, true
		}}, yield)
	})
}
