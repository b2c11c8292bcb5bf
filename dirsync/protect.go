package dirsync

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/target"
)

// configured is the protection of those in [Options.Protected].
const configured target.Protection = "is on the configured list of protected accounts"

// protection is whom the run must not write. What can't be told counts as
// protected.
type protection struct {
	asked bool
	list  map[target.ID]bool              // the configured list, by ID
	who   map[target.ID]target.Protection // those of the target, and the configured IDs
	names map[string]bool                 // the configured list as it is, in lower case
	err   error                           // why who isn't known
}

// askProtected finds out who is protected: those on the configured list, and
// those whom the target names. Only an error that ends the run is returned; any
// other stands in the answer.
func (r *run) askProtected(ctx context.Context, list map[target.ID]bool) (protection, error) {
	p := protection{asked: true, list: list, who: map[target.ID]target.Protection{}, names: map[string]bool{}}
	for _, v := range r.opt.Protected {
		p.names[strings.ToLower(v)] = true
	}
	if list == nil {
		// A list that was looked up in part protects those, and is looked up again.
		if list, p.err = r.findListed(ctx); p.err == nil {
			p.list = list
		}
	}
	if p.err == nil && !r.opt.IgnoreRoles {
		var who map[target.ID]target.Protection
		if who, _, p.err = target.Protected(ctx, r.tgt, target.User); p.err == nil {
			for id, why := range who {
				p.who[lower(id)] = why
			}
		}
	}
	for id := range list {
		p.who[id] = configured
	}
	if err := ctx.Err(); err != nil || errors.Is(p.err, target.ErrUnauthenticated) {
		return p, fmt.Errorf("read who is protected at the target %s: %w", r.tgt.Name(), cmp.Or(err, p.err))
	}
	return p, nil
}

func lower(id target.ID) target.ID { return target.ID(strings.ToLower(string(id))) }

// findListed looks the configured list up, to have the IDs of the names. One that
// isn't found may be mistyped.
func (r *run) findListed(ctx context.Context) (map[target.ID]bool, error) {
	list := map[target.ID]bool{}
	if len(r.opt.Protected) == 0 {
		return list, nil
	}
	var keys []target.Key
	for _, v := range r.opt.Protected {
		if strings.Contains(v, "@") {
			keys = append(keys, target.Key{UserPrincipalName: v})
			continue
		}
		keys = append(keys, target.Key{ID: target.ID(v)})
		list[lower(target.ID(v))] = true
	}
	all, lost := len(keys), 0
	others := slices.DeleteFunc(slices.Clone(target.Kinds(r.tgt)), func(k target.Kind) bool { return k == target.User })
	for _, kind := range append([]target.Kind{target.User}, others...) { // a group can be on it as well
		found, err := target.Find(ctx, r.tgt, kind, keys)
		if err != nil {
			return list, err
		}
		var rest []target.Key
		for i, objects := range found {
			for _, o := range objects {
				list[lower(o.ID)] = true
			}
			if len(objects) == 0 && keys[i].ID == "" {
				lost++ // only users have names
			} else if len(objects) == 0 {
				rest = append(rest, keys[i])
			}
		}
		if keys = rest; len(keys) == 0 {
			break
		}
	}
	if lost += len(keys); lost > 0 {
		r.warn(Warning{Code: "protected-not-found",
			Message: fmt.Sprintf("%d of the %d accounts on the configured list of protected accounts aren't at the target", lost, all),
			Remedy:  "correct the list: a name that is mistyped protects nobody"})
	}
	return list, nil
}

// of returns why the account id, last known as upn, is protected: "" if it
// isn't, an error if that can't be told.
func (p *protection) of(id target.ID, upn string) (target.Protection, error) {
	if why := p.who[lower(id)]; why != "" {
		return why, nil
	}
	if p.names[strings.ToLower(upn)] || p.names[string(lower(id))] {
		return configured, nil
	}
	return "", p.err
}

// whoIsProtected asks once a run, the first time that there is something to
// write.
func (r *run) whoIsProtected(ctx context.Context) (*protection, error) {
	if r.guarded.asked {
		return &r.guarded, nil
	}
	p, err := r.askProtected(ctx, nil)
	if err != nil {
		return nil, err
	}
	if p.err != nil {
		r.warn(Warning{Code: codeUnknownProtection,
			Message: "who is an administrator can't be read, so that no account that exists is written: " + p.err.Error(),
			Remedy:  "grant the application the permissions that are named; without them, only accounts on the configured list are protected if roles are ignored on purpose"})
	}
	r.guarded = p
	return &r.guarded, nil
}

const codeUnknownProtection = "protection-unknown"

