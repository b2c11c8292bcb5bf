package dirsync

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// ErrScope: [Options.Scope] can't be applied, since it names containers or groups that the
// source doesn't have. Nothing was written. The error is a [*ScopeError].
var ErrScope = errors.New("the scope can't be applied")

// A ScopeError says which names of containers and groups mean nothing, or too
// much.
type ScopeError struct {
	Names  []string // as the configuration has them
	None   bool     // the source gives no containers at all, or no groups
	Untold bool     // the groups are there, and the source doesn't tell their members
}

// Error says which, and what to do.
func (e *ScopeError) Error() string {
	names := strings.Join(e.Names, "; ")
	switch {
	case e.Untold:
		return fmt.Sprintf("%v: the source doesn't tell the members of the groups that it names (%s)", ErrScope, names)
	case e.None:
		return fmt.Sprintf("%v: the source gives no containers, or no groups, and it names some (%s)", ErrScope, names)
	}
	return fmt.Sprintf("%v: no container or group of the source, or more than one, is called: %s; correct the name, or give the objectGUID",
		ErrScope, names)
}

// Unwrap makes errors.Is(err, ErrScope) true.
func (e *ScopeError) Unwrap() error { return ErrScope }

// loadScope reads what is remembered of the scope, before the source is read.
func (r *run) loadScope(ctx context.Context) (err error) {
	if r.scoping, err = r.l.Scope(ctx); err != nil || len(r.scoping.Sought) > 0 {
		return err
	}
	for _, err := range r.l.Moved(ctx) {
		r.unsettled = err == nil
		return err
	}
	return nil
}

// unplaced reports whether the scope asks where objects lie, and no complete read
// has said so yet.
func (r *run) unplaced() bool {
	return r.opt.Scope != nil && len(r.opt.Scope.Containers()) > 0 && !r.scoping.Placed
}

// noteScope applies the scope to what was read: it binds its names, and has
// everybody looked at again for whom its answer may have changed. What it is
// told is durable before it is forgotten that it has to be told.
func (r *run) noteScope(ctx context.Context) error {
	if err := r.loadTree(ctx); err != nil {
		return err
	}
	was, before := r.scoping.Fingerprint, *r.scoping
	if err := r.bind(ctx); err != nil {
		return errors.Join(err, r.seek(ctx, err))
	}
	if err := r.regroup(ctx, r.scope.Fingerprint() != was); err != nil {
		*r.scoping = before
		return errors.Join(err, r.seek(ctx, err))
	}
	if len(r.scoping.Sought) > 0 { // until now, no container was looked at
		r.scoping.Sought, r.scoping.Reread = nil, true
	}
	if r.full {
		r.scoping.Placed = len(r.tree.nodes) > 0
		r.scoping.Grouped = r.byGroup()
	}
	if r.scope.Fingerprint() != was && r.facts.Rules != "" { // else everybody is new
		for k, err := range r.l.Heads(ctx) {
			if err != nil {
				return err
			}
			if err := r.l.Unit(ctx, func() error { return r.markDue(ctx, k.ID, "the scope was changed") }); err != nil {
				return err
			}
		}
	}
	regrade := r.regradeMoved
	if r.scope.Fingerprint() != was {
		regrade = r.regradeAll
	}
	if err := regrade(ctx); err != nil {
		return err
	}
	if r.full {
		r.scoping.Reread = false
	}
	if err := r.l.SetScope(r.scoping); err != nil {
		return err
	}
	if err := r.l.Flush(ctx); err != nil || !r.scoping.Reread || r.only != nil || r.unreadSources() != nil {
		return err
	}
	if err := r.read(ctx); err != nil {
		return err
	}
	return r.noteScope(ctx)
}

// seek has the next run read everything, since this one doesn't know a container
// that the scope names: it may only not have been told. A complete read has told.
func (r *run) seek(ctx context.Context, why error) error {
	missing, ok := errors.AsType[*ScopeError](why)
	if !ok || slices.Equal(missing.Names, r.scoping.Sought) {
		return nil
	}
	if r.scoping.Placed, r.scoping.Grouped = false, false; r.full {
		r.scoping.Placed, r.scoping.Grouped, r.scoping.Sought = true, true, missing.Names
	}
	if err := r.l.SetScope(r.scoping); err != nil {
		return err
	}
	return r.l.Flush(ctx)
}

