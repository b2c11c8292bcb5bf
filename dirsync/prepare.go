package dirsync

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// prepare maps every due object and puts the names that it wants into the
// index. Whoever a changed claim may concern becomes due as well. After it, the
// index holds the claims of everybody, whatever the order in which they came.
func (r *run) prepare(ctx context.Context) error {
	r.newcomer, r.late, r.winners, r.places = newcomers{first: firstContact{is: r.facts.Owned == 0}}, nil, nil, nil
	for k, err := range r.l.Dues(ctx) {
		if err != nil {
			return err
		}
		if !r.isDue(k.ID, k.Value) {
			continue
		}
		if err := r.l.Unit(ctx, func() error { return r.prepareOne(ctx, k.ID) }); err != nil {
			return err
		}
	}
	// Those whom a claim has made due after their turn.
	for len(r.late) > 0 {
		late := r.late
		r.late = nil
		for _, id := range late {
			if err := r.l.Unit(ctx, func() error { return r.prepareOne(ctx, id) }); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) prepareOne(ctx context.Context, id source.ID) error {
	e, err := r.l.Entry(ctx, id)
	if err != nil {
		return err
	}
	if e == nil {
		r.l.ClearDue(id)
		return nil
	}
	var res mapping.Result
	// Who left keeps the names of the account, whatever it wanted.
	upn, mail, anchor, suffix := nameOf(e.Kind(), e.Applied), e.Applied.First(target.AttrMail), e.Anchor, e.Suffix
	switch {
	case e.Presence == plan.Present:
		res = r.mapped(e)
		switch {
		case res.Skip != nil || res.Undecided:
			if !e.Owned() {
				upn, mail, anchor, suffix = "", "", "", ""
			}
		case e.Link == nil && fatal(res):
			// It gets no account, so it keeps nobody from a name.
			upn, mail, anchor, suffix = "", "", "", res.Suffix
		default:
			// What a problem concerns isn't named, and the account keeps it.
			if name, named := wantedName(e, res); named || e.Link == nil {
				upn = name
			}
			if v, named := res.Attributes[target.AttrMail]; named || e.Link == nil {
				mail = first(v)
			}
			anchor, suffix = res.Anchor, res.Suffix
			if e.Link == nil {
				r.newcomer.add(r.tgt, id, res)
			}
		}
		if sided := r.sided(e, res); sided || res.Skip == nil && e.Memory != res.Memory {
			e.Memory = res.Memory
			if err := r.l.SetEntry(e); err != nil {
				return err
			}
		}
	case !e.Owned():
		// Deleted, left or out of sight, and no account that lives.
		upn, mail, anchor, suffix = "", "", "", ""
	case e.Presence == plan.Deleted:
		upn, mail, suffix = "", "", ""
	}
	// An account keeps its anchor, also in the bin, and so does one that may have
	// come of a create with an unknown outcome: nobody else gets it.
	if e.Link != nil {
		anchor = e.Link.Anchor
	} else if in, err := r.l.Intent(ctx, id); err != nil {
		return err
	} else if in != nil {
		anchor = in.Change.Anchor
	}
	if e.UPN == upn && e.Mail == mail && e.Anchor == anchor && e.Suffix == suffix {
		return nil
	}
	if err := r.claims(ctx, e, upn, mail, anchor); err != nil {
		return err
	}
	if e.Suffix != suffix {
		// Whose own login ID it is goes first: that may have changed.
		if err := r.markClaimants(ctx, nameAttr(e.Kind()), upn, id); err != nil {
			return err
		}
	}
	r.l.SetSuffix(e.Suffix, suffix, id)
	e.Suffix = suffix
	return r.l.SetEntry(e)
}

// claims puts what e wants into the index, and notes it in e.
func (r *run) claims(ctx context.Context, e *ledger.Entry, upn, mail, anchor string) error {
	for _, c := range []struct {
		attr string
		old  *string
		now  string
	}{{nameAttr(e.Kind()), &e.UPN, upn}, {target.AttrMail, &e.Mail, mail}, {target.AttrAnchor, &e.Anchor, anchor}} {
		if err := r.claim(ctx, c.attr, *c.old, c.now, e.Object.ID); err != nil {
			return err
		}
		*c.old = c.now
	}
	return nil
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func fatal(res mapping.Result) bool {
	return slices.ContainsFunc(res.Problems, func(p mapping.Problem) bool { return p.Fatal })
}

// mapped asks the scope and the rules about an entry.
func (r *run) mapped(e *ledger.Entry) mapping.Result {
	if res, decided := r.joined(e); decided {
		return res
	}
	if res, decided := r.scoped(e); decided {
		return res
	}
	return sameSort(e, r.ruled(e))
}

// ruled asks the rules about an entry. A panic in them is a problem of this
// object, of which nothing is changed.
func (r *run) ruled(e *ledger.Entry) (res mapping.Result) {
	defer func() {
		if p := recover(); p != nil {
			r.opt.Logger.Error("the mapping rules panicked", "object", string(e.Object.ID), "panic", fmt.Sprintf("%T", p))
			res = mapping.Result{Kind: e.Kind(), Anchor: e.Memory.Anchor, Suffix: e.Suffix, Memory: e.Memory,
				Problems: []mapping.Problem{{Code: "rules-panicked", Fatal: true,
					Message: fmt.Sprintf("the mapping rules broke down on this object (%T)", p),
					Remedy:  "correct the rules; the object is looked at again when it or they change"}}}
		}
	}()
	o := e.Object
	o.DN = r.tree.dnOf(&o)
	return r.taken(r.opt.Mapper.Map(mapping.Input{
		Object: o, Domains: r.domains, Previous: e.Memory,
		RefusedDomain: e.RefusedDomain, Now: r.report.Started,
	}))
}

// claim replaces the claim old of id by value, and marks those who share
// either.
func (r *run) claim(ctx context.Context, attr, old, value string, id source.ID) error {
	if ledger.SameName(attr, old, value) {
		return nil
	}
	delete(r.winners, [2]string{attr, strings.ToLower(old)})
	delete(r.winners, [2]string{attr, strings.ToLower(value)})
	if err := r.l.ClearClaim(ctx, attr, old, id); err != nil {
		return err
	}
	if err := r.l.SetClaim(ctx, attr, value, id); err != nil {
		return err
	}
	for _, v := range []string{old, value} {
		if err := r.markClaimants(ctx, attr, v, id); err != nil {
			return err
		}
	}
	return nil
}

// markClaimants makes everybody due who wants value, except id.
func (r *run) markClaimants(ctx context.Context, attr, value string, id source.ID) error {
	if value == "" {
		return nil
	}
	ids, err := r.l.Claimants(ctx, attr, value)
	if err != nil {
		return err
	}
	for _, other := range ids {
		if other == id {
			continue
		}
		if err := r.markDue(ctx, other, "a name changed hands"); err != nil {
			return err
		}
		r.late = append(r.late, other)
	}
	return nil
}

// forget drops all that is remembered of an object for which nothing is owned.
func (r *run) forget(ctx context.Context, e *ledger.Entry) error {
	id := e.Object.ID
	if err := r.claims(ctx, e, "", "", ""); err != nil {
		return err
	}
	r.l.SetSuffix(e.Suffix, "", id)
	r.l.SetParent(id, e.Own().Object.Parent, "", false)
	r.l.SetJoinKey(id, e.Joined.Key, "")
	r.l.ClearAsked(id)
	r.l.ClearDue(id)
	r.l.ClearLook(id)
	if err := r.l.SetDrift(id, nil); err != nil {
		return err
	}
	if err := r.l.SetProblems(id, nil); err != nil {
		return err
	}
	r.l.Forget(id)
	r.forgetRefs(id)
	return nil
}
