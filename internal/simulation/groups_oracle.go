package simulation

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

var (
	_ target.RefFinder = (*caller)(nil)
	_ target.Kinder    = (*caller)(nil)
)

func (t *caller) Kinds() []target.Kind {
	if t.w.config.Groups == 0 {
		return []target.Kind{target.User}
	}
	return []target.Kind{target.Group, target.User}
}

func (t *caller) RefBatch(kind target.Kind, attr string) (add, remove int) {
	n := t.w.config.Groups
	switch {
	case kind == target.Group && attr == target.RefMembers:
		return n, n
	case kind == target.User && attr == target.RefManager:
		return min(n, 1), min(n, 1)
	}
	return 0, 0
}

func (t *caller) Refs(ctx context.Context, _ target.Kind, id target.ID, _ string) iter.Seq2[target.ID, error] {
	return func(yield func(target.ID, error) bool) {
		if err := t.ask(ctx, "refs"); err != nil {
			yield("", err)
			return
		}
		a := t.w.tenant.accounts[id]
		if a == nil || !a.deleted.IsZero() || !t.w.tenant.visible(a) {
			yield("", refuse(target.ErrNotFound, "", "no account %s", id))
			return
		}
		for _, to := range t.w.tenant.referred(a) {
			if !yield(to, nil) {
				return
			}
		}
	}
}

// toldRefs: the directory says something about references.
func (o *oracle) toldRefs(ev source.Event) {
	for _, to := range ev.References.Add {
		o.w.saidRefs[[2]source.ID{ev.Object.ID, to}] = true
	}
}

// referring judges a change of references before it is made: nothing is added
// that the directory never said, and nothing is taken that it still says and
// always did.
func (o *oracle) referring(c target.Change, before *account) {
	w := o.w
	for _, id := range c.Refs.Add {
		to := w.tenant.accounts[id]
		if to == nil || to.anchor == "" || before.anchor == "" { // adopted, and no anchor yet
			continue
		}
		said := false
		for _, h := range w.owners(before) {
			for _, m := range w.owners(to) {
				said = said || w.saidRefs[[2]source.ID{guid(w.seed, h), guid(w.seed, m)}]
			}
		}
		if !said {
			o.complain("I2", "%s refers to %s, which nobody said", w.who(c.Anchor), w.who(to.anchor))
		}
		if p, q := w.dir.people[w.owner(before)], w.dir.people[w.owner(to)]; o.calm && !w.rolledBack && p != nil && q != nil && o.steady(p) == before && o.steady(q) == to {
			if x, ok := p.refs[refTo{p.attr(), q.num}]; !ok || x.gone {
				o.complain("I2", "p%d refers to p%d, which nobody says any more", p.num, q.num)
			}
		}
		if !o.mine[id] {
			o.complain("I6", "%s refers to an account that isn't ours", w.who(c.Anchor))
		}
	}
	for _, id := range c.Refs.Remove {
		to := w.tenant.accounts[id]
		if to != nil && to.foreign != "" && w.refEdits[binding{before.id, id}] == 0 {
			o.complain("I2", "%s loses a stranger whom nobody had added", w.who(c.Anchor))
		}
		if to == nil || w.owner(to) == 0 || w.owner(before) == 0 {
			continue
		}
		h, m := w.owner(before), w.owner(to)
		if (w.rebound[to.id] || w.rebound[before.id]) && !w.saidRefs[[2]source.ID{guid(w.seed, h), guid(w.seed, m)}] {
			continue // the account was in it for another, and the directory has told nothing of this one
		}
		if w.refEdits[binding{before.id, id}] > 0 && !w.saidRefs[[2]source.ID{guid(w.seed, h), guid(w.seed, m)}] {
			continue // an administrator knew it before the engine could read it
		}
		if q := w.dir.people[m]; to.foreign != "" && w.refEdits[binding{before.id, id}] > 0 && (q == nil || o.gone(q) || !o.placed(q) || q.poison || q.hidden || q.moving == inNone || w.accountOf(m) != nil) {
			continue // whose account it is doesn't count for who isn't synchronized, or has another
		}
		if q := w.dir.people[m]; q != nil && !o.mine[to.id] && o.gone(q) {
			continue // after a lost state, the account of somebody who isn't synchronized is a stranger's
		}
		if q := w.dir.people[m]; q != nil && w.config.Two && q.moving == inNone {
			continue // neither directory shows it, for longer than it may: it counts as deleted
		}
		if p := w.dir.people[h]; p != nil && !w.unsaid[[2]int{h, m}] {
			if w.rolledBack && !w.config.Audit && (p.poison || p.hidden) {
				continue // nobody notices, and what came since can't be read again
			}
			ref := refTo{p.attr(), m}
			if d := w.second; d != nil && d.people[h] != nil { // a domain controller that lags says so
				if x, ok := d.people[h].refs[ref]; !ok || x.gone {
					continue
				}
			}
			if x, ok := p.refs[ref]; ok && !x.gone {
				o.complain("I2", "%s is taken from %s without a word", w.who(to.anchor), w.who(c.Anchor))
			}
		}
	}
}

