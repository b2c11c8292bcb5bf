package dirsync

import (
	"cmp"
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

// A MatchPolicy says by what accounts may be proposed beside the source anchor.
// The zero value, and nil: by nothing else.
type MatchPolicy struct {
	UserPrincipalName bool // the account has the name that the object is to have
	Mail              bool // the account, or group, has the object's primary address

	// Of groups alone, whose names need not be unique.
	MailNickname bool
	DisplayName  bool
}

// Match reads what changed at the source and everything at the target, its bin
// included, and proposes which accounts that aren't ours may belong to objects that
// have none.
// Nothing is written, neither to the target nor to the store, and nothing is
// adopted: look at the pairs, and give those that are right to [Engine.Adopt].
//
// Each pair is there once, by the strongest key that it was found by: anchor,
// name, address, nickname, display name. Groups are proposed for groups, and of
// those at the target only what can be written: see [target.Object.Foreign]. By name and address only accounts are proposed that carry no
// anchor or the object's own; one with another anchor is listed with that
// conflict, and so is one in the bin that carries the object's anchor. The pairs
// are in the order of objects, then of accounts.
func (e *Engine) Match(ctx context.Context, policy *MatchPolicy) ([]Match, error) {
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	if policy == nil {
		policy = &MatchPolicy{}
	}
	r := e.newRun(ledger.NewOverlay(e.store), nil)
	r.dry = true
	m := &matcher{r: r, by: map[MatchKey]map[string][]*wanting{}}
	err := unbroken(func() error { return m.match(ctx, policy) })
	if _, err := r.end(ctx, err); err != nil {
		return nil, err
	}
	return m.matches(), nil
}

// A matcher gathers pairs. It holds what objects without an account want, and of
// the target's objects only those that are wanted.
type matcher struct {
	r     *run
	by    map[MatchKey]map[string][]*wanting
	pairs []*Match
}

// A wanting is an object without an account.
type wanting struct {
	id    source.ID
	name  string
	res   mapping.Result
	found map[target.ID]*Match
}

func (m *matcher) match(ctx context.Context, policy *MatchPolicy) error {
	r := m.r
	for _, step := range []func(context.Context) error{r.begin, r.askDomains, r.read, r.scopeOrReadAll} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := m.gather(ctx, policy); err != nil {
		return err
	}
	if _, err := r.whoIsProtected(ctx); err != nil {
		return err
	}
	for o, err := range r.tgt.Current(ctx) {
		if err != nil {
			return fmt.Errorf("read the target's objects: %w", err)
		}
		if err := m.consider(ctx, o); err != nil {
			return err
		}
	}
	// What lies in the bin is listed so that it is restored before it is adopted.
	if _, err := r.listBin(ctx, func(o target.Object) error { return m.consider(ctx, o) }); err != nil {
		return err
	}
	m.contradict()
	return nil
}

// gather finds the objects that want an account and have none. One whose anchor
// an object of ours has gets that as its only pair.
func (m *matcher) gather(ctx context.Context, policy *MatchPolicy) error {
	r := m.r
	var ids []source.ID
	for k, err := range r.l.Heads(ctx) {
		if err != nil {
			return err
		}
		if k.Value.Presence == plan.Present && !k.Value.Linked {
			ids = append(ids, k.ID)
		}
	}
	for _, id := range ids {
		e, err := r.l.Entry(ctx, id)
		if err != nil {
			return err
		}
		in, err := r.l.Intent(ctx, id)
		if err != nil {
			return err
		}
		res := r.mapped(e)
		if e.Link != nil || in != nil || res.Skip != nil || res.Undecided || fatal(res) || res.Anchor == "" {
			continue
		}
		w := &wanting{id: id, name: e.Object.DN, res: res, found: map[target.ID]*Match{}}
		old, open, err := r.anchorOwner(ctx, id, res.Anchor)
		if err != nil {
			return err
		}
		if open != "" {
			continue // whose account it is, the next run will know
		}
		if old != nil {
			if err := m.rebind(ctx, w, old); err != nil {
				return err
			}
			continue
		}
		m.want(ByAnchor, res.Anchor, w)
		if policy.UserPrincipalName {
			m.want(ByUserPrincipalName, strings.ToLower(res.Attributes.First(target.AttrUserPrincipalName)), w)
		}
		if policy.Mail {
			m.want(ByMail, strings.ToLower(cmp.Or(res.Address, res.Attributes.First(target.AttrMail))), w)
		}
		if w.group() && policy.MailNickname {
			m.want(ByMailNickname, strings.ToLower(res.Attributes.First(target.AttrMailNickname)), w)
		}
		if w.group() && policy.DisplayName {
			m.want(ByDisplayName, strings.ToLower(res.Attributes.First("displayName")), w)
		}
	}
	return nil
}

func (w *wanting) group() bool { return w.res.Kind == target.Group }

// isGroupKey reports whether only groups are found by this key.
func isGroupKey(by MatchKey) bool { return by == ByMailNickname || by == ByDisplayName }

func (m *matcher) want(by MatchKey, value string, w *wanting) {
	if m.by[by] == nil {
		m.by[by] = map[string][]*wanting{}
	}
	if value != "" {
		m.by[by][value] = append(m.by[by][value], w)
	}
}

// anchorOwner returns another object of ours whose account has this anchor, nil
// if there is none. open is one that may have such an account, since the outcome
// of a call for it is open.
func (r *run) anchorOwner(ctx context.Context, id source.ID, anchor string) (owner *ledger.Entry, open source.ID, err error) {
	ids, err := r.l.Claimants(ctx, target.AttrAnchor, anchor)
	if err != nil {
		return nil, "", err
	}
	for _, other := range ids {
		if other == id {
			continue
		}
		e, err := r.l.Entry(ctx, other)
		if err != nil {
			return nil, "", err
		}
		if e != nil && e.Link != nil && e.Link.Anchor == anchor {
			return e, "", nil
		}
		if in, err := r.l.Intent(ctx, other); err != nil {
			return nil, "", err
		} else if in != nil {
			open = other
		}
	}
	return nil, open, nil
}

// isGone reports whether it is proven that an object isn't synchronized any more:
// the source said that it was deleted or left, or the rules skip it. That it
// can't be found is no proof.
func (r *run) isGone(e *ledger.Entry) bool {
	switch e.Presence {
	case plan.Left, plan.Deleted:
		return true
	case plan.Present:
		return r.mapped(e).Skip != nil
	}
	return false
}

// rebind proposes that w takes over the account of old, which had its anchor
// before.
func (m *matcher) rebind(ctx context.Context, w *wanting, old *ledger.Entry) error {
	p := m.pair(w, ByRebind, target.Object{ID: old.Link.ID, Kind: target.User, Anchor: old.Link.Anchor, Attributes: old.Applied})
	p.From = old.Object.ID
	switch {
	case m.r.isGone(old):
	case old.Presence == plan.Missing:
		p.conflict(ConflictNotGone, "the object %s has the same source anchor, and the account is its own; it can't be found in the source, which is no proof that it is gone", old.Object.ID)
	default:
		p.conflict(ConflictAnchorTwice, "the object %s has the same source anchor, and the account is its own: an anchor that was accepted doesn't move while its object is there", old.Object.ID)
	}
	return m.offLimits(ctx, p)
}

// pair puts a pair on the list.
func (m *matcher) pair(w *wanting, by MatchKey, o target.Object) *Match {
	p := &Match{Pair: Pair{Object: w.id, Account: o.ID, By: by, Anchor: o.Anchor}, Kind: w.res.Kind, Name: w.name,
		UPN: w.res.Attributes.First(target.AttrUserPrincipalName), DisplayName: w.res.Attributes.First("displayName"),
		AccountUPN: o.Attributes.First(target.AttrUserPrincipalName), AccountDisplayName: o.Attributes.First("displayName")}
	link := adoptedLink(o, w.res.Anchor)
	if c, _ := plan.Compute(plan.Input{ID: w.id, Kind: w.res.Kind, Presence: plan.Present, Result: w.res, Link: &link, Applied: o.Attributes}); c != nil {
		p.Before, p.After = c.Before, c.Set
	}
	w.found[o.ID] = p
	m.pairs = append(m.pairs, p)
	return p
}

func (p *Match) conflict(code, format string, args ...any) {
	p.Conflicts = append(p.Conflicts, Conflict{code, fmt.Sprintf(format, args...)})
}

// consider finds out whether somebody wants o.
func (m *matcher) consider(ctx context.Context, o target.Object) error {
	owner, err := m.r.l.Owner(ctx, o.ID)
	if owner != "" || err != nil {
		return err
	}
	for _, k := range []struct {
		by    MatchKey
		value string
	}{
		{ByAnchor, o.Anchor},
		{ByUserPrincipalName, strings.ToLower(o.Attributes.First(target.AttrUserPrincipalName))},
		{ByMail, strings.ToLower(o.Attributes.First(target.AttrMail))},
		{ByMailNickname, strings.ToLower(o.Attributes.First(target.AttrMailNickname))},
		{ByDisplayName, strings.ToLower(o.Attributes.First("displayName"))},
	} {
		if k.value == "" || isGroupKey(k.by) && o.Kind != target.Group || o.Deleted && k.by != ByAnchor {
			continue
		}
		for _, w := range m.by[k.by][k.value] {
			if w.found[o.ID] != nil {
				continue // by a stronger key
			}
			p := m.pair(w, k.by, o)
			if o.Anchor != "" && o.Anchor != w.res.Anchor {
				p.conflict(ConflictOtherAnchor, "the account carries another source anchor than the object's")
			}
			if o.Deleted {
				p.conflict(ConflictBinned, "the account is in the target's bin: restore it in the tenant first, then match and adopt it")
			}
			if o.Foreign {
				p.conflict(ConflictForeign, "%s", foreignWhy(o))
			}
			if other := otherSort(w.res, o); other != "" {
				p.conflict(ConflictOtherKind, "%s", other)
			}
			if err := m.offLimits(ctx, p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *matcher) offLimits(ctx context.Context, p *Match) error {
	guarded, err := m.r.whoIsProtected(ctx)
	if err != nil {
		return err
	}
	switch why, unknown := guarded.of(p.Account, p.AccountUPN); {
	case why != "":
		p.conflict(ConflictProtected, "the account %s", why)
	case unknown != nil:
		p.conflict(ConflictUnknown, "whether the account is an administrator's can't be read: %v", unknown)
	}
	return nil
}

// contradict notes where one object has several accounts, or one account several
// objects. Each names the others.
func (m *matcher) contradict() {
	objects, accounts := map[target.ID][]*Match{}, map[source.ID][]*Match{}
	for _, p := range m.pairs {
		objects[p.Account] = append(objects[p.Account], p)
		accounts[p.Object] = append(accounts[p.Object], p)
	}
	for _, p := range m.pairs {
		for _, q := range objects[p.Account] {
			if q.Object != p.Object {
				p.conflict(ConflictSeveralObjects, "the object %s matches the same account, by %s", q.Object, q.By)
			}
		}
		for _, q := range accounts[p.Object] {
			if q.Account != p.Account {
				p.conflict(ConflictSeveralAccounts, "the account %s matches the same object, by %s", q.Account, q.By)
			}
		}
	}
}

func (m *matcher) matches() []Match {
	slices.SortFunc(m.pairs, func(a, b *Match) int {
		return cmp.Or(cmp.Compare(a.Object, b.Object), cmp.Compare(a.Account, b.Account))
	})
	out := make([]Match, len(m.pairs))
	for i, p := range m.pairs {
		out[i] = *p
	}
	return out
}
