package dirsync

import (
	"cmp"
	"context"
	"slices"
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
// wave than the holder's change, see [run.place]. In a cycle (A wants B's name
// and B wants A's), the object with the lowest ID steps aside first.
func (r *run) names(ctx context.Context, e *ledger.Entry, in *plan.Input) (wave int, err error) {
	name, _ := wantedName(e, in.Result)
	upn := wanted{attr: nameAttr(e.Kind()), value: name}
	mail := wanted{attr: target.AttrMail, value: in.Result.Attributes.First(target.AttrMail)}
	if in.UPN, upn.from, err = r.contest(ctx, e, upn.attr, upn.value); err != nil {
		return 0, err
	}
	if in.Mail, mail.from, err = r.contest(ctx, e, mail.attr, mail.value); err != nil {
		return 0, err
	}
	if in.UPN.Holder != "" && !in.UPN.Foreign {
		in.UPN.Placeholder = r.placeholder(upn.attr, upn.value, in.Result.Anchor)
	}
	if e.Link != nil && !e.Owned() && e.Kind() == target.User {
		if err := r.comesBackWith(ctx, e, in); err != nil {
			return 0, err
		}
	}
	at, err := r.place(ctx, e.Object.ID, holders(upn.from, mail.from))
	if err != nil {
		return 0, err
	}
	if at.aside && (upn.from != "" || mail.from != "") {
		return 0, r.stepAside(ctx, e, in, upn, mail)
	}
	return at.wave, nil
}

// comesBackWith sees that an account out of the bin doesn't bring along an
// address that another of ours has got meanwhile.
func (r *run) comesBackWith(ctx context.Context, e *ledger.Entry, in *plan.Input) error {
	old := e.Applied.First(target.AttrMail)
	wants := in.Result.Attributes.First(target.AttrMail)
	if unsure := slices.Contains(e.Unsure, target.AttrMail); old == "" && !unsure || wants != "" && in.Mail.Holder == "" {
		return nil // it brings none, or one that it may have
	} else if old == "" {
		old = wants
	}
	holder, err := r.l.Holder(ctx, target.AttrMail, old)
	if err != nil {
		return err
	}
	lost := in.Mail.Holder != "" && (ledger.SameName(target.AttrMail, wants, old) || slices.Contains(e.Unsure, target.AttrMail))
	if !lost && (holder == "" || holder == e.Object.ID) {
		return nil
	}
	if in.Mail.Holder == "" {
		in.Result.Attributes = in.Result.Attributes.Clone()
		in.Result.Attributes[target.AttrMail] = []string{old}
		in.Mail.Holder = string(holder)
	}
	in.Mail.Placeholder = mapping.Placeholder(old, in.Result.Anchor, r.placeholderDomain(old))
	return nil
}

// A wanted value is one that an object is to get; from is who has to free it
// first, "" if nobody has to.
type wanted struct {
	attr, value string
	from        source.ID
}

// stepAside has e give up what others wait for, and take nothing that somebody
// would have to free first: what nobody waits for it keeps until then. It is
// planned again in the next round, when what it wants is free.
func (r *run) stepAside(ctx context.Context, e *ledger.Entry, in *plan.Input, upn, mail wanted) error {
	for _, n := range []struct {
		claim *plan.Claim
		wanted
	}{{&in.UPN, upn}, {&in.Mail, mail}} {
		if n.from == "" {
			continue
		}
		*n.claim = plan.Claim{Holder: string(n.from), Temporary: true}
		gives, err := r.awaited(ctx, e, n.attr)
		if err != nil {
			return err
		}
		if gives || r.aside[e.Object.ID] {
			n.claim.Placeholder = r.placeholder(n.attr, n.value, in.Result.Anchor)
		}
	}
	in.Again = true
	r.again = true
	return nil
}

// awaited reports whether another of our objects is to get the value that e has.
func (r *run) awaited(ctx context.Context, e *ledger.Entry, attr string) (bool, error) {
	winner, err := r.winner(ctx, attr, uniqueValue(e.Kind(), e.Applied, attr), e.Object.ID)
	return winner != "" && winner != e.Object.ID, err
}

// placeholder is what somebody has instead of value: derived from the anchor.
func (r *run) placeholder(attr, value, anchor string) string {
	if attr == target.AttrMailNickname {
		return mapping.NicknamePlaceholder(value, anchor)
	}
	return mapping.Placeholder(value, anchor, r.placeholderDomain(value))
}

// placeholderDomain is where placeholders live: the tenant's initial domain,
// for targets without domains that of the name itself.
func (r *run) placeholderDomain(upn string) string {
	if r.domains.Initial != "" {
		return r.domains.Initial
	}
	return upn[strings.LastIndexByte(upn, '@')+1:]
}

// contest settles who gets value. from is who has to free it before e can take
// it, "" if nobody has to.
func (r *run) contest(ctx context.Context, e *ledger.Entry, attr, value string) (c plan.Claim, from source.ID, err error) {
	id := e.Object.ID
	if value == "" {
		return c, "", nil
	}
	holder, err := r.l.Holder(ctx, attr, value)
	if err != nil || holder == id {
		return c, "", err
	}
	if foreign := r.unowned.holder(attr, value); foreign != "" {
		return plan.Claim{Holder: string(foreign), Foreign: true}, "", nil
	}
	winner, err := r.winner(ctx, attr, value, holder)
	if err != nil {
		return c, "", err
	}
	if winner != id && winner != "" {
		return plan.Claim{Holder: string(winner)}, "", nil
	}
	if holder == "" {
		return c, "", nil
	}
	// The holder doesn't want it any more. Does it let go in this plan?
	goes, err := r.releases(ctx, attr, value, id)
	if err != nil {
		return c, "", err
	}
	if !goes {
		return plan.Claim{Holder: string(holder)}, "", nil
	}
	return c, holder, nil
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
	if _, wants := slices.BinarySearch(ids, holder); wants {
		return holder, nil
	}
	key := [2]string{attr, strings.ToLower(value)}
	if id, ok := r.winners[key]; ok {
		return id, nil
	}
	var best *ledger.Entry
	for _, id := range ids {
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return "", err
		}
		if e == nil || best != nil && !before(e, best, value) {
			continue
		}
		if shut, err := r.shutOut(ctx, e); err != nil {
			return "", err
		} else if !shut {
			best = e
		}
	}
	if best == nil {
		return "", nil
	}
	if r.winners == nil {
		r.winners = map[[2]string]source.ID{}
	}
	r.winners[key] = best.Object.ID
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

// shutOut reports whether e gets no account, whatever becomes of its names: so
// it keeps nobody from them, see [run.yield].
func (r *run) shutOut(ctx context.Context, e *ledger.Entry) (bool, error) {
	if e.Link != nil {
		return false, nil
	}
	if r.unowned.holder(nameAttr(e.Kind()), e.UPN) != "" || r.unowned.holder(target.AttrMail, e.Mail) != "" {
		return true, nil
	}
	in := plan.Input{Result: mapping.Result{Anchor: e.Anchor}}
	err := r.anchorTaken(ctx, e.Object.ID, &in)
	return in.AnchorHolder != "" || in.AnchorOwner != "", err
}
