package ldapsource

import (
	"slices"
	"strconv"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// A look is a search for objects and what is wanted of them.
type look struct {
	base    string
	scope   int
	filter  string
	deleted bool // deleted ones too
	refs    bool // of those that are in scope, also whom they refer to, whole

	// means says what an entry means, ok if anything.
	means func(record) (e source.Event, ok bool)
}

// objects emits what the entries that l finds mean: of each an event, and whom
// it refers to. Large sets are told once their page is complete: only then is
// the connection free to fetch the rest.
func (o *op) objects(l look, emit func(source.Event) error) error {
	k := o.src.kinds
	refs := l.refs && len(k.refs) > 0
	q := query{base: l.base, scope: l.scope, filter: l.filter, attrs: append(slices.Clone(bookkeeping), o.src.asked...),
		controls: o.sess.supported(oidDomainScope)}
	if l.deleted {
		q.controls = o.sess.supported(oidDomainScope, oidShowDeleted, oidShowRecycled)
	}
	if k.containers {
		q.attrs = append(q.attrs, "parentGUID")
	}
	plain := q
	if refs {
		extended, err := o.sess.extendedDN()
		if err != nil {
			return err
		}
		q.attrs, q.controls = append(slices.Clone(q.attrs), k.asked(o.src.pieces)...), append(slices.Clone(q.controls), extended)
	}
	type part struct {
		entry  *ldap.Entry
		pieces map[string]piece
	}
	var parts []part
	var sets []refSet
	take := func(e *ldap.Entry, pieces map[string]piece) error {
		r, err := o.src.decode(e)
		if err != nil {
			return emit(unreadable(r, err))
		}
		ev, ok := l.means(r)
		if !ok {
			return nil
		}
		if err := emit(ev); err != nil || ev.Op != source.Upsert || !refs {
			return err
		}
		more, err := o.begin(r, pieces, emit)
		sets = append(sets, more...)
		return err
	}
	return o.sess.paged(o.ctx, q, o.src.opts.PageSize,
		func(e *ldap.Entry) error {
			var pieces map[string]piece
			if refs {
				pieces = k.takeReferences(e)
				unextend(e)
			}
			if partial(e) {
				parts = append(parts, part{e, pieces})
				return nil
			}
			return take(e, pieces)
		},
		func() error {
			for _, p := range parts {
				e, err := o.sess.whole(o.ctx, p.entry, plain)
				if err != nil {
					return err
				}
				if e == nil {
					continue
				}
				if err := take(e, p.pieces); err != nil {
					return err
				}
			}
			for _, s := range sets {
				if err := o.finish(s, emit); err != nil {
					return err
				}
			}
			parts, sets = nil, nil
			return nil
		})
}

// asked are the references as they are asked for in a search: sets in pieces of
// so many values.
func (k kinds) asked(pieces int) []string {
	var names []string
	for _, r := range k.refs {
		name := r.name
		if name == "member" {
			name += ";range=0-" + strconv.Itoa(pieces-1)
		}
		names = append(names, name)
	}
	return names
}

// unextend takes from all DNs in e what the extended-DN control put there.
func unextend(e *ldap.Entry) {
	e.DN = plainDN(e.DN)
	for _, a := range e.Attributes {
		for i, v := range a.Values {
			a.Values[i] = plainDN(v)
		}
	}
}

// tellObjects yields what objects emits, which goes on beside the reader.
func (o *op) tellObjects(l look, yield func(source.Event) bool) error {
	size := o.src.opts.PageSize
	if l.refs && len(o.src.kinds.refs) > 0 {
		size = min(size, waiting)
	}
	for e, err := range o.pump(size, func(emit func(source.Event) error) error { return o.objects(l, emit) }) {
		if err != nil {
			return err
		}
		if !yield(e) {
			return errStopped
		}
	}
	return nil
}
