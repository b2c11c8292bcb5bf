package ldapsource

import (
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
	return map[class]string{other: "other", person: "person", machine: "machine", container: "container"}[classOf(classes, uac)]
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
