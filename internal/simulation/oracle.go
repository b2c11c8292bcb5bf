package simulation

import (
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// bits are what the directory may have told the engine about an object.
type bits uint8

const (
	present  bits = 1 << iota // in scope, enabled
	disabled                  // in scope, and disabled by an attribute
	skipped                   // in scope, and not to be synchronized by the default rules
	ruled                     // as before, by version 1 of the rules
	left
	deleted
)

// The oracle judges by the words of decisions.md and docs/decisions/006. It knows
// what the directory said, what the tenant holds, and every write.
type oracle struct {
	oracleState
	circleState
	w           *world
	wrong       []Violation
	checkpoints map[source.Watermark]bool
	sent        map[string]int  // writes of this run, by anchor
	accepted    int             // writes of this run
	fresh       int             // of these, those that no earlier run had begun
	counts      bool            // the last one, for the guard
	unproven    bool            // the state is older than what was done, and nothing has proven it since
	before      map[string]bool // approved changes that such a state brought along
	calm        bool
	answered    map[string]int // the run in which the last write of an anchor was accepted
	clean       int            // the last run, if process and store did well in it
	places      map[source.ID]map[position]bool
	doubt       map[target.ID]bool     // found by a repeat: the engine may say that it isn't its own
	names       map[target.ID][]string // in the calm, each name that an account had
}

// told: the directory says something about an object.
func (o *oracle) told(ev source.Event, r *runState) {
	var b bits
	if ev.Object.Kind == source.Container {
		return
	}
	a := ev.Object.Attributes
	switch ev.Op {
	case source.Left:
		b = left
	case source.Deleted:
		b = deleted
	case source.Upsert:
		if b = present; a.First("userAccountControl") == "514" {
			b = disabled
		}
		if a.First("isCriticalSystemObject") == "TRUE" {
			b = skipped
		} else if a.First("title") == skipTitle {
			b |= ruled
		}
	default:
		return
	}
	r.toldNow[ev.Object.ID] = b
	maps.DeleteFunc(o.words.rejected, func(_ string, id source.ID) bool { return id == ev.Object.ID })
	o.beliefs[ev.Object.ID] |= b
	o.ever[ev.Object.ID] |= b
}

// believe: what this run was told is durable now; only its last word counts.
func (o *oracle) believe(r *runState) {
	o.believeMembers(r)
	if !r.dry {
		maps.Copy(o.beliefs, r.toldNow)
		clear(r.toldNow)
	}
}

// takenFor is what the engine may take the objects of this anchor for.
func (o *oracle) takenFor(anchor string, repeat bool) (b bits) {
	for _, n := range o.w.numbers[anchor] {
		id := guid(o.w.seed, n)
		if b |= o.beliefs[id]; repeat {
			b |= o.ever[id]
		}
	}
	return b
}

// begin and end stand around a run.
func (o *oracle) begin(*runState) {
	clear(o.saidNow)
	o.sent, o.accepted, o.fresh = map[string]int{}, 0, 0
}

func (o *oracle) end(r *runState, rep *dirsync.Report, err error) {
	if errors.Is(err, dirsync.ErrHalted) {
		o.w.hit("T-07")
	}
	if text := o.w.log.String(); strings.Contains(text, "cnry") || strings.Contains(text, "@") {
		o.complain("I13", "a value in the log: %.300s", text)
	}
	o.provenBy(r, rep, err)
	o.w.log.Reset()
	if err != nil && strings.Contains(err.Error(), "cnry") {
		o.complain("I13", "a value in an error: %v", err)
	}
	for _, a := range o.w.tenant.accounts {
		if !a.deleted.IsZero() {
			continue
		}
		for _, b := range o.w.tenant.accounts {
			if a.num < b.num && b.deleted.IsZero() && a.anchor != "" && a.anchor == b.anchor {
				o.complain("I5", "two live accounts for the anchor of %s", o.w.who(a.anchor))
			}
		}
	}
	o.w.log.Reset()
}

// batch: a call arrives with these changes.
func (o *oracle) batch(cs []target.Change) {
	seen := map[string]bool{}
	for _, c := range cs {
		if key := string(c.ID) + c.Anchor; seen[key] {
			o.complain("contract", "two changes for %s in one call", o.w.who(c.Anchor))
		} else {
			seen[key] = true
		}
		if c.Op == target.Refer {
			if o.sent["refer "+c.Anchor]++; o.sent["refer "+c.Anchor] > 60 {
				o.complain("I12", "%d changes of references of %s in one run", o.sent["refer "+c.Anchor], o.w.who(c.Anchor))
			}
			continue
		}
		if n := o.answered[c.Anchor]; c.Repeat && n == o.clean && n > 0 && len(o.w.numbers[c.Anchor]) == 1 {
			o.complain("I9", "%s of %s is repeated, though run %d got an answer", c.Op, o.w.who(c.Anchor), n)
		}
		delete(o.answered, c.Anchor)
		if o.sent[c.Anchor]++; o.sent[c.Anchor] > 9 {
			o.complain("I12", "%d writes to %s in one run", o.sent[c.Anchor], o.w.who(c.Anchor))
		}
	}
}

// write: the engine is about to change an account; before is what is there.
func (o *oracle) write(c target.Change, before *account, r *runState, sent sending) {
	removes := false
	defer func() { o.spoken(c, r, removes) }()
	who, taken := o.w.who(c.Anchor), o.takenFor(c.Anchor, c.Repeat)
	if c.Op == target.Create {
		if h := o.w.tenant.holder(target.AttrAnchor, c.Anchor); h != nil && !c.Repeat && o.mine[h.id] && !o.doubt[h.id] {
			o.complain("I5", "a second create for %s", who)
		}
		if taken&(present|disabled) == 0 {
			o.complain("I2", "an account for %s, which the directory never gave", who)
		}
		if in, _ := o.mayBe(c.Anchor, c.Repeat); !in {
			o.complain("I2", "an account for %s, which the scope refuses", who)
		}
		o.inBin(c, r)
		return
	}
	if before == nil {
		return // gone for good
	}
	if before.foreign != "" || !o.mine[before.id] {
		o.complain("I6", "%s of an account that isn't ours (%s, %s)", c.Op, who, before.foreign)
	}
	o.offLimits(c, before, r, sent)
	if before.anchor != c.Anchor && !(before.anchor == "" && slices.Contains(o.w.anchors[o.w.given[before.id]], c.Anchor)) {
		o.complain("I5", "%s of the account of %s for %s", c.Op, o.w.who(before.anchor), who)
	}
	leaves := taken&(left|skipped) != 0 || taken&ruled != 0 && (o.w.rules == 1 || c.Repeat && o.w.ruled)
	if _, out := o.mayBe(c.Anchor, c.Repeat); out {
		leaves = true
	}
	inForce := func(p plan.Leaving) bool { return o.w.leaving == p || c.Repeat && o.w.policies[p] }
	switch {
	case !before.deleted.IsZero():
	case c.Op == target.Delete:
		if taken&deleted == 0 && !(leaves && inForce(plan.DeleteOnLeave)) {
			o.complain("I2", "%s deleted without proof", who)
		}
		removes = true
	case c.Set.First("accountEnabled") == "false" && before.first("accountEnabled") != "false":
		if taken&disabled == 0 {
			if !(leaves && inForce(plan.DisableOnLeave)) {
				o.complain("I2", "%s disabled without proof", who)
			}
			removes = true
		}
	}
	if o.calm && !c.Repeat && !o.w.needsRetry { // a repeat is an old intention, a refusal may end
		o.renamed(c, before)
	}
}

// renamed: without a change in the directory, no account gets a name back that it
// has just lost.
func (o *oracle) renamed(c target.Change, before *account) {
	now := strings.ToLower(c.Set.First("userPrincipalName"))
	was := strings.ToLower(before.first("userPrincipalName"))
	if now == "" || now == was {
		return
	}
	// A placeholder may be a step on the way; one that comes again never rests.
	if o.names[before.id] = append(o.names[before.id], was); slices.Contains(o.names[before.id], now) && !placeholder.MatchString(was) {
		o.complain("I15", "%s goes from %s back to %s", o.w.who(c.Anchor), was, now)
	}
}

// written: the tenant made the change.
func (o *oracle) written(c target.Change, a *account, r *runState) {
	if o.accepted++; !c.Repeat {
		o.fresh++
		o.w.made[deedsOf(string(c.Op), c.Anchor)]++
	}
	o.spent(c, r)
	if c.Op != target.Create {
		return
	}
	if a.foreign == "" { // else it isn't, whatever the engine thinks: the next write to it shows
		o.mine[a.id], o.doubt[a.id] = true, c.Repeat
	}
}

var placeholder = regexp.MustCompile(`-[0-9a-f]{8}@` + regexp.QuoteMeta(initialDomain) + `$`)
