package ldapsource

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// A valueRange is what "proxyAddresses;range=0-1499" says (MS-ADTS
// 3.1.1.3.1.3.3): a domain controller gives no more than so many values of an
// attribute at once.
type valueRange struct {
	name      string
	low, high int
	last      bool // high was '*': no value comes after
}

// parseRange takes an attribute's description apart, ok if it is a range.
func parseRange(description string) (r valueRange, ok bool) {
	name, option, ok := strings.Cut(description, ";")
	if !ok || len(option) < 6 || !strings.EqualFold(option[:6], "range=") {
		return r, false
	}
	low, high, ok := strings.Cut(option[6:], "-")
	if !ok {
		return r, false
	}
	r.name = name
	var err error
	if r.low, err = strconv.Atoi(low); err != nil || r.low < 0 {
		return r, false
	}
	if r.last = high == "*"; r.last {
		return r, true
	}
	r.high, err = strconv.Atoi(high)
	return r, err == nil && r.high >= r.low
}

// partial reports whether e holds only a part of an attribute's values.
func partial(e *ldap.Entry) bool {
	return slices.ContainsFunc(e.Attributes, func(a *ldap.EntryAttribute) bool {
		return strings.ContainsRune(a.Name, ';') && isRange(a.Name)
	})
}

func isRange(description string) bool { _, ok := parseRange(description); return ok }

// errMoving says that an object changed while its values were fetched.
var errMoving = errors.New("the object keeps changing while its values are read")

// whole fetches what is missing of e's attributes. The pieces of a value list
// fit together only if the object didn't change between them: uSNChanged tells,
// and then it is read anew.
func (s *session) whole(ctx context.Context, e *ldap.Entry, q query) (*ldap.Entry, error) {
	id, err := guidFrom(e.GetEqualFoldRawAttributeValue("objectGUID"))
	if err != nil {
		return nil, fmt.Errorf("entry %q: %w", e.DN, err)
	}
	base := "<GUID=" + id.text() + ">"
	for range 3 {
		usn := e.GetEqualFoldAttributeValue("uSNChanged")
		stable := true
		for _, a := range slices.Clone(e.Attributes) {
			if r, ok := parseRange(a.Name); ok && stable {
				if stable, err = s.rest(ctx, e, a, r, base, usn, q.controls); err != nil {
					return nil, fmt.Errorf("%w: the values of %s of %s: %w", source.ErrIncomplete, r.name, id.text(), err)
				}
			}
		}
		if stable {
			return e, nil
		}
		if e, _, err = s.lookup(ctx, base, q.filter, q.attrs, q.controls...); err != nil || e == nil {
			return nil, err // gone meanwhile: the next delta says how
		}
	}
	return nil, fmt.Errorf("%w: %s: %w", source.ErrIncomplete, id.text(), errMoving)
}

// rest replaces the piece a of an attribute of e by all its values. It reports
// false if the object changed meanwhile.
func (s *session) rest(ctx context.Context, e *ldap.Entry, a *ldap.EntryAttribute, r valueRange, base, usn string, controls []ldap.Control) (bool, error) {
	if r.low != 0 {
		return false, fmt.Errorf("the first piece begins at %d", r.low)
	}
	all := &ldap.EntryAttribute{Name: r.name, Values: a.Values, ByteValues: a.ByteValues}
	for !r.last {
		want := r.high + 1
		ask := []string{r.name + ";range=" + strconv.Itoa(want) + "-*", "uSNChanged"}
		piece, _, err := s.lookup(ctx, base, "(objectClass=*)", ask, controls...)
		if err != nil {
			return false, err
		}
		if piece == nil || piece.GetEqualFoldAttributeValue("uSNChanged") != usn {
			return false, nil
		}
		next := (*ldap.EntryAttribute)(nil)
		for _, p := range piece.Attributes {
			if n, ok := parseRange(p.Name); ok && strings.EqualFold(n.name, r.name) {
				next, r = p, n
			}
		}
		if next == nil || r.low != want || len(next.Values) == 0 && !r.last {
			return false, fmt.Errorf("the piece from %d on didn't come", want)
		}
		all.Values = append(all.Values, next.Values...)
		all.ByteValues = append(all.ByteValues, next.ByteValues...)
	}
	e.Attributes = slices.DeleteFunc(e.Attributes, func(x *ldap.EntryAttribute) bool {
		return x == a || strings.EqualFold(x.Name, r.name) // Windows sends the bare name too, empty
	})
	e.Attributes = append(e.Attributes, all)
	return true, nil
}