// bind finds the containers and groups that the scope names. A name that was bound before
// stays so, whatever is called that now.
func (r *run) bind(ctx context.Context) error {
	bound, bad := map[string]source.ID{}, []string(nil)
	groups, err := r.bindGroups(ctx)
	if err != nil {
		return err
	}
	if r.opt.Scope != nil {
		for _, name := range r.opt.Scope.Containers() {
			if id := r.scoping.Bound[name]; id != "" {
				bound[name] = id
				continue
			}
			id := source.ID(strings.ToLower(strings.Trim(strings.TrimSpace(name), "{}")))
			if n, known := r.tree.nodes[id]; known && n.State == "" {
				bound[name] = id
			} else if ids := r.tree.named(name); len(ids) == 1 {
				bound[name] = ids[0]
			} else {
				bad = append(bad, name)
			}
		}
	}
	if len(bad) > 0 {
		return &ScopeError{Names: bad, None: len(r.tree.nodes) == 0}
	}
	for _, name := range slices.Sorted(maps.Keys(bound)) {
		if n := r.tree.nodes[bound[name]]; n.State != "" {
			r.warn(Warning{Code: "scope-container-gone", Object: bound[name],
				Message: fmt.Sprintf("the container %q, which the scope names, is %s", r.tree.dn(bound[name]), n.State),
				quiet:   fmt.Sprintf("a container that the scope names is %s", n.State),
				Remedy:  "take it out of the scope; to name another one that is called the same, give its objectGUID"})
		}
	}
	all := maps.Clone(bound)
	maps.Copy(all, groups)
	scope, err := r.opt.Scope.Bind(all)
	if err != nil {
		return err
	}
	r.scope, r.scoping.Bound, r.scoping.Groups, r.scoping.Fingerprint = scope, bound, groups, scope.Fingerprint()
	return nil
}

