package ldapsource

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// batch is how many objects are looked up in one search.
const batch = 100

// byGUID yields what objects anywhere in the domain mean, found by objectGUID.
// Where and by what filter isn't l's to say.
func (o *op) byGUID(ids []guid, l look, yield func(source.Event) bool) error {
	l.base, l.scope = o.sess.root.domain, ldap.ScopeWholeSubtree
	for some := range slices.Chunk(ids, batch) {
		l.filter = filterOfGUIDs(some)
		if err := o.tellObjects(l, yield); err != nil {
			return err
		}
	}
	return nil
}

// event is what a record means: it is there, has left, or is deleted; ok if it
// means anything. Machines were never there.
func (o *op) event(r record) (e source.Event, ok bool) {
	if strings.EqualFold(r.object.DN, o.deletedObjects()) {
		return e, false // it says that it is deleted itself
	}
	kind, ok := o.src.kinds.kind(r.class)
	if r.deleted || o.sess.isDeletedDN(r.object.DN) {
		o.containers.note(r, false)
		return o.gone(r.guid, kind, r.object.DN), ok || o.src.kinds.peopleOnly() && r.class != container
	}
	if !ok {
		return e, false
	}
	in, err := withinAny(r.object.DN, o.sess.bases)
	switch {
	case err != nil:
		return source.Event{Op: source.Unreadable, Object: r.object, Err: err}, true
	case in:
		return o.here(r), true
	}
	o.containers.note(r, false)
	return o.left(r, "moved out of scope"), true
}

// gone is the event for an object whose tombstone was seen at dn.
func (o *op) gone(g guid, kind source.Kind, dn string) source.Event {
	return source.Event{Op: source.Deleted, Object: source.Object{ID: g.id(), Kind: kind, DN: dn},
		Evidence: source.Evidence{Kind: "tombstone", Detail: dn, Seen: o.now()}}
}

// left is the event for an object seen outside the scope.
func (o *op) left(r record, why string) source.Event {
	return source.Event{Op: source.Left, Object: source.Object{ID: r.object.ID, Kind: r.object.Kind, DN: r.object.DN}, Revived: r.revived,
		Evidence: source.Evidence{Kind: why, Detail: r.object.DN, Seen: o.now()}}
}

// here is the event for an object that is in scope.
func (o *op) here(r record) source.Event {
	o.containers.note(r, true)
	if r.class == container && o.top(r.object.DN) {
		r.object.Parent = ""
	}
	return source.Event{Op: source.Upsert, Object: r.object, Revived: r.revived}
}

// top reports whether dn is one of the bases: what is above it isn't read.
func (o *op) top(dn string) bool {
	p, err := ldap.ParseDN(dn)
	return err == nil && slices.ContainsFunc(o.sess.bases, p.EqualFold)
}

// everywhere reports whether nothing in the domain is out of scope.
func (o *op) everywhere() bool {
	return len(o.sess.bases) == 1 && len(o.sess.bases[0].RDNs) == len(o.sess.domain.RDNs)
}

// below yields everybody below containers that were renamed or moved: their
// names changed, and perhaps whether they are in scope, but the directory says
// nothing of it.
func (o *op) below(containers []string, yield func(source.Event) bool) error {
	for _, dn := range containers {
		err := o.tellObjects(look{base: dn, scope: ldap.ScopeWholeSubtree, filter: o.src.kinds.filter(), refs: true, means: o.event}, yield)
		if code(err) == ldap.LDAPResultNoSuchObject {
			continue // moved again meanwhile: the next delta says where
		}
		if err != nil {
			return fmt.Errorf("below %q: %w", dn, err)
		}
	}
	return nil
}
