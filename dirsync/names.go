package dirsync

import (
	"cmp"
	"context"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// names settles who gets the unique values that e wants, and in which wave its
// change goes. The order among our own objects, whatever the order in which
// they came:
//
//  1. who has the value at the target and still wants it,
//  2. who wants it as their own login ID, before those that fall back to it,
//  3. the lowest ID.
//
// A value that its present holder gives up in this plan is taken in a later
// wave. In a cycle (A wants B's name and B wants A's), the object with the
// lowest ID steps aside under its placeholder first.
func (r *run) names(ctx context.Context, e *ledger.Entry, in *plan.Input) (wave int, err error) {
	upn := in.Result.Attributes.First(target.AttrUserPrincipalName)
	mail := in.Result.Attributes.First(target.AttrMail)
	var chain int
	if in.UPN, chain, err = r.contest(ctx, e, target.AttrUserPrincipalName, upn); err != nil {
		return 0, err
	}
	wave = max(wave, chain)
	if in.Mail, chain, err = r.contest(ctx, e, target.AttrMail, mail); err != nil {
		return 0, err
	}
	wave = max(wave, chain)
	if in.UPN.Holder != "" && !in.UPN.Foreign {
		in.UPN.Placeholder = mapping.Placeholder(upn, in.Result.Anchor, r.placeholderDomain(upn))
	}
	if in.UPN.Temporary || in.Mail.Temporary {
		return 0, r.stepAside(e, in, upn, mail)
	}
	return wave, nil
}

// stepAside has e give up what others of its cycle wait for, and nothing else
// that somebody would have to free first. It is planned again in the next
// round, when what it wants is free.
func (r *run) stepAside(e *ledger.Entry, in *plan.Input, upn, mail string) error {
	if in.Mail.Temporary {
		in.Mail.Placeholder = mapping.Placeholder(mail, in.Result.Anchor, r.placeholderDomain(mail))
	}
	for _, n := range []struct {
		claim *plan.Claim
		wants string
		has   string
	}{{&in.UPN, upn, e.Applied.First(target.AttrUserPrincipalName)}, {&in.Mail, mail, e.Applied.First(target.AttrMail)}} {
		if !n.claim.Temporary && n.wants != n.has && n.wants != "" {
			*n.claim = plan.Claim{Holder: "a later round", Temporary: true} // left as it is
		}
	}
	in.Again = true
	r.again = true
	return nil
}

// placeholderDomain is where placeholders live: the tenant's initial domain,
// for targets without domains that of the name itself.
func (r *run) placeholderDomain(upn string) string {
	if r.domains.Initial != "" {
		return r.domains.Initial
	}
	return upn[strings.LastIndexByte(upn, '@')+1:]
}

// contest settles who gets value. wave is how many changes have to free values
// before this one can take its own.
func (r *run) contest(ctx context.Context, e *ledger.Entry, attr, value string) (c plan.Claim, wave int, err error) {
	id := e.Object.ID
	if value == "" {
		return c, 0, nil
	}
	holder, err := r.l.Holder(ctx, attr, value)
	if err != nil || holder == id {
		return c, 0, err
	}
	if foreign := r.unowned.holder(attr, value); foreign != "" {
		return plan.Claim{Holder: string(foreign), Foreign: true}, 0, nil
	}
	winner, err := r.winner(ctx, attr, value, holder)
	if err != nil {
		return c, 0, err
	}
	if winner != id && winner != "" {
		return plan.Claim{Holder: string(winner)}, 0, nil
	}
	if holder == "" {
		return c, 0, nil
	}
	// The holder doesn't want it any more. Does it let go in this plan?
	wave, cycle, err := r.releases(ctx, attr, value, id)
	switch {
	case err != nil:
		return c, 0, err
	case wave < 0:
		return plan.Claim{Holder: string(holder)}, 0, nil
	case cycle:
		return plan.Claim{Holder: string(holder), Temporary: true}, 0, nil
	}
	return c, wave, nil
}

// winner returns who of our objects is to have value.
func (r *run) winner(ctx context.Context, attr, value string, holder source.ID) (source.ID, error) {
	ids, err := r.l.Claimants(ctx, attr, value)
	if err != nil {
		return "", err
	}
	if len(ids) == 1 {
		return ids[0], nil
	}
	var best *ledger.Entry
	for _, id := range ids {
		if id == holder {
			return id, nil
		}
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return "", err
		}
		if e != nil && (best == nil || before(e, best, value)) {
			best = e
		}
	}
	if best == nil {
		return "", nil
	}
	return best.Object.ID, nil
}

// before reports whether a has the better right to value.
func before(a, b *ledger.Entry, value string) bool {
	domain := strings.ToLower(value[strings.LastIndexByte(value, '@')+1:])
	own := func(e *ledger.Entry) int {
		if e.Suffix == domain {
			return 0
		}
		return 1
	}
	return cmp.Or(cmp.Compare(own(a), own(b)), cmp.Compare(a.Object.ID, b.Object.ID)) < 0
}

// longestChain bounds how far a chain of values that are passed on is followed.
const longestChain = 1000

// releases follows who frees value in this plan: its holder, for which in turn
// somebody else may have to make room. It returns the number of changes that
// come before, or -1 if somebody on the way doesn't move in this plan. cycle
// says that the chain comes back to id and that id is the one to step aside.
func (r *run) releases(ctx context.Context, attr, value string, id source.ID) (wave int, cycle bool, err error) {
	lowest, seen := id, map[source.ID]bool{id: true}
	for wave = 1; wave <= longestChain; wave++ {
		holder, err := r.l.Holder(ctx, attr, value)
		if err != nil {
			return -1, false, err
		}
		if holder == id {
			if lowest != id {
				// Another one of the cycle steps aside; this one follows it.
				return wave, false, nil
			}
			return 0, true, nil
		}
		if holder == "" || seen[holder] {
			// The end of the chain, or a cycle further on, which is broken by
			// one of its own.
			return wave - 1, false, nil
		}
		seen[holder] = true
		lowest = min(lowest, holder)
		due, err := r.l.Due(ctx, holder)
		if err != nil {
			return -1, false, err
		}
		e, err := r.l.Entry(ctx, holder)
		if err != nil {
			return -1, false, err
		}
		if e == nil || due == nil || !r.isDue(holder, *due) {
			return -1, false, nil
		}
		if e.Presence == plan.Deleted {
			return wave, false, nil
		}
		if attr == target.AttrUserPrincipalName {
			value = e.UPN
		} else {
			value = e.Mail
		}
		if value == "" {
			return wave, false, nil
		}
	}
	return -1, false, nil
}
