package ldapsource

import (
	"fmt"
	"strconv"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// sinceUSN tells what changed by uSNChanged, deleted objects included. The
// answers hold whole objects, in no order, so there is one checkpoint, at the
// end; its USN was read before the search.
func (o *op) sinceUSN(mark watermark, yield func(source.Event) bool) error {
	from := mark.USN + 1
	mark.USN, mark.Time = o.sess.root.usn, o.sess.root.now
	if from <= mark.USN {
		if err := o.changedSince(from, &mark, yield); err != nil {
			return err
		}
	}
	yield(source.Event{Op: source.Checkpoint, Watermark: mark.text()})
	return nil
}

// changedSince yields what changed from this USN on.
func (o *op) changedSince(from int64, mark *watermark, yield func(source.Event) bool) error {
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree,
		filter:   "(&(uSNChanged>=" + strconv.FormatInt(from, 10) + ")" + deltaFilter + ")",
		attrs:    append(append([]string(nil), bookkeeping...), o.src.asked...),
		controls: o.sess.supported(oidDomainScope, oidShowDeleted, oidShowRecycled)}
	var containers []string
	events := o.pump(o.src.opts.PageSize, func(emit func(source.Event) error) error {
		return o.read(q, func(e *ldap.Entry) error {
			r, err := o.src.attrs.decode(e)
			if err != nil {
				return emit(unreadable(e.DN, err))
			}
			if r.class == container && !r.deleted {
				containers = append(containers, r.object.DN) // renamed, moved, or only touched
				return nil
			}
			mark.witness(r)
			if ev, ok := o.event(r); ok {
				return emit(ev)
			}
			return nil
		})
	})
	for e, err := range events {
		if err != nil {
			return fmt.Errorf("changes from USN %d on: %w", from, err)
		}
		if !yield(e) {
			return errStopped
		}
	}
	return o.below(containers, mark, yield)
}
