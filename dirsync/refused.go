package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// required are the attributes without which there is no account: a refusal of
// one can't be worked around by leaving it out.
var required = []string{target.AttrUserPrincipalName, target.AttrAccountEnabled, "displayName", "mailNickname"}

// refused decides what an error about one change means. The intent stays only
// if the outcome is open.
func (r *run) refused(ctx context.Context, e *ledger.Entry, c *plan.Change, err error, repeat bool) error {
	id := c.Source
	if target.OutcomeUnknown(err) {
		r.failed[id] = true
		return r.blame(ctx, e, mapping.Problem{
			Code:    codeUnknown,
			Message: "it isn't known whether the target made the change (" + string(c.Op) + "): " + err.Error(),
			Remedy:  "nothing: the next run looks it up and settles it",
		}, err)
	}
	off, ours := errors.AsType[*protectedError](err)
	if c.Op == target.Restore && !errors.Is(err, target.ErrNotApplied) && !ours {
		// It may have come back before something else went wrong.
		e.MayLive = true
		if err := r.l.SetEntry(e); err != nil {
			return err
		}
	}
	if !repeat || settlesRepeat(err) {
		r.l.ClearIntent(id)
	}
	if repeat && settlesRepeat(err) && c.Op != target.Create {
		// What refuses it now need not have been so at the first call.
		if err := r.doubt(r.wire, e, c); err != nil {
			return err
		}
	}
	if foreign, ferr := r.refusedForeign(ctx, e, err); ferr != nil {
		return ferr
	} else if foreign {
		return r.later(ctx, e, foreignProblem(e.Link.ID), err)
	}
	attr := target.AttributeOf(err)
	switch {
	case ours:
		return r.later(ctx, e, off.problem, err)

	case errors.Is(err, target.ErrNotApplied):
		return r.markDue(ctx, id, "")

	case errors.Is(err, target.ErrThrottled), errors.Is(err, target.ErrUnavailable), errors.Is(err, target.ErrUnauthenticated):
		r.stop = fmt.Errorf("write to the target %s: %w", r.tgt.Name(), err)
		return r.markDue(ctx, id, "")

	case errors.Is(err, target.ErrQuota):
		r.noCreate = err
		return r.later(ctx, e, mapping.Problem{
			Code:    "quota",
			Message: "the target has no room for it: " + err.Error(),
			Remedy:  "have the tenant's object quota raised, or remove what isn't needed",
		}, err)

	case errors.Is(err, target.ErrNotYet):
		return r.notYet(ctx, e, err)

	case errors.Is(err, target.ErrDomainNotVerified):
		return r.refusedDomain(ctx, e, c, err)

	case errors.Is(err, target.ErrNotFound):
		return r.lost(ctx, e, c, err)

	case errors.Is(err, target.ErrExists) && (attr != target.AttrAnchor || c.Set[attr] == nil):
		return r.conflict(ctx, e, c, err)

	case (errors.Is(err, target.ErrInvalid) || errors.Is(err, target.ErrReadOnly) || attr == target.AttrAnchor) && c.Set[attr] != nil && !slices.Contains(required, attr):
		// One value is refused: the rest of the object goes on without it.
		if e.Refused == nil {
			e.Refused = map[string][]string{}
		}
		e.Refused[attr] = c.Set[attr]
		if err := r.l.SetEntry(e); err != nil {
			return err
		}
		r.again = true
		return r.markDue(ctx, id, "")

	case errors.Is(err, target.ErrForbidden):
		return r.later(ctx, e, mapping.Problem{
			Code:    "forbidden",
			Message: "the application may not write this account: " + err.Error(),
			Remedy:  "grant the application the permission; accounts of administrators need more than others",
		}, err)

	case errors.Is(err, target.ErrReadOnly):
		return r.later(ctx, e, mapping.Problem{
			Code: "read-only", Attribute: attr,
			Message: "the account can't be written by us: " + err.Error(),
			Remedy:  "see whether another tool synchronizes this account",
		}, err)

	default: // target.ErrInvalid
		return r.later(ctx, e, mapping.Problem{
			Code: "invalid", Attribute: attr,
			Message: "the target refuses the object: " + err.Error(),
			Remedy:  "correct the values in the source",
		}, err)
	}
}