// offLimits returns the problem of an account that must not be written, nil if
// it may be.
func (r *run) offLimits(ctx context.Context, e *ledger.Entry, c *plan.Change) (*plan.Problem, error) {
	if foreign, err := r.isForeign(ctx, e); err != nil {
		return nil, err
	} else if foreign {
		return &plan.Problem{Object: c.Source, Name: e.Object.DN, Holder: string(c.ID), Problem: foreignProblem(c.ID)}, nil
	}
	if c.Kind != target.User && c.Op == target.Create {
		return nil, nil
	}
	p, err := r.whoIsProtected(ctx)
	if err != nil || c.Op == target.Create {
		return nil, err
	}
	why, unknown := p.of(c.ID, e.Applied.First(target.AttrUserPrincipalName))
	if c.Kind != target.User {
		// Whether a group can hold roles is settled when it is made, and who is
		// adopted was asked about. Graph itself refuses those in restricted units.
		unknown = nil
	}
	if why == "" && unknown == nil {
		return nil, nil
	}
	return &plan.Problem{Object: c.Source, Name: e.Object.DN, Holder: string(c.ID), Problem: protectedProblem(c.ID, why)}, nil
}

// protectedProblem says that nothing is written; without a reason it isn't known
// whether the account is protected.
func protectedProblem(id target.ID, why target.Protection) mapping.Problem {
	if why == "" {
		return mapping.Problem{
			Code:    codeUnknownProtection,
			Message: fmt.Sprintf("whether the account %s is an administrator's can't be read; nothing is written to it", id),
			Remedy:  "grant the application the permissions that the run's warning names; it is tried again by itself",
		}
	}
	return mapping.Problem{
		Code:    "protected",
		Message: fmt.Sprintf("the account %s %s; nothing is written to it", id, why),
		Remedy:  "have its own administrators change it at the target, or take what protects it away; it is tried again by itself",
	}
}

// keepOff leaves a protected account as it is, and looks again later.
func (r *run) keepOff(ctx context.Context, due ledger.Due, p *plan.Problem, ps []plan.Problem) error {
	r.failed[p.Object] = true
	if err := r.l.SetDue(p.Object, later(due)); err != nil {
		return err
	}
	return r.setProblems(ctx, p.Object, append(ps, *p))
}

// isOffLimits reports whether the account of an object must not be written, so
// that it can't make room for others.
func (r *run) isOffLimits(ctx context.Context, e *ledger.Entry) (bool, error) {
	if e == nil || e.Link == nil {
		return false, nil
	}
	if e.Link.Foreign || e.Kind() != target.User {
		return e.Link.Foreign, nil
	}
	p, err := r.whoIsProtected(ctx)
	if err != nil {
		return false, err
	}
	why, unknown := p.of(e.Link.ID, e.Applied.First(target.AttrUserPrincipalName))
	return why != "" || unknown != nil, nil
}

// sensitive are the attributes by which somebody gets hold of an account, or is
// locked out of it: those for which Graph wants a directory role if it is an
// administrator's (Microsoft's page "Working with users", sensitive actions),
// and addresses.
var sensitive = []string{target.AttrUserPrincipalName, target.AttrAccountEnabled, target.AttrMail, target.AttrAnchor,
	"otherMails", "businessPhones", "mobilePhone"}

// isSensitive reports whether it is asked once more, right before the call, who
// is protected, and whether another tool synchronizes the account.
func isSensitive(in *ledger.Intent) bool {
	c := &in.Change
	if c.Kind != target.User {
		return in.Undo != 0 || c.Op == target.Delete
	}
	switch c.Op {
	case target.Create:
		return false
	case target.Update:
		return in.Undo != 0 || slices.ContainsFunc(sensitive, func(attr string) bool { _, set := c.Set[attr]; return set })
	}
	return true
}

// A protectedError is our own refusal of a change.
type protectedError struct{ problem mapping.Problem }

func (e *protectedError) Error() string { return e.problem.Message }
func (e *protectedError) Unwrap() error { return target.ErrForbidden }

// recheck takes out of a batch what has become protected since it was planned,
// and settles that as refused.
func (r *run) recheck(ctx context.Context, batch []*ledger.Intent) ([]*ledger.Intent, error) {
	if !slices.ContainsFunc(batch, isSensitive) {
		return batch, nil
	}
	p, err := r.askProtected(ctx, r.guarded.list)
	if err != nil {
		return nil, err
	}
	r.guarded = p
	foreign, ferr := r.foreignNow(ctx, batch)
	rest := make([]*ledger.Intent, 0, len(batch))
	for _, in := range batch {
		if in.Change.Op == target.Create {
			rest = append(rest, in)
			continue
		}
		why, unknown := p.of(in.Change.ID, in.Change.UPN)
		if in.Change.Kind != target.User {
			unknown = nil
		}
		off, err := r.recheckForeign(ctx, in, foreign, ferr)
		if err != nil {
			return nil, err
		}
		if why != "" || unknown != nil {
			problem := protectedProblem(in.Change.ID, why)
			off = &problem
		}
		if off == nil {
			rest = append(rest, in)
			continue
		}
		refusal := target.Result{Err: &protectedError{*off}}
		if err := r.unit(ctx, func() error { return r.settle(ctx, in, refusal, false) }); err != nil {
			return nil, err
		}
	}
	return rest, nil
}
