package simulation

import (
	"errors"
	"fmt"
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

// A wish is what the oracle wants for one person that is in scope.
type wish struct {
	p         *person
	upn, mail string
	account   *account
}

// judge compares the tenant with what the directory says.
func (o *oracle) judge(rep *dirsync.Report) {
	w := o.w
	excused := map[source.ID]bool{}
	var wishes []wish
	for _, p := range rep.Problems { // found by a repeat, and not taken for its own
		if id := target.ID(p.Holder); (p.Code == "anchor-unowned" || p.Code == "conflict-unowned") && o.doubt[id] {
			delete(o.mine, id)
		}
	}
	for _, p := range w.dir.sorted() {
		a := w.accountOf(p.num)
		if p.group {
			if excused[p.id] = true; p.deleted.IsZero() && !o.gone(p) {
				o.judgeGroup(p, a, rep)
			} else if a != nil && (!p.hidden && !p.poison || !p.deleted.IsZero()) && (!p.deleted.IsZero() || w.leaving == plan.DeleteOnLeave) {
				o.judgeGone(p, a, rep)
			}
			continue
		}
		w.nameless(p)
		contested := slices.ContainsFunc(w.anchors[p.num], func(x string) bool { return len(w.numbers[x]) > 1 })
		switch {
		case !o.placed(p), contested, p.hidden && p.deleted.IsZero(), p.poison, w.lost[p.num], o.outOfReach(p, a, rep), a != nil && (a.off() || !o.mine[a.id]),
			a == nil && (w.binned[p.num] || w.proposed(p, rep) || w.keptDown(p)) && reported(rep, p):
			o.missed(p, a, rep)
			excused[p.id] = true // left as it is, and reported; what it wants is kept for it
			for _, n := range p.names {
				w.unseen[n] = true
			}
		case p.deleted.IsZero() && !o.gone(p):
			wishes = append(wishes, o.person(p, a, rep, excused))
		case a != nil:
			o.judgeGone(p, a, rep)
		}
	}
	for _, x := range wishes {
		if x.account == nil {
			o.broughtBack(x)
			if excused[x.p.id] = true; !o.blocked(x) {
				o.complain("I1", "p%d has no account", x.p.num)
			} else if !w.unseen[strings.ToLower(x.upn)] && !reported(rep, x.p) {
				o.complain("I6", "p%d has no account of its own, and nobody is told", x.p.num)
			}
			continue
		}
		o.broughtBack(x)
		if x.mail == "" && x.account.first("mail") != "" {
			excused[x.p.id] = true // can't be cleared
		}
		o.judgeName(x, "userPrincipalName", x.upn, func(y wish) string { return y.upn }, wishes, excused)
		o.judgeName(x, "mail", x.mail, func(y wish) string { return y.mail }, wishes, excused)
	}
	o.judgeRefs(rep)
	for _, p := range rep.Problems {
		known := slices.ContainsFunc(w.dir.sorted(), func(q *person) bool { return q.id == p.Object })
		if known && !excused[p.Object] && !w.rolledBack && !o.meddledWith(p) && !aboutRefs(p) {
			o.complain("I1", "%.8s has no reason for the problem %s %s: %s", p.Object, p.Code, p.Attribute, p.Message)
		}
	}
}

// cameBack, with an account's ID in touched: a state that was put back unnoticed has
// the account in the bin, and it lives. What the lost runs restored can't be told
// from what somebody restored on purpose: it is left, and reported.
const cameBack = " came back"

// judgeGone: the person left or was deleted, and its account lives.
func (o *oracle) judgeGone(p *person, a *account, rep *dirsync.Report) {
	one := len(o.w.policies) == 1
	switch {
	case o.w.touched[string(a.id)+cameBack] && slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool { return x.Object == p.id && x.Code == "drift" }):
	case a.off() || !o.mine[a.id] || o.doubt[a.id]:
	case !p.deleted.IsZero():
		o.complain("I1", "p%d is deleted and has an account", p.num)
	case one && o.w.leaving == plan.DeleteOnLeave:
		o.complain("I1", "p%d has left and has an account", p.num)
	case !p.group && !o.w.policies[plan.KeepOnLeave] && a.first("accountEnabled") != "false" && !o.w.touched[string(a.id)+"accountEnabled"]:
		o.complain("I1", "p%d has left and is enabled", p.num)
	}
}

