package dirsync

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// A person may have a part in each source. One of them carries the account, and
// its entry holds what the values of all make together; the others make no
// account. What a source says of a part is taken in as ever; then the persons
// whom that concerns are put together again, before anything is decided. So the
// order in which the parts were told of makes no difference.

// uncouple makes e what its source says of it alone, to be changed; its person is
// put together again.
func (r *run) uncouple(e *ledger.Entry) {
	if key := e.Joined.Key; key != "" {
		r.l.SetJoinKey(e.Object.ID, key, key)
		e.Uncouple()
	}
}

// keyed notes the join key of e, of which the source has just spoken.
func (r *run) keyed(e *ledger.Entry) {
	own := e.Own()
	key := r.opt.Join.Key(&own.Object)
	r.l.SetJoinKey(e.Object.ID, e.Joined.Key, key)
	if key == "" {
		e.Uncouple()
		e.Joined = ledger.Joined{}
	}
	e.Joined.Key = key
}

// join puts the persons together of whose parts something new was said.
func (r *run) join(ctx context.Context) error {
	if err := r.noteJoinRule(ctx); err != nil {
		return err
	}
	var persons []string
	for p, err := range r.l.Rejoins(ctx) {
		if err != nil {
			return err
		}
		persons = append(persons, p)
	}
	for _, p := range persons {
		err := r.l.Unit(ctx, func() error {
			r.l.ClearRejoin(p)
			return r.putTogether(ctx, p)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// noteJoinRule finds the keys of everybody anew if the rule is another one.
func (r *run) noteJoinRule(ctx context.Context) error {
	rule := r.opt.Join.Fingerprint()
	if r.facts.Join == rule {
		return nil
	}
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return err
		}
		err := r.l.Unit(ctx, func() error {
			e, err := r.l.Entry(ctx, k.ID)
			if e == nil || err != nil {
				return err
			}
			r.keyed(e)
			if err := r.l.SetEntry(e); err != nil {
				return err
			}
			return r.markDue(ctx, k.ID, "the join rule was changed")
		})
		if err != nil {
			return err
		}
	}
	r.facts.Join = rule
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// A body is a part of a person while the person is put together.
type body struct {
	was    ledger.Entry // as it is kept
	e      *ledger.Entry
	own    ledger.Part
	has    bool // an account that lives, or may come of a call whose outcome is open
	joined bool // it was a part of this person before, without the account
}

// live reports whether the part may be there: its absence isn't proven.
func (b *body) live() bool { return b.own.Presence == plan.Present || b.own.Presence == plan.Missing }

// putTogether works out who of the person carries the account, and what its
// values are. Only what becomes another is kept, and due.
func (r *run) putTogether(ctx context.Context, person string) error {
	var parts []*body
	for k, err := range r.l.PartsOf(ctx, person) {
		if err != nil {
			return err
		}
		e, err := r.l.Entry(ctx, k.ID)
		if err != nil {
			return err
		}
		if e == nil {
			continue
		}
		in, err := r.l.Intent(ctx, k.ID)
		if err != nil {
			return err
		}
		parts = append(parts, &body{was: *e, e: e, own: e.Own(), has: e.Owned() || in != nil})
	}
	c, tangle := r.carrier(parts)
	for _, b := range parts {
		switch {
		case tangle != nil:
			b.e.Joined.Tangle = tangle
		default:
			b.e.Joined.Tangle = nil
			r.couple(b, c, parts)
		}
		if reflect.DeepEqual(b.was, *b.e) {
			continue
		}
		if err := r.l.SetEntry(b.e); err != nil {
			return err
		}
		if err := r.markDue(ctx, b.e.Object.ID, "its person was put together anew"); err != nil {
			return err
		}
	}
	return nil
}

// carrier is the part that has the person's account, or gets it; nil if none is
// there any more. tangle says why nobody can tell.
func (r *run) carrier(parts []*body) (c *body, tangle *mapping.Problem) {
	var live, owners []*body
	homes := map[string]*body{}
	for _, b := range parts {
		if !b.live() {
			continue
		}
		live = append(live, b)
		if b.has {
			owners = append(owners, b)
		}
		if b.own.Presence != plan.Present {
			continue
		}
		if other := homes[b.e.Home]; other != nil {
			return nil, &mapping.Problem{Code: mapping.CodeAmbiguousJoin, Fatal: true,
				Message: fmt.Sprintf("the objects %s and %s of the source %s are one person by %s; nothing is changed for it", other.e.Object.ID, b.e.Object.ID, r.named(b.e.Home), r.opt.Join.By),
				Remedy:  "give one of the two another value of that attribute"}
		}
		homes[b.e.Home] = b
	}
	if len(owners) > 1 {
		names := make([]string, len(owners))
		for i, b := range owners {
			names[i] = fmt.Sprintf("%s of the source %s", b.e.Object.ID, r.named(b.e.Home))
		}
		return nil, &mapping.Problem{Code: mapping.CodeJoinConflict, Fatal: true,
			Message: fmt.Sprintf("these objects are one person by %s, and each has an account: %s; an account that is there isn't given up, so nothing is changed for them", r.opt.Join.By, strings.Join(names, ", ")),
			Remedy:  "give one of them another value of that attribute, or delete the object whose account isn't needed"}
	}
	if len(owners) == 1 {
		return owners[0], nil
	}
	// The account of a part that is gone stays that of the person, for those who
	// were a part of it before: whoever comes later is somebody else.
	for _, b := range parts {
		if b.live() || !b.has {
			continue
		}
		for _, heir := range live {
			if heir.was.Joined.To == b.e.Object.ID {
				return b, nil
			}
		}
	}
	if len(live) == 0 {
		return nil, nil
	}
	some := live
	if known := having(live); len(known) > 0 {
		some = known
	}
	objects := make([]source.Object, len(some))
	for i, b := range some {
		objects[i] = b.own.Object
	}
	return some[r.opt.Join.Carrier(objects)], nil
}

// having are those of parts that had an account, which lies in the bin.
func having(parts []*body) (some []*body) {
	for _, b := range parts {
		if b.e.Link != nil {
			some = append(some, b)
		}
	}
	return some
}

// couple makes the entry of b what the person makes of it, where c carries the
// account.
func (r *run) couple(b, c *body, parts []*body) {
	e := b.e
	e.Uncouple()
	e.Joined.To = ""
	if c == nil || b != c && !b.live() {
		return
	}
	if b != c {
		e.Joined.To = c.e.Object.ID
		return
	}
	var others []source.Object
	presence := c.own.Presence
	if !c.live() {
		presence = plan.Missing
	}
	for _, p := range parts {
		if p == c || !p.live() {
			continue
		}
		others = append(others, p.own.Object)
		if p.own.Presence == plan.Present {
			presence = plan.Present
		}
	}
	if len(others) == 0 {
		return
	}
	own := c.own
	e.Joined.Own = &own
	e.Object, e.Presence, e.Evidence = r.opt.Join.Merge(own.Object, others, !c.live()), presence, nil
}

// joined is the result for e if the rules aren't to decide, since it is a part of
// a person that another one stands for, or that nobody can put together.
func (r *run) joined(e *ledger.Entry) (mapping.Result, bool) {
	res := mapping.Result{Kind: e.Kind(), Anchor: e.Memory.Anchor, Suffix: e.Suffix, Memory: e.Memory}
	d := mapping.Decision{Rule: mapping.RuleJoin}
	switch j := &e.Joined; {
	case j.Tangle != nil:
		d.Branch = j.Tangle.Message
		res.Undecided, res.Problems = true, []mapping.Problem{*j.Tangle}
	case j.To != "":
		d.Branch = "joined to " + string(j.To)
		res.Skip = &d
	case r.opt.Join.Lacks(&e.Object):
		d.Branch = "has no " + r.opt.Join.By + ", by which persons are joined"
		res.Skip = &d
	default:
		return res, false
	}
	res.Decisions = []mapping.Decision{d}
	return res, true
}

// markCarrier makes the object due that carries the account of the person that id
// is a part of, if that is another one.
func (r *run) markCarrier(ctx context.Context, id source.ID, why string) error {
	if r.opt.Join == nil {
		return nil
	}
	e, err := r.l.Entry(ctx, id)
	if e == nil || e.Joined.To == "" || err != nil {
		return err
	}
	return r.markDue(ctx, e.Joined.To, why)
}