// settlesRepeat reports whether a refusal of a repeated change also says what
// became of the first call: it is about the change itself, and would have met
// the first one too. Any other only says that this call did nothing.
func settlesRepeat(err error) bool {
	for _, s := range []error{target.ErrExists, target.ErrDomainNotVerified, target.ErrInvalid, target.ErrReadOnly, target.ErrNotFound} {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// later has the object tried again after a while.
func (r *run) later(ctx context.Context, e *ledger.Entry, p mapping.Problem, cause error) error {
	id := e.Object.ID
	r.failed[id] = true
	if e.Presence == plan.Deleted {
		if err := r.refusedDeletion(ctx, id); err != nil {
			return err
		}
	}
	due, err := r.l.Due(ctx, id)
	if err != nil {
		return err
	}
	if due == nil {
		due = &ledger.Due{}
	}
	if err := r.l.SetDue(id, later(*due)); err != nil {
		return err
	}
	return r.blame(ctx, e, p, cause)
}

// blame adds a problem to those that planning found.
func (r *run) blame(ctx context.Context, e *ledger.Entry, p mapping.Problem, cause error) error {
	id := e.Object.ID
	ps, err := r.l.ProblemsOf(ctx, id)
	if err != nil {
		return err
	}
	x := plan.Problem{Object: id, Name: e.Object.DN, Problem: p, Since: r.report.Started, Answer: true}
	for _, o := range ps {
		if o.Code == p.Code && o.Attribute == p.Attribute {
			x.Since = o.Since
		}
	}
	ps = slices.DeleteFunc(ps, func(o plan.Problem) bool { return o.Answer }) // the last word counts
	if te, ok := errors.AsType[*target.Error](cause); ok {
		x.RequestID = cmp.Or(te.RequestID, te.ClientRequestID)
	}
	if h, ok := errors.AsType[*heldError](cause); ok {
		x.Holder = string(h.id)
	}
	return r.l.SetProblems(id, append(ps, x))
}

// notYet waits for an object that the target accepted but doesn't show yet.
func (r *run) notYet(ctx context.Context, e *ledger.Entry, err error) error {
	id := e.Object.ID
	due, derr := r.l.Due(ctx, id)
	if derr != nil {
		return derr
	}
	attempts := 0
	if due != nil {
		attempts = due.Attempts
	}
	wait := min(time.Second<<min(attempts, 3), 8*time.Second)
	if r.waited+wait > r.opt.Patience {
		return r.later(ctx, e, mapping.Problem{
			Code:    "not-visible-yet",
			Message: "the target accepted this account a short while ago but doesn't show it yet: " + err.Error(),
			Remedy:  "nothing: the next run tries again",
		}, err)
	}
	r.again = true
	r.wait = max(r.wait, wait)
	return r.l.SetDue(id, ledger.Due{Attempts: attempts + 1, Next: time.Now().UTC().Add(wait)})
}

// refusedDomain falls back when the target says that the domain isn't verified
// after all. It concerns this object only; the list of domains is read again in
// the next run.
func (r *run) refusedDomain(ctx context.Context, e *ledger.Entry, c *plan.Change, err error) error {
	upn := c.Set.First(target.AttrUserPrincipalName)
	domain := strings.ToLower(upn[strings.LastIndexByte(upn, '@')+1:])
	if domain == "" || domain == e.RefusedDomain || domain == r.domains.Initial {
		return r.later(ctx, e, mapping.Problem{
			Code: "domain-refused", Attribute: target.AttrUserPrincipalName,
			Message: fmt.Sprintf("the target refuses the domain %q: %v", domain, err),
			Remedy:  "see which domains are verified at the target",
		}, err)
	}
	e.RefusedDomain = domain
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	// Planning will say the same; until then this is by what a complete run
	// finds whom to try again.
	if err := r.blame(ctx, e, domainRefused(domain), err); err != nil {
		return err
	}
	r.again = true
	return r.markDue(ctx, c.Source, "")
}

func domainRefused(domain string) mapping.Problem {
	return mapping.Problem{
		Code: codeDomainRefused, Attribute: target.AttrUserPrincipalName,
		Message: "the target refuses the domain " + domain + " for this account though it lists it as verified; the fallback is used",
		Remedy:  "nothing, if the domain was verified a short while ago: it is tried again when the object or the list of domains changes, in a full run, and when asked",
	}
}

// conflict names who holds the value that the target says is taken.
func (r *run) conflict(ctx context.Context, e *ledger.Entry, c *plan.Change, err error) error {
	attr := target.AttributeOf(err)
	value, brought := c.Set.First(attr), false
	if value == "" && c.Op == target.Restore { // what it has in the bin
		value, brought = e.Applied.First(attr), true
	}
	key := target.Key{UserPrincipalName: value}
	switch attr {
	case target.AttrUserPrincipalName:
	case target.AttrMail:
		key = target.Key{Mail: value}
	case target.AttrMailNickname:
		key = target.Key{MailNickname: value}
	default:
		key, value = target.Key{Anchor: c.Anchor}, ""
	}
	holder := target.ID("")
	for _, o := range r.whoHas(c.Kind, key) {
		if e.Link == nil || o.ID != e.Link.ID {
			holder = o.ID
		}
		if err := r.noteUnowned(ctx, o); err != nil {
			return err
		}
	}
	if value != "" && holder != "" && e.Link != nil && !brought {
		// Somebody who isn't ours has it: the rest goes on without. One of
		// ours has it and waits for something of this object's: this one
		// makes room first.
		if r.unowned.holder(attr, value) == holder {
			if e.Taken == nil {
				e.Taken = map[string]string{}
			}
			// The target names one value; somebody unowned may hold the other too.
			for _, a := range []string{nameAttr(c.Kind), target.AttrMail} {
				if v := c.Set.First(a); v != "" && r.unowned.holder(a, v) != "" {
					e.Taken[a] = v
				}
			}
			if err := r.l.SetEntry(e); err != nil {
				return err
			}
			return r.planAgain(ctx, e.Object.ID)
		}
		owner, oerr := r.l.Owner(ctx, holder)
		if oerr != nil {
			return oerr
		}
		moves, oerr := r.moving(ctx, owner)
		if oerr != nil {
			return oerr
		}
		if moves && !r.aside[e.Object.ID] {
			r.aside[e.Object.ID] = !r.aside[owner]
			r.again = true
			return r.markDue(ctx, e.Object.ID, "")
		}
	}
	if value != "" && holder != "" {
		// One of ours was to let go of it and couldn't: in the next round this
		// one is who loses, and the rest of it goes on.
		owner, oerr := r.l.Owner(ctx, holder)
		if oerr != nil {
			return oerr
		}
		if owner != "" && owner != e.Object.ID && r.failed[owner] && r.round < maxRounds {
			r.again = true
			return r.markDue(ctx, e.Object.ID, "")
		}
	}
	if c.Op == target.Restore && holder != "" {
		if err := r.standsBack(ctx, e, holder); err != nil {
			return err
		}
	}
	p := mapping.Problem{
		Code: "conflict-at-target", Attribute: attr,
		Message: "another object at the target holds a value that must be unique",
		Remedy:  "rename one of the two; an account that exists already isn't taken over",
	}
	if value != "" {
		p.Message = fmt.Sprintf("%s %q is held by another object at the target", attr, value)
	}
	if holder != "" {
		p.Message += " (" + string(holder) + ")"
	}
	return r.later(ctx, e, p, &heldError{holder, err})
}

// standsBack has e, whose account can't come back since holder is in the way, keep
// nobody from names that nobody has, unless holder is one of ours and may move.
func (r *run) standsBack(ctx context.Context, e *ledger.Entry, holder target.ID) error {
	owner, err := r.l.Owner(ctx, holder)
	if owner != "" || err != nil {
		return err
	}
	return r.yield(ctx, e, func(attr, value string) bool { return r.unowned.holder(attr, value) != "" })
}

// planAgain has the object planned again in this run. Unlike [run.markDue] it
// keeps the count of tries: what is in the way hasn't changed.
func (r *run) planAgain(ctx context.Context, id source.ID) error {
	due, err := r.l.Due(ctx, id)
	if err != nil {
		return err
	}
	again := ledger.Due{}
	if due != nil {
		again.Attempts, again.Why = due.Attempts, due.Why
	}
	r.again = true
	delete(r.failed, id)
	return r.l.SetDue(id, again)
}

// A heldError carries the holder of a value along with the refusal.
type heldError struct {
	id  target.ID
	err error
}

func (e *heldError) Error() string { return e.err.Error() }
func (e *heldError) Unwrap() error { return e.err }
