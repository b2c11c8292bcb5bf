package ldapsource

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// Confirm implements [source.Confirmer]: it searches for those of holders that
// don't have the object as a value. It asks the domain controller that w is of,
// or none.
func (s *Source) Confirm(ctx context.Context, w source.Watermark, to source.ID, attribute string, holders []source.ID) iter.Seq2[source.Event, error] {
	mark, err := parseWatermark(w)
	if err == nil {
		err = mark.fits(s.hash, s.opts.Delta)
	}
	if err != nil {
		return func(yield func(source.Event, error) bool) {
			yield(source.Event{}, fmt.Errorf("%s: %w", s.name, expired(err)))
		}
	}
	return s.events(ctx, s.serverOf(mark), func(o *op, yield func(source.Event) bool) error {
		if !o.kept || o.sess.vouched != w {
			if err := o.trust(mark); err != nil {
				return err
			}
		}
		i := slices.IndexFunc(s.kinds.refs, func(r reference) bool { return r.name == attribute })
		object, ok := parseGUID(string(to))
		if i < 0 || !ok {
			return nil
		}
		if err := o.sess.resolve(o.ctx, s.scope); err != nil {
			return err
		}
		var list []guid
		for _, id := range holders {
			if g, ok := parseGUID(string(id)); ok {
				list = append(list, g)
			}
		}
		for some := range slices.Chunk(list, batch) {
			if err := o.deny(object, s.kinds.refs[i], some, yield); err != nil {
				return err
			}
		}
		return nil
	})
}

// deny yields which of holders don't refer to the object. A filter names it by its
// DN, and of a DN that is nobody's everything would be denied: so the object must
// have had that DN before and after the search.
func (o *op) deny(object guid, ref reference, holders []guid, yield func(source.Event) bool) error {
	for range 4 {
		dn, err := o.dnOf(object)
		if err != nil {
			return err
		}
		found, err := o.without(dn, ref, holders)
		if err != nil {
			return err
		}
		if again, err := o.dnOf(object); err != nil {
			return err
		} else if again != dn {
			continue
		}
		for _, x := range found {
			if o.src.kinds.primary && ref.name == "member" {
				g, _ := parseGUID(string(x.ID))
				if kept, err := o.primaryAmong(g, []guid{object}); err != nil {
					return err
				} else if kept[object] {
					continue
				}
			}
			e := source.Event{Op: source.Refers, Object: x, References: &source.References{Attribute: ref.name, Remove: []source.ID{object.id()}}}
			if !yield(e) {
				return errStopped
			}
		}
		return nil
	}
	return fmt.Errorf("%w: references to %s: %w", source.ErrIncomplete, object.id(), errMoving)
}

// dnOf is where an object is that isn't deleted.
func (o *op) dnOf(g guid) (string, error) {
	e, _, err := o.sess.lookup(o.ctx, "<GUID="+g.text()+">", "(objectClass=*)", []string{"objectGUID"})
	if err != nil && code(err) != ldap.LDAPResultNoSuchObject {
		return "", fmt.Errorf("look for %s: %w", g.id(), err)
	}
	if e != nil && !o.sess.isDeletedDN(e.DN) {
		if seen, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID")); err == nil && seen == g {
			return e.DN, nil
		}
	}
	return "", fmt.Errorf("%w: %s isn't found", source.ErrIncomplete, g.id())
}

// without finds those of holders, in scope and of the kind that has this
// reference, whose values don't hold dn. Where the account may not read the
// attribute, Active Directory takes neither the filter nor its opposite as true.
func (o *op) without(dn string, ref reference, holders []guid) (found []source.Object, err error) {
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, controls: o.sess.supported(oidDomainScope),
		attrs:  append(slices.Clone(bookkeeping), "objectGUID", "objectClass", "userAccountControl"),
		filter: "(&" + filterOfGUIDs(holders) + "(!(" + ref.name + "=" + escapeBytes([]byte(dn)) + ")))"}
	err = o.read(q, func(e *ldap.Entry) error {
		r, err := o.src.decode(e)
		if err != nil {
			return fmt.Errorf("%w: %w", source.ErrIncomplete, err)
		}
		ev, ok := o.event(r)
		if ok && ev.Op == source.Upsert && r.object.Kind == ref.kind {
			found = append(found, source.Object{ID: r.object.ID, Kind: r.object.Kind, DN: r.object.DN})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("confirm %s: %w", ref.name, err)
	}
	return found, nil
}
