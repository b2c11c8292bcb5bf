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
		if err := o.changedSince(from, yield); err != nil {
			return err
		}
	}
	return o.checkpoint(&mark, yield)
}

// changedSince yields what changed from this USN on.
func (o *op) changedSince(from int64, yield func(source.Event) bool) error {
	var containers []string
	primaries := holding{}
	l := look{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, deleted: true, refs: true,
		filter: "(&(uSNChanged>=" + strconv.FormatInt(from, 10) + ")" + o.src.kinds.deltaFilter() + ")",
		means: func(r record) (source.Event, bool) {
			if r.class == container && !r.deleted && o.crosses(r) {
				containers = append(containers, r.object.DN) // renamed, moved, or only touched
			}
			primaries.note(r)
			return o.event(r)
		}}
	if err := o.tellObjects(l, yield); err != nil {
		return fmt.Errorf("changes from USN %d on: %w", from, err)
	}
	if err := o.tellPrimaries(primaries, yield); err != nil {
		return err
	}
	return o.below(containers, yield)
}
