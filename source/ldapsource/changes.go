package ldapsource

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// A change is what DirSync says about one object: which, what came and went of
// its references, and hardly more.
type change struct {
	guid    guid
	dn      string
	deleted bool
	moved   bool // renamed, moved, or new
	fresh   bool // new or undeleted
	revived bool // undeleted
	more    bool // something changed besides references
	refs    []refChange
}

// A refChange is what came and went of one set. Unclear means that the set must
// be read.
type refChange struct {
	reference
	add, remove  []guid
	unidentified int
	whole        bool // add is all of it
	unclear      bool
}

// changes collects the changes of one answer, each object once and in its last
// state: an object may come several times, in parts.
type changes struct {
	list []change
	at   map[guid]int
}

// add takes one entry of an answer.
func (c *changes) add(o *op, e *ldap.Entry) error {
	dn := plainDN(e.DN)
	g, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID"))
	if err != nil {
		return fmt.Errorf("%w: DirSync entry %q: %w", source.ErrIncomplete, dn, err)
	}
	if strings.EqualFold(dn, o.deletedObjects()) {
		return nil // it says that it is deleted itself
	}
	if c.at == nil {
		c.at = map[guid]int{}
	}
	i, ok := c.at[g]
	if !ok {
		i = len(c.list)
		c.at[g], c.list = i, append(c.list, change{guid: g})
	}
	x := &c.list[i]
	x.dn = dn
	for _, a := range e.Attributes {
		if x.refers(o.src.kinds, a) {
			continue
		}
		switch strings.ToLower(a.Name) {
		case "objectguid", "instancetype": // always there
			continue
		case "isdeleted": // undeleted: it comes without a value
			x.deleted = len(a.Values) > 0 && strings.EqualFold(a.Values[0], "TRUE")
			x.revived = !x.deleted
			x.fresh = x.fresh || x.revived
		case "name", "parentguid":
			x.moved = true
		case "objectclass":
			x.fresh = true
		}
		x.more = true
	}
	if o.sess.isDeletedDN(dn) {
		x.deleted = true
	}
	return nil
}

// refers takes a if it is a reference: values that came ("member;range=1-1") or
// went ("member;range=0-0"), or, without such an option, all of them.
func (x *change) refers(k kinds, a *ldap.EntryAttribute) bool {
	name, option, _ := strings.Cut(a.Name, ";")
	i := slices.IndexFunc(k.refs, func(r reference) bool { return strings.EqualFold(r.name, name) })
	if i < 0 {
		return false
	}
	at := slices.IndexFunc(x.refs, func(r refChange) bool { return r.reference == k.refs[i] })
	if at < 0 {
		at = len(x.refs)
		x.refs = append(x.refs, refChange{reference: k.refs[i]})
	}
	r := &x.refs[at]
	list, unidentified := guidsOf(a.Values)
	switch {
	case strings.EqualFold(option, "range=1-1"):
		r.add, r.unidentified = append(r.add, list...), r.unidentified+unidentified
		r.unclear = r.unclear || r.whole
	case strings.EqualFold(option, "range=0-0"):
		r.remove = append(r.remove, list...)
		r.unclear = r.unclear || r.whole
	case option != "", len(r.add)+len(r.remove) > 0, len(a.Values) > 1:
		r.unclear = true // "all, up to a server limit", or one thing and another
	default:
		r.add, r.unidentified, r.whole = list, unidentified, true
	}
	return true
}

// unclear reports whether x's references must be read.
func (x *change) unclear() bool {
	return slices.ContainsFunc(x.refs, func(r refChange) bool { return r.unclear })
}

// kind is of which kind an object must be that refers to others so, ok if that
// is certain: many sorts of objects have managedBy.
func (x *change) kind() (source.Kind, bool) {
	for _, r := range x.refs {
		if r.name != "managedBy" {
			return r.kind, true
		}
	}
	return "", false
}

