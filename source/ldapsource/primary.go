package ldapsource

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// Whose primary group it is isn't among the members of a group in Active
// Directory: the account has the last part of the group's SID. With
// [Options.PrimaryGroups] those are told as members like any other. A domain
// controller makes somebody whose primary group becomes another one a member of
// the old one, so nothing but the directory's own word ever takes anybody out; but
// it also takes them out of the members of the new one, which isn't told.

// primaryAttributes are asked for, and not part of objects because of that.
var primaryAttributes = []string{"primaryGroupID", "objectSid"}

// A sid is an objectSid as it is stored, "" for none.
type sid string

// sidOf is the SID of a record.
func sidOf(a source.Attributes) sid {
	raw, err := base64.StdEncoding.DecodeString(a.First("objectSid"))
	if err != nil || !sid(raw).valid() {
		return ""
	}
	return sid(raw)
}

func (s sid) valid() bool { return len(s) >= 12 && len(s)%4 == 0 }

// rid is the last part of s.
func (s sid) rid() uint32 { return binary.LittleEndian.Uint32([]byte(s[len(s)-4:])) }

// with is s with another last part: another object of the same domain.
func (s sid) with(rid uint32) sid {
	return s[:len(s)-4] + sid(binary.LittleEndian.AppendUint32(nil, rid))
}

// primaryOf is the SID of the primary group of somebody, "" if it isn't known.
func primaryOf(a source.Attributes) sid {
	s := sidOf(a)
	rid, err := strconv.ParseUint(a.First("primaryGroupID"), 10, 32)
	if s == "" || err != nil {
		return ""
	}
	return s.with(uint32(rid))
}

// A holding is who have a group as their primary one, by its SID.
type holding map[sid][]guid

// note takes r as one of those who changed.
func (h holding) note(r record) {
	if r.class == person && !r.deleted && r.primary != "" {
		h[r.primary] = append(h[r.primary], r.guid)
	}
}

// tellPrimaries yields that people of whom something changed are members of their
// primary groups. Which part of it is news the directory doesn't say.
func (o *op) tellPrimaries(h holding, yield func(source.Event) bool) error {
	for _, s := range slices.Sorted(maps.Keys(h)) {
		var group *ldap.Entry
		q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, filter: "(&(objectClass=group)(objectSid=" + escapeBytes([]byte(s)) + "))",
			attrs: []string{"objectGUID"}, controls: o.sess.supported(oidDomainScope)}
		if err := o.sess.paged(o.ctx, q, o.src.opts.PageSize, func(e *ldap.Entry) error { group = e; return nil }, nil); err != nil {
			return fmt.Errorf("a primary group: %w", err)
		}
		if group == nil {
			continue
		}
		if in, err := withinAny(group.DN, o.sess.bases); err != nil || !in {
			continue
		}
		g, err := guidFrom(group.GetEqualFoldRawAttributeValue("objectGUID"))
		if err != nil {
			continue
		}
		for ids := range slices.Chunk(idsOf(h[s]), idsAtOnce) {
			ev := source.Event{Op: source.Refers, Object: source.Object{ID: g.id(), Kind: source.Group, DN: group.DN},
				References: &source.References{Attribute: "member", Add: ids}}
			if !yield(ev) {
				return errStopped
			}
		}
	}
	return nil
}

// finishPrimary tells the last of a group's members: those whose primary group it
// is. changed says that the group changed since its first members were read, and
// all of them have to be told anew: somebody may have gone from one sort to the
// other meanwhile.
func (o *op) finishPrimary(s refSet, emit func(source.Event) error) (changed bool, err error) {
	var list []guid
	tell := func(last bool) error {
		r := &source.References{Attribute: s.attribute, Last: last, Add: idsOf(list)}
		list = nil
		return emit(source.Event{Op: source.Refers, Object: s.object, References: r})
	}
	q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, attrs: []string{"objectGUID"}, controls: o.sess.supported(oidDomainScope),
		filter: "(&" + peopleFilter + "(primaryGroupID=" + strconv.FormatUint(uint64(s.sid.rid()), 10) + "))"}
	err = o.sess.paged(o.ctx, q, o.src.opts.PageSize, func(e *ldap.Entry) error {
		g, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID"))
		if err != nil {
			return nil // may be seen and not read
		}
		if list = append(list, g); len(list) < idsAtOnce {
			return nil
		}
		return tell(false)
	}, nil)
	if err != nil {
		return false, fmt.Errorf("%w: whose primary group %s is: %w", source.ErrIncomplete, s.object.ID, err)
	}
	e, _, err := o.sess.lookup(o.ctx, "<GUID="+string(s.object.ID)+">", "(objectClass=*)", []string{"uSNChanged"})
	switch {
	case code(err) == ldap.LDAPResultNoSuchObject || err == nil && e == nil:
		return false, nil // gone: the next delta tells
	case err != nil:
		return false, fmt.Errorf("%w: whether %s changed: %w", source.ErrIncomplete, s.object.ID, err)
	case e.GetEqualFoldAttributeValue("uSNChanged") != s.usn:
		return true, nil
	}
	return false, tell(true)
}

// keepPrimaries looks at what a delta takes out of groups, and leaves in those
// whose primary group it is by now. A set that came whole without them is read
// anew.
func (o *op) keepPrimaries(list []change) error {
	if !o.src.kinds.primary {
		return nil
	}
	for i := range list {
		c := &list[i]
		for j := range c.refs {
			r := &c.refs[j]
			if r.name != "member" || c.deleted {
				continue
			}
			if r.unclear = r.unclear || r.whole; r.unclear || len(r.remove) == 0 {
				continue
			}
			kept, err := o.primaryAmong(c.guid, r.remove)
			if err != nil {
				return err
			}
			r.remove = slices.DeleteFunc(r.remove, func(g guid) bool { return kept[g] })
			for g := range kept {
				if !slices.Contains(r.add, g) {
					r.add = append(r.add, g)
				}
			}
		}
	}
	return nil
}

// primaryAmong are those of people whose primary group a group is.
func (o *op) primaryAmong(group guid, people []guid) (map[guid]bool, error) {
	e, _, err := o.sess.lookup(o.ctx, "<GUID="+group.text()+">", "(objectClass=*)", []string{"objectSid"})
	if code(err) == ldap.LDAPResultNoSuchObject || err == nil && e == nil {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the SID of group %s: %w", group.text(), err)
	}
	s := sid(e.GetEqualFoldRawAttributeValue("objectSid"))
	if !s.valid() {
		return nil, nil
	}
	kept := map[guid]bool{}
	for some := range slices.Chunk(people, batch) {
		q := query{base: o.sess.root.domain, scope: ldap.ScopeWholeSubtree, attrs: []string{"objectGUID"}, controls: o.sess.supported(oidDomainScope),
			filter: "(&" + filterOfGUIDs(some) + "(primaryGroupID=" + strconv.FormatUint(uint64(s.rid()), 10) + "))"}
		err := o.sess.paged(o.ctx, q, o.src.opts.PageSize, func(e *ldap.Entry) error {
			if g, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID")); err == nil {
				kept[g] = true
			}
			return nil
		}, nil)
		if err != nil {
			return nil, fmt.Errorf("whose primary group %s is: %w", group.text(), err)
		}
	}
	return kept, nil
}