// forgot notes references that end in a directory, whoever ends them.
func (w *world) forgot(before map[int]*person) {
	for h, p := range before {
		for to, x := range p.refs {
			now, ok := toldRef{}, false
			if q := w.dir.people[h]; q != nil {
				now, ok = q.refs[to]
			}
			if !x.gone && (!ok || now.gone) {
				w.unsaid[[2]int{h, to.num}] = true
			}
		}
	}
}

// steady is the account of p, if it is what everybody thinks it is.
func (o *oracle) steady(p *person) *account {
	w := o.w
	a := w.accountOf(p.num)
	if a == nil || !o.mine[a.id] || o.doubt[a.id] || a.locked || p.hidden || p.poison || !o.placed(p) || w.lost[p.num] || w.owner(a) != p.num ||
		!p.deleted.IsZero() || o.gone(p) || len(w.anchors[p.num]) != 1 {
		return nil
	}
	return a
}

// judgeRefs compares to whom the accounts refer with what the directory says.
func (o *oracle) judgeRefs(rep *dirsync.Report) {
	w := o.w
	if w.rolledBack || w.config.Groups == 0 {
		return
	}
	o.judgeDeleted(o.steady, rep)
	for _, p := range w.dir.sorted() {
		a := o.steady(p)
		if a == nil || a.off() { // an administrator's isn't written, nor another tool's
			continue
		}
		if p.group {
			o.judgeStrangers(p, a, rep)
		}
		has := w.tenant.referred(a)
		for _, q := range w.dir.sorted() {
			b := o.steady(q)
			if b == nil {
				continue
			}
			x, ok := p.refs[refTo{p.attr(), q.num}]
			says := ok && !x.gone && !(q.group && !p.group) && !nests(a, b)
			// Taken out while an administrator had it in the bin: what the bin
			// brings back then, nobody knows of.
			away := func(num int) bool { return w.binned[num] || w.takenAway[num] != "" }
			// So with what an adopted account had before.
			_, given := w.given[a.id]
			_, given2 := w.given[b.id]
			unknown := !says && (away(p.num) || away(q.num) || given && !w.rebound[a.id] && !w.took[a.id][b.id] || given2 && !w.rebound[b.id]) ||
				says && p.group && o.noRoom(p, a, rep)
			if is := slices.Contains(has, b.id); is != says && !unknown && !o.leftByOthers(p, a, b, rep) {
				o.complain("I1", "p%d refers to p%d: %v, must be %v", p.num, q.num, is, says)
			}
			if says {
				w.hit("members")
			}
		}
	}
}

// judgeGroup sees that a group in scope has an account. One in the bin of which a
// lost state doesn't know that it is ours is proposed instead.
func (o *oracle) judgeGroup(p *person, a *account, rep *dirsync.Report) {
	if o.w.config.Groups == 0 {
		return
	}
	if a == nil && !o.outOfReach(p, nil, rep) && !o.inTheWay(p) && !o.w.proposed(p, rep) && !p.hidden && !p.poison && !o.w.lost[p.num] && !o.w.binned[p.num] && !o.w.rolledBack && (o.w.putsBack() || o.w.takenAway[p.num] == "") {
		o.complain("I1", "the group p%d has no account", p.num)
	}
}

// aboutRefs reports whether a problem is about references: whom they point at may
// be the reason.
func aboutRefs(p plan.Problem) bool { return strings.HasPrefix(p.Code, "reference-") }

// noRoom reports whether a group may go without some of its members: it is full,
// with those that lie in the bin, or one that the target refuses keeps the place.
// So does whom others took away, unless the engine is to put that back: what it
// leaves alone may come back from the bin as it was.
func (o *oracle) noRoom(p *person, a *account, rep *dirsync.Report) bool {
	said := func(code string) bool {
		return slices.ContainsFunc(rep.Problems, func(x dirsync.Problem) bool { return x.Object == p.id && x.Code == code })
	}
	n := len(a.refs)
	for to, x := range p.refs {
		if id := o.w.takenAway[to.num]; !o.w.putsBack() && !x.gone && (o.w.binned[to.num] || id != "" && !a.refs[id]) {
			n++
		}
	}
	most := o.w.config.Most
	return most > 0 && (n >= most || said("reference-limit") && said("reference-refused"))
}
