package ldapsource

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

const (
	// valuesAtOnce is how many values of a set are asked for. Windows gives no
	// more than 1500 (MaxValRange).
	valuesAtOnce = 5000

	// idsAtOnce is how many references one event tells at most.
	idsAtOnce = 1500

	// waiting is how many events wait between reader and producer where each
	// may hold that many references.
	waiting = 128

	oidExtendedDN = "1.2.840.113556.1.4.529"
)

// extendedDN is the control that has every DN preceded by the objectGUID of what
// it names, in text: "<GUID=69f4d4fd-...>;<SID=S-1-5-...>;CN=Ann,...".
func (s *session) extendedDN() (ldap.Control, error) {
	if !s.controls[oidExtendedDN] {
		return nil, fmt.Errorf("%s doesn't offer the control %s, by which references are identified", s.server.url, oidExtendedDN)
	}
	return control{oid: oidExtendedDN, value: []byte{0x30, 3, 2, 1, 1}}, nil
}

// extension is what that control puts before a DN.
var extension = regexp.MustCompile(`^<GUID=([0-9A-Fa-f-]{32,36})>;(?:<SID=[^>]*>;)?`)

// plainDN is a DN without what the control put before it.
func plainDN(dn string) string {
	if strings.HasPrefix(dn, "<GUID=") {
		return dn[len(extension.FindString(dn)):]
	}
	return dn
}

// guidOf is the objectGUID in a DN value, text or hexadecimal.
func guidOf(value string) (g guid, ok bool) {
	text, found := strings.CutPrefix(value, "<GUID=")
	end := strings.IndexByte(text, '>')
	if !found || end < 0 {
		return g, false
	}
	text = text[:end]
	if len(text) == 32 {
		n, err := hex.Decode(g[:], []byte(text))
		return g, err == nil && n == len(g)
	}
	return parseGUID(text)
}

// guidsOf are the objectGUIDs in values, and how many values have none.
func guidsOf(values []string) (list []guid, unidentified int) {
	for _, v := range values {
		if g, ok := guidOf(v); ok {
			list = append(list, g)
		} else {
			unidentified++
		}
	}
	return list, unidentified
}

// idsOf are IDs that share one string.
func idsOf(list []guid) []source.ID {
	if len(list) == 0 {
		return nil
	}
	var b strings.Builder
	b.Grow(36 * len(list))
	for _, g := range list {
		b.WriteString(g.text())
	}
	ids, all := make([]source.ID, len(list)), source.ID(b.String())
	for i := range ids {
		ids[i] = all[36*i : 36*i+36]
	}
	return ids
}

// A piece is some of the values of one attribute.
type piece struct {
	valueRange
	values []string
	ranged bool
}

// takeReferences takes what e says about others out of it.
func (k kinds) takeReferences(e *ldap.Entry) map[string]piece {
	taken := map[string]piece{}
	e.Attributes = slices.DeleteFunc(e.Attributes, func(a *ldap.EntryAttribute) bool {
		name, _, _ := strings.Cut(a.Name, ";")
		i := slices.IndexFunc(k.refs, func(r reference) bool { return strings.EqualFold(r.name, name) })
		if i < 0 {
			return false
		}
		p := piece{valueRange: valueRange{name: k.refs[i].name, last: true}, values: a.Values}
		if r, ok := parseRange(a.Name); ok {
			p.valueRange, p.ranged = r, true
			p.name = k.refs[i].name
		}
		if have, ok := taken[p.name]; !ok || p.ranged && !have.ranged { // Windows sends the bare name too, empty
			taken[p.name] = p
		}
		return true
	})
	return taken
}

// A refSet is one set of references that is being told whole.
type refSet struct {
	object    source.Object // ID and Kind
	attribute string
	usn       string // uSNChanged of the object when the first piece was read
	next      int    // the first value that is still to come, negative if none is
	sid       sid    // of a group, if those come last whose primary group it is
}

