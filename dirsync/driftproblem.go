package dirsync

import (
	"context"
	"maps"
	"slices"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
	"github.com/dirbridge/dirbridge/target"
)

// The codes of what others did at the target.
const (
	codeDrift         = "drift"
	codeDriftPersists = "drift-persists"
	codeMissing       = "missing-at-target"
	codeDeleted       = "deleted-at-target"
)

// deletedThere says that a change waits since somebody deleted its account.
func deletedThere(id target.ID) mapping.Problem {
	return mapping.Problem{
		Code:    codeDeleted,
		Message: "somebody deleted the account " + string(id) + " at the target; it is in the bin, and by the policy for what others change it stays there",
		Remedy:  "restore it there, and the change is made by itself; or remove the object from the scope",
	}
}

// staysDeleted decides by policy whether the account of e, which a write found in
// the bin, is left there, and notes that it was deleted.
func (r *run) staysDeleted(ctx context.Context, e *ledger.Entry) (bool, error) {
	if r.opt.Drift == IgnoreDrift {
		return true, nil
	}
	d, err := r.driftOf(ctx, e)
	if err != nil {
		return false, err
	}
	_, left := d.Left[""]
	switch {
	case r.opt.Drift == PutBack:
		return left, nil // it was put back again and again, and is left
	case left:
		return true, nil
	}
	r.report.Drifted++
	r.keeps(d, "", nil, nil)
	if err := r.l.SetDrift(e.Object.ID, d); err != nil {
		return false, err
	}
	return true, r.tellDrift(ctx, e.Object.ID, driftProblems(e, d))
}

// driftProblems are what a person has to know of what others did to the account
// of e.
func driftProblems(e *ledger.Entry, d *ledger.Drift) (ps []plan.Problem) {
	add := func(code, attr, message, remedy string) {
		ps = append(ps, plan.Problem{Object: e.Object.ID, Name: e.Object.DN,
			Problem: mapping.Problem{Code: code, Attribute: attr, Message: message, Remedy: remedy}})
	}
	switch {
	case e.Link == nil:
		return nil
	case d.Gone:
		add(codeMissing, "", "the account "+string(e.Link.ID)+" isn't at the target any more, and not in its bin either",
			"find out who removed it for good; if it is to be made anew, remove the object from the scope and add it again")
		return ps
	case d.Alive:
		add(codeDrift, "", "somebody restored this account at the target, though its object is gone; it is left alone",
			"delete it there, if that was no intention")
	case !e.Owned():
		return ps
	case d.Foreign:
		add(codeDrift, "", "another tool synchronizes this account now; it can't be written by us",
			"see which tool that is, and end one of the two")
	}
	for _, attr := range slices.Sorted(maps.Keys(d.Left)) {
		l := d.Left[attr]
		switch {
		case attr != "" && attr != target.AttrAnchor && !slices.Equal(l.Ours, e.Applied[attr]):
			continue // something else was applied since
		case attr == "" && l.Persists:
			add(codeDriftPersists, "", "this account is deleted at the target again and again; it was restored and is left in the bin now",
				"find out who deletes it")
		case attr == "":
			add(codeDrift, "", "somebody deleted this account at the target; it is in the bin", "restore it there, or remove the object from the scope")
		case attr == target.AttrAnchor:
			add(codeDrift, attr, "somebody changed the source anchor of this account at the target; it can't be put back by us",
				"put the old value back by hand: other programs recognize the account by it")
		case l.Persists:
			add(codeDriftPersists, attr, attr+" was put back, and holds another value again; it is left as it is",
				"find out who or what writes it: another tool, or the service itself, which doesn't keep the value as it is")
		default:
			add(codeDrift, attr, attr+" was changed at the target", "change it in the source, or put it back at the target")
		}
	}
	return ps
}

// withDrift adds to the problems of e what others did to its account, unless c
// will show what is so.
func (r *run) withDrift(ctx context.Context, e *ledger.Entry, c *plan.Change, ps []plan.Problem) ([]plan.Problem, error) {
	if e.Link == nil || r.opt.Drift == IgnoreDrift || c != nil && c.Op == target.Delete {
		return ps, nil
	}
	d, err := r.driftOf(ctx, e)
	if err != nil {
		return nil, err
	}
	for _, p := range driftProblems(e, d) {
		if c != nil && (p.Code == codeMissing || p.Attribute == "" || c.Set[p.Attribute] != nil) {
			continue
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// tellDrift replaces what is told of what others did to the account of id.
func (r *run) tellDrift(ctx context.Context, id source.ID, now []plan.Problem) error {
	old, err := r.l.ProblemsOf(ctx, id)
	if err != nil {
		return err
	}
	if len(old)+len(now) == 0 {
		return nil
	}
	rest := slices.DeleteFunc(slices.Clone(old), func(p plan.Problem) bool {
		return p.Code == codeDrift || p.Code == codeDriftPersists || p.Code == codeMissing && !p.Answer
	})
	for _, p := range now {
		if !slices.ContainsFunc(rest, func(o plan.Problem) bool { return o.Code == p.Code && o.Attribute == p.Attribute }) {
			rest = append(rest, p)
		}
	}
	return r.setProblems(ctx, id, rest)
}
