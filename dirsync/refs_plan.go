package dirsync

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// planRefs plans the changes of references behind those of objects, which are
// planned by now. Only holders with something due are looked at, and of these
// the due references alone.
func (r *run) planRefs(ctx context.Context) error {
	if !r.refers() {
		return nil
	}
	if err := r.purgeRefs(ctx); err != nil {
		return err
	}
	if err := r.wakeRefs(ctx); err != nil {
		return err
	}
	for h, err := range r.l.RefHeads(ctx) {
		if err != nil {
			return err
		}
		if r.only != nil && !r.only[h.ID] || !r.req.Retry && time.Now().Before(h.Value.Next) {
			continue
		}
		if err := r.planHolder(ctx, h.ID); err != nil {
			return err
		}
	}
	return r.l.Flush(ctx)
}

// A holderPlan gathers what one object's references need.
type holderPlan struct {
	r        *run
	e        *ledger.Entry
	open     map[string]*plan.Refer // by attribute: what isn't in a change yet, adds or removals
	parts    int
	wrong    map[string]*wrongRefs
	room     map[string]*room // by attribute
	due      int              // references that are still due
	had      []source.ID      // whom the target may have as its manager
	withheld bool
	off      error // why none of its references may be written
	asked    bool  // whether they may

	drifts map[ledger.RefKey]bool // of which others changed something: true if they added it
	back   map[*plan.Refer]bool   // puts that back
}

// wrongRefs are the references of one attribute that aren't tried now.
type wrongRefs struct {
	refused, held, over int
	reason              string
	by                  *ledger.Hold
	room                *room
}

// planHolder plans the references of one object.
func (r *run) planHolder(ctx context.Context, id source.ID) error {
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return err
	}
	ready, wait, err := r.refersNow(ctx, e)
	if err != nil || wait {
		return err
	}
	if !ready {
		return r.unit(ctx, func() error {
			r.l.SetRefWait(id)
			r.l.ClearRefHead(id)
			return nil
		})
	}
	p := &holderPlan{r: r, e: e, open: map[string]*plan.Refer{}, wrong: map[string]*wrongRefs{}, room: map[string]*room{}, back: map[*plan.Refer]bool{}}
	if p.drifts, err = r.drifts(ctx, id); err != nil {
		return err
	}
	last := ""
	for k, err := range r.l.RefDues(ctx, id) {
		if err == nil && k.Attribute != last {
			err = p.turn(ctx, last, k.Attribute)
			last = k.Attribute
		}
		if err != nil {
			return err
		}
		if err := r.unit(ctx, func() error { return p.weigh(ctx, k) }); err != nil {
			return err
		}
	}
	if err := p.flush(ctx, last); err != nil {
		return err
	}
	return r.unit(ctx, func() error {
		if p.due == 0 {
			r.l.ClearRefHead(id)
		} else if err := p.waitForRoom(); err != nil {
			return err
		}
		return r.setRefProblems(ctx, e, p.wrong, false)
	})
}

// turn goes on from the references of one attribute to those of the next.
func (p *holderPlan) turn(ctx context.Context, last, next string) error {
	if err := p.flush(ctx, last); err != nil || next != target.RefManager {
		return err
	}
	for k, err := range p.r.l.Refs(ctx, p.e.Object.ID, next) {
		if err != nil {
			return err
		}
		if x, err := p.r.l.Ref(ctx, k); err != nil {
			return err
		} else if x != nil && x.Applied != ledger.No {
			p.had = append(p.had, k.To)
		}
	}
	return nil
}

// refersNow reports whether e has an account whose references can be written in this
// plan, or has to wait for something that is under way.
func (r *run) refersNow(ctx context.Context, e *ledger.Entry) (ready, wait bool, err error) {
	if e == nil || e.Presence != plan.Present {
		return false, false, nil
	}
	id := e.Object.ID
	for _, open := range []func(context.Context, source.ID) (*ledger.Intent, error){r.l.Intent, r.l.RefIntent} {
		if in, err := open(ctx, id); in != nil || err != nil {
			return false, true, err // nothing is decided on top of an open outcome
		}
	}
	res := r.mapped(e)
	switch {
	case res.Undecided:
		return false, true, nil
	case res.Skip != nil || r.refs.going.has(id):
		return false, false, nil
	}
	return e.Owned() || r.refs.coming.has(id), false, nil
}