// regradeAll asks the scope about every container. Everybody is looked at anyhow.
func (r *run) regradeAll(ctx context.Context) error {
	for _, id := range slices.Sorted(maps.Keys(r.tree.nodes)) {
		n := r.tree.nodes[id]
		err := r.l.Unit(ctx, func() error {
			r.l.ClearMoved(id)
			return r.setAnswer(id, n)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) setAnswer(id source.ID, n ledger.Container) error {
	answer := r.answer(id)
	if n.Answer == answer {
		return nil
	}
	if n.Answer == ledger.AnswerOutside {
		// What lies in it may have been told to be outside as well, and nobody
		// tells that it is back.
		r.scoping.Reread = true
	}
	n.Answer = answer
	r.tree.nodes[id] = n
	return r.l.SetContainer(id, &n)
}

// regradeMoved asks the scope about the containers that lie elsewhere now. Only
// if its answer is another one it goes down: those that lie in a container are
// looked at again, and the containers in it are asked about as well.
func (r *run) regradeMoved(ctx context.Context) error {
	for {
		var moved []source.ID
		for k, err := range r.l.Moved(ctx) {
			if err != nil {
				return err
			}
			moved = append(moved, k.ID)
		}
		if len(moved) == 0 {
			return nil
		}
		for _, id := range moved {
			if err := r.regrade(ctx, id); err != nil {
				return err
			}
		}
	}
}

func (r *run) regrade(ctx context.Context, id source.ID) error {
	n := r.tree.nodes[id]
	was := n.Answer
	if was == ledger.AnswerNone { // until now, nothing was known of where it is
		was = string(r.scope.At(mapping.Place{}).Answer)
	}
	if r.answer(id) != was {
		for k, err := range r.l.Children(ctx, id) {
			if err != nil {
				return err
			}
			err := r.l.Unit(ctx, func() error {
				if k.Value {
					r.l.SetMoved(k.ID)
					return nil
				}
				if err := r.markCarrier(ctx, k.ID, "its container moved"); err != nil {
					return err
				}
				return r.markDue(ctx, k.ID, "its container moved")
			})
			if err != nil {
				return err
			}
		}
	}
	// Last: a crash before this has it asked about again.
	return r.l.Unit(ctx, func() error {
		r.l.ClearMoved(id)
		if err := r.setAnswer(id, n); err != nil {
			return err
		}
		return r.l.SetScope(r.scoping)
	})
}

// answer is what is kept of what the scope says of the container id.
func (r *run) answer(id source.ID) string {
	if slices.ContainsFunc(r.tree.place(id).Path, func(c mapping.Container) bool { return c.Outside }) {
		return ledger.AnswerOutside
	}
	return string(r.at(id).Answer)
}

// at is what the scope says of what lies in the container id; "" is one that the
// source didn't name.
func (r *run) at(id source.ID) mapping.Verdict {
	v, known := r.tree.verdicts[id]
	if !known {
		v = r.scope.At(r.tree.place(id))
		r.tree.verdicts[id] = v
	}
	return v
}

// verdict is what the scope says of e.
func (r *run) verdict(e *ledger.Entry) mapping.Verdict {
	return r.scope.Decide(&e.Object, r.scope.Among(&e.Object, r.at(e.Object.Parent), r.membership(e)))
}

// sided notes in e on which side of the scope it is, and reports whether that is
// news.
func (r *run) sided(e *ledger.Entry, res mapping.Result) bool {
	old, now := e.Side, r.scope.Fingerprint()
	switch {
	case res.Undecided:
	case refused(res):
		e.Side.Out = now
		if now == "" { // a container that was moved out of the source's reach
			e.Side.Out = ledger.SideLeft
		}
	default:
		e.Side.In, e.Side.Left = now, ""
	}
	return e.Side != old
}

// refused reports whether it is the scope that has the object skipped.
func refused(res mapping.Result) bool { return res.Skip != nil && res.Skip.Rule == mapping.RuleScope }

// crossing tells the planner how e came to be on this side of the scope. That the
// configuration was changed meanwhile is enough to lay it on that, once: if
// somebody gives the account its use back after it has followed, nobody is asked
// again.
func (r *run) crossing(e *ledger.Entry, in *plan.Input) {
	now := r.scope.Fingerprint()
	switch {
	case refused(in.Result):
		in.Rescoped = e.Side.In != now && (now == "" || e.Side.Left != now)
		kind := plan.EvidenceScope
		if in.Rescoped {
			kind = plan.EvidenceRescoped
		}
		detail := in.Result.Skip.Branch
		if now != "" {
			detail = now
		}
		in.Evidence = &source.Evidence{Kind: kind, Detail: detail, Seen: r.report.Started}
	case in.Result.Skip == nil && e.Side.Out != "":
		in.Returned = true
		if r.scope.ByGroup() {
			in.Entering = r.verdict(e).Decision.Branch
		}
		in.Rescoped = e.Side.Out != now && e.Side.Out != ledger.SideLeft
	}
}

// crossed notes that the account of e has followed its return into the scope.
func (r *run) crossed(e *ledger.Entry, in plan.Input) error {
	if e.Side.Out == "" || !in.Returned || !e.Owned() {
		return nil
	}
	e.Side.Out = ""
	return r.l.SetEntry(e)
}

// scoped is the result for e if the scope doesn't let the rules decide.
func (r *run) scoped(e *ledger.Entry) (res mapping.Result, decided bool) {
	v := r.verdict(e)
	switch v.Answer {
	case mapping.OutOfScope:
		return mapping.Result{Skip: &v.Decision, Kind: e.Kind(), Anchor: e.Memory.Anchor, Memory: e.Memory,
			Decisions: []mapping.Decision{v.Decision}}, true
	case mapping.Undecided:
		return mapping.Result{Undecided: true, Kind: e.Kind(), Anchor: e.Memory.Anchor, Suffix: e.Suffix, Memory: e.Memory,
			Problems: []mapping.Problem{*v.Problem}, Decisions: []mapping.Decision{v.Decision}}, true
	}
	return mapping.Result{}, false
}
