package ldapsource

import (
	"testing"
	"time"

	"github.com/dirbridge/dirbridge/source"
	"github.com/go-ldap/ldap/v3"
)

// What the tests of this package, which are all external, see of its inside.

// A Scanner is the guard's scanner of BER.
type Scanner struct{ s *scanner }

func NewScanner(maxPDU int64, maxNesting int) Scanner { return Scanner{newScanner(maxPDU, maxNesting)} }
func (s Scanner) Scan(p []byte) error                 { return s.s.scan(p) }
func (s Scanner) Idle() bool                          { return s.s.idle() }

var ErrHostile = errHostile

// ClassOf names what an entry with these classes is.
func ClassOf(classes []string, uac string) string {
	return map[class]string{other: "other", person: "person", machine: "machine", group: "group", container: "container"}[classOf(classes, uac)]
}

func GUIDText(raw []byte) (string, error)        { g, err := guidFrom(raw); return g.text(), err }
func ParseGUID(t string) (raw [16]byte, ok bool) { return parseGUID(t) }
func FilterOfGUIDs(ids ...[16]byte) string {
	list := make([]guid, len(ids))
	for i, g := range ids {
		list[i] = g
	}
	return filterOfGUIDs(list)
}

// A ValueRange is an attribute description with a range.
type ValueRange struct {
	Name      string
	Low, High int
	Last      bool
}

func ParseRange(d string) (ValueRange, bool) {
	r, ok := parseRange(d)
	return ValueRange{r.name, r.low, r.high, r.last}, ok
}

// Decode decodes an entry with the default attributes and more.
func Decode(e *ldap.Entry, more ...string) (source.Object, error) {
	set, err := newAttributeSet(more, nil)
	if err != nil {
		return source.Object{}, err
	}
	r, err := set.decode(e)
	return r.object, err
}

// A Mark is a watermark.
type Mark = watermark

// NewTimeline is the end of a history in which objects carry these USNs.
func NewTimeline(top, low int64, usns ...int64) timeline {
	t := timeline{Top: top, Low: low}
	for i, usn := range usns {
		t.Seen = append(t.Seen, witness{guid{15: byte(i + 1)}, usn, uint32(i)})
	}
	return t
}

func ParseMark(w source.Watermark) (Mark, error)       { return parseWatermark(w) }
func (w Mark) Text() source.Watermark                  { return w.text() }
func (w Mark) Fits(scope string, mode DeltaMode) error { return w.fits(scope, mode) }

// A DC is what a domain controller says of itself.
type DC struct {
	InvocationID, Domain, Name string
	USN                        int64
	Now                        time.Time
}

func (w Mark) Trusts(dc DC, lifetime time.Duration) error {
	return w.trusts(&session{invocationID: dc.InvocationID, root: rootDSE{dnsHostName: dc.Name, domain: dc.Domain, usn: dc.USN, now: dc.Now}}, lifetime)
}

func Administrators(sids ...[]byte) string               { return administrators(sids) }
func GrantsGetChangesAll(sd []byte, sids ...[]byte) bool { return grantsGetChangesAll(sd, sids) }
func ExplainTLS(err error, name string) error            { return explainTLS(err, name) }
func ExplainBind(user string, code uint16, text string) error {
	return explainBind(user, &resultError{code, printable(text)})
}
func Classify(code uint16, text string) error { return classify(&resultError{code, printable(text)}) }

// ControlBytes is a critical control on the wire.
func ControlBytes(oid string) []byte { return control{oid: oid}.Encode().Bytes() }

func FilterOfName(name, sam string) string { return filterOfName(name, sam) }

// An Assertion is one attribute-value assertion of a filter.
type Assertion struct{ Attribute, Value string }

// Assertions compiles a filter, a disjunction of equalities, to what is sent.
func Assertions(t testing.TB, filter string) (list []Assertion) {
	p, err := ldap.CompileFilter(filter)
	if err != nil || p.Tag != ldap.FilterOr {
		t.Fatalf("%q: %v", filter, err)
	}
	for _, c := range p.Children {
		if c.Tag != ldap.FilterEqualityMatch {
			t.Fatalf("%q holds more than equalities", filter)
		}
		list = append(list, Assertion{c.Children[0].Data.String(), c.Children[1].Data.String()})
	}
	return list
}

// GUIDOf is the objectGUID in a DN value, "" if there is none.
func GUIDOf(value string) string {
	if g, ok := guidOf(value); ok {
		return g.text()
	}
	return ""
}

func PlainDN(dn string) string { return plainDN(dn) }

// AskFor makes s ask for n values of a set at once.
func AskFor(s *Source, n int) { s.pieces = n }

// A SyncChange is what DirSync says of one object's members.
type SyncChange struct {
	Add, Remove, Unidentified int
	Whole, Unclear            bool
}

// MembersOf reads the member attributes of DirSync entries about one group.
func MembersOf(attrs ...*ldap.EntryAttribute) SyncChange {
	k, x := kinds{groups: true, refs: []reference{{"member", source.Group}}}, change{}
	for _, a := range attrs {
		if !x.refers(k, a) {
			panic(a.Name)
		}
	}
	r := x.refs[0]
	return SyncChange{len(r.add), len(r.remove), r.unidentified, r.whole, r.unclear}
}
