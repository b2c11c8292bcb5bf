package simulation

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

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
				if o.judgeGroup(p, a, rep); a != nil {
					o.judgeNickname(p, a, rep)
				}
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
