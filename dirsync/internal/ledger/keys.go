package ledger

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"

	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// The keys. S is the source's name, T the target's, ID the source's object ID.
//
//	facts/S/T                 Facts: domains, rules, proven, counts
//	watermark/S/T             Watermark
//	object/S/T/ID             Entry
//	due/S/T/ID                Due: the object has to be planned
//	claim/T/ATTR/VALUE        the objects that want this unique value
//	held/T/ATTR/VALUE         the object that has this value at the target
//	link/T/TARGETID           the object that owns this target object
//	suffix/S/T/DOMAIN/ID      the object's login ID ends in this domain
//	problem/S/T/ID            Problems of the object
//	plan/S/T/WAVE/PHASE/ID    plan.Change, in apply order
//	intent/S/T/ID             Intent: a change on the wire
//	run/S/T/NUMBER            Run
type keys struct{ source, target string }

func (k keys) pair() string      { return k.source + "/" + k.target }
func (k keys) facts() string     { return "facts/" + k.pair() }
func (k keys) watermark() string { return "watermark/" + k.pair() }

func (k keys) objects() string             { return "object/" + k.pair() + "/" }
func (k keys) object(id source.ID) string  { return k.objects() + string(id) }
func (k keys) dues() string                { return "due/" + k.pair() + "/" }
func (k keys) due(id source.ID) string     { return k.dues() + string(id) }
func (k keys) problems() string            { return "problem/" + k.pair() + "/" }
func (k keys) problem(id source.ID) string { return k.problems() + string(id) }
func (k keys) intents() string             { return "intent/" + k.pair() + "/" }
func (k keys) intent(id source.ID) string  { return k.intents() + string(id) }
func (k keys) link(id target.ID) string    { return "link/" + k.target + "/" + part(string(id)) }
func (k keys) suffixes() string            { return "suffix/" + k.pair() + "/" }
func (k keys) suffix(d string) string      { return k.suffixes() + part(d) + "/" }
func (k keys) plans() string               { return "plan/" + k.pair() + "/" }
func (k keys) runs() string                { return "run/" + k.pair() + "/" }
func (k keys) run(n uint64) string         { return fmt.Sprintf("%s%012d", k.runs(), n) }
func (k keys) claim(attr, v string) string {
	return "claim/" + k.target + "/" + attr + "/" + part(fold(attr, v))
}
func (k keys) held(attr, v string) string {
	return "held/" + k.target + "/" + attr + "/" + part(fold(attr, v))
}
func (k keys) change(wave, phase int, id source.ID) string {
	return fmt.Sprintf("%s%04d/%d/%s", k.plans(), wave, phase, id)
}

// fold gives names that the target holds to be equal the same form. Anchors
// compare byte by byte.
func fold(attr, v string) string {
	if attr == target.AttrAnchor {
		return v
	}
	return strings.ToLower(v)
}

// SameName reports whether a and b are the same value of a unique attribute.
func SameName(attr, a, b string) bool { return fold(attr, a) == fold(attr, b) }

// longestPart is how long a part of a key may be: a value of a directory can be
// any length, a key can't.
const longestPart = 256

// part makes v fit to be a part of a key: escaped, or, where that gets too long,
// its hash behind a '#', which no escaped text has.
func part(v string) string {
	s := url.PathEscape(v)
	if len(s) <= longestPart {
		return s
	}
	return fmt.Sprintf("#%x", sha256.Sum256([]byte(v)))
}

// idOf returns the object ID at the end of a key.
func idOf(key string) source.ID { return source.ID(key[strings.LastIndexByte(key, '/')+1:]) }

// unfold is the opposite of the escaping in a key.
func unfold(s string) string {
	v, err := url.PathUnescape(s)
	if err != nil {
		return s
	}
	return v
}
