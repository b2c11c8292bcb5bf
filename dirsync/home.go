package dirsync

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dirbridge/dirbridge/dirsync/internal/ledger"
	"github.com/dirbridge/dirbridge/dirsync/plan"
	"github.com/dirbridge/dirbridge/mapping"
	"github.com/dirbridge/dirbridge/source"
)

// Each object is at home in one source, whose word about it counts. What others
// hold under the same ID is kept beside it. If the home says that the object is
// gone, it has moved to one of those; if two hold it, the one whose name comes
// first has the say, in whatever order they told of it.

// prior says whose word counts when two sources hold an object.
func (r *run) prior(a, b string) bool { return r.named(a) < r.named(b) }

// foreign takes what the source that is being read says of an object that is at
// home in another one, and reports whether that was it.
func (r *run) foreign(ctx context.Context, head *ledger.Head, o *source.Object) (bool, error) {
	from := r.from.home
	if head == nil || head.Home == from {
		return false, nil
	}
	e, err := r.l.Entry(ctx, o.ID)
	if err != nil {
		return false, err
	}
	r.uncouple(e)
	if e.Presence != plan.Present || r.prior(from, e.Home) {
		return true, r.moveHome(ctx, e, from, *o)
	}
	if old, known := e.Others[from]; known && ledger.Digest(&old) == ledger.Digest(o) {
		return true, nil
	}
	beside(e, from, *o)
	if err := r.l.SetEntry(e); err != nil {
		return true, err
	}
	return true, r.markDue(ctx, o.ID, "")
}

// beside keeps what another source holds of e.
func beside(e *ledger.Entry, home string, o source.Object) {
	if e.Others == nil {
		e.Others = map[string]source.Object{}
	}
	e.Others[home] = o
}

// moveHome makes another source the home of e, where it is as o says.
func (r *run) moveHome(ctx context.Context, e *ledger.Entry, home string, o source.Object) error {
	if e.Presence == plan.Present {
		beside(e, e.Home, e.Object)
	}
	delete(e.Others, home)
	e.Home, e.Digest = home, [sha256.Size]byte{}
	if err := r.l.SetEntry(e); err != nil {
		return err
	}
	r.l.SetAsked(o.ID)
	head, err := r.l.Head(ctx, o.ID)
	if err != nil {
		return err
	}
	return r.appear(ctx, head, o)
}

// departed takes it that the source that is being read doesn't hold e any more, and
// reports whether e is there all the same: it is at home elsewhere, or moves there.
func (r *run) departed(ctx context.Context, e *ledger.Entry) (bool, error) {
	from := r.from.home
	if e.Home != from {
		if _, held := e.Others[from]; !held {
			return true, nil
		}
		delete(e.Others, from)
		if err := r.l.SetEntry(e); err != nil {
			return true, err
		}
		return true, r.markDue(ctx, e.Object.ID, "")
	}
	if len(e.Others) == 0 {
		return false, nil
	}
	next := slices.MinFunc(slices.Collect(maps.Keys(e.Others)), func(a, b string) int { return strings.Compare(r.named(a), r.named(b)) })
	o := e.Others[next]
	if e.Presence == plan.Present {
		e.Presence = plan.Missing // it isn't there any more
	}
	return true, r.moveHome(ctx, e, next, o)
}

// wentAway notes that e is gone from its home, where others may hold it.
func (r *run) wentAway(e *ledger.Entry) {
	if r.several() {
		e.Gone = r.report.Started
		r.l.SetAsked(e.Object.ID)
	}
}

// waiting says why the removal of e has to wait, and until when if that is known:
// the object may have been moved to another source that doesn't show it yet or
// can't be read. "" is that it needn't.
func (r *run) waiting(ctx context.Context, e *ledger.Entry) (why string, until time.Time, err error) {
	if !r.several() || e.Presence != plan.Left && e.Presence != plan.Deleted || !e.Owned() {
		return "", until, nil
	}
	open, err := r.l.IsAsked(ctx, e.Object.ID)
	if err != nil {
		return "", until, err
	}
	if open || r.unreadSources() != nil {
		return "whether another source holds it now can't be told until all of them can be read", until, nil
	}
	until = e.Gone.Add(r.opt.MoveWait).UTC()
	if e.Gone.IsZero() || !r.report.Started.Before(until) {
		return "", until, nil
	}
	return "another source may show it until " + until.Format(time.RFC3339), until, nil
}

// waits has a removal wait that has to, and reports whether it does. Where nothing
// is left to be done, nothing waits.
func (r *run) waits(ctx context.Context, e *ledger.Entry, in plan.Input, due ledger.Due) (bool, error) {
	if c, _ := plan.Compute(in); c == nil {
		return false, nil
	}
	why, until, err := r.waiting(ctx, e)
	if why == "" || err != nil {
		return false, err
	}
	due.Next = until
	id := e.Object.ID
	if err := r.l.SetDue(id, due); err != nil {
		return true, err
	}
	return true, r.setProblems(ctx, id, []plan.Problem{{Object: id, Name: e.Object.DN, Problem: mapping.Problem{
		Code:    "removal-waits",
		Message: fmt.Sprintf("the object is gone from the source %s, and its account isn't touched yet: %s", r.named(e.Home), why),
		Remedy:  "nothing, if it is deleted or was moved; see that each source can be read",
	}}})
}

// shared reports an object that several sources hold.
func (r *run) shared(e *ledger.Entry) []plan.Problem {
	if len(e.Others) == 0 {
		return nil
	}
	names := make([]string, 0, len(e.Others))
	for home := range e.Others {
		names = append(names, r.named(home))
	}
	slices.Sort(names)
	return []plan.Problem{{Object: e.Object.ID, Name: e.Object.DN, Problem: mapping.Problem{
		Code:    "in-two-sources",
		Message: fmt.Sprintf("the sources %s and %s hold this object under one ID; it is synchronized as %[1]s has it", r.named(e.Home), strings.Join(names, ", ")),
		Remedy:  "after a move between domains, nothing: it ends when the old domain tells of its deletion; otherwise see that the scopes of the sources don't overlap",
	}}}
}

// strange reports whether what the source that is being read says of a container
// doesn't count, and notes whose word does.
func (r *run) strange(old *ledger.Container, now *ledger.Container, op source.Op) bool {
	from := r.from.home
	if old == nil || old.Home == from {
		now.Home = from
		return false
	}
	if op != source.Upsert || old.State == "" && r.prior(old.Home, from) {
		return true
	}
	now.Home = from
	return false
}
