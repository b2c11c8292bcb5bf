package ldapsource

import (
	"fmt"
	"slices"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// batch is how many objects are looked up in one search.
const batch = 100

// byGUID reads objects by objectGUID anywhere in the domain, deleted ones too if
// asked, and gives each that is found to each. One that can't be decoded is
// yielded as such.
func (o *op) byGUID(ids []guid, deleted bool, each func(record) error, yield func(source.Event) bool) error {
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, attrs: append(slices.Clone(bookkeeping), o.src.asked...),
		controls: o.sess.supported(oidDomainScope)}
	if deleted {
		q.controls = o.sess.supported(oidDomainScope, oidShowDeleted, oidShowRecycled)
	}
	for some := range slices.Chunk(ids, batch) {
		q.filter = filterOfGUIDs(some)
		var found []*ldap.Entry // at most a batch: each may send requests of its own
		if err := o.read(q, func(e *ldap.Entry) error { found = append(found, e); return nil }); err != nil {
			return err
		}
		for _, e := range found {
			r, err := o.src.attrs.decode(e)
			if err != nil {
				if !yield(unreadable(e.DN, err)) {
					return errStopped
				}
				continue
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// say yields what a record of a user means: it is there, has left, or is
// deleted. Machines were never there.
func (o *op) say(r record, yield func(source.Event) bool) error {
	e, ok := o.event(r)
	if ok && !yield(e) {
		return errStopped
	}
	return nil
}

// event is what a record means, ok if it means anything.
func (o *op) event(r record) (e source.Event, ok bool) {
	if r.deleted || o.sess.isDeletedDN(r.object.DN) {
		return o.gone(r.guid, r.object.DN), r.class != container
	}
	if r.class != person {
		return e, false
	}
	in, err := withinAny(r.object.DN, o.sess.bases)
	switch {
	case err != nil:
		return source.Event{Op: source.Unreadable, Object: r.object, Err: err}, true
	case in:
		return source.Event{Op: source.Upsert, Object: r.object}, true
	}
	return o.left(r, "moved out of scope"), true
}

// gone is the event for an object whose tombstone was seen at dn.
func (o *op) gone(g guid, dn string) source.Event {
	return source.Event{Op: source.Deleted, Object: source.Object{ID: g.id(), Kind: source.User, DN: dn},
		Evidence: source.Evidence{Kind: "tombstone", Detail: dn, Seen: o.now()}}
}

// left is the event for an object seen outside the scope.
func (o *op) left(r record, why string) source.Event {
	return source.Event{Op: source.Left, Object: source.Object{ID: r.object.ID, Kind: source.User, DN: r.object.DN},
		Evidence: source.Evidence{Kind: why, Detail: r.object.DN, Seen: o.now()}}
}

// below yields everybody below containers that were renamed or moved: their
// names changed, and perhaps whether they are in scope, but the directory says
// nothing of it.
func (o *op) below(containers []string, mark *watermark, yield func(source.Event) bool) error {
	for _, dn := range containers {
		q := query{base: dn, scope: ldap.ScopeWholeSubtree, filter: peopleFilter,
			attrs: append(slices.Clone(bookkeeping), o.src.asked...), controls: o.sess.supported(oidDomainScope)}
		events := o.pump(o.src.opts.PageSize, func(emit func(source.Event) error) error {
			err := o.read(q, func(e *ldap.Entry) error {
				r, err := o.src.attrs.decode(e)
				if err != nil {
					return emit(unreadable(e.DN, err))
				}
				mark.witness(r)
				if ev, ok := o.event(r); ok {
					return emit(ev)
				}
				return nil
			})
			if code(err) == ldap.LDAPResultNoSuchObject {
				return nil // moved again meanwhile: the next delta says where
			}
			return err
		})
		for e, err := range events {
			if err != nil {
				return fmt.Errorf("below %q: %w", dn, err)
			}
			if !yield(e) {
				return errStopped
			}
		}
	}
	return nil
}
