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
// wave. In a cycle (A wants B's name and B wants A's), the object with the
// lowest ID steps aside under its placeholder first.
func (r *run) names(ctx context.Context, e *ledger.Entry, in *plan.Input) (wave int, err error) {
	upn := in.Result.Attributes.First(target.AttrUserPrincipalName)
	mail := in.Result.Attributes.First(target.AttrMail)
	var upnWave, mailWave int
	if in.UPN, upnWave, err = r.contest(ctx, e, target.AttrUserPrincipalName, upn); err != nil {
		return 0, err
	}
	if in.Mail, mailWave, err = r.contest(ctx, e, target.AttrMail, mail); err != nil {
		return 0, err
	}
	if in.UPN.Holder != "" && !in.UPN.Foreign {
		in.UPN.Placeholder = mapping.Placeholder(upn, in.Result.Anchor, r.placeholderDomain(upn))
	}
	if e.Link != nil && !e.Owned() {
		if err := r.comesBackWith(ctx, e, in); err != nil {
			return 0, err
		}
	}
	if in.UPN.Temporary || in.Mail.Temporary {
		r.stepAside(in, upn, mail, upnWave, mailWave)
		return 0, nil
	}
	return max(upnWave, mailWave), nil
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

// stepAside has e give up what others of its cycle wait for, and nothing else
// that somebody would have to free first. It is planned again in the next
// round, when what it wants is free.
func (r *run) stepAside(in *plan.Input, upn, mail string, upnWave, mailWave int) {
	if in.Mail.Temporary {
		in.Mail.Placeholder = mapping.Placeholder(mail, in.Result.Anchor, r.placeholderDomain(mail))
	}
	for _, n := range []struct {
		claim *plan.Claim
		wants string
		wave  int
	}{{&in.UPN, upn, upnWave}, {&in.Mail, mail, mailWave}} {
		if !n.claim.Temporary && n.wave > 0 && n.wants != "" {
			*n.claim = plan.Claim{Holder: "a later round", Temporary: true} // left as it is
		}
	}
	in.Again = true
	r.again = true
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
	case cycle, r.aside[id] && wave > 0:
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
		if e != nil && (best == nil || before(e, best, value)) {
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

// longestChain bounds how far a chain of values that are passed on is followed.
const longestChain = 1000

// releases follows who frees value in this plan: its holder, for which in turn
// somebody else may have to make room. It returns the number of changes that
// come before, or -1 if somebody on the way doesn't move in this plan. cycle
// says that the chain comes back to id and that id is the one to step aside.
func (r *run) releases(ctx context.Context, attr, value string, id source.ID) (wave int, cycle bool, err error) {
	lowest, at, seen := id, 0, map[source.ID]bool{id: true}
	for wave = 1; wave <= longestChain; wave++ {
		holder, err := r.l.Holder(ctx, attr, value)
		if err != nil {
			return -1, false, err
		}
		if holder == id {
			if lowest != id {
				// Another one of the cycle steps aside; this one follows it,
				// behind those between.
				return at, false, nil
			}
			return 0, true, nil
		}
		if holder == "" || seen[holder] {
			// The end of the chain, or a cycle further on, which is broken by
			// one of its own.
			return wave - 1, false, nil
		}
		seen[holder] = true
		if holder < lowest {
			lowest, at = holder, wave
		}
		wants, err := r.wish(ctx, attr, holder)
		if err != nil {
			return -1, false, err
		}
		switch {
		case wants == nil:
			// It stays. Who waits for it loses: that one keeps its address,
			// or lets its name go for a placeholder.
			if wave > 1 && attr == target.AttrUserPrincipalName {
				return wave - 1, false, nil
			}
			return -1, false, nil
		case *wants == "":
			return wave, false, nil
		}
		value = *wants
	}
	return -1, false, nil
}

// wish returns what id takes in this plan instead of what it has: nil if it
// stays as it is, "" if it lets go without wanting anything of others.
func (r *run) wish(ctx context.Context, attr string, id source.ID) (*string, error) {
	moves, err := r.moving(ctx, id)
	if err != nil || !moves {
		return nil, err
	}
	if in, err := r.l.Intent(ctx, id); in != nil || err != nil {
		return nil, err // its outcome is open; nothing is decided on top of it
	}
	e, err := r.l.Entry(ctx, id)
	if e == nil || err != nil {
		return nil, err
	}
	goes := new(string)
	if e.Presence == plan.Deleted {
		return goes, nil
	}
	value := e.UPN
	if attr == target.AttrMail {
		value = e.Mail
	}
	if value == "" || r.unowned.holder(attr, value) != "" || ledger.SameName(attr, e.Taken[attr], value) {
		return nil, nil // can't be cleared; isn't ours to take
	}
	holder, err := r.l.Holder(ctx, attr, value)
	if err != nil {
		return nil, err
	}
	winner, err := r.winner(ctx, attr, value, holder)
	switch {
	case err != nil:
		return nil, err
	case winner == id:
		return &value, nil
	case attr == target.AttrUserPrincipalName:
		return goes, nil // for a placeholder
	}
	return nil, nil
}

// moving reports whether there is still something to do for id in this run.
func (r *run) moving(ctx context.Context, id source.ID) (bool, error) {
	if id == "" {
		return false, nil
	}
	due, err := r.l.Due(ctx, id)
	return due != nil && r.isDue(id, *due), err
}
