package ledger

import (
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// The keys. S is the engine's name (its source's, if it has one alone), T the target's, ID the source's object ID.
//
//	facts/S/T                 Facts: domains, rules, proven, counts
//	watermark/S/T             Watermark of the source whose name is S
//	watermark/S/T/HOME        Watermark of another source of the engine
//	asked/S/T/ID              the other sources are to be asked about the object
//	join/S/T/KEY/ID           the object has this join key
//	rejoin/S/T/KEY            who has it is to be put together again
//	object/S/T/ID             Entry
//	due/S/T/ID                Due: the object has to be planned
//	claim/T/ATTR/VALUE        the objects that want this unique value
//	held/T/ATTR/VALUE         the object that has this value at the target
//	link/T/TARGETID           the object that owns this target object
//	suffix/S/T/DOMAIN/ID      the object's login ID ends in this domain
//	problem/S/T/ID            Problems of the object
//	scope/S/T                 Scope: what the configuration's names are bound to
//	container/S/T/ID          Container: what objects lie in
//	child/S/T/PARENTID/ID     the object, or container, lies in this container
//	moved/S/T/ID              the scope is to be asked about this container again
//	roster/S/T/ID             Roster: a group by whose members the scope goes
//	rostered/S/T/GROUP/ID     it holds this object, or group
//	rosterof/S/T/ID           the groups that hold it, of those
//	regroup/S/T/ID            its groups are to be looked at again
//	plan/S/T/AREA/WAVE/PHASE/ID   plan.Change, in apply order; AREA is 0 or 1
//	plan/S/T/AREA/WAVE/PHASE/PART/ID/ATTR   the same, of references
//	kept/S/T                  Kept: the plan that waits for somebody's word
//	hold/S/T/ID               Hold: a change that somebody doesn't want
//	intent/S/T/ID             Intent: a change on the wire
//	feed/S/T/KIND             Feed: how far the target's own changes were read
//	look/S/T/ID               Look: the account has to be looked at
//	drift/S/T/ID              Drift: what others did to the account
//	run/S/T/NUMBER            Run
//	spent/S/T/NUMBER          Spent: what the run took out of the budgets
//	journal/S/T/NUMBER/ROUND/WAVE/PHASE/ID   Step: what the run did, to undo it
//	audit/S/T/SEQ             audit.Record that some sink doesn't have yet
//	audithead/S/T             audit.Head: the last record made
//
// Of references (refs.go), where HOLDER refers to ID by ATTR:
//
//	ref/S/T/HOLDER/ATTR/ID      Ref
//	refto/S/T/ID/HOLDER/ATTR    the same, by what it points at
//	refdue/S/T/HOLDER/ATTR/ID   RefDue: it has to be written, or looked at
//	refhead/S/T/HOLDER          some of its references are due
//	refset/S/T/HOLDER/ATTR      RefSet: how many there are
//	refwait/S/T/ID              references of it or to it wait for its account
//	refwake/S/T/ID              Wake: they have to be looked at again
//	refpurge/S/T/HOLDER         its references are to be forgotten
//	refintent/S/T/HOLDER        Intent: a change of its references on the wire
//	refcheck/S/T/ID             whether others still refer to it has to be asked
//	refspent/S/T/HOLDER         []RefSpent: what runs took out of its budgets
//
// Of what others do to references see refdrift.go. Whom others have added and who
// isn't ours has no source ID: its reference is under [plan.Stranger].
type keys struct{ source, target string }

func (k keys) pair() string  { return k.source + "/" + k.target }
func (k keys) facts() string { return "facts/" + k.pair() }
func (k keys) asked() string { return "asked/" + k.pair() + "/" }
func (k keys) watermark(home string) string {
	if home == "" {
		return "watermark/" + k.pair()
	}
	return "watermark/" + k.pair() + "/" + home
}

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
func (k keys) plan(area int) string {
	return fmt.Sprintf("plan/%s/%d/", k.pair(), area)
}
func (k keys) kept() string             { return "kept/" + k.pair() }
func (k keys) holds() string            { return "hold/" + k.pair() + "/" }
func (k keys) hold(id source.ID) string { return k.holds() + string(id) }
func (k keys) feed(kind target.Kind) string {
	return "feed/" + k.pair() + "/" + part(string(kind))
}
func (k keys) looks() string             { return "look/" + k.pair() + "/" }
func (k keys) look(id source.ID) string  { return k.looks() + string(id) }
func (k keys) drifts() string            { return "drift/" + k.pair() + "/" }
func (k keys) drift(id source.ID) string { return k.drifts() + string(id) }
func (k keys) spents() string            { return "spent/" + k.pair() + "/" }
func (k keys) spent(n uint64) string     { return fmt.Sprintf("%s%012d", k.spents(), n) }
func (k keys) journals() string          { return "journal/" + k.pair() + "/" }
func (k keys) journal(n uint64) string   { return fmt.Sprintf("%s%012d/", k.journals(), n) }
func (k keys) step(n uint64, s Step) string {
	if s.Refer != nil {
		return fmt.Sprintf("%s%02d/%04d/%d/%06d/%s/%s", k.journal(n), s.Round, s.Wave, s.Phase, s.Part, s.Source, s.Refer.Attribute)
	}
	return fmt.Sprintf("%s%02d/%04d/%d/%s", k.journal(n), s.Round, s.Wave, s.Phase, s.Source)
}
func (k keys) audits() string          { return "audit/" + k.pair() + "/" }
func (k keys) audit(seq uint64) string { return fmt.Sprintf("%s%016d", k.audits(), seq) }
func (k keys) auditHead() string       { return "audithead/" + k.pair() }
func (k keys) runs() string            { return "run/" + k.pair() + "/" }
func (k keys) run(n uint64) string     { return fmt.Sprintf("%s%012d", k.runs(), n) }
func (k keys) claim(attr, v string) string {
	return "claim/" + k.target + "/" + attr + "/" + part(fold(attr, v))
}
func (k keys) held(attr, v string) string {
	return "held/" + k.target + "/" + attr + "/" + part(fold(attr, v))
}
func (k keys) change(area int, c *plan.Change) string {
	if c.Refer != nil {
		return fmt.Sprintf("%s%04d/%d/%06d/%s/%s", k.plan(area), c.Wave, c.Phase(), c.Part, c.Source, c.Refer.Attribute)
	}
	return fmt.Sprintf("%s%04d/%d/%s", k.plan(area), c.Wave, c.Phase(), c.Source)
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
