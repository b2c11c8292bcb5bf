package dirsync

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/audit"
	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// adoptAtOnce is for how many pairs the target is asked at once.
const adoptAtOnce = 20

// Adopt makes accounts ours: just those of the pairs, each with just its object.
// by says who decided, for the audit; each adoption is a record there. Nothing is
// written to the target: what the account holds counts as applied, and the next
// run writes the differences, and the anchor where there is none, under the
// usual budgets.
//
// Each pair is looked at again, now: the object is read from the source, and has
// to be in scope without an account; the account has to live, to be nobody's, to
// be neither protected nor synchronized by another tool, and to match still, by
// the same key and with the same anchor as proposed. A pair that doesn't hold is
// refused with the reason and doesn't stop the others; one that was adopted
// before is left as it is. For [ByRebind], the link moves from the object From,
// which must be gone, proven by a tombstone or by its being out of scope, and the
// account keeps its anchor.
//
// The outcomes are in the order of the pairs. The error says why the work as a
// whole couldn't be done; pairs with an outcome are done then all the same.
func (e *Engine) Adopt(ctx context.Context, pairs []Pair, by string) ([]Adopted, error) {
	if by == "" {
		return nil, errors.New("adopt: say who decides")
	}
	if !e.running.TryLock() {
		return nil, ErrRunning
	}
	defer e.running.Unlock()
	r := e.newRun(e.store, nil)
	r.report.Mode = Adopting
	var done []Adopted
	err := unbroken(func() (err error) {
		done, err = r.adopt(ctx, pairs, by)
		return err
	})
	_, err = r.end(ctx, err)
	return done, err
}

func (r *run) adopt(ctx context.Context, pairs []Pair, by string) (done []Adopted, err error) {
	for _, step := range []func(context.Context) error{r.begin, r.askDomains, r.settleOpenRefs, r.scopeFirst} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	r.report.Mode, r.seen = Adopting, newIDSet()
	if err := r.readObjects(ctx, pairs); err != nil {
		return nil, err
	}
	if err := r.readPlaces(ctx, pairs); err != nil {
		return nil, err
	}
	if err := r.readGroups(ctx); err != nil {
		return nil, err
	}
	if err := r.underScope(ctx); err != nil {
		return nil, err
	}
	for some := range slices.Chunk(pairs, adoptAtOnce) {
		guarded, err := r.askProtected(ctx, r.guarded.list)
		if err != nil {
			return done, err
		}
		r.guarded = guarded
		found, err := r.findPaired(ctx, some)
		if err != nil {
			return done, err
		}
		for i, p := range some {
			a := Adopted{Pair: p, Outcome: AdoptDone}
			err := r.unit(ctx, func() error { return r.adoptOne(ctx, &a, found[i], by) })
			if no, ok := errors.AsType[refusal](err); ok {
				a.Outcome, a.Reason, err = AdoptRefused, string(no), nil
			}
			if err != nil {
				return done, fmt.Errorf("adopt the account %s: %w", p.Account, err)
			}
			done = append(done, a)
		}
		if err := r.l.Flush(ctx); err != nil {
			return done[:len(done)-len(some)], err
		}
	}
	return done, nil
}