// person judges what has nothing to do with others, and returns the rest.
func (o *oracle) person(p *person, a *account, rep *dirsync.Report, excused map[source.ID]bool) wish {
	x := wish{p: p, upn: p.attrs["userPrincipalName"], mail: p.attrs["mail"], account: a}
	if x.upn == "" {
		x.upn = p.attrs["sAMAccountName"] + "@corp.local"
	}
	local, domain, _ := strings.Cut(x.upn, "@")
	if !o.w.tenant.verified[strings.ToLower(domain)] {
		x.upn = local + "@" + initialDomain
	}
	title := p.attrs["title"]
	odd := p.faulty || len(title) > 128 || strings.HasPrefix(title, "refused ")
	if a != nil && a.anchor == "" { // adopted, and somebody else has its anchor
		excused[p.id] = true
	}
	if odd || o.w.touched[fmt.Sprint("anchor of ", p.num)] || strings.Contains(p.attrs["mail"], " ") {
		excused[p.id] = true
	}
	if strings.Contains(x.mail, " ") { // not an address: what is there stays
		x.mail = ""
	}
	if a == nil {
		return x
	}
	want := map[string]string{"displayName": p.attrs["displayName"], "jobTitle": title, "accountEnabled": "true"}
	if p.attrs["userAccountControl"] == "514" {
		want["accountEnabled"] = "false"
	}
	for _, attr := range slices.Sorted(maps.Keys(want)) {
		got := a.first(attr)
		if o.w.rolledBack && (o.w.unseen[strings.ToLower(x.upn)] || o.w.unseen[strings.ToLower(x.mail)]) {
			continue // the old state doesn't know who has the name, and the refusal is of the whole object
		}
		if o.stays(p, a, attr, got, rep) {
			excused[p.id] = true
			continue
		}
		if attr == "jobTitle" && (odd || strings.ContainsAny(title, "\n\u202e\x00")) || o.w.touched[string(a.id)+attr] {
			continue
		}
		if got != want[attr] && !(o.w.tenant.normalise && strings.EqualFold(got, want[attr])) {
			o.complain("I1", "p%d: %s is %q, must be %q", p.num, attr, got, want[attr])
		}
	}
	return x
}

// theirs are live accounts that aren't ours (any more): nobody gets their names.
func (o *oracle) theirs(a *account) bool { return a.foreign != "" || !o.mine[a.id] }

// blocked reports whether somebody else's account, or one that comes back from
// the bin, has one of the names that x needs.
func (o *oracle) blocked(x wish) bool {
	for _, a := range o.w.tenant.sorted(true) {
		for _, n := range []string{x.upn, x.mail} {
			if n != "" && (o.theirs(a) || a.off()) && (strings.EqualFold(a.first("userPrincipalName"), n) || strings.EqualFold(a.first("mail"), n)) {
				return true
			}
		}
		if o.theirs(a) && slices.Contains(o.w.anchors[x.p.num], a.anchor) {
			return true
		}
	}
	for _, a := range o.w.tenant.sorted(false) {
		if !a.deleted.IsZero() && o.mine[a.id] && slices.Contains(o.w.anchors[x.p.num], a.anchor) && o.bringsTaken(a) {
			return true
		}
	}
	return o.w.unseen[strings.ToLower(x.upn)] || o.w.unseen[strings.ToLower(x.mail)]
}

// bringsTaken reports whether an account in the bin, our own, would bring along a
// name that somebody has by now who isn't ours: nobody can restore it.
func (o *oracle) bringsTaken(a *account) bool {
	for _, attr := range []string{target.AttrUserPrincipalName, target.AttrMail} {
		if h := o.w.tenant.holder(attr, a.first(attr)); h != nil && o.theirs(h) {
			return true
		}
	}
	return false
}

// judgeName: who wants a name has it, unless somebody else has it for a good
// reason: another person who wants it, an account that isn't ours, or one that
// keeps it because its person left, can't be seen or has no other.
func (o *oracle) judgeName(x wish, attr, want string, of func(wish) string, wishes []wish, excused map[source.ID]bool) {
	has := x.account.first(attr)
	if want == "" || has == want {
		return
	}
	excused[x.p.id] = true
	holder := o.w.tenant.holder(attr, want)
	if o.w.touched[string(x.account.id)+attr] || holder != nil && o.w.touched[string(holder.id)+attr] {
		return
	}
	if strings.EqualFold(has, want) {
		o.complain("I1", "p%d: %s is %s, must be %s", x.p.num, attr, has, want)
		return
	}
	if holder == nil {
		if !o.w.unseen[strings.ToLower(want)] {
			o.complain("I1", "p%d: %s is %q, must be %q, which nobody has", x.p.num, attr, has, want)
		}
		return
	}
	for _, y := range wishes { // does the holder want the name, or can't it have another?
		if y.account != holder || strings.EqualFold(of(y), want) || of(y) == "" || o.w.unseen[strings.ToLower(of(y))] {
			continue
		}
		if h := o.w.tenant.holder(attr, of(y)); h != nil && h != holder && (o.theirs(h) || h.off() || attr == "mail") {
			continue
		}
		o.complain("I1", "p%d: %s is %s: %s has p%d, who wants %s", x.p.num, attr, has, want, y.p.num, of(y))
	}
	if attr == "userPrincipalName" && !o.theirs(holder) && !holder.off() && !placeholder.MatchString(has) {
		o.complain("I1", "p%d lost %s and is %s, not a placeholder", x.p.num, want, has)
	}
}
