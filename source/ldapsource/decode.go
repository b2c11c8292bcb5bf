package ldapsource

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// A record is one directory entry as read: what is handed out, and the
// bookkeeping that isn't.
type record struct {
	object  source.Object
	guid    guid
	usn     int64 // uSNChanged on this domain controller, 0 if not given
	deleted bool  // isDeleted says so
	revived bool  // it isn't, and was: it came back
	class   class

	sid, primary sid // with Options.PrimaryGroups: its own, and that of its primary group
}

// A class is what an entry is to this package.
type class int

const (
	other   class = iota
	person        // an account of somebody
	machine       // a computer, managed service account or trust
	group
	container // what others lie in
)

// Bits of userAccountControl that no person's account has (MS-ADTS 2.2.16).
const uacMachine = 0x0800 | 0x1000 | 0x2000 // trust, workstation, domain controller

// classify says what an entry with these classes is. Every class that an object
// inherits from is in the list.
func classOf(classes []string, userAccountControl string) class {
	is := func(c string) bool {
		return slices.ContainsFunc(classes, func(have string) bool { return strings.EqualFold(have, c) })
	}
	switch {
	case is("computer"): // group, standalone and delegated managed service accounts are computers too
		return machine
	case is("user"):
		if uac, err := strconv.ParseInt(userAccountControl, 10, 64); err == nil && uac&uacMachine != 0 {
			return machine
		}
		return person
	case is("group"):
		return group
	case is("organizationalUnit"), is("container"), is("builtinDomain"), is("domain"):
		return container
	}
	return other
}

// errNoGUID says that an entry can't be identified.
var errNoGUID = errors.New("the directory gave no objectGUID: may the account read it?")

// decode makes a record of an entry. It fails only for an entry that can't be
// identified.
func (a attributeSet) decode(e *ldap.Entry) (record, error) {
	r := record{object: source.Object{Kind: source.User, DN: e.DN, Attributes: make(source.Attributes, len(e.Attributes))}}
	var classes []string
	found := false
	for _, v := range e.Attributes {
		if len(v.Values) == 0 {
			continue
		}
		name, _, _ := strings.Cut(v.Name, ";")
		switch known, ok := a.lookup(name); {
		case ok && known.name == "objectGUID":
			g, err := guidFrom(v.ByteValues[0])
			if err != nil {
				return r, err
			}
			r.guid, r.object.ID, found = g, g.id(), true
			fallthrough
		case ok && known.binary:
			values := make([]string, len(v.ByteValues))
			for i, b := range v.ByteValues {
				values[i] = base64.StdEncoding.EncodeToString(b)
			}
			slices.Sort(values)
			r.object.Attributes[known.name] = values
		case ok:
			if !slices.ContainsFunc(v.Values, invalidText) {
				slices.Sort(v.Values) // the entry is ours alone
				r.object.Attributes[known.name] = v.Values
				if known.name == "objectClass" {
					classes = v.Values
				}
				continue
			}
			r.object.Faults = append(r.object.Faults, source.Fault{Attribute: known.name, Reason: "the value isn't valid UTF-8 text"})
		case strings.EqualFold(name, "uSNChanged"):
			r.usn, _ = strconv.ParseInt(v.Values[0], 10, 64)
		case strings.EqualFold(name, "isDeleted"):
			r.deleted = strings.EqualFold(v.Values[0], "TRUE")
		case strings.EqualFold(name, "lastKnownParent"):
			r.revived = true // stays on what was undeleted
		case strings.EqualFold(name, "parentGUID"):
			if g, err := guidFrom(v.ByteValues[0]); err == nil {
				r.object.Parent = g.id()
			}
		}
	}
	r.revived = r.revived && !r.deleted
	r.class = classOf(classes, r.object.Attributes.First("userAccountControl"))
	if !found {
		return r, errNoGUID
	}
	slices.SortFunc(r.object.Faults, func(x, y source.Fault) int { return strings.Compare(x.Attribute, y.Attribute) })
	return r, nil
}

// decode makes a record of an entry as the source gives it: with its kind, and
// with the attributes of that kind.
func (s *Source) decode(e *ldap.Entry) (record, error) {
	r, err := s.attrs.decode(e)
	r.object.Kind, _ = s.kinds.kind(r.class)
	if s.kinds.primary {
		r.sid, r.primary = sidOf(r.object.Attributes), primaryOf(r.object.Attributes)
	}
	for name, kinds := range s.kinds.own {
		if !slices.Contains(kinds, r.object.Kind) {
			delete(r.object.Attributes, name)
		}
	}
	return r, err
}

func invalidText(v string) bool { return !utf8.ValidString(v) }

// unreadable is the event for an entry that can't be decoded.
func unreadable(r record, err error) source.Event {
	return source.Event{Op: source.Unreadable, Object: source.Object{Kind: r.object.Kind, DN: r.object.DN}, Err: fmt.Errorf("entry %q: %w", r.object.DN, err)}
}