// readObjects reads the objects of the pairs from the source.
func (r *run) readObjects(ctx context.Context, pairs []Pair) error {
	var ids []source.ID
	for _, p := range pairs {
		if ids = append(ids, p.Object); p.From != "" {
			ids = append(ids, p.From)
		}
	}
	slices.Sort(ids)
	for some := range slices.Chunk(slices.Compact(ids), findBatch) {
		err := r.findAll(ctx, some)
		if errors.Is(err, errors.ErrUnsupported) {
			return fmt.Errorf("the source %s can't look up single objects", r.sourceNames())
		}
		if err != nil {
			return fmt.Errorf("look up objects: %w", err)
		}
	}
	if err := r.join(ctx); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// A refusal is why a pair isn't adopted.
type refusal string

func (r refusal) Error() string { return string(r) }

func no(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// adoptOne looks at a pair once more and makes it so.
func (r *run) adoptOne(ctx context.Context, a *Adopted, found []target.Object, by string) error {
	e, res, err := r.adopter(ctx, a)
	if err != nil || a.Outcome == AdoptAlready {
		return err
	}
	if a.By == ByRebind {
		return r.rebind(ctx, a, e, res, found, by)
	}
	if len(found) == 0 {
		return no("the account isn't at the target")
	}
	o := found[0]
	a.UPN = o.Attributes.First(target.AttrUserPrincipalName)
	if owner, err := r.l.Owner(ctx, o.ID); err != nil {
		return err
	} else if owner != "" {
		return no("the account is that of the object %s", owner)
	}
	if err := r.mayBeOurs(res, o, a.UPN); err != nil {
		return err
	}
	if err := stillMatches(a.Pair, res, o); err != nil {
		return err
	}
	if err := r.anchorIsFree(ctx, a.Object, res, o); err != nil {
		return err
	}
	link := adoptedLink(o, res.Anchor)
	e.Link, e.Applied = &link, o.Attributes.Clone()
	e.Refused, e.Taken, e.Unsure, e.MayLive = nil, nil, nil, false
	r.facts.Own(e.Kind(), 1)
	if err := r.adoptsRefs(ctx, e); err != nil {
		return err
	}
	if err := r.linked(ctx, e, res); err != nil {
		return err
	}
	return r.note(ctx, audit.Record{Event: audit.EventAdopted, Kind: string(e.Kind()), Source: string(a.Object), Name: a.Name,
		Target: string(o.ID), Anchor: link.Anchor, UPN: a.UPN, Approver: by, Reason: "matched by " + string(a.By)})
}

// anchorIsFree says who else has the anchor that o carries, or is to get.
func (r *run) anchorIsFree(ctx context.Context, id source.ID, res mapping.Result, o target.Object) error {
	anchor := res.Anchor
	other, open, err := r.anchorOwner(ctx, id, anchor)
	switch {
	case err != nil:
		return err
	case other != nil:
		return no("the object %s has the same source anchor, and an account", other.Object.ID)
	case open != "":
		return no("the object %s has the same source anchor, and the outcome of a call for it is open; try again after the next run", open)
	}
	found, err := target.Find(ctx, r.tgt, res.Kind, []target.Key{{Anchor: anchor}})
	if err != nil {
		return fmt.Errorf("look up a source anchor at the target: %w", err)
	}
	for _, x := range found[0] {
		if x.ID != o.ID {
			return no("the account %s carries the object's source anchor", x.ID)
		}
	}
	return nil
}

// adoptedLink is the link to o once it is ours. A group is never given an anchor
// afterwards: its unique name is set when it is made, or never.
func adoptedLink(o target.Object, anchor string) plan.Link {
	return plan.Link{ID: o.ID, Anchor: anchor, Since: time.Now().UTC(), Unstamped: o.Anchor == ""}
}

// linked keeps e, which has just got its link and the values of its account, with
// the indexes.
func (r *run) linked(ctx context.Context, e *ledger.Entry, res mapping.Result) error {
	id := e.Object.ID
	r.l.SetOwner(e.Link.ID, id)
	if e.Owned() {
		for _, attr := range uniques {
			if err := r.l.SetHolder(ctx, attr, "", uniqueValue(e.Kind(), e.Applied, attr), id); err != nil {
				return err
			}
		}
	}
	if err := r.claim(ctx, target.AttrAnchor, e.Anchor, e.Link.Anchor, id); err != nil {
		return err
	}
	e.Anchor, e.Memory = e.Link.Anchor, res.Memory
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	if err := r.setProblems(ctx, id, nil); err != nil {
		return err
	}
	if err := r.l.SetFacts(r.facts); err != nil {
		return err
	}
	if r.opt.Drift != IgnoreDrift && e.Owned() {
		// What it was just seen with may be older than what the target has told
		// to have changed, when that was nobody's concern.
		if err := r.lookAgain(id); err != nil {
			return err
		}
	}
	return r.l.SetDue(id, ledger.Due{Why: "adopted"})
}

// adopter returns the object of a pair, if it can get an account.
func (r *run) adopter(ctx context.Context, a *Adopted) (e *ledger.Entry, res mapping.Result, err error) {
	if e, err = r.l.Entry(ctx, a.Object); err != nil {
		return nil, res, err
	}
	if e == nil || !r.seen.has(a.Object) || e.Presence != plan.Present {
		return nil, res, no("the object isn't in the scope of the source")
	}
	a.Name, a.Kind = e.Object.DN, e.Kind()
	ps, err := r.l.ProblemsOf(ctx, a.Object)
	if err != nil {
		return nil, res, err
	}
	if slices.ContainsFunc(ps, func(p plan.Problem) bool { return p.Code == "unreadable" }) {
		return nil, res, no("the source can't read the object")
	}
	if e.Link != nil && e.Link.ID == a.Account && (e.Owned() || a.By == ByRebind) {
		a.Outcome, a.UPN = AdoptAlready, e.Applied.First(target.AttrUserPrincipalName)
		return e, res, nil
	}
	if e.Link != nil {
		return nil, res, no("the object has the account %s", e.Link.ID)
	}
	if in, err := r.l.Intent(ctx, a.Object); err != nil {
		return nil, res, err
	} else if in != nil {
		return nil, res, no("the outcome of a call for the object is open; try again after the next run")
	}
	res = r.mapped(e)
	switch {
	case refused(res):
		return nil, res, no("the object isn't in scope: %s", res.Skip.Branch)
	case res.Skip != nil:
		return nil, res, no("the object isn't synchronized by rule: %s", res.Skip.Branch)
	case res.Undecided:
		return nil, res, no("it can't be told whether the object is in scope; see its problems")
	case fatal(res) || res.Anchor == "":
		return nil, res, no("the object can't have an account; see its problems")
	case !r.isPlaced(e):
		return nil, res, no("where the object lies can't be read now, so it can't be told whether it is in scope")
	}
	return e, res, nil
}

// mayBeOurs says why o can't be adopted by anybody.
func (r *run) mayBeOurs(res mapping.Result, o target.Object, upn string) error {
	why, unknown := r.guarded.of(o.ID, upn)
	switch {
	case why != "":
		return no("the account %s", why)
	case unknown != nil:
		return no("whether the account is an administrator's can't be read: %v", unknown)
	case o.Deleted:
		return no("the account is deleted")
	case o.Foreign:
		return no("%s", foreignWhy(o))
	}
	if other := otherSort(res, o); other != "" {
		return no("%s", other)
	}
	return nil
}

// stillMatches says why a pair isn't (any more) as it was proposed.
func stillMatches(p Pair, res mapping.Result, o target.Object) error {
	if o.Anchor != p.Anchor {
		return no("the account's source anchor isn't the one that it was proposed with")
	}
	if o.Anchor != "" && o.Anchor != res.Anchor {
		return no("the account carries another source anchor than the object's")
	}
	same := func(attr string) bool {
		v := res.Attributes.First(attr)
		return v != "" && strings.EqualFold(v, o.Attributes.First(attr))
	}
	matches, known := map[MatchKey]bool{
		ByAnchor:            o.Anchor != "",
		ByUserPrincipalName: same(target.AttrUserPrincipalName),
		ByMail:              same(target.AttrMail) || res.Address != "" && strings.EqualFold(res.Address, o.Attributes.First(target.AttrMail)),
		ByMailNickname:      o.Kind == target.Group && same(target.AttrMailNickname),
		ByDisplayName:       o.Kind == target.Group && same("displayName"),
	}[p.By]
	switch {
	case matches:
		return nil
	case known:
		return no("the account doesn't match the object by %s (any more)", p.By)
	}
	return no("it isn't said by what the pair matches: anchor, userPrincipalName, mail, mailNickname, displayName or rebind")
}