// tellReferences yields what came and went of the references of x, which is of
// this kind and in scope.
func (x *change) tellReferences(kind source.Kind, yield func(source.Event) bool) error {
	object := source.Object{ID: x.guid.id(), Kind: kind, DN: x.dn}
	for _, r := range x.refs {
		if r.kind != kind {
			continue
		}
		add, remove, unidentified := idsOf(r.add), idsOf(r.remove), r.unidentified
		for first := true; first || len(add)+len(remove) > 0; first = false {
			n := min(idsAtOnce, len(add))
			m := min(idsAtOnce-n, len(remove))
			e := &source.References{Attribute: r.name, First: r.whole, Last: r.whole, Add: add[:n:n], Remove: remove[:m:m], Unidentified: unidentified}
			add, remove, unidentified = add[n:], remove[m:], 0
			if !yield(source.Event{Op: source.Refers, Object: object, References: e}) {
				return errStopped
			}
		}
	}
	return nil
}

// tell yields what is certain about changed objects now: of those of which
// nothing changed but references, the difference, and the others as they are.
func (o *op) tell(list []change, yield func(source.Event) bool) error {
	var gone, alive, anew []guid // anew: with their references whole
	at := map[guid]*change{}
	if err := o.keepPrimaries(list); err != nil {
		return err
	}
	primaries := holding{}
	for i := range list {
		c := &list[i]
		kind, certain := c.kind()
		switch {
		case c.deleted && o.src.kinds.peopleOnly():
			if !yield(o.gone(c.guid, source.User, c.dn)) {
				return errStopped
			}
			continue
		case c.deleted:
			gone = append(gone, c.guid)
		case len(o.src.kinds.refs) == 0:
			alive = append(alive, c.guid)
		case c.fresh, c.moved && !o.everywhere(), c.unclear():
			anew = append(anew, c.guid)
		case c.more, !certain:
			alive = append(alive, c.guid)
		default:
			if in, err := withinAny(c.dn, o.sess.bases); err != nil || !in {
				continue
			}
			if err := c.tellReferences(kind, yield); err != nil {
				return err
			}
			continue
		}
		at[c.guid] = c
	}
	if err := o.tellGone(gone, at, yield); err != nil {
		return err
	}
	var containers []string
	means := func(r record) (source.Event, bool) {
		if c := at[r.guid]; c != nil && c.moved && r.class == container && o.crosses(r) {
			containers = append(containers, r.object.DN)
		}
		if c := at[r.guid]; c != nil && c.revived {
			r.revived = !r.deleted
		}
		primaries.note(r)
		return o.event(r)
	}
	if err := o.byGUID(anew, look{refs: true, means: means}, yield); err != nil {
		return err
	}
	err := o.byGUID(alive, look{means: means}, func(e source.Event) bool {
		if !yield(e) {
			return false
		}
		g, _ := parseGUID(string(e.Object.ID))
		c := at[g]
		return c == nil || e.Op != source.Upsert || c.tellReferences(e.Object.Kind, yield) == nil
	})
	if err != nil {
		return err
	}
	if err := o.tellPrimaries(primaries, yield); err != nil {
		return err
	}
	return o.below(containers, yield)
}

// tellGone yields a Deleted for each of these. Only the class of its tombstone
// says what was deleted, and DirSync doesn't give it again.
func (o *op) tellGone(ids []guid, at map[guid]*change, yield func(source.Event) bool) error {
	told := map[guid]bool{}
	err := o.byGUID(ids, look{deleted: true, refs: true, means: func(r record) (source.Event, bool) {
		told[r.guid] = true
		return o.event(r)
	}}, yield)
	if err != nil {
		return err
	}
	for _, g := range ids {
		if !told[g] && !yield(o.gone(g, o.src.kinds.likely(at[g].dn), at[g].dn)) { // the account can't see tombstones
			return errStopped
		}
	}
	return nil
}