// weigh decides about one due reference.
func (p *holderPlan) weigh(ctx context.Context, k ledger.RefKey) error {
	r := p.r
	due, err := r.l.RefDue(ctx, k)
	if due == nil || err != nil {
		return err
	}
	x, err := r.l.Ref(ctx, k)
	if err != nil {
		return err
	}
	if x == nil {
		r.l.ClearRefDue(k)
		return nil
	}
	if known, err := r.known(ctx, k, x); known || err != nil {
		p.due++ // for the one that it is now
		return err
	}
	wanted, err := r.says(ctx, k, x)
	if err != nil {
		return err
	}
	does, standing, err := r.points(ctx, p.e, k, x)
	if err != nil {
		return err
	}
	switch {
	case does && !x.Wanted && x.Applied == ledger.No:
		return r.setRef(ctx, k, x, *x) // nothing is there and nothing is wanted
	case !does:
		n := *x
		n.Standing = standing
		if standing != ledger.Gone {
			n.Applied = ledger.No // there is no account that could be referred to
		}
		r.l.SetRefWait(k.To)
		if due.Held != nil {
			p.holds(k, due)
		}
		if n == *x && due.Held != nil {
			return nil
		}
		return r.setRef(ctx, k, x, n)
	case due.Held != nil:
		p.holds(k, due)
		return nil
	}
	p.due++
	w := p.wrongs(k)
	if due.Refused != "" {
		w.refused++
		w.reason = cmp.Or(w.reason, due.Refused)
	}
	if r.refs.failed[k] || r.refs.stuck[k.Holder] || !r.req.Retry && time.Now().Before(due.Next) {
		return nil
	}
	if !p.asked {
		if p.off, err = r.offLimitsHolder(ctx, p.e); err != nil {
			return err
		}
		p.asked = true
	}
	if p.off != nil {
		if due.Refused == "" {
			w.refused, w.reason = w.refused+1, p.off.Error()
		}
		r.stuck(k.Holder)
		return r.refusedRef(ctx, k, p.off, wanted)
	}
	if fits, err := p.fits(ctx, k, x, wanted, w); !fits || err != nil {
		return err
	}
	return p.add(ctx, k, wanted)
}

// holds counts a reference that somebody holds back. It stays due.
func (p *holderPlan) holds(k ledger.RefKey, due *ledger.RefDue) {
	p.due++
	w := p.wrongs(k)
	w.held, w.by = w.held+1, due.Held
}

func (p *holderPlan) wrongs(k ledger.RefKey) *wrongRefs {
	w := p.wrong[k.Attribute]
	if w == nil {
		w = &wrongRefs{}
		p.wrong[k.Attribute] = w
	}
	return w
}

// add puts a reference into a change; a change that is full goes into the plan.
func (p *holderPlan) add(ctx context.Context, k ledger.RefKey, wanted bool) error {
	// A manager is replaced: both sides go into one change.
	slot := k.Attribute
	if k.Attribute != target.RefManager && !wanted {
		slot += " removals"
	}
	added, drift := p.drifts[k]
	if drift = drift && added != wanted; drift && k.Attribute != target.RefManager {
		slot += " back"
	}
	x := p.open[slot]
	if x == nil {
		x = &plan.Refer{Attribute: k.Attribute}
		p.open[slot] = x
	}
	if drift {
		p.back[x] = true
	}
	add, remove := target.RefBatch(p.r.tgt, p.e.Kind(), k.Attribute)
	if wanted {
		x.Add = append(x.Add, k.To)
	} else {
		x.Remove = append(x.Remove, k.To)
	}
	if k.Attribute == target.RefManager || len(x.Add) < add && len(x.Remove) < remove {
		return nil
	}
	delete(p.open, slot)
	return p.put(ctx, x)
}

// flush puts what is left of an attribute into the plan.
func (p *holderPlan) flush(ctx context.Context, attr string) error {
	for _, slot := range slices.Sorted(maps.Keys(p.open)) {
		x := p.open[slot]
		if x.Attribute != attr {
			continue
		}
		delete(p.open, slot)
		for _, part := range p.parted(x) {
			p.back[part] = p.back[x]
			if err := p.r.unit(ctx, func() error { return p.put(ctx, part) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// parted cuts removals without anything to add: of a manager there may be several
// that the target may have, and each goes for itself.
func (p *holderPlan) parted(x *plan.Refer) (parts []*plan.Refer) {
	if len(x.Add) > 0 {
		return []*plan.Refer{x}
	}
	_, most := target.RefBatch(p.r.tgt, p.e.Kind(), x.Attribute)
	for part := range slices.Chunk(x.Remove, max(most, 1)) {
		parts = append(parts, &plan.Refer{Attribute: x.Attribute, Remove: part})
	}
	return parts
}

// put puts one change into the plan.
func (p *holderPlan) put(ctx context.Context, x *plan.Refer) error {
	r, e := p.r, p.e
	if x.Attribute == target.RefManager && len(x.Add) > 0 {
		x.Add = x.Add[:1]
		x.Remove = slices.DeleteFunc(p.had, func(id source.ID) bool { return id == x.Add[0] })
	}
	c := &plan.Change{
		Change: target.Change{Op: target.Refer, Kind: e.Kind()},
		Source: e.Object.ID, Name: e.Object.DN, UPN: e.Applied.First(target.AttrUserPrincipalName),
		Refer: x, Wave: plan.ReferWave, Part: p.parts, Reason: "changed in the source",
		Precondition: plan.Precondition{Object: "present", Account: plan.AccountOf(e.Link)},
	}
	if p.back[x] {
		c.Reason = whyChangedThere
	}
	if e.Link != nil {
		c.ID, c.Anchor, c.Linked = e.Link.ID, e.Link.Anchor, e.Link.Since
	}
	if !r.opt.Policy.Allows(c) {
		if !p.withheld && r.round == 0 {
			r.report.Withheld++
		}
		p.withheld = true
		return nil
	}
	p.parts++
	r.counts.Add(c)
	r.tally.Add(c, 1)
	r.refs.count(c)
	return r.l.SetChange(r.area, c)
}