// begin tells the first pieces of what an object says about others, and returns
// the sets of which there is more.
func (o *op) begin(rec record, pieces map[string]piece, emit func(source.Event) error) (more []refSet, err error) {
	x, usn := rec.object, strconv.FormatInt(rec.usn, 10)
	for _, ref := range o.src.kinds.refs {
		if ref.kind != x.Kind {
			continue
		}
		set := refSet{object: source.Object{ID: x.ID, Kind: x.Kind, DN: x.DN}, attribute: ref.name, usn: usn}
		p, ok := pieces[ref.name]
		if !ok {
			p.last = true // it has none
		}
		if p.low != 0 {
			return nil, fmt.Errorf("%w: the values of %s of %s begin at %d", source.ErrIncomplete, ref.name, x.ID, p.low)
		}
		if o.src.kinds.primary && ref.name == "member" {
			if set.sid = rec.sid; set.sid == "" {
				return nil, fmt.Errorf("%w: the objectSid of group %s, to see whose primary group it is", source.ErrForbidden, x.ID)
			}
		}
		if err := set.tell(p, emit); err != nil {
			return nil, err
		}
		if set.next = p.high + 1; p.last {
			set.next = -1
		}
		if !p.last || set.sid != "" {
			more = append(more, set)
		}
	}
	return more, nil
}

// tell emits a piece of the set.
func (s refSet) tell(p piece, emit func(source.Event) error) error {
	list, unidentified := guidsOf(p.values)
	ids, first := idsOf(list), p.low == 0
	if s.sid != "" {
		p.last = false
	}
	for ; first || len(ids) > 0 || unidentified > 0 || p.last; first = false {
		n := min(idsAtOnce, len(ids))
		r := &source.References{Attribute: s.attribute, First: first, Last: p.last && n == len(ids), Add: ids[:n:n], Unidentified: unidentified}
		ids, unidentified = ids[n:], 0
		if err := emit(source.Event{Op: source.Refers, Object: s.object, References: r}); err != nil || r.Last {
			return err
		}
	}
	return nil
}

// finish tells the rest of a set. Its pieces fit together only if the object
// didn't change between them: uSNChanged tells, and then it is told anew. Of an
// object that is gone meanwhile the next delta tells.
func (o *op) finish(s refSet, emit func(source.Event) error) error {
	extended, err := o.sess.extendedDN()
	if err != nil {
		return err
	}
	base := "<GUID=" + string(s.object.ID) + ">"
	for restarts := 0; restarts <= 3; {
		if s.next < 0 {
			changed, err := o.finishPrimary(s, emit)
			if !changed || err != nil {
				return err
			}
			restarts, s.next = restarts+1, 0
		}
		ask := s.attribute + ";range=" + strconv.Itoa(s.next) + "-" + strconv.Itoa(s.next+o.src.pieces-1)
		e, _, err := o.sess.lookup(o.ctx, base, "(objectClass=*)", []string{ask, "uSNChanged"}, extended)
		switch {
		case code(err) == ldap.LDAPResultNoSuchObject:
			return nil
		case code(err) == ldap.LDAPResultOperationsError && s.next > 0: // past the end, so it changed
			restarts, s.next = restarts+1, 0
			continue
		case err != nil:
			return fmt.Errorf("%w: the values of %s of %s: %w", source.ErrIncomplete, s.attribute, s.object.ID, err)
		case e == nil:
			return nil
		}
		usn := e.GetEqualFoldAttributeValue("uSNChanged")
		if s.next == 0 {
			s.usn = usn
		} else if usn != s.usn {
			restarts, s.next = restarts+1, 0
			continue
		}
		p, ok := o.src.kinds.takeReferences(e)[s.attribute]
		switch {
		case !ok && s.next == 0:
			p.last = true // it lost all
		case !ok || p.low != s.next || len(p.values) == 0 && !p.last:
			return fmt.Errorf("%w: of the values of %s of %s, those from %d on didn't come", source.ErrIncomplete, s.attribute, s.object.ID, s.next)
		}
		if err := s.tell(p, emit); err != nil || p.last && s.sid == "" {
			return err
		}
		if s.next = p.high + 1; p.last {
			s.next = -1
		}
	}
	return fmt.Errorf("%w: %s of %s: %w", source.ErrIncomplete, s.attribute, s.object.ID, errMoving)
}
