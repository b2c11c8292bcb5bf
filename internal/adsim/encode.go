package adsim

import (
	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// An encoder writes the entries of one search. People have many attributes in
// common (badPwdCount is 0, the company is one): it keeps the BER of those that
// come again, which is more than half of all. The nil encoder keeps nothing.
// It is not for concurrent use.
type encoder struct {
	typesOnly bool
	kept      map[string]map[string][]byte // by attribute and value
}

// keptValues is the most values of one attribute that an encoder keeps, so that
// those with a value of its own for everybody don't fill it.
const keptValues = 64

func newEncoder(typesOnly bool) *encoder {
	return &encoder{typesOnly: typesOnly, kept: map[string]map[string][]byte{}}
}

// entry is the SearchResultEntry of an object.
func (e *encoder) entry(dn string, fields []field) *ber.Packet {
	list := ber.NewSequence("")
	list.Data.Grow(64 * len(fields))
	for _, f := range fields {
		list.Data.Write(e.attribute(f))
	}
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationSearchResultEntry, nil, "")
	p.Data.Grow(list.Data.Len() + len(dn) + 16)
	p.AppendChild(octetString(dn))
	p.AppendChild(list)
	return p
}

func (e *encoder) attribute(f field) []byte {
	if e == nil || len(f.values) != 1 {
		return e.encode(f)
	}
	values := e.kept[f.name]
	if b, ok := values[f.values[0]]; ok {
		return b
	}
	b := e.encode(f)
	switch {
	case values == nil:
		e.kept[f.name] = map[string][]byte{f.values[0]: b}
	case len(values) < keptValues:
		values[f.values[0]] = b
	}
	return b
}

func (e *encoder) encode(f field) []byte {
	set := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	if e == nil || !e.typesOnly {
		for _, v := range f.values {
			set.AppendChild(octetString(v))
		}
	}
	a := ber.NewSequence("")
	a.AppendChild(octetString(f.name))
	a.AppendChild(set)
	return a.Bytes()
}

func octetString(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}
